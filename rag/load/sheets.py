"""Sheets and CSV into blocks: where their tables begin, what names their columns, and what belongs to which group."""

from __future__ import annotations

from collections import defaultdict
from itertools import accumulate, chain, groupby, islice, pairwise, takewhile
from typing import TYPE_CHECKING

from rag.language.published import publication_date
from rag.load.blocks import Block
from rag.load.tables import column_names, filled, is_form, is_number, is_value, record, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Rows = Iterable[tuple[int, Sequence[str]]]  # with their number in the file, from 1
    _Cells = Mapping[int, Sequence[tuple[int, int]]]

_AHEAD = 20  # rows of a table that tell what it is
_LONGEST_CAPTION = 120  # characters
_LONGEST_UNIT = 12  # characters
_TOTALS = ("total", "sum", "subtotal", "grand total", "all", "overall", "gesamt", "summe", "insgesamt")


def column_letters(index: int) -> str:
    """Return a column's letters, from 0: A, B, ..., Z, AA."""
    before, last = divmod(index, 26)
    return (column_letters(before - 1) if before else "") + chr(65 + last)


def sheet_table(
    rows: Rows, sheet: str = "", merged: Iterable[tuple[int, int, int, int]] = (), level: int = 1
) -> Iterator[Block]:
    """Yield a block for each row that is not empty, marked with its cells.

    A single short cell above a table is its heading, of this `level`. `merged` has the first column and row and the
    last column and row, from 1, of cells that cover several; each row has the text of what covers it from above. An
    empty row ends a table, but not right below the names, nor where it seems to go on.
    """
    down, across = _covered(merged)
    rows = _filled(rows, down) if down else rows
    single: list[Block] = []  # cells that stand alone, above what comes next
    at_start = True
    for block in _Tables(sheet, across).blocks(rows):
        single.append(block)
        if " | " in block.text:
            captions = [index for index, each in enumerate(single) if _is_caption(each.text)]
            for index in captions[:1] if at_start else captions[-1:]:
                single[index] = single[index]._replace(level=level)
            yield from single
            single, at_start = [], False
    yield from single


def table_lines(rows: Sequence[Sequence[str]], across: _Cells) -> list[str]:
    """Return the text of each row of one table, none of which is empty.

    `across` are, by row from 1, the first and last column, from 0, of cells that cover several.
    """
    numbered = list(enumerate(rows, 1))
    return [block.text for block in _Tables("", across).table(numbered[:_AHEAD], numbered[_AHEAD:])]


def _covered(merged: Iterable[tuple[int, int, int, int]]) -> tuple[_Cells, _Cells]:
    """Return cells that cover several, by their first row.

    Those that cover several rows have their column and last row, those that cover several columns the first and last
    of these. Columns count from 0.
    """
    down: dict[int, list[tuple[int, int]]] = defaultdict(list)
    across: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for left, top, right, bottom in merged:
        if bottom > top:
            down[top].append((left - 1, bottom))
        if right > left:
            across[top].append((left - 1, right - 1))
    return down, across


