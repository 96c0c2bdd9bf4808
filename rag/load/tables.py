"""Rows of cells into text, for all formats: each row says with every value what it is."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from rag.load.blocks import Block, line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_NUMBER = re.compile(r"[\s(]*[-+]?[\d.,:/%€$£ -]+[)%]?\s*")
_YEAR = re.compile(r"(?:19|20)\d\d(?:[-–/](?:\d\d){1,2})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1(?:\d\d){1,2}")
_LONG_NAME, _LONGEST_NAME = 80, 200  # characters of a column's name, and of a single one
_COMMON = 0.25  # of the rows have a value that the first one has, too, where that names no column
_LONGEST_SHORT_FORM = 15  # characters of a name with a full stop: `Unit pr.`


def row(cells: Sequence[str]) -> str:
    """Return a table row as one line; nothing for empty cells only."""
    filled = [_cell(cell) for cell in cells]
    return " | ".join(filled).strip() if any(filled) else ""


def record(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return a table row that says with each value what it is: `Name: Ada | Year: 1843`. Empty cells are left out."""
    names = [*header, *[""] * (len(cells) - len(header))]
    pairs = ((_cell(name), _cell(cell)) for name, cell in zip(names, cells, strict=False))
    return " | ".join(f"{name}: {cell}" if name and name != cell else cell for name, cell in pairs if cell)


def _cell(text: str) -> str:
    """Return a cell on one line; a bar inside of it stands without spaces, for those with spaces part cells."""
    return line(text).replace(" | ", "|")


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


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number and nothing else but signs."""
    return bool(_NUMBER.fullmatch(cell)) and any(map(str.isdigit, cell))


def heading_row(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of columns of a table that does not say whether it has any; nothing where it seems to have none.

    The first row must look like names, none of which is a value below, and the table like one of data: three columns,
    numbers, or few different values. A form of two columns (`Name | Ada`, `Town | York`) has no names above.
    """
    first, below = (list(rows[0]), rows[1:]) if rows else ([], ())
    places = filled(first)
    even = len(below) > 1 and all(len(each) == len(first) for each in below)
    if not even or len(first) - len(places) > 1 or is_form(rows):
        return []
    if is_value(first, below):
        return []
    columns = [[each[index].strip() for each in below if each[index].strip()] for index in places]
    counted = any(sum(bool(_NUMBER.fullmatch(cell)) for cell in column) * 2 > len(column) for column in columns)
    chosen = any(len(column) > 3 and len(set(column)) * 2 <= len(column) for column in columns)
    return (column_names(None, first) or []) if counted or chosen or len(places) > 2 else []


def is_value(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row is one of values: many others have the same in one of its columns; names may come again."""
    other = [each for each in others if list(each) != list(cells)]
    same = [sum(cells[at].strip() == each[at].strip() for each in other if at < len(each)) for at in filled(cells)]
    return bool(other) and max(same, default=0) >= _COMMON * len(other)


def filled(cells: Sequence[str]) -> list[int]:
    """Return the places of cells that are not empty."""
    return [index for index, cell in enumerate(cells) if cell.strip()]


def is_form(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether rows are pairs of a label and its value, two columns or four: `Name | Ada | Town | York`.

    No label is a number or said twice, and values of all kinds stand under each other: in a column of a table of data
    most cells have digits, or most have none.
    """
    used = sorted({index for cells in rows for index in filled(cells)})
    if len(used) not in {2, 4}:
        return False
    columns = [[cells[index].strip() if index < len(cells) else "" for cells in rows] for index in used]
    labels = [label for column in columns[::2] for label in column if label]
    kinds = [[_kind(value) for value in column[1:] if value] for column in columns[1::2]]
    mixed = any(map(_are_mixed, kinds))
    alike = len(set(labels)) < len(labels) or any(map(is_number, labels))
    return len(labels) > 3 and mixed and not alike


def _kind(value: str) -> str:
    return "date" if _DATE.fullmatch(value) else "digits" if any(map(str.isdigit, value)) else "words"


def _are_mixed(kinds: Sequence[str]) -> bool:
    words = kinds.count("words")
    most = max(map(kinds.count, kinds), default=0)
    return 0 < len(kinds) <= 4 * min(words, len(kinds) - words) or 0 < 5 * most <= 3 * len(kinds)


def column_names(above: Sequence[str] | None, cells: Sequence[str]) -> list[str] | None:
    """Return the names of columns, if a row looks like that: several short words, no numbers but years and days.

    No two are alike, unless all come once more, as in `Team | Goals | Team | Goals`. Below names that cover several
    columns they go on with those: `2023` and `Plan` is `2023 Plan`.
    """
    places = filled(cells)
    own = [cells[index].strip() for index in places]
    years, days = (sum(bool(kind.fullmatch(name)) for name in own) for kind in (_YEAR, _DATE))
    may_be_times = (years > 1 or days > 2) and (years + days < len(own) or places[0] > 0)
    long = sum(len(name) > _LONG_NAME for name in own)
    if len(own) < 2 or long > 1 or own[0].endswith("?") or not all(_may_name(n, times=may_be_times) for n in own):
        return None
    groups = (upper if len(upper) <= _LONG_NAME else "" for upper in above or ())  # a longer one is a caption
    pairs = zip_longest(groups, (cell.strip() for cell in cells), fillvalue="")
    names = [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs]
    given = [names[index] for index in places]
    count = given.index(given[0], 1) if given[0] in given[1:] else 1
    repeats = count > 1 and given == given[:count] * (len(given) // count)
    return names if repeats or len(set(given)) == len(given) else None


def _may_name(name: str, *, times: bool) -> bool:
    """Tell whether a text may be the name of a column; a number may not, nor a sentence: `Qty.` is short for a word."""
    ended = name[-1] in "!。:：" or (name[-1] == "." and len(name) > _LONGEST_SHORT_FORM)
    is_time = times and bool(_YEAR.fullmatch(name) or _DATE.fullmatch(name))
    return len(name) <= _LONGEST_NAME and not ended and (is_time or not _NUMBER.fullmatch(name))
