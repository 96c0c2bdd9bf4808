"""Columns of a page, and its lines in reading order: runs of text in, cells of a table row in one line."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
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
_FILL = 0.55  # of the column's width is filled by its middle line


@dataclass(slots=True)
class Line:
    """One line of a column, or a row of a table; `left` and `right` bound its column."""

    run: CharacterRun
    page: int
    left: float
    right: float
    note: bool = False  # belongs to a footnote


def page_lines(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Return the lines of a page in reading order; turned text comes last, as it is in the file."""
    turned = [Line(run, page, run.box[0], run.box[2]) for run in runs if not run.upright]
    return [*_ordered([run for run in runs if run.upright], page), *turned]


def _ordered(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Read columns one after the other; what lies across them divides the page into strips."""
    gutter = _gutter(runs)
    if gutter is None:
        return _rows(runs, page)
    lines: list[Line] = []
    sides: tuple[list[CharacterRun], list[CharacterRun]] = ([], [])
    for group in same_line(runs):
        if any(run.box[0] < gutter[0] and run.box[2] > gutter[1] for run in group):
            lines += _strip(sides, page) + _rows(group, page)
            sides = ([], [])
            continue
        for run in group:
            sides[run.middle[0] > gutter[0]].append(run)
    return lines + _strip(sides, page)


def _strip(sides: tuple[list[CharacterRun], list[CharacterRun]], page: int) -> list[Line]:
    left, right = sides
    first, second = (right, left) if is_rtl("".join(run.text for run in left + right)) else (left, right)
    return _ordered(first, page) + _ordered(second, page)


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
        found = [gap for gap in _gaps(cover, level, start) if _parts_text(runs, gap) or _parts_lines(runs, gap)]
        if found:
            return max(found, key=lambda gap: gap[1] - gap[0])
    return None


def _gaps(cover: Sequence[int], level: int, start: float) -> list[Gutter]:
    """Return the stretches that at most `level` runs cross."""
    steps = pairwise([level + 1, *cover, level + 1])
    borders = [start + index * _BIN for index, (a, b) in enumerate(steps) if (a > level) != (b > level)]
    return [gap for gap in zip(borders[::2], borders[1::2], strict=True) if gap[1] - gap[0] >= _NARROWEST]


def _parts_text(runs: Sequence[CharacterRun], gap: Gutter) -> bool:
    """Tell whether running text stands on both sides: cells of a table are short and fill no column."""
    left = [run for run in runs if run.box[2] <= gap[0] + _BIN]
    right = [run for run in runs if run.box[0] >= gap[1] - _BIN]
    return _is_column(left) and _is_column(right)


def _parts_lines(runs: Sequence[CharacterRun], gap: Gutter) -> bool:
    """Tell whether hardly a line goes on behind a gap, as none does from a table to the chart beside it."""
    sides = ([run for run in runs if run.box[2] <= gap[0] + _BIN], [run for run in runs if run.box[0] >= gap[1] - _BIN])
    left, right = ({round(2 * (run.box[3] - run.height / 5)) for run in side} for side in sides)  # feet of the letters
    shared = sum(not right.isdisjoint((foot - 1, foot, foot + 1)) for foot in left)
    return 4 <= min(len(left), len(right)) >= 3 * shared


def _is_column(runs: Sequence[CharacterRun]) -> bool:
    if len(runs) < 3:
        return False
    left, _, right, _ = hull(run.box for run in runs)
    ordered = sorted(runs, key=lambda run: len(run.text))
    upto = list(accumulate(len(run.text) for run in ordered))
    middle = ordered[bisect_left(upto, upto[-1] / 2)]  # half of the text is in longer runs, half in shorter ones
    return middle.box[2] - middle.box[0] >= _FILL * (right - left) and len(middle.text) >= _SHORTEST_TEXT


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


def _rows(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Return the lines of one column; neighbouring ones with several cells are rows of a table."""
    if not runs:
        return []
    left, _, right, _ = hull(run.box for run in runs)
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
        if cells and (gap < run.height or (run.filled and labelled)):
            cells[-1].extend(run, " " if gap > 0.15 * run.height else "")
        else:
            cells.append(replace(run))
    return cells


def _aligned(row: Sequence[CharacterRun], other: Sequence[CharacterRun]) -> bool:
    """Tell whether two lines have at least two cells under each other."""
    under = sum(any(a.box[0] < b.box[2] and b.box[0] < a.box[2] for b in other) for a in row)
    return len(other) > 1 and under >= 2
