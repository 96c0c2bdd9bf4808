"""Rows of cells into blocks, for all formats: each row says with every value what it is, and names its cells."""

from __future__ import annotations

import re
from itertools import zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING

from rag.load.blocks import Block, line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_NUMBER = re.compile(r"[\s(]*[-+]?[\d.,:/%€$£ -]+[)%]?\s*")
_NONE: Mapping[int, Sequence[tuple[int, int]]] = MappingProxyType({})
_YEAR = re.compile(r"(?:19|20)\d\d(?:[-–/](?:\d\d){1,2})?")
_LONGEST_NAME = 80  # characters of a column's name


def row(cells: Sequence[str]) -> str:
    """Return a table row as one line; nothing for empty cells only."""
    filled = [line(cell) for cell in cells]
    return " | ".join(filled).strip() if any(filled) else ""


def record(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return a table row that says with each value what it is: `Name: Ada | Year: 1843`. Empty cells are left out."""
    names = [*header, *[""] * (len(cells) - len(header))]
    pairs = ((line(name), line(cell)) for name, cell in zip(names, cells, strict=False))
    return " | ".join(f"{name}: {cell}" if name and name != cell else cell for name, cell in pairs if cell)


def column_letters(index: int) -> str:
    """Return a column's letters, from 0: A, B, ..., Z, AA."""
    before, last = divmod(index, 26)
    return (column_letters(before - 1) if before else "") + chr(65 + last)


def text_table(
    rows: Sequence[Sequence[str]],
    name: str,
    header: Sequence[str] = (),
    heads: Collection[int] = (),
    page: int | None = None,
) -> Iterator[Block]:
    """Yield a block for each row of a table in a text, marked with the `name` of the table and the row's number.

    `header` names the columns and is the first row; or rows that name what is below them are `heads`, by their index.
    """
    for index, cells in enumerate(rows):
        named = len(header) == len(cells) and index not in heads and index > 0
        text = record(header, cells) if named else row(cells)
        header = cells if index in heads else header
        yield Block(text, None, "\n" if index else "\n\n", f"{name}, row {index + 1}", page)


def sheet_table(
    rows: Iterable[tuple[int, Sequence[str]]], sheet: str = "", across: Mapping[int, Sequence[tuple[int, int]]] = _NONE
) -> Iterator[Block]:
    """Yield a block for each row that is not empty, marked with its cells; `rows` have their number in the file.

    An empty row ends a table; the first row of each names the columns when it looks like that. A row above with a
    single cell is a caption. `across` has, by row, first and last columns of cells that cover several: below names
    that do so, the next row names the columns as well.
    """
    header: Sequence[str] | None = None
    fresh, goes_on = True, False
    for number, cells in rows:
        places = [index for index, cell in enumerate(cells) if cell.strip()]
        if not places:
            header, fresh, goes_on = None, True, False
            continue
        first, last = (f"{column_letters(index)}{number}" for index in (places[0], places[-1]))
        names = _names(header if goes_on else None, cells, places)
        text = row([cells[index] for index in places])
        if names and (goes_on or header is None):
            header, goes_on = _spread(names, across.get(number, ())), number in across
        else:
            text, goes_on = record(header, cells) if header else text, False
        yield Block(text, None, "\n\n" if fresh else "\n", f"{sheet}{first}" + (f":{last}" if last != first else ""))
        fresh = len(places) == 1 and header is None


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number and nothing else but signs."""
    return bool(_NUMBER.fullmatch(cell)) and any(map(str.isdigit, cell))


def heading_row(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of columns of a table that does not say whether it has any; nothing where it seems to have none.

    The first row must look like names, and the table like one of data: three columns, numbers, or few different values.
    A form of two columns (`Name | Ada`, `Town | York`) has no names above.
    """
    first, below = (list(rows[0]), rows[1:]) if rows else ([], ())
    places = [index for index, cell in enumerate(first) if cell.strip()]
    even = len(below) > 1 and all(len(each) == len(first) for each in below)
    if not even or len(first) - len(places) > 1 or any(cell.strip().endswith(":") for cell in first):
        return []
    columns = [[each[index].strip() for each in below if each[index].strip()] for index in places]
    counted = any(sum(bool(_NUMBER.fullmatch(cell)) for cell in column) * 2 > len(column) for column in columns)
    chosen = any(len(column) > 3 and len(set(column)) * 2 <= len(column) for column in columns)
    return (_names(None, first, places) or []) if counted or chosen or len(places) > 2 else []


def _names(above: Sequence[str] | None, cells: Sequence[str], places: Sequence[int]) -> list[str] | None:
    """Return the names of columns, if a row looks like that: several short words, no numbers but years, no two alike.

    Below names that cover several columns they go on with those: `2023` and `Plan` is `2023 Plan`.
    """
    own = [cells[index].strip() for index in places]
    years = sum(bool(_YEAR.fullmatch(name)) for name in own)
    may_have_years = years > 1 and (years < len(own) or places[0] > 0)
    if len(own) < 2 or not all(
        len(name) <= _LONGEST_NAME
        and name[-1] not in ".!?。"
        and (not _NUMBER.fullmatch(name) or (may_have_years and _YEAR.fullmatch(name)))
        for name in own
    ):
        return None
    pairs = zip_longest(above or (), (cell.strip() for cell in cells), fillvalue="")
    names = [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs]
    given = [names[index] for index in places]
    return names if len(set(given)) == len(given) else None


def _spread(names: list[str], across: Sequence[tuple[int, int]]) -> list[str]:
    """Give each column that a name covers this name."""
    for first, last in across:
        names.extend([""] * (last + 1 - len(names)))
        for index in range(first + 1, last + 1):
            names[index] = names[index] or names[first]
    return names
