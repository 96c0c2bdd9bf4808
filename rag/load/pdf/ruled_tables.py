"""Tables that are drawn with lines: where their rows and columns are, and what stands in each cell.

Text that a narrow column wraps is one cell again; without the lines it would be taken for lines of a text.

Coordinates are PDF points from the top left corner of the page, y downwards.
"""

from __future__ import annotations

import ctypes
import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.load.pdf.characters import CharacterRun, joined, placing
from rag.load.pdf.reading_order import beside, merged, same_line
from rag.load.tables import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.load.pdf.characters import Box

    Page = Any  # pypdfium2's, as the next two
    Path = Any
    Matrix = Any
    Segment = tuple[float, float, float]  # where it lies across, from, to

_THICK = 3.0  # points: a stroke, or a rectangle no thicker, is a line; ends that far apart touch
_SHORTEST = 5.0  # points of a line
_MOST_OBJECTS, _MOST_LINES = 40_000, 4_000  # of a page: more are a drawing
_LONGEST_CELL = 600  # characters: where cells hold more, the lines frame text and are no table
_FEWEST = 2  # rows, and columns
_GAP = 0.8  # of a letter's height, between words: a wider one that all rows have parts columns
_SPACE = 0.45  # the same: a narrower one is a space within a line
_MOST_CUT = 0.02  # of the words may be parted from the next by a line
_LONGEST_LINE = 200  # the same, where a gap and no line parts two columns
_LONGEST_NAME = 60  # the same, of a column's name
_MOST_DEPTH = 4  # of forms within forms


class Grid(NamedTuple):
    """The lines of a table: `xs` from left to right, `ys` from the top down; and the pieces that are drawn."""

    xs: list[float]
    ys: list[float]
    upright: list[Segment]  # x, from y, to y
    level: list[Segment]  # y, from x, to x

    def cell(self, run: CharacterRun) -> tuple[int, int] | None:
        """Return row and column of what stands there, by its middle; None outside of the table."""
        x, y = (run.box[0] + run.box[2]) / 2, (run.box[1] + run.box[3]) / 2
        if not (self.xs[0] < x < self.xs[-1] and self.ys[0] < y < self.ys[-1]):
            return None
        row, column = bisect_right(self.ys, y) - 1, bisect_right(self.xs, x) - 1
        while column and not _is_drawn(self.upright, self.xs[column], y):
            column -= 1  # a cell that goes over several columns is in the first
        while row and not self.has_line_above(row, column):
            row -= 1  # and of several rows
        return row, column

    def has_line_above(self, row: int, column: int) -> bool:
        """Tell whether a line parts a cell from the one above."""
        return _is_drawn(self.level, self.ys[row], (self.xs[column] + self.xs[column + 1]) / 2)


def grids(page: Page) -> list[Grid]:
    """Return what may be the tables of a page: lines that cross each other, or level ones of the same length."""
    level, upright = _lines(page)
    found = []
    alike: dict[tuple[int, int], list[Segment]] = defaultdict(list)
    for rows, columns in _crossing(level, upright):
        if not columns:
            alike[round(rows[0][1] / _THICK), round(rows[0][2] / _THICK)] += rows
            continue
        ys, xs = _places(rows, columns), _places(columns, rows)
        if len(ys) >= _FEWEST <= len(xs):
            found.append(Grid(xs, ys, columns, rows))
    ruled = (lines for lines in alike.values() if len(lines) > _FEWEST + 1)
    return [*found, *(Grid([lines[0][1], lines[0][2]], _places(lines, ()), [], lines) for lines in ruled)]


def rows(page: Page, words: Sequence[CharacterRun]) -> tuple[list[CharacterRun], list[CharacterRun]]:
    """Return the rows of the tables of a page, each as one run with its cells, and the words outside of them."""
    found: list[CharacterRun] = []
    for drawn in grids(page):
        inside = [word for word in words if word.upright and drawn.cell(word)]
        grid = _refined(drawn, inside)
        longest = _LONGEST_CELL if grid == drawn else _LONGEST_LINE
        table = [] if _cuts(grid, inside) else _table(grid, inside, longest)
        found += [_row(grid, cells) for cells in table]
        used = {id(word) for cells in table for cell in cells for word in cell}
        words = [word for word in words if id(word) not in used]
    return found, list(words)


