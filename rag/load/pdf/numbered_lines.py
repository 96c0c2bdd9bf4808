"""Transcripts and pleadings: the numbers of their lines are set aside, and who speaks stays beside what is said."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.load.pdf.characters import apart
from rag.load.pdf.reading_order import same_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.load.pdf.characters import CharacterRun

    Numbers = list[CharacterRun]  # under each other, each as much higher than the one above

_FEWEST = {1: 8, 5: 4}  # numbers down a page, where each line has one, and where each fifth has
_SHEET = 20  # numbers that are printed on the paper, whether something stands behind them or not
_MOST_UNEVEN = 3.0  # times the usual way from number to number: above a heading it is longer
_FULL = 0.85  # of the width is filled by a line with which a paragraph goes on
_CLOSED = (".", "?", "!", ":", ";")
_SIDES = frozenset({"Q", "A", "Q.", "A.", "Q:", "A:"})  # of an examination: question and answer
_FEWEST_SIDES = 3  # on a page, of both kinds: a letter alone is a column of a table
_WIDEST = 8  # of a line's height, between a speaker and what is said


def without_line_numbers(words: Sequence[CharacterRun]) -> list[CharacterRun]:
    """Return the words of a page but for the numbers of its lines, which stand in front of text that goes on in lines.

    Rows of a table and items of a list have numbers as well, but their texts do not go on in the next number's line.
    """
    found = [numbers for column in _columns(words) for numbers in _series(column)]
    set_aside: set[int] = set()
    for numbers in found:
        right = min((other[0].box[0] for other in found if _is_right_of(other, numbers)), default=math.inf)
        if _counts_lines(numbers, words, right):
            set_aside |= {id(number) for number in numbers}
    return [word for word in words if id(word) not in set_aside]


def _columns(words: Iterable[CharacterRun]) -> Iterator[Numbers]:
    numbers = [word for word in words if not word.angle and word.text.isdecimal() and len(word.text) <= 4]
    column: Numbers = []
    for number in sorted(numbers, key=lambda number: number.box[2]):
        if column and number.box[2] - column[-1].box[2] > number.height:
            yield column
            column = []
        column.append(number)
    yield column


def _series(column: Numbers) -> Iterator[Numbers]:
    ordered = sorted(column, key=lambda number: number.middle[1])
    for step, fewest in _FEWEST.items():
        part: Numbers = []
        for number in [*ordered, None]:
            if number and part and int(number.text) - int(part[-1].text) == step and _is_even(part, number):
                part.append(number)
                continue
            if len(part) >= fewest:
                yield part
            part = [number] if number else []


def _is_even(part: Numbers, number: CharacterRun) -> bool:
    down = number.middle[1] - part[-1].middle[1]
    usual = part[1].middle[1] - part[0].middle[1] if len(part) > 1 else down
    return 0 < down < _MOST_UNEVEN * usual and usual < _MOST_UNEVEN * down


def _is_right_of(other: Numbers, numbers: Numbers) -> bool:
    beside = other[0].middle[1] < numbers[-1].middle[1] and numbers[0].middle[1] < other[-1].middle[1]
    return beside and other[0].box[0] > numbers[0].box[2]


def _counts_lines(numbers: Numbers, words: Sequence[CharacterRun], right: float) -> bool:
    """Tell whether what stands behind these numbers is text: lines that go on in the next, or empty ones between."""
    middles = [number.middle[1] for number in numbers]
    half = min(b - a for a, b in pairwise(middles)) / 2
    edge, own = max(number.box[2] for number in numbers), {id(number) for number in numbers}
    near = [word for word in words if not word.angle and middles[0] - half < word.middle[1] < middles[-1] + half]
    if any(_is_before(word, numbers[0].box[0], edge) for word in near if id(word) not in own):
        return False
    behind = [word for word in near if edge < word.box[0] < right]
    lines = [sorted(line, key=lambda word: word.box[0]) for line in same_line(behind)]
    end = max((line[-1].box[2] for line in lines), default=edge)
    full = edge + _FULL * (end - edge)
    going_on = sum(
        above[-1].box[2] > full and below[0].text[0].islower() and not above[-1].text.endswith(_CLOSED)
        for above, below in pairwise(lines)
        if int(numbers[1].text) - int(numbers[0].text) > 1
        or (_is_numbered(above, middles) and _is_numbered(below, middles))
    )
    spoken = sum(line[0].text in _SIDES or _is_label(line) for line in lines)
    empty = len(numbers) - len(lines)
    form = numbers[0].text == "1" and len(numbers) >= _SHEET and empty > len(numbers) / 3  # the last page of many
    return going_on > 1 or (empty > 0 and going_on + spoken > 1) or form


def _is_before(word: CharacterRun, left: float, edge: float) -> bool:
    """Tell whether a word stands among the numbers, or right in front of one."""
    return left - 1.5 * word.height < word.box[2] and word.box[0] < edge


def _is_numbered(line: Sequence[CharacterRun], middles: Sequence[float]) -> bool:
    return any(abs(line[0].middle[1] - middle) < 0.5 * line[0].height for middle in middles)


def _is_label(line: Sequence[CharacterRun]) -> bool:
    """Tell whether a line opens with who speaks, in capitals: `THE COURT:`, `MR. ADEYEMI:`."""
    words = [word.text for word in line[:6]]
    end = next((index for index, word in enumerate(words) if word.endswith(":")), None)
    return end is not None and "".join(words[: end + 1]).isupper()


def with_speakers(runs: Sequence[CharacterRun]) -> list[CharacterRun]:
    """Return the runs of a page, each speaker's label joined with what is said, which a tabulator may part from it."""
    level = [run for run in runs if not run.angle]
    opening = {id(run) for run in level if run.text.partition(" ")[0] in _SIDES}
    if len(opening) < _FEWEST_SIDES or len({run.text[0] for run in level if id(run) in opening}) < 2:
        opening = set()
    names = Counter(run.text for run in level if run.text.isupper() and run.text.endswith(":"))
    is_spoken = len(names) > 1 < max(names.values())  # labels of a form stand once on its page
    if not opening and not is_spoken:
        return list(runs)
    joined: set[int] = set()
    for line in same_line(level):
        line.sort(key=lambda run: run.box[0])
        for label, said in zip(line, [*line[1:], None], strict=True):
            label.opens = id(label) in opening
            is_label = (label.opens and label.text in _SIDES) or label.text in names
            if is_label and said and apart(label.box, said.box) < _WIDEST * label.height:
                label.extend(said)
                label.opens = True
                joined.add(id(said))
    return [run for run in runs if id(run) not in joined]
