"""Tables that are drawn with lines: where their rows and columns are, and what stands in each cell.

Text that a narrow column wraps is one cell again; without the lines it would be taken for lines of a text.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from dataclasses import replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.load.pdf.characters import CharacterRun, hull, is_rtl, joined, placing
from rag.load.pdf.hyphens import after_break
from rag.load.pdf.reading_order import beside, merged, same_line
from rag.load.tables import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.load.pdf.characters import Box

    Page = Any  # pypdfium2's
    Cell = list[CharacterRun]  # its words
    Placed = tuple[CharacterRun, tuple[int, int]]  # a word, its row and column

_THICK = 3.0  # points: a stroke, or a rectangle no thicker, is a line; ends that far apart touch
_GAP = 1.5  # points between lines that hang together
_SHORTEST = 5.0  # points of a line
_NARROWEST = 7.0  # points of a column: less than a letter and the space around it
_MOST_OBJECTS, _MOST_LINES = 40_000, 4_000  # of a page: more are a drawing
_LONGEST_CELL = 600  # characters: where cells hold more, the lines frame text and are no table
_FEWEST = 2  # rows, and columns
_SPACE = 0.45  # of a letter's height, between words: a narrower one is a space within a line
_MOST_CUT = 0.02  # of the words may be parted from the next by a line
_MOST_DEPTH = 4  # of forms within forms


class Grid(NamedTuple):
    """The lines of a table: `xs` from left to right, `ys` from the top down; and the pieces that are drawn."""

    xs: list[float]
    ys: list[float]
    upright: list[Box]
    level: list[Box]

    def cell(self, run: CharacterRun) -> tuple[int, int] | None:
        """Return row and column of what stands there, by its middle; None outside of the table."""
        x, y = run.middle
        if not (self.xs[0] < x < self.xs[-1] and self.ys[0] < y < self.ys[-1]):
            return None
        row, column = bisect_right(self.ys, y) - 1, bisect_right(self.xs, x) - 1
        while column and not _passes(self.upright, self.xs[column], y):
            column -= 1  # a cell that goes over several columns is in the first
        while row and not self.has_line_above(row, column):
            row -= 1  # and of several rows
        return row, column

    def has_line_above(self, row: int, column: int) -> bool:
        """Tell whether a line parts a cell from the one above."""
        return _passes(self.level, (self.xs[column] + self.xs[column + 1]) / 2, self.ys[row])


def rows(page: Page, words: Sequence[CharacterRun]) -> tuple[list[CharacterRun], list[CharacterRun]]:
    """Return the rows of the tables of a page, each as one run with its cells, and the words outside of them."""
    found: list[CharacterRun] = []
    for grid in _grids(page):
        placed = [(word, place) for word in words if not word.angle and (place := grid.cell(word))]
        table = [] if _cuts(placed) else _table(grid, placed)
        found += [_row(grid, cells) for cells in table]
        used = {id(word) for cells in table for cell in cells for word in cell}
        words = [word for word in words if id(word) not in used]
    return found, list(words)


def _grids(page: Page) -> Iterator[Grid]:
    drawn = (box for box in _boxes(page) if min(_size(box)) <= _THICK and max(_size(box)) >= _SHORTEST)
    lines = list(islice(drawn, _MOST_LINES + 1))
    for crossing in _crossing(lines) if len(lines) <= _MOST_LINES else ():
        upright = [box for box in crossing if _size(box)[0] < _size(box)[1]]
        level = [box for box in crossing if _size(box)[0] >= _size(box)[1]]
        x0, y0, x1, y1 = hull(crossing)
        xs = _columns([x0, x1, *((left + right) / 2 for left, _, right, _ in upright)], upright)
        ys = _apart([y0, y1, *((top + bottom) / 2 for _, top, _, bottom in level)])
        if upright and level and len(ys) >= _FEWEST <= len(xs):
            yield Grid(xs, ys, upright, level)


def _size(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _apart(places: Iterable[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _THICK:
            found.append(place)
    return found


def _columns(places: Iterable[float], upright: Sequence[Box]) -> list[float]:
    """Return where columns are parted: of places too near for a column, as the sides of a shading, the longest line."""

    def length(x: float) -> float:
        return sum(bottom - top for left, top, right, bottom in upright if abs((left + right) / 2 - x) <= _THICK)

    found: list[float] = []
    for place in _apart(places):
        if not found or place - found[-1] >= _NARROWEST:
            found.append(place)
        elif length(place) > length(found[-1]):
            found[-1] = place
    return found


def _crossing(lines: list[Box]) -> Iterator[list[Box]]:
    while lines:
        group = [lines.pop()]
        for line in group:  # which grows meanwhile
            met = [other for other in lines if _touch(line, other, _GAP)]
            lines = [other for other in lines if other not in met] if met else lines
            group += met
        yield group


def _passes(lines: Iterable[Box], x: float, y: float) -> bool:
    return any(_touch(line, (x, y, x, y), _THICK) for line in lines)


def _touch(a: Box, b: Box, gap: float) -> bool:
    return a[0] - gap <= b[2] and b[0] - gap <= a[2] and a[1] - gap <= b[3] and b[1] - gap <= a[3]


def _boxes(page: Page) -> Iterator[Box]:
    from pypdfium2 import raw

    if raw.FPDFPage_CountObjects(page) > _MOST_OBJECTS:
        return
    placed = placing(page)
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=_MOST_DEPTH):
        matrix, form = path.get_matrix(), path.container
        while form is not None:
            matrix, form = matrix.multiply(form.get_matrix()), form.container
        first = before = (0.0, 0.0)
        for index in range(raw.FPDFPath_CountSegments(path.raw)):
            segment = raw.FPDFPath_GetPathSegment(path.raw, index)
            raw.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            kind = raw.FPDFPathSegment_GetType(segment)
            if kind == raw.FPDF_SEGMENT_MOVETO:
                first = point
            elif kind == raw.FPDF_SEGMENT_LINETO:
                yield placed(hull([(*before, *before), (*point, *point)]))
            before = point
            if raw.FPDFPathSegment_GetClose(segment):
                yield placed(hull([(*point, *point), (*first, *first)]))
                before = first


def _cuts(words: Sequence[Placed]) -> bool:
    """Tell whether the lines go through text, as those of a drawing do: words of a line are nearer than cells."""
    ordered = sorted(words, key=lambda word: (round(word[0].box[3]), word[0].box[0]))
    cut = sum(
        place != other
        for (a, place), (b, other) in pairwise(ordered)
        if a.beside(b) and -a.height < b.box[0] - a.box[2] < _SPACE * a.height
    )
    return cut > _MOST_CUT * len(words)


def _table(grid: Grid, words: Iterable[Placed]) -> list[list[Cell]]:
    """Return the words of each cell, by row and column; nothing where the lines seem to frame no table.

    A cell that goes over several rows is said again in each of them.
    """
    table: list[list[Cell]] = [[[] for _ in grid.xs[1:]] for _ in grid.ys[1:]]
    for word, (number, column) in words:
        table[number][column].append(word)
    if not _is_table([[cell for cell in row if cell] for row in table if any(row)]):
        return []
    for index, (above, row) in enumerate(pairwise(table), 1):
        for column, cell in enumerate(row):
            if not cell and above[column] and not grid.has_line_above(index, column):
                row[column] = above[column]
    return [part for row in table if any(row) for part in _parts(row)]


def _is_table(filled: Sequence[Sequence[Cell]]) -> bool:
    """Tell a table from framed text by its cells that are not empty: several in most rows, none too long.

    A line of a cell has no wide gap, where one of two framed columns of text has.
    """
    several = sum(len(row) > 1 for row in filled)
    lines = [merged(group) for row in filled for cell in row for group in same_line(joined(cell))]
    parted = sum(len(line) > 1 for line in lines)
    longest = max((sum(len(word.text) + 1 for word in cell) for row in filled for cell in row), default=0)
    return max(_FEWEST, len(filled) / 2) <= several and parted <= len(lines) / 5 and longest <= _LONGEST_CELL


def _parts(row: list[Cell]) -> list[list[Cell]]:
    """Return the rows that stand between two lines: as many as a column has numbers under each other.

    Without numbers, as many as all columns have, where none of these lines seems to go on with the one above.
    """
    columns = [_lines(cell) for cell in row]
    several = [lines for lines in columns if len(lines) > 1]
    counted = [lines for lines in several if all(is_number(line.text) for line in lines)]
    even = len({len(lines) for lines in several}) == 1 < len(several)
    if not counted and not (even and all(not line.text[0].islower() for lines in several for line in lines)):
        return [row]
    middles = [line.middle[1] for line in max(counted or several, key=len)]
    parts: list[list[Cell]] = [[[] for _ in row] for _ in middles]
    for column, (cell, lines) in enumerate(zip(row, columns, strict=True)):
        for word in cell:
            near = min(range(len(middles)), key=lambda index: abs(middles[index] - word.middle[1]))
            for index in range(len(middles)) if len(lines) == 1 else (near,):  # what is said once holds for all
                parts[index][column].append(word)
    return parts


def _row(grid: Grid, cells: Sequence[Cell]) -> CharacterRun:
    """Return a row as one run; its cells, empty ones too, are as wide as their columns."""
    texts = [_text(words) for words in cells]
    spans = zip(texts, pairwise(grid.xs), strict=True)
    wide = tuple(replace(text, box=(x0, text.box[1], x1, text.box[3])) for text, (x0, x1) in spans)
    filled = [text for text in texts if text.text]
    rtl = is_rtl("".join(text.text for text in filled))
    return replace(beside(filled[::-1] if rtl else filled, " | "), cells=wide[::-1] if rtl else wide)


def _text(words: Cell) -> CharacterRun:
    lines = _lines(words)
    if not lines:
        return CharacterRun("", (0.0, 0.0, 0.0, 0.0))
    text = replace(lines[0])
    for below in lines[1:]:
        kept, gap = after_break(text.text, below.text)
        text.text, text.edges = kept, text.edges[: len(kept)]
        text.extend(below, gap)
    text.box = hull(line.box for line in lines)
    return text


def _lines(words: Cell) -> list[CharacterRun]:
    return [beside(merged(group)) for group in same_line(joined(words))]
