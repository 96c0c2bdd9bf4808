"""Columns of a page, and its lines in reading order: runs of text in, cells of a table row in one line."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.load.pdf.characters import CharacterRun

_BIN = 2.0  # points: the grid on which gutters are looked for
_NARROWEST = 7.0  # points of a gutter between columns
_MOST_ACROSS = 0.4  # of the runs may lie across a gutter: titles, wide tables
_SHORTEST_TEXT = 18  # characters in the middle line of a column; cells of a table are shorter
_FEWEST = 2  # cells in a line, and one more, tell how those next to it are divided
_WIDE = 0.6  # of a letter's height: a space as wide as that may part cells
_FILL = 0.55  # of the column's width is filled by its middle line


@dataclass(slots=True)
class Line:
    """One line of a column, or a row of a table, which has `cells`; `left` and `right` bound its column."""

    run: CharacterRun
    page: int
    left: float
    right: float
    cells: tuple[CharacterRun, ...] = ()
    note: bool = False  # belongs to a footnote


class _Gutter(NamedTuple):
    start: float
    end: float


def page_lines(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Return the lines of a page in reading order; turned text comes last, as it is in the file."""
    upright = [run for run in runs if run.upright]
    turned = [Line(run, page, run.box[0], run.box[2]) for run in runs if not run.upright]
    return [*_ordered(upright, page), *turned]