def _table(grid: Grid, words: Iterable[CharacterRun], longest: int) -> list[list[list[CharacterRun]]]:
    """Return the words of each cell, by row and column; nothing where the lines seem to frame no table.

    A cell that goes over several rows is said again in each of them.
    """
    table: list[list[list[CharacterRun]]] = [[[] for _ in grid.xs[1:]] for _ in grid.ys[1:]]
    for word in words:
        place = grid.cell(word)
        if place:
            table[place[0]][place[1]].append(word)
    if not _is_table([[cell for cell in row if cell] for row in table if any(row)], longest):
        return []
    for index, (above, row) in enumerate(pairwise(table), 1):
        for column, cell in enumerate(row):
            if not cell and above[column] and not grid.has_line_above(index, column):
                row[column] = above[column]
    return [part for row in table if any(row) for part in _parts(row)]


def _is_table(filled: Sequence[Sequence[Sequence[CharacterRun]]], longest: int) -> bool:
    """Tell a table from framed text by its cells that are not empty: several in most rows, none too long.

    A line of a cell has no wide gap, where one of two framed columns of text has.
    """
    several = sum(len(row) > 1 for row in filled)
    lines = [merged(group) for row in filled for cell in row for group in same_line(joined(cell))]
    parted = sum(len(line) > 1 for line in lines)
    lengths = (sum(len(word.text) + 1 for word in cell) for row in filled for cell in row)
    if len(filled) == 1:  # the head of a table that goes on overleaf
        return len(filled[0]) > _FEWEST and parted == 0 and max(lengths) <= _LONGEST_NAME
    return max(_FEWEST, len(filled) / 2) <= several and parted <= len(lines) / 5 and max(lengths) <= longest


def _refined(grid: Grid, words: Sequence[CharacterRun]) -> Grid:
    """Return a grid with the columns that stand between two lines: parted by a gap that no row fills."""
    if not words:
        return grid
    least = _GAP * median(word.height for word in words)
    further: list[float] = []
    for left, right in pairwise(grid.xs):
        column = [word for word in words if left < (word.box[0] + word.box[2]) / 2 < right]
        end = math.inf
        for word in sorted(column, key=lambda word: word.box[0]):
            if word.box[0] - end > least:
                middle = (end + word.box[0]) / 2
                sides = [{grid.cell(w) for w in column if (w.box[0] < middle) == first} for first in (True, False)]
                if len(sides[0] & sides[1]) >= max(_FEWEST + 1, len(sides[0] | sides[1]) / 2):
                    further.append(middle)
                end = word.box[2]
            end = max(word.box[2], end) if end < math.inf else word.box[2]
    drawn = [*grid.upright, *((x, grid.ys[0], grid.ys[-1]) for x in further)]
    return grid._replace(xs=sorted([*grid.xs, *further]), upright=drawn)


def _cuts(grid: Grid, words: Sequence[CharacterRun]) -> bool:
    """Tell whether the lines go through text, as those of a drawing do: words of a line are nearer than cells."""
    ordered = sorted(words, key=lambda word: (round(word.box[3]), word.box[0]))
    cut = sum(
        grid.cell(a) != grid.cell(b)
        for a, b in pairwise(ordered)
        if a.beside(b) and -a.height < b.box[0] - a.box[2] < _SPACE * a.height
    )
    return cut > _MOST_CUT * len(words)


def _parts(row: list[list[CharacterRun]]) -> list[list[list[CharacterRun]]]:
    """Return the rows that stand between two lines: as many as a column has numbers under each other.

    Without numbers, as many as all columns have, where none of these lines seems to go on with the one above.
    """
    columns = [[beside(merged(group)) for group in same_line(joined(cell))] for cell in row]
    several = [lines for lines in columns if len(lines) > 1]
    counted = [lines for lines in several if all(is_number(line.text) for line in lines)]
    even = len({len(lines) for lines in several}) == 1 < len(several)
    if not counted and not (even and all(not line.text[0].islower() for lines in several for line in lines)):
        return [row]
    middles = [(line.box[1] + line.box[3]) / 2 for line in max(counted or several, key=len)]
    parts: list[list[list[CharacterRun]]] = [[[] for _ in row] for _ in middles]
    for column, (cell, lines) in enumerate(zip(row, columns, strict=True)):
        for word in cell:
            middle = (word.box[1] + word.box[3]) / 2
            near = min(range(len(middles)), key=lambda index: abs(middles[index] - middle))
            for index in range(len(middles)) if len(lines) == 1 else (near,):  # what is said once holds for all
                parts[index][column].append(word)
    return parts


def _row(grid: Grid, cells: Sequence[Sequence[CharacterRun]]) -> CharacterRun:
    """Return a row as one run; its cells, empty ones too, are as wide as their columns."""
    texts = [_text(words) for words in cells]
    filled = [text for text in texts if text.text]
    spans = zip(texts, pairwise(grid.xs), strict=True)
    wide = tuple(replace(text, box=(x0, text.box[1], x1, text.box[3])) for text, (x0, x1) in spans)
    return replace(beside(filled, " | "), cells=wide)


