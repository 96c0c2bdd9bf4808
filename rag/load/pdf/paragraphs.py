"""Lines into blocks: paragraphs across columns and pages, without headers, footers, page numbers and hyphens."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from rag.language.blocks import is_item, is_turn
from rag.language.furniture import is_wordless
from rag.load.pdf.characters import is_alike, is_rtl, turned
from rag.load.pdf.hyphens import after_break, ends_parted, words_with_hyphens

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from rag.load.pdf.reading_order import Line

_NEAR = 4  # lines of a kind before and behind one that it is compared with: left and right pages, the first of chapters
_DIGITS = re.compile(r"\d{1,18}")
_MARGIN = 0.14  # of the page's height: headers and footers stand in it,
_WIDE = 0.2  # and in this share the first and the last two lines of small pages on large paper, and a page number
_PAGE_NUMBER = re.compile(
    r"\W*(?:page\s+)?(?:\d{1,4}(?:-\d{1,4})?|[ivxlc]{1,7})(?:\s*(?:of|/|\|)\s*\d{1,4})?\W*", re.IGNORECASE
)
_NOTE_START = re.compile(r"(?:\d{1,3}|[⁰¹²³⁴-⁹]{1,3}|[*†‡§¶])\s?(?=[^\W\d_]|[\"“(])|\[\d{1,3}\]")
_CLOSED = re.compile(r"[.!?:;。！？؟।…][\"”’»)\]\d⁰¹²³⁴-⁹]*$")
_LONGEST_HEADING = 150
_REFERENCE = re.compile(r"\(\w{1,3}\) [a-z]")
_SPEAKER = re.compile(r"(?:[A-Z][A-Z.'’-]+ ){0,4}[A-Z][A-Z.'’-]+:(?: |$)")
_NUMBER = re.compile(r"\d{1,3}[.)] ")
_LEADER = re.compile(r"(?:\. ?){4,}")  # of a table of contents
_UNSPACED = re.compile(r"[—\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Chinese and Japanese know no spaces


@dataclass(slots=True)
class Paragraph:
    """A block and the offset in it at which each of its pages starts."""

    lines: list[Line] = field(default_factory=list)
    text: str = ""
    pages: list[tuple[int, int]] = field(default_factory=list)  # (page, offset)
    level: int | None = None

    def add(self, line: Line, words: frozenset[str]) -> None:
        """Append a line; a hyphen at the end of the one before goes, unless the word has it anyway."""
        kept, gap = after_break(self.text, line.run.text, words)
        unspaced = not kept or (_UNSPACED.match(kept[-1]) and _UNSPACED.match(line.run.text))
        self.text = kept + ("" if unspaced else gap)
        if not self.pages or self.pages[-1][0] != line.page:
            self.pages.append((line.page, len(self.text)))
        self.text += line.run.text
        self.lines.append(line)


def headers_and_footers(pages: Sequence[Sequence[Line]], sizes: Sequence[tuple[float, float]]) -> set[int]:
    """Return `id` of the lines that are headers, footers or page numbers.

    They are in the margin, and alike on several pages or on one line with `Page 3`; what stands further in than a line
    that is none of them is text, as the unit below the name of a table.
    """
    placed = [(line, size) for page, size in zip(pages, sizes, strict=True) for line in page]
    ordered = [sorted(page, key=lambda line: turned(line.run.box, line.run.angle)[1]) for page in pages]
    outermost = {id(line) for page in ordered for line in (*page[:2], *page[-2:])}
    wide = {id(line) for line, size in placed if _in_margin(line, *size, _WIDE)}
    margin = [line for line, size in placed if _in_margin(line, *size) or id(line) in outermost & wide]
    edge = {id(line) for page in ordered for line in (*page[:1], *page[-1:])}
    repeated = _repeated(margin, 2 if len(pages) < 6 else 3, edge)
    counted = [line for line, _ in placed if _PAGE_NUMBER.fullmatch(line.run.text) and not line.run.text.endswith(".")]
    near = {id(line) for line, size in placed if _in_margin(line, *size)} & outermost
    numbers = {id(line) for line in counted} & (near | (edge & wide))
    named = [line for line in counted if id(line) in numbers and "page" in line.run.text.lower()]
    beside = {id(line) for line in margin if any(line.page == each.page and _on_one_line(line, each) for each in named)}
    heads = {id(line) for line, (_, height) in placed if turned(line.run.box, line.run.angle)[1] < height / 2}
    # Of the names of a table's columns the first ones stay.
    names = {_key(line): id(line) for line in reversed(repeated) if line.run.cells and id(line) in heads}
    found = numbers | beside | {id(line) for line in repeated} - set(names.values())
    return {id(line) for page in ordered for line in _outer(page, found)}


def _outer(page: Sequence[Line], found: Container[int]) -> list[Line]:
    """Return the lines of a page, from its top down, that are found, with no other one between them and its edge."""
    boxes = [turned(line.run.box, line.run.angle) for line in page if id(line) not in found and not line.note]
    top, bottom = min((box[3] for box in boxes), default=math.inf), max((box[1] for box in boxes), default=-math.inf)
    places = ((line, turned(line.run.box, line.run.angle)) for line in page if id(line) in found)
    return [line for line, (_, y0, _, y1) in places if line.note or y0 < top or y1 > bottom]


def _repeated(margin: Sequence[Line], enough: int, edge: Container[int]) -> list[Line]:
    """Return the lines that stand alike on so many pages near each other.

    In the first and the last line of a page, `edge`, all numbers may differ: an excerpt has not all pages.
    """

    def is_alike(one: Line, other: Line) -> bool:
        return (id(one) in edge and id(other) in edge) or _numbers_go_with_pages(one, other)

    groups: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in sorted(margin, key=lambda line: line.page):
        groups[_key(line)].append(line)
    return [
        line
        for group in groups.values()
        for at, line in enumerate(group)
        if len({other.page for other in group[max(0, at - _NEAR) : at + _NEAR + 1] if is_alike(line, other)}) >= enough
    ]


def _on_one_line(one: Line, other: Line) -> bool:
    (_, low, _, high), (_, bottom, _, top) = one.run.box, other.run.box
    return low < (bottom + top) / 2 < high


def _numbers_go_with_pages(one: Line, other: Line) -> bool:
    """Tell whether numbers are the same or go with the page's: others tell lines of text apart that are much alike."""
    pairs = zip(_DIGITS.findall(one.run.text), _DIGITS.findall(other.run.text), strict=True)
    return all(int(a) - int(b) in {0, one.page - other.page} for a, b in pairs)