def _ordered(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Read columns one after the other; what lies across them divides the page into strips."""
    gutter = _gutter(runs)
    if gutter is None:
        return _rows(runs, page)
    lines: list[Line] = []
    sides: tuple[list[CharacterRun], list[CharacterRun]] = ([], [])
    for group in same_line(runs):
        across = [run for run in group if run.box[0] < gutter.start and run.box[2] > gutter.end]
        if across:
            lines += _strip(sides, page) + _rows(group, page)
            sides = ([], [])
            continue
        for run in group:
            sides[(run.box[0] + run.box[2]) / 2 > gutter.start].append(run)
    return lines + _strip(sides, page)


def _strip(sides: tuple[list[CharacterRun], list[CharacterRun]], page: int) -> list[Line]:
    left, right = sides
    first, second = (right, left) if _is_rtl(left + right) else (left, right)
    return _ordered(first, page) + _ordered(second, page)


def _gutter(runs: Sequence[CharacterRun]) -> _Gutter | None:
    """Return the best gap between two columns of running text."""
    if len(runs) < 6:
        return None
    start, end = min(run.box[0] for run in runs), max(run.box[2] for run in runs)
    cover = [0] * (int((end - start) / _BIN) + 2)
    for run in runs:
        for index in range(int((run.box[0] - start) / _BIN), int((run.box[2] - start) / _BIN) + 1):
            cover[index] += 1
    gaps: list[tuple[int, float, _Gutter]] = []
    for level in sorted({count for count in cover if count <= _MOST_ACROSS * len(runs)}):
        gaps += [(level, gap.start - gap.end, gap) for gap in _gaps(cover, level, start)]
        found = [entry for entry in gaps if _parts_text(runs, entry[2])]
        if found:
            return min(found)[2]
    return None


def _gaps(cover: Sequence[int], level: int, start: float) -> list[_Gutter]:
    """Return the stretches that at most `level` runs cross."""
    steps = pairwise([level + 1, *cover, level + 1])
    borders = [index for index, (a, b) in enumerate(steps) if (a > level) != (b > level)]
    pairs = zip(borders[::2], borders[1::2], strict=False)
    gaps = [_Gutter(start + a * _BIN, start + b * _BIN) for a, b in pairs]
    return [gap for gap in gaps if gap.end - gap.start >= _NARROWEST]


def _parts_text(runs: Sequence[CharacterRun], gap: _Gutter) -> bool:
    """Tell whether running text stands on both sides: cells of a table are short and fill no column."""
    left = [run for run in runs if run.box[2] <= gap.start + _BIN]
    right = [run for run in runs if run.box[0] >= gap.end - _BIN]
    return all(_is_column(side) for side in (left, right))


def _is_column(runs: Sequence[CharacterRun]) -> bool:
    if len(runs) < 3:
        return False
    width = max(run.box[2] for run in runs) - min(run.box[0] for run in runs)
    ordered = sorted(runs, key=lambda run: len(run.text))
    upto = list(accumulate(len(run.text) for run in ordered))
    middle = ordered[bisect_left(upto, upto[-1] / 2)]  # half of the text is in longer runs, half in shorter ones
    return middle.box[2] - middle.box[0] >= _FILL * width and len(middle.text) >= _SHORTEST_TEXT


def same_line(runs: Iterable[CharacterRun]) -> list[list[CharacterRun]]:
    """Group runs that stand on one line, from the top of the page down."""
    groups: list[list[CharacterRun]] = []
    for run in sorted(runs, key=lambda run: (run.box[1] + run.box[3]) / 2):
        near = None
        if not run.cells:
            near = next((group for group in groups[-3:] if _stands_in(group, run)), None)
        if near is None:
            groups.append([run])
        else:
            near.append(run)
    return groups


def _stands_in(group: Sequence[CharacterRun], run: CharacterRun) -> bool:
    return not group[0].cells and max(group, key=lambda r: r.height).beside(run)


def _rows(runs: Sequence[CharacterRun], page: int) -> list[Line]:
    """Return the lines of one column; neighbouring ones with several cells are rows of a table."""
    if not runs:
        return []
    left, right = min(run.box[0] for run in runs), max(run.box[2] for run in runs)
    groups = _divided([merged(group) for group in same_line(runs)])
    lines: list[Line] = []
    for index, group in enumerate(groups):
        if group[0].cells:
            lines.append(Line(group[0], page, left, right, group[0].cells))
            continue
        around = [*groups[max(0, index - 1) : index], *groups[index + 1 : index + 2]]
        is_row = len(group) > 1 and any(_aligned(group, other) for other in around)
        cells = tuple(replace(run, edges=list(run.edges)) for run in group) if is_row else ()
        lines.append(Line(beside(group, " | " if is_row else " "), page, left, right, cells))
    return lines


def beside(group: Sequence[CharacterRun], separator: str = " ") -> CharacterRun:
    """Put runs that stand on one line behind each other in a new one."""
    run = replace(group[0], edges=list(group[0].edges))
    for other in group[1:]:
        run.extend(other, separator)
    return run


def _divided(groups: list[list[CharacterRun]]) -> list[list[CharacterRun]]:
    """Divide the cells that stand as near to each other as words do where the line above or below has a gap."""
    for order in (range(len(groups)), range(len(groups) - 1, -1, -1)):
        for index, other in pairwise(order):
            a, b = groups[index], groups[other]
            if len(a) > _FEWEST and not a[0].cells and not b[0].cells:
                groups[other] = [part for run in b for part in _at_gaps(run, a)]
    return groups


def _at_gaps(run: CharacterRun, others: Sequence[CharacterRun]) -> list[CharacterRun]:
    """Divide a run at its wide spaces that stand in a gap of the other line."""
    gaps = [(a.box[2], b.box[0]) for a, b in pairwise(others)]
    for place, char in enumerate(run.text):
        left, right = run.edges[place]
        inside = any(start < right and left < end for start, end in gaps)
        if char == " " and inside and right - left > _WIDE * run.height and len(run.edges) == len(run.text):
            _, top, _, bottom = run.box
            cut = replace(run, text=run.text[:place], box=(run.box[0], top, left, bottom), edges=run.edges[:place])
            rest = replace(run, text=run.text[place + 1 :], box=(right, top, run.box[2], bottom))
            rest.edges = run.edges[place + 1 :]
            return [cut, *_at_gaps(rest, others)]
    return [run]


def merged(group: list[CharacterRun]) -> list[CharacterRun]:
    """Sort the runs of a line in reading direction, and join those that only a space parts."""
    if group[0].cells:
        return group
    rtl = _is_rtl(group)
    cells: list[CharacterRun] = []
    for run in sorted(group, key=lambda run: -run.box[2] if rtl else run.box[0]):
        last = cells[-1].box if cells else run.box
        gap = max(run.box[0] - last[2], last[0] - run.box[2])
        if cells and gap < run.height:
            cells[-1].extend(run, " " if gap > 0.15 * run.height else "")
        else:
            cells.append(replace(run, edges=list(run.edges)))
    return cells


def _aligned(row: Sequence[CharacterRun], other: Sequence[CharacterRun]) -> bool:
    """Tell whether two lines have at least two cells under each other."""
    under = sum(any(a.box[0] < b.box[2] and b.box[0] < a.box[2] for b in other) for a in row)
    return len(other) > 1 and under >= 2


def _is_rtl(runs: Iterable[CharacterRun]) -> bool:
    kinds = [unicodedata.bidirectional(char) for run in runs for char in run.text[:40]]
    return sum(kind in {"R", "AL"} for kind in kinds) > sum(kind == "L" for kind in kinds)
