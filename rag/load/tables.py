"""Rows of cells into blocks, for all formats: each row says with every value what it is, and names its cells."""

from __future__ import annotations

import re
from itertools import accumulate, chain, groupby, islice, zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING

from rag.load.blocks import Block, line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_NUMBER = re.compile(r"[\s(]*[-+]?[\d.,:/%€$£ -]+[)%]?\s*")
_NONE: Mapping[int, Sequence[tuple[int, int]]] = MappingProxyType({})
_YEAR = re.compile(r"(?:19|20)\d\d(?:[-–/](?:\d\d){1,2})?")
_LONGEST_NAME = 80  # characters of a column's name
_AHEAD = 20  # rows of a table that tell what it is


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

    The first row of a table names the columns when it looks like that, and so may the next one below names that cover
    several. A row above with a single cell is a caption. `across` has, by row, first and last columns of cells that
    cover several. An empty row ends a table, but not right below the names, nor where the table seems to go on.
    """
    header: list[str] | None = None
    heads: Sequence[Sequence[str]] = ()  # the rows that name the columns
    above: Sequence[str] = ()  # the row before, while no values have come
    for part in (part for filled, part in groupby(rows, lambda each: any(map(str.strip, each[1]))) if filled):
        ahead = list(islice(part, _AHEAD))
        near = [cells for _, cells in ahead]
        form, fresh = _is_form(near), True
        header = header if header and not form and _goes_on(header, near, bare=bool(above)) else None
        above, before = (), 0
        for number, cells in chain(ahead, part):
            places = _filled(cells)
            first, last = (f"{column_letters(index)}{number}" for index in (places[0], places[-1]))
            over = _over(above, across.get(before, ()), cells)
            names = None if form else _names(over, cells)
            text = row([cells[index] for index in places])
            if names and (over or header is None):
                header, heads = _spread(names, across.get(number, ())), (above, cells)
            elif header and cells not in heads:
                text = record(header, cells)
            above, before = (cells, number) if not header or cells in heads else ((), 0)
            place = sheet + (f"{first}:{last}" if last != first else first)
            yield Block(text, None, "\n\n" if fresh else "\n", place)
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
    places = _filled(first)
    even = len(below) > 1 and all(len(each) == len(first) for each in below)
    if not even or len(first) - len(places) > 1 or _is_form(rows):
        return []
    columns = [[each[index].strip() for each in below if each[index].strip()] for index in places]
    counted = any(sum(bool(_NUMBER.fullmatch(cell)) for cell in column) * 2 > len(column) for column in columns)
    chosen = any(len(column) > 3 and len(set(column)) * 2 <= len(column) for column in columns)
    return (_names(None, first) or []) if counted or chosen or len(places) > 2 else []


def _filled(cells: Sequence[str]) -> list[int]:
    return [index for index, cell in enumerate(cells) if cell.strip()]


def _is_form(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether rows are pairs of a label and its value, two columns or four: `Name | Ada | Town | York`.

    No label is a number or said twice, and values of all kinds stand under each other: in a column of a table of data
    most cells have digits, or most have none.
    """
    used = sorted({index for cells in rows for index in _filled(cells)})
    if len(used) not in {2, 4}:
        return False
    columns = [[cells[index].strip() if index < len(cells) else "" for cells in rows] for index in used]
    labels = [label for column in columns[::2] for label in column if label]
    digits = [[any(map(str.isdigit, value)) for value in column[1:] if value] for column in columns[1::2]]
    mixed = any(0 < len(each) <= 4 * min(sum(each), len(each) - sum(each)) for each in digits)
    alike = len(set(labels)) < len(labels) or any(map(is_number, labels))
    return len(labels) > 3 and mixed and not alike


def _goes_on(header: Sequence[str], rows: Sequence[Sequence[str]], *, bare: bool) -> bool:
    """Tell whether rows below an empty one belong to the names above it: a row of all columns with a number does.

    Below `bare` names so does all that is not itself names over numbers, nor a single row that looks like names.
    """
    first = next((cells for cells in rows if len(_filled(cells)) > 1), rows[0])
    places, named = _filled(first), bool(_names(None, first))
    if bare:
        return places[-1] < len(header) and not (named and (len(rows) == 1 or any(map(is_number, rows[1]))))
    return not named and len(places) > 2 and places == _filled(header)


def _over(above: Sequence[str], spans: Sequence[tuple[int, int]], cells: Sequence[str]) -> list[str] | None:
    """Return the row above spread over the columns that its cells cover, if a row goes on with what it names.

    It does so beside empty cells, when they are merged (`spans`), or when either row begins further right than the
    other or the lower one says a name twice. Without `spans`, names cover columns to the right if the first of them
    begins with the lower row, to the left if the last ends with it. A single cell in the first column is a title.
    """
    upper, own = _filled(above), _filled(cells)
    if not upper or max({*own} - {*upper}, default=0) <= upper[0]:
        return None
    repeated = len({cells[index] for index in own}) < len(own)
    if own[0] >= upper[0] and (len(upper) == 1 or not (spans or own[0] > upper[0] or repeated)):
        return None
    names = [*map(str.strip, above), *[""] * (len(cells) - len(above))]
    step = 1 if upper[0] in own[:2] or own[0] in upper else -1
    if spans or (step < 0 and own[-1] not in upper):
        return _spread(names, spans)
    covered: Iterator[str] = accumulate(names[::step], lambda before, name: name or before)
    return list(covered)[::step]


def _names(above: Sequence[str] | None, cells: Sequence[str]) -> list[str] | None:
    """Return the names of columns, if a row looks like that: several short words, no numbers but years, no two alike.

    Below names that cover several columns they go on with those: `2023` and `Plan` is `2023 Plan`.
    """
    places = _filled(cells)
    own = [cells[index].strip() for index in places]
    years = sum(bool(_YEAR.fullmatch(name)) for name in own)
    may_have_years = years > 1 and (years < len(own) or places[0] > 0)
    if len(own) < 2 or not all(
        len(name) <= _LONGEST_NAME
        and name[-1] not in ".!?。:："
        and (not _NUMBER.fullmatch(name) or (may_have_years and _YEAR.fullmatch(name)))
        for name in own
    ):
        return None
    pairs = zip_longest(above or (), (cell.strip() for cell in cells), fillvalue="")
    names = [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs]
    given = [names[index] for index in places]
    return names if len(set(given)) == len(given) else None


def _spread(names: list[str], across: Sequence[tuple[int, int]]) -> list[str]:
    for first, last in across:
        names.extend([""] * (last + 1 - len(names)))
        for index in range(first + 1, last + 1):
            names[index] = names[index] or names[first]
    return names