def _text(words: Sequence[CharacterRun]) -> CharacterRun:
    """Return the text of a cell, its lines in one."""
    lines = [beside(merged(group)) for group in same_line(joined(words))]
    if not lines:
        return CharacterRun("", (0.0, 0.0, 0.0, 0.0))
    text = replace(lines[0])
    for below in lines[1:]:
        parted = text.text.endswith("-") and text.text[-2:-1].isalpha() and below.text[0].islower()
        if parted:
            text.text, text.edges = text.text[:-1], text.edges[:-1]
        text.extend(below, "" if parted else " ")
    edges = list(zip(*(line.box for line in lines), strict=True))
    text.box = min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])
    return text


def _lines(page: Page) -> tuple[list[Segment], list[Segment]]:
    """Return the level and the upright lines that a page draws, pieces of one line joined."""
    level: list[Segment] = []
    upright: list[Segment] = []
    for box in _boxes(page):
        x0, y0, x1, y1 = box
        if y1 - y0 <= _THICK and x1 - x0 >= _SHORTEST:
            level.append(((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THICK and y1 - y0 >= _SHORTEST:
            upright.append(((x0 + x1) / 2, y0, y1))
        if len(level) + len(upright) > _MOST_LINES:
            return [], []
    return _joined(level), _joined(upright)


def _boxes(page: Page) -> Iterator[Box]:
    """Yield the box of each straight piece of each path; of a filled rectangle, its sides."""
    from pypdfium2 import raw

    if raw.FPDFPage_CountObjects(page) > _MOST_OBJECTS:
        return
    placed = placing(page)
    for path in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=_MOST_DEPTH):
        matrix = _matrix(path)
        before: tuple[float, float] | None = None
        first: tuple[float, float] | None = None
        x, y = ctypes.c_float(), ctypes.c_float()
        for index in range(raw.FPDFPath_CountSegments(path.raw)):
            segment = raw.FPDFPath_GetPathSegment(path.raw, index)
            raw.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            kind = raw.FPDFPathSegment_GetType(segment)
            if kind == raw.FPDF_SEGMENT_MOVETO:
                first = point
            elif kind == raw.FPDF_SEGMENT_LINETO and before:
                yield placed(_box(before, point))
            before = point
            if raw.FPDFPathSegment_GetClose(segment) and first:
                yield placed(_box(point, first))
                before = first


def _matrix(path: Path) -> Matrix:
    """Return what places the points of a path on the page, those of the forms that it is in applied as well."""
    matrix, form = path.get_matrix(), path.container
    while form is not None:
        matrix, form = matrix.multiply(form.get_matrix()), form.container
    return matrix


def _box(a: tuple[float, float], b: tuple[float, float]) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def _joined(segments: Iterable[Segment]) -> list[Segment]:
    """Join pieces that lie on one line and touch."""
    found: list[Segment] = []
    for at, start, end in sorted(segments):
        for index in range(len(found) - 1, -1, -1):
            other = found[index]
            if at - other[0] > _THICK:
                continue
            if start <= other[2] + _THICK and other[1] <= end + _THICK:
                found[index] = (other[0], min(start, other[1]), max(end, other[2]))
                break
        else:
            found.append((at, start, end))
    return found


def _crossing(level: Sequence[Segment], upright: Sequence[Segment]) -> Iterator[tuple[list[Segment], list[Segment]]]:
    """Yield the lines that hang together, level and upright ones."""
    left, right = list(level), list(upright)
    while left:
        rows, columns = [left.pop()], []
        grown = True
        while grown:
            more = [line for line in right if any(_cross(row, line) for row in rows)]
            right = [line for line in right if line not in more]
            columns += more
            further = [row for row in left if any(_cross(row, line) for line in columns)]
            left = [row for row in left if row not in further]
            rows += further
            grown = bool(more or further)
        yield rows, columns


def _cross(level: Segment, upright: Segment) -> bool:
    y, x0, x1 = level
    x, y0, y1 = upright
    return x0 - _THICK <= x <= x1 + _THICK and y0 - _THICK <= y <= y1 + _THICK


def _places(lines: Sequence[Segment], across: Sequence[Segment]) -> list[float]:
    """Return where lines lie, those that are next to each other once, and where the ones across them end."""
    ends = [min(line[1] for line in across), max(line[2] for line in across)] if across else []
    places: list[float] = []
    for at in sorted([*(line[0] for line in lines), *ends]):
        if not places or at - places[-1] > _THICK:
            places.append(at)
    return places


def _is_drawn(lines: Iterable[Segment], place: float, along: float) -> bool:
    return any(abs(at - place) <= _THICK and start - _THICK <= along <= end + _THICK for at, start, end in lines)