def _filled(rows: Rows, down: _Cells) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows with the text of a cell that covers several of them in each; empty rows stay empty."""
    covering: dict[int, tuple[int, str]] = {}  # by column: the last row that a cell above covers, and its text
    for number, row_ in rows:
        cells = list(row_)
        for column, (bottom, text) in covering.items() if any(cells) else ():
            if number <= bottom:
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = text
        for left, last in down.get(number, ()):
            if left < len(cells) and cells[left]:
                covering[left] = last, cells[left]
        yield number, cells


def date_above(blocks: Sequence[Block]) -> str | None:
    """Return the date that stands above the first table: that of a row says when something happened."""
    above = list(takewhile(lambda block: " | " not in block.text, blocks))
    return publication_date(block.text for block in above) if len(above) < len(blocks) else None


def _is_caption(text: str) -> bool:
    ended = text.endswith((".", "!", "?", ":", ";", ","))
    return " | " not in text and ": " not in text and not ended and not is_number(text) and len(text) < _LONGEST_CAPTION


class _Tables:
    """The tables of one sheet, as its rows come.

    The first row of a table names the columns when it looks like that and is wider than what stands above; so may the
    next one, below names that cover several columns, or with the units of what is below.
    """

    def __init__(self, sheet: str, across: _Cells) -> None:
        self._sheet, self._across = sheet, across
        self._header: list[str] | None = None
        self._ahead: Sequence[Sequence[str]] = ()  # the first rows
        self._heads: Sequence[Sequence[str]] = ()  # the rows that name the columns
        self._above: tuple[int, Sequence[str]] = (0, ())  # the row before and its number, while no values have come
        self._group: str | None = None  # what the rows below a single cell are part of
        self._has_groups = False

    def blocks(self, rows: Rows) -> Iterator[Block]:
        """Yield a block for each row that is not empty."""
        for has_cells, part in groupby(rows, lambda each: any(map(str.strip, each[1]))):
            if not has_cells:
                continue
            yield from self._part(part)

    def _part(self, rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Block]:
        """Yield the blocks of rows without an empty one; of two tables side by side, one after the other."""
        ahead = list(islice(rows, _AHEAD))
        gap = _gap([cells for _, cells in ahead])
        if gap is None:
            yield from self.table(ahead, rows)
            return
        both = [*ahead, *rows]
        for left in (True, False):
            side = [(n, [*cells[:gap]] if left else [*[""] * gap, *cells[gap:]]) for n, cells in both]
            yield from self.table([each for each in side if filled(each[1])], ())

    def table(self, ahead: Sequence[tuple[int, Sequence[str]]], rest: Rows) -> Iterator[Block]:
        """Yield the blocks of one table, of which the rows `ahead` tell what it is."""
        near = [cells for _, cells in ahead]
        form, fresh, widest = is_form(near), True, 1
        self._ahead = near
        goes_on = self._header and not form and _goes_on(self._header, near, bare=bool(self._above[1]))
        if not goes_on:
            self._header, self._above, self._group, self._has_groups = None, (0, ()), None, False
        for number, cells in chain(ahead, rest):
            places = filled(cells)
            text = self._text(number, cells, places, widest if not form else len(cells))
            widest = widest if self._header else max(widest, len(places))
            fresh = fresh or (self._has_groups and text == self._group)
            yield Block(text, None, "\n\n" if fresh else "\n", self._place(number, places))
            fresh = len(places) == 1 and self._header is None

    def _text(self, number: int, cells: Sequence[str], places: Sequence[int], widest: int) -> str:
        """Return the text of a row, and note what it says of those below it; names are wider than `widest`."""
        plain = row([cells[index] for index in places])
        before, above = self._above
        labelled = bool(above) and any(filled(each)[:1] < filled(above)[:1] for each in self._ahead)
        over = _over(above, self._across.get(before, ()), cells, labelled=labelled)
        may_name = over is not None if self._header else len(places) > widest and not is_value(cells, self._ahead)
        if may_name and (names := column_names(over, cells)):
            self._header, self._heads = _spread(names, self._across.get(number, ())), (above, cells)
        elif self._header and cells in self._heads:
            pass
        elif self._header and above and _are_units(cells, above):
            units = [*map(str.strip, cells), *[""] * len(self._header)]
            self._header = [f"{n} ({u})" if n and u else n for n, u in zip(self._header, units, strict=False)]
        elif self._header:
            first, self._above = bool(above), (0, ())
            return self._row(self._header, list(cells), places, first=first)
        self._above = number, cells
        return plain

    def _row(self, header: Sequence[str], cells: list[str], places: Sequence[int], *, first: bool) -> str:
        """Return a row of values; where groups have a row of their own, each row below says which one it is of.

        They have if the `first` row below the names is such a row. The first column may also name a group once only.
        """
        named = filled(header)
        label = cells[named[0]].strip() if named[0] < len(cells) else ""
        is_group = len(named) > 2 and places == named[:1] and not is_number(label)
        self._has_groups |= first and is_group
        if self._has_groups and is_group:
            self._group = label
            return label
        if label and not self._has_groups:
            self._group = label
        elif self._group and not label and (self._has_groups or places == named[1:]):
            cells[named[0]] = self._group
        text = record(header, cells)
        is_total = label.lower().rstrip(" :") in _TOTALS
        if self._has_groups and self._group and label and not is_total:
            text = f"{self._group.rstrip(' :')} | {text}"
        if self._has_groups and label.lower().startswith(_TOTALS[:1]):  # what comes behind is of no group, or a new one
            self._group = None
        return text

    def _place(self, number: int, places: Sequence[int]) -> str:
        first, last = (f"{column_letters(index)}{number}" for index in (places[0], places[-1]))
        return self._sheet + (f"{first}:{last}" if last != first else first)


def _gap(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the one empty column between two tables side by side: each with names above, and words in its first."""
    used = sorted({index for cells in rows for index in filled(cells)})
    gaps = [index + 1 for index, after in pairwise(used) if after > index + 1]
    if len(gaps) != 1 or len(rows) < 3 or not gaps[0] - used[0] > 1 or not used[-1] - gaps[0] > 1:
        return None
    sides = [[cells[: gaps[0]] for cells in rows], [cells[gaps[0] + 1 :] for cells in rows]]
    return gaps[0] if all(map(_is_table, sides)) else None


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    kept = [cells for cells in rows if len(filled(cells)) > 1]
    firsts = [cells[filled(cells)[0]] for cells in kept[1:]]
    return len(kept) > 2 and bool(column_names(None, kept[0])) and not any(map(is_number, firsts)) and not is_form(kept)