def _in_margin(line: Line, width: float, height: float, share: float = _MARGIN) -> bool:
    x0, y0, x1, y1 = turned(line.run.box, line.run.angle)
    beside = line.note and (x1 < share * width or x0 > (1 - share) * width)
    return beside or y1 < share * height or y0 > (1 - share) * height


def _key(line: Line) -> tuple[str, int]:
    """Return what is alike in the header of each page: its words without numbers, and its height on the page."""
    return _DIGITS.sub("#", line.run.text.replace(" | ", " ")), round(line.run.box[1] / 4)


def _mark_notes(page: Sequence[Line], body: float) -> None:
    """Mark the footnotes: small lines at the foot of a column, from a number or a sign on that opens a sentence."""
    foot: list[Line] = []
    small = [line.run.size <= 0.93 * body and not line.run.cells for line in page]
    at_foot = True
    for index, line in reversed([*enumerate(page)]):
        at_foot = small[index] and (at_foot or line.run.box[1] > page[index + 1].run.box[1])
        if not at_foot:
            foot = []  # what was gathered is a caption or the like, and stays where it is
            continue
        foot.append(line)
        above = page[index - 1]
        wrapped = index and small[index - 1] and _is_full(above) and not _CLOSED.search(above.run.text)
        if _NOTE_START.match(line.run.text) and not wrapped:
            for each in foot:
                each.note = True
            foot = []


def joined_lines(pages: Sequence[Sequence[Line]]) -> list[Paragraph]:
    """Join lines to blocks. Footnotes stand in front of a paragraph that goes on in the next column or page."""
    lines = [line for page in pages for line in page]
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.run.size * 2) / 2] += len(line.run.text)
    body = max(sizes, key=sizes.__getitem__, default=10.0)  # the height of most letters
    for page in pages:
        _mark_notes([line for line in page if not line.note], body)
    words = frozenset(word for line in lines for word in words_with_hyphens(line.run.text))
    pitch = _pitch(lines)
    blocks: list[Paragraph] = []
    for page in pages:
        main = _joined([line for line in page if not line.note], blocks, words, pitch)
        notes = _joined([line for line in page if line.note], [], words, pitch)
        goes_on = main and not (main[-1].lines[-1].run.cells or _CLOSED.search(main[-1].text))
        blocks = [*main[:-1], *notes, main[-1]] if goes_on and len(main[-1].pages) == 1 else [*main, *notes]
    _set_levels(blocks, body)
    return blocks


def _joined(lines: Sequence[Line], blocks: list[Paragraph], words: frozenset[str], pitch: float) -> list[Paragraph]:
    for line in lines:
        if not line.run.text.strip():
            continue
        if not blocks or not _continues(blocks[-1], line, pitch):
            blocks.append(Paragraph())
        blocks[-1].add(line, words)
    return blocks


def _opens(block: Paragraph, line: Line) -> bool:
    """Tell whether a line opens something, by its first words: what somebody says, a label after another, an item."""
    above, text = block.lines[-1].run.text, line.run.text
    if _is_spoken(line) or (is_turn(text) and is_turn(block.text[:120])):
        return True
    # `of paragraph` `(i) of this`, `on day` `12. Then`
    refers = _REFERENCE.match(text) or (_NUMBER.match(text) and not is_item(block.text))
    goes_on = refers and not _CLOSED.search(above) and _had_no_room(block, line)
    return is_item(text, above) and not goes_on


