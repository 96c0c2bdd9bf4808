"""Columns of a page, and its lines in reading order: runs of text in, cells of a table row in one line."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING

from rag.load.pdf.characters import apart, hull, is_rtl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.load.pdf.characters import CharacterRun

    Gutter = tuple[float, float]  # from, to, in points

_BIN = 2.0  # points: the grid on which gutters are looked for
_NARROWEST = 7.0  # points of a gutter between columns
_MOST_ACROSS = 0.4  # of the runs may lie across a gutter: titles, wide tables
_SHORTEST_TEXT = 18  # characters in the middle line of a column; cells of a table are shorter
_RULES = frozenset(")§:|")  # drawn under each other, they part the names of the parties from the number of the case
_BULLETS = frozenset("•◦▪●‣■□❏➢►")
_INDENT = 3  # heights of a letter between the bullet of a list and its item
_FILL, _FULL = 0.55, 0.8  # of the column's width is filled by its middle line: of two columns, and of more


@dataclass(slots=True)
class Line:
    """One line of a column, or a row of a table; `left` and `right` bound its column."""

    run: CharacterRun
    page: int
    left: float
    right: float
    note: bool = False  # is of a footnote or in the margin: no part of the text around it


def page_lines(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Return the lines of a page in reading order; text turned otherwise than most of it comes last, as notes."""
    angles = [angle for angle, _ in Counter(run.angle for run in runs for _ in run.text).most_common()]
    turns = [[run for run in runs if run.angle == angle] for angle in angles]
    return [replace(line, note=turn is not turns[0]) for turn in turns for line in _ordered(turn, page)]


def _ordered(runs: Sequence[CharacterRun], page: int, bounds: Gutter | None = None) -> list[Line]:
    """Order the runs of a region; `bounds` are those of the region around it where nothing stands beside these runs."""
    gutter = _gutter(runs)
    if not runs or gutter is None:
        return _rows(runs, page, bounds)
    (x0, x1), (left, _, right, _) = gutter, hull(run.box for run in runs)
    bounds = bounds or (left, right)
    lines: list[Line] = []
    for across, strip in groupby(same_line(runs), lambda line: any(run.box[0] < x0 < x1 < run.box[2] for run in line)):
        part = [run for line in strip for run in line]
        sides = [[run for run in part if (run.middle[0] > x0) == right] for right in (False, True)]
        alone = not all(sides)
        if across or (alone and len(part) == len(runs)):
            lines += _rows(part, page, bounds)
            continue
        for side in reversed(sides) if is_rtl("".join(run.text for run in part)) else sides:
            lines += _ordered(side, page, bounds if alone else None)
    return lines


def _gutter(runs: Sequence[CharacterRun]) -> Gutter | None:
    """Return the best gap between two columns of running text: crossed by the fewest runs, then the widest."""
    if len(runs) < 6:
        return None
    start, _, end, _ = hull(run.box for run in runs)
    cover = [0] * (int((end - start) / _BIN) + 2)
    for run in runs:
        for index in range(int((run.box[0] - start) / _BIN), int((run.box[2] - start) / _BIN) + 1):
            cover[index] += 1
    for level in sorted({count for count in cover if count <= _MOST_ACROSS * len(runs)}):
        gaps = _gaps(cover, level, start)
        ends = [(-math.inf, -math.inf), *gaps, (math.inf, math.inf)]
        sides = zip(ends, gaps, ends[2:], strict=False)
        found = [g for (a, _), g, (_, b) in sides if _parts_text(runs, g, a, b) or _parts_lines(runs, g)]
        if found:
            return max(found, key=lambda gap: gap[1] - gap[0])
    return None


def _gaps(cover: Sequence[int], level: int, start: float) -> list[Gutter]:
    steps = pairwise([level + 1, *cover, level + 1])
    borders = [start + index * _BIN for index, (a, b) in enumerate(steps) if (a > level) != (b > level)]
    return [gap for gap in zip(borders[::2], borders[1::2], strict=True) if gap[1] - gap[0] >= _NARROWEST]