def _are_units(cells: Sequence[str], above: Sequence[str]) -> bool:
    """Tell whether a row right below names has the units of some, not of the first: `m`, `l/min`."""
    places, named = filled(cells), filled(above)
    short = all(len(cells[index].strip()) <= _LONGEST_UNIT and not is_number(cells[index]) for index in places)
    return short and len(places) > 1 and places[0] > named[0] and {*places} <= {*named}


def _goes_on(header: Sequence[str], rows: Sequence[Sequence[str]], *, bare: bool) -> bool:
    """Tell whether rows below an empty one belong to the names above it: a row of all columns with a number does.

    Below `bare` names so does all that is not itself names over numbers, nor a single row that looks like names.
    """
    first = next((cells for cells in rows if len(filled(cells)) > 1), rows[0])
    places, named = filled(first), bool(column_names(None, first))
    if bare:
        return places[-1] < len(header) and not (named and (len(rows) == 1 or any(map(is_number, rows[1]))))
    return not named and len(places) > 2 and places == filled(header)


def _over(
    above: Sequence[str], spans: Sequence[tuple[int, int]], cells: Sequence[str], *, labelled: bool
) -> list[str] | None:
    """Return the row above spread over the columns that its cells cover, if a row goes on with what it names.

    It does so beside empty cells, when they are merged (`spans`), or when either row begins further right than the
    other or the lower one says a name twice. Without `spans`, names cover columns to the right if the first of them
    begins with the lower row, to the left if the last ends with it. A single cell is a title, but
    for a merged one beside rows that are `labelled` further left.
    """
    upper, own = filled(above), filled(cells)
    if not upper or max({*own} - {*upper}, default=0) <= upper[0]:
        return None
    repeated = len({cells[index] for index in own}) < len(own)
    if own[0] >= upper[0] and (
        (len(upper) == 1 and not (spans and labelled)) or not (spans or own[0] > upper[0] or repeated)
    ):
        return None
    names = [*map(str.strip, above), *[""] * (len(cells) - len(above))]
    step = 1 if upper[0] in own[:2] or own[0] in upper else -1
    if spans or (step < 0 and own[-1] not in upper):
        return _spread(names, spans)
    covered: Iterator[str] = accumulate(names[::step], lambda before, name: name or before)
    return list(covered)[::step]


def _spread(names: list[str], across: Sequence[tuple[int, int]]) -> list[str]:
    for first, last in across:
        names.extend([""] * (last + 1 - len(names)))
        for index in range(first + 1, last + 1):
            names[index] = names[index] or names[first]
    return names