def _pitch(lines: Sequence[Line]) -> float:
    pairs = ((a.run, b.run) for a, b in pairwise(lines) if a.page == b.page and a.run.height > 0)
    return median([step for a, b in pairs if 0 < (step := (b.box[1] - a.box[1]) / a.height) < 2.5] or [1.2])


def _continues(block: Paragraph, line: Line, pitch: float) -> bool:
    above = block.lines[-1]
    a, b = above.run, line.run
    weight = a.bold == b.bold or not (a.all_bold or b.all_bold)  # a bold word may open what goes on in plain letters
    headed = len(block.lines) == 1 and a.all_italic and not b.all_italic and not _is_full(above)
    (last, _), (first, _) = a.sizes[-1], b.sizes[0]  # small capitals within a line make no other paragraph
    alike = (is_alike(a.size, b.size) or is_alike(last, first)) and weight and not headed
    apart = not (alike or a.beside(b)) or a.cells or b.cells or a.angle != b.angle
    if apart or ends_parted(block.text):
        return not apart
    if _opens(block, line) or _LEADER.search(a.text):
        return False
    step = b.box[1] - a.box[1]
    if line.page != above.page or step < 0 or b.box[0] > above.right:  # the next column or page
        if _CLOSED.search(block.text):  # few paragraphs end where a line does, many sentences do
            return _inset(line)[0] < 0.4 * b.height and len(block.lines) > 2 and _had_no_room(block, line)
        return not (a.bold and b.bold) and (_is_full(above) or b.text[0].islower())
    if step > (min(pitch, _step(block)) + 0.35) * a.height:
        return False
    inset, inset_above = _inset(line)[0], _inset(above)[0]
    indent = inset > 0.8 * b.height and inset_above < 0.4 * a.height and (_CLOSED.search(a.text) or not _is_full(above))
    hanging = len(block.lines) > 1 and abs(inset - inset_above) < 0.4 * b.height
    listed = is_item(block.text) and (len(block.lines) == 1 or hanging)
    spoken = _is_spoken(block.lines[0])
    going_on = not _CLOSED.search(block.text) or _had_no_room(block, line)
    return (hanging or listed or (spoken and going_on) or not indent) and (going_on or listed)


def _step(block: Paragraph) -> float:
    """Return how far its last line is from the one above, in heights; of the first line, no limit."""
    above, last = block.lines[-2:] if len(block.lines) > 1 else (None, None)
    if above is None or last is None or above.page != last.page:
        return math.inf
    step = (last.run.box[1] - above.run.box[1]) / last.run.height
    return step if step > 0.8 else math.inf  # else both stand on one line, or in two columns


def _had_no_room(block: Paragraph, line: Line) -> bool:
    """Tell whether the first word of a line had no room behind the line above; too few lines show how wide they are."""
    above = block.lines[-1]
    beside = [other.run.box[2] for other in block.lines if (other.page, other.left) == (above.page, above.left)]
    if len(beside) < 3:
        return _is_full(above)
    first = line.run.edges[len(line.run.text.split(None, 1)[0]) - 1][1] - line.run.box[0]
    return max(beside) - above.run.box[2] < first + line.run.height  # lines may be set unevenly


def _is_spoken(line: Line) -> bool:
    return line.run.opens or bool(_SPEAKER.match(line.run.text))


def _inset(line: Line) -> tuple[float, float]:
    left, right = line.run.box[0] - line.left, line.right - line.run.box[2]
    return (right, left) if is_rtl(line.run.text) else (left, right)


def _is_full(line: Line) -> bool:
    """Tell whether a line reaches the side of its column, so that the text may go on in the next."""
    before, after = _inset(line)
    return after < 0.25 * (line.right - line.left) or after < 2 * before > 40  # a centred line, or a quotation


def _set_levels(blocks: Sequence[Paragraph], body: float) -> None:
    """Find the headings: larger letters than those of the body, or short bold lines; above a drawn line, over text."""
    short = [block for block in blocks if _is_short(block)]
    heights = {id(block): round(max(line.run.size for line in block.lines)) for block in short}
    large = {block: height for block, height in heights.items() if height > 1.15 * body}
    sizes = sorted(set(large.values()), reverse=True)
    for block in short:
        if id(block) in large:
            block.level = min(sizes.index(large[id(block)]) + 1, 5)
        elif _is_bold(block, body) and len(block.lines) <= 2 and not block.text.endswith((".", ",", ":", ";")):
            block.level = min(len(sizes) + 1, 6)
    for block, below, after in zip(blocks, blocks[1:], blocks[2:], strict=False):
        if block.level and is_wordless(below.text) and (after.level or _is_bold(after, body)):
            block.level = None  # the last words of what ends with the line


def _is_bold(block: Paragraph, body: float) -> bool:
    return all(line.run.bold for line in block.lines) and block.lines[0].run.size > 0.95 * body


def _is_short(block: Paragraph) -> bool:
    if _LEADER.search(block.text) or any(line.run.cells or line.note for line in block.lines):
        return False
    return len(block.text) <= _LONGEST_HEADING and any(map(str.isalpha, block.text))
