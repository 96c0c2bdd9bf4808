"""Rows of cells into blocks: each row says with every value what it is, and names its cells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.load.pieces import Piece, record, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NUMBER = re.compile(r"[\s(]*[-+]?[\d.,:/%€$£ -]+[)%]?\s*")
_LONGEST_NAME = 80  # characters of a column's name


def column(index: int) -> str:
    """Return a column's letters, from 0: A, B, ..., Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def table(rows: Iterable[tuple[int, Sequence[str]]], sheet: str = "") -> Iterator[Piece]:
    """Yield a block for each row that is not empty; `rows` have their number in the file.

    An empty row ends a table; the first row of each names the columns when it looks like that. A row above with a
    single cell is a caption.
    """
    header: Sequence[str] | None = None
    fresh = True
    for number, cells in rows:
        filled = [index for index, cell in enumerate(cells) if cell.strip()]
        if not filled:
            header, fresh = None, True
            continue
        mark = f"{sheet}{column(filled[0])}{number}:{column(filled[-1])}{number}"
        gap = "\n\n" if fresh else "\n"
        if header is None and _names_columns(cells, filled):
            header, text = cells, row([cells[index] for index in filled])
        else:
            text = record(header, cells) if header else row([cells[index] for index in filled])
        yield Piece(text, None, gap, mark.removesuffix(f":{column(filled[0])}{number}"))
        fresh = len(filled) == 1 and header is None


def _names_columns(cells: Sequence[str], filled: Sequence[int]) -> bool:
    """Tell whether a row names columns: several short words, none of them a number, and no two alike."""
    names = [cells[index].strip() for index in filled]
    plain = all(
        len(name) <= _LONGEST_NAME and not _NUMBER.fullmatch(name) and name[-1] not in ".!?。" for name in names
    )
    return len(names) > 1 and plain and len(set(names)) == len(names)
