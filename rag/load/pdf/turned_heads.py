"""Names of columns that are turned by a right angle to stand over narrow columns: level again, each over its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.load.pdf.characters import hull, joined, turned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.load.pdf.characters import Box, CharacterRun

    Turned = tuple[CharacterRun, Box]  # a line, and where it stands on the page

_FEWEST = 2  # names side by side: a single turned line is a note in the margin
_UPWARDS = 270  # degrees to the right
_APART = 4.0  # points by which the places differ where names in one row begin
_BELOW = 3.0  # letters between a name and the first value below it
_LONGEST = 80  # characters
_SPACE = 0.3  # of a letter's height, between the lines of one name


def with_level_heads(words: Sequence[CharacterRun]) -> list[CharacterRun]:
    """Return the words of a page with turned names of columns as level runs at the foot of where they stand."""
    sideways = [word for word in words if word.angle in {90, 270}]
    level = [word for word in words if not word.angle]
    if len(sideways) < _FEWEST or len(level) < len(sideways):
        return list(words)
    lines = [(line, turned(line.box, line.angle)) for line in joined(sideways)]
    rows = [row for row in _rows(lines) if len(row) >= _FEWEST and all(_has_below(*each, level) for each in row)]
    heads = [each for row in rows for each in row]
    taken = [box for _, box in heads]
    rest = [word for word in words if not (word.angle and _is_in(turned(word.box, word.angle), taken))]
    size = min((word.height for word in sideways), default=0.0)
    return [*(_levelled(line, size, box) for line, box in heads), *rest]


def _rows(lines: Sequence[Turned]) -> Iterator[list[Turned]]:
    """Yield names that begin side by side, all with the foot of the lowest: those read upwards begin at the foot."""
    for upwards in (True, False):
        side = 3 if upwards else 1
        row: list[Turned] = []
        alike = [line for line in lines if (line[0].angle == _UPWARDS) == upwards]
        for line in sorted(alike, key=lambda each: each[1][side]):
            if row and line[1][side] - row[0][1][side] > _APART:
                yield _names(row)
                row = []
            row.append(line)
        yield _names(row)


def _names(row: Sequence[Turned]) -> list[Turned]:
    """Return lines that begin side by side, those of one name as one: if read downwards they go on to the left."""
    foot = max((box[3] for _, box in row), default=0.0)
    names: list[Turned] = []
    for line, (x0, top, x1, _) in sorted(row, key=lambda each: each[1][0] * (1 if each[0].angle == _UPWARDS else -1)):
        box = x0, top, x1, foot
        if names and max(x0, names[-1][1][0]) - min(x1, names[-1][1][2]) < _SPACE * line.height:
            above, around = names[-1]
            above = replace(above)
            above.extend(line)
            names[-1] = above, hull([around, box])
        else:
            names.append((line, box))
    return names


def _has_below(line: CharacterRun, box: Box, level: Sequence[CharacterRun]) -> bool:
    """Tell whether something stands right below a short name, within a letter's width of it."""
    size = line.height
    return len(line.text) <= _LONGEST and any(
        box[0] - size < word.box[2] and word.box[0] < box[2] + size and -1 < word.box[1] - box[3] < _BELOW * size
        for word in level
    )


def _is_in(box: Box, taken: Sequence[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in taken)


def _levelled(line: CharacterRun, size: float, box: Box) -> CharacterRun:
    """Return a name as if it were level: as high as its letters, and each letter as wide as the whole."""
    x0, _, x1, foot = box
    return replace(line, box=(x0, foot - size, x1, foot), edges=[(x0, x1)] * len(line.text), angle=0)
