"""Tables of web pages: where each cell stands, what only lays out a page, and what names the columns."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from rag.language.blocks import is_item
from rag.load.container import integer
from rag.load.sheets import table_lines
from rag.load.tables import is_number, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.load.container import Element

_LONGEST_ROW = 1000  # characters; a longer one lays out a page and holds no data
_MOST_COVERED = 1000  # rows or columns of a cell, as browsers have it
_OPEN = frozenset("$ € £ ¥ US$ C$ A$ HK$ ( $( ($ €( (€ £( (£ -$".split())  # in a cell of its own, before a number
_CLOSE = frozenset(") % )% %)".split())
_LONGEST_SIGN = 4  # characters of `•`, `(iv)`
_FEWEST = 2  # numbers in a column of data


class HtmlRow(NamedTuple):
    """A row: its number, its cells in one line, and the same with the names of their columns where they have some."""

    number: int
    plain: str
    named: str


def table_rows(element: Element, text: Callable[[Element], str]) -> dict[Element, HtmlRow]:
    """Return those rows of a table that hold data, by their elements; `text` gives what a cell says."""
    rows = {row: cells for row in _rows(element) if (cells := _cells(row, text))}
    grid = _Grid([*rows.values()])
    named = bool(rows) and all(cell.tag == "th" for cell, _ in next(iter(rows.values())))
    texts = _below_names(grid.rows) if named else _in_use(grid)
    plain = (" | ".join(filter(None, row)) for row in grid.rows)
    return dict(zip(rows, map(HtmlRow, count(1), plain, texts), strict=True))


def _rows(element: Element) -> Iterator[Element]:
    """Yield the rows of a table, whatever stands around them, but not those of tables in its cells."""
    waiting = [*reversed(element)]
    while waiting:
        child = waiting.pop()
        if child.tag == "tr":
            yield child
        elif child.tag not in {"td", "th", "table"}:
            waiting += reversed(child)


def _cells(row: Element, text: Callable[[Element], str]) -> list[tuple[Element, str]]:
    """Return a row's cells with their texts; nothing for a row that only lays out a page."""
    cells = [cell for cell in row if cell.tag in {"td", "th"}]
    alone = len(cells) == 1 and cells[0].get("rowspan", "1") == "1"  # the others of its row may begin above
    if not cells or alone or next(row.iterdescendants("tr"), None) is not None:
        return []
    texts = [text(cell) for cell in cells]
    return list(zip(cells, texts, strict=True)) if any(texts) and sum(map(len, texts)) <= _LONGEST_ROW else []


class _Across(NamedTuple):
    """A cell that covers the columns from `left` to `right`, of a row, from 0."""

    row: int
    left: int
    right: int


class _Grid:
    """Rows with a text for each column: a cell that covers several rows or names several columns is in each.

    A sign in a cell of its own is joined with its number: `$` and `301`, `(12` and `)`; so are their columns.
    """

    def __init__(self, rows: Sequence[Sequence[tuple[Element, str]]]) -> None:
        self.across: list[_Across] = []
        self._covering: dict[int, tuple[int, str]] = {}  # by column: rows that a cell above still covers
        self.rows = [self._laid_out(number, cells) for number, cells in enumerate(rows)]
        for sign, number in sorted({pair for row in self.rows for pair in _joined_signs(row)}):
            self._join_columns(sign, number)

    def _join_columns(self, first: int, last: int) -> None:
        """Make one column of those in which signs, numbers without them and names of both stand, each in its row."""
        parts = [row[first : last + 1] for row in self.rows]
        if all(len({*part} - {""}) <= 1 for part in parts):
            for row, part in zip(self.rows, parts, strict=True):
                row[first : last + 1] = [*sorted({*part} - {""}), *[""] * len(part)][: len(part)]

    def _laid_out(self, number: int, cells: Sequence[tuple[Element, str]]) -> list[str]:
        row: list[str] = []
        above = self._covering
        self._covering = {column: (left - 1, text) for column, (left, text) in above.items()}
        for cell, text in [*cells, (None, "")]:
            while above.get(len(row), (0, ""))[0] > 0:
                row.append(above[len(row)][1])
            if cell is None:
                break
            columns = _covered(cell, "colspan")
            if columns > 1 and text:
                self.across.append(_Across(number, len(row), len(row) + columns - 1))
            for index in range(columns):
                self._covering[len(row)] = (_covered(cell, "rowspan") - 1, text)
                row.append(text if index == 0 or cell.tag == "th" else "")
        return row


def _joined_signs(row: list[str]) -> Iterator[tuple[int, int]]:
    """Join signs with their numbers in a row; yield the columns of each sign that stood in front, and of its number."""
    last = 0  # the place of the last text
    for at, text in enumerate(row):
        if at and is_number(text) and row[last] in _OPEN:
            row[last], row[at] = "", row[last] + text
            yield last, at
        elif at and text in _CLOSE and is_number(row[last]):
            row[last], row[at] = row[last] + text, ""
            continue
        last = at if row[at] else last


def _covered(cell: Element, attribute: str) -> int:
    value = cell.get(attribute, "")
    return min(integer(value) or 1, _MOST_COVERED) if len(value) < 5 else 1


def _below_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the text of each row below a first one of names, whose names go with the rows that have as many cells."""
    header = rows[0]
    below = (record(header, row) if len(row) == len(header) else " | ".join(row) for row in rows[1:])
    return [" | ".join(header), *below]


def _in_use(grid: _Grid) -> list[str]:
    """Return the text of each row without columns that are empty; with names where it is a table of data."""
    used = sorted({at for row in grid.rows for at, text in enumerate(row) if text})
    rows = [[row[at] if at < len(row) else "" for at in used] for row in grid.rows]
    if not _is_data(rows):
        return [_listed(row) or " | ".join(filter(None, row)) for row in rows]
    across: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, left, right in grid.across:
        covered = [index for index, at in enumerate(used) if left <= at <= right]
        goes_on = number + 1 < len(rows) and not rows[number + 1][0]  # as the names below do, beside an empty corner
        if len(covered) > 1 and goes_on:
            across[number + 1].append((covered[0], covered[-1]))
    return table_lines(rows, across)


def _listed(row: Sequence[str]) -> str | None:
    """Return an item of a list as a line: its sign, and what it says."""
    cells = [cell for cell in row if cell]
    item = " ".join(cells)
    return item if len(cells) == 2 and len(cells[0]) <= _LONGEST_SIGN and is_item(item) else None


def _is_data(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether most of what stands in a column, not the first, are numbers."""
    columns = [[cell for cell in column if cell] for column in zip(*rows[1:], strict=True)][1:]
    return any(sum(map(is_number, column)) >= max(_FEWEST, len(column) / 2) for column in columns)