def _parts_text(runs: Sequence[CharacterRun], gap: Gutter, start: float, end: float) -> bool:
    """Tell whether running text stands on both sides, or full lines up to the next gaps: cells of a table are short."""
    left = [run for run in runs if run.box[2] <= gap[0] + _BIN]
    right = [run for run in runs if run.box[0] >= gap[1] - _BIN]
    near = [[run for run in runs if a <= run.box[0] and run.box[2] <= b] for a, b in ((start, gap[1]), (gap[0], end))]
    return all(_is_column(side, _FILL) for side in (left, right)) or all(_is_column(side, _FULL) for side in near)


def _parts_lines(runs: Sequence[CharacterRun], gap: Gutter) -> bool:
    """Tell whether hardly a line goes on behind a gap, as none does from a table to the chart beside it."""
    sides = ([run for run in runs if run.box[2] <= gap[0] + _BIN], [run for run in runs if run.box[0] >= gap[1] - _BIN])
    left, right = ({round(2 * (run.box[3] - run.height / 5)) for run in side} for side in sides)  # feet of the letters
    shared = sum(not right.isdisjoint((foot - 1, foot, foot + 1)) for foot in left)
    return 4 <= min(len(left), len(right)) >= 3 * shared


def _is_column(runs: Sequence[CharacterRun], fill: float) -> bool:
    if len(runs) < 3:
        return False
    left, _, right, _ = hull(run.box for run in runs)
    ordered = sorted(runs, key=lambda run: len(run.text))
    upto = list(accumulate(len(run.text) for run in ordered))
    middle = ordered[bisect_left(upto, upto[-1] / 2)]  # half of the text is in longer runs, half in shorter ones
    return middle.box[2] - middle.box[0] >= fill * (right - left) and len(middle.text) >= _SHORTEST_TEXT


def same_line(runs: Iterable[CharacterRun]) -> list[list[CharacterRun]]:
    """Group runs that stand on one line, from the top of the page down."""
    groups: list[list[CharacterRun]] = []
    for run in sorted(runs, key=lambda run: run.middle[1]):
        near = (group for group in groups[-3:] if max(group, key=lambda other: other.height).beside(run))
        group = next((group for group in near if not (run.cells or group[0].cells)), None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    return groups


def _rows(runs: Sequence[CharacterRun], page: int, bounds: Gutter | None) -> list[Line]:
    if not runs:
        return []
    left, right = bounds or hull(run.box for run in runs)[::2]
    groups = [merged(group) for group in same_line(runs)]
    lines: list[Line] = []
    for index, group in enumerate(groups):
        reach = 2 if len(group) > 2 else 1  # lines: names of columns may stand above that of a group of rows
        around = [*groups[max(0, index - reach) : index], *groups[index + 1 : index + 1 + reach]]
        is_row = any(run.filled for run in group) or (
            len(group) > 1 and any(_aligned(group, other) for other in around)
        )
        run = replace(beside(group, " | "), cells=tuple(group)) if is_row else beside(group)
        lines.append(Line(run, page, left, right))
    return lines


def beside(group: Sequence[CharacterRun], separator: str = " ") -> CharacterRun:
    """Put runs that stand on one line behind each other in a new one."""
    run = replace(group[0])
    for other in group[1:]:
        run.extend(other, separator)
    return run


def merged(group: list[CharacterRun]) -> list[CharacterRun]:
    """Sort the runs of a line in reading direction, and join those that only a space parts."""
    if group[0].cells:
        return group
    rtl = is_rtl("".join(run.text for run in group))
    ordered = sorted(group, key=lambda run: -run.box[2] if rtl else run.box[0])
    labelled = not any(a.filled and b.filled for a, b in pairwise(ordered))  # else a table's cells are filled in
    cells: list[CharacterRun] = []
    for run in ordered:
        gap = apart(cells[-1].box if cells else run.box, run.box)
        is_item = len(cells) == 1 and cells[0].text in _BULLETS and gap < _INDENT * run.height
        if cells and (gap < run.height or is_item or (run.filled and labelled)):
            cells[-1].extend(run, " " if gap > 0.15 * run.height else "")
        else:
            cells.append(replace(run))
    return cells


def _aligned(row: Sequence[CharacterRun], other: Sequence[CharacterRun]) -> bool:
    row, other = ([cell for cell in line if cell.text not in _RULES] for line in (row, other))
    under = sum(any(a.box[0] < b.box[2] and b.box[0] < a.box[2] for b in other) for a in row)
    return len(other) > 1 and under >= 2
