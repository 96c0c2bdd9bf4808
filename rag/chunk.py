"""Documents into passages: whole sentences, exact spans, never across a heading, sized for the encoder."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest
from typing import TYPE_CHECKING

from rag.language.blocks import complete, front_matter, strip
from rag.language.furniture import is_furniture, is_greeting, is_wordless
from rag.language.questions import is_question
from rag.language.sentences import LONGEST_SENTENCE, heading_text, pieces, sentences
from rag.records import Span, unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rag.records import Document, Passage

__all__ = ["Chunker", "sentences"]

_WINDOW = 254  # the encoder's 256 tokens without the two that it adds itself
_MOST_UNITS = 64  # sentences in a passage: bounds the search in texts of one-word sentences
_BORDER = 0.5  # what it costs to break inside a paragraph, in units of a passage's unused share, squared


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence with the markup around it, or text that nobody quotes."""

    span: Span
    sentence: Span | None
    heading: bool = False
    front: bool = False  # part of Markdown's front matter
    closes: bool = False  # the last one of its block, and none that introduces the next one
    tokens: int = 0
    names: tuple[str, ...] = ()  # of those who speak in it and that it does not name: they go into the context line
    named: int = 0  # tokens of these names


@dataclass(frozen=True, slots=True)
class Chunker:
    """Makes the passages of a document.

    Attributes:
        count_tokens: the encoder's number of tokens of each text, without those that it adds itself.
        max_tokens: of a passage's own text; its context line comes on top, within the encoder's window.
    """

    count_tokens: Callable[[Sequence[str]], list[int]]
    max_tokens: int = 200

    @property
    def settings(self) -> str:
        """All that shapes passages: an index made with other settings cannot be continued."""
        return f"sentences-8 max={self.max_tokens}"

    def passages(self, document: Document) -> list[Passage]:
        """Cut a document into passages: in order, not overlapping, holding all of its text but white space.

        A heading stands in front of the text under it and is not among the passage's sentences, unless there is
        nothing else. Nor is what nobody would quote: front matter, drawn lines, bylines. A passage of such text alone
        has no sentences. A passage exceeds the encoder's window only where a single sentence does.
        """
        segments = _segments(_units(document))
        contexts = [_context(document, segment) for segment in segments]
        speakers = sorted({statement.speaker for statement in document.speakers if statement.speaker})
        counted, taken, longest_speaker = self._counted(document.text, segments, contexts, speakers)
        return [
            _passage(document, group)
            for segment, context in zip(counted, taken, strict=True)
            for group in self._pack(segment, max(_WINDOW - context - longest_speaker, _WINDOW // 4))
        ]

    def _counted(
        self, text: str, segments: list[list[_Unit]], contexts: Sequence[str], speakers: Sequence[str]
    ) -> tuple[list[list[_Unit]], list[int], int]:
        """Return the units with their tokens, the tokens of each context line, and those of the longest speaker.

        All are counted in one call: the tokenizer is quickest on one long list.
        """
        units = [unit for segment in segments for unit in segment]
        names = list(dict.fromkeys(name for unit in units for name in unit.names))
        texts = [*(unit.span.of(text) for unit in units), *contexts, *(f"· {name}" for name in names), *speakers]
        counts = iter(self.count_tokens(texts))
        sized = [[replace(unit, tokens=max(1, next(counts))) for unit in segment] for segment in segments]
        taken = [next(counts) for _ in contexts]
        each = {name: next(counts) for name in names}
        counted = [[replace(u, named=sum(each[name] for name in u.names)) for u in segment] for segment in sized]
        return counted, taken, max(counts, default=0)

    def _pack(self, segment: list[_Unit], room: int) -> Iterator[list[_Unit]]:
        """Divide the units of one section among passages; `room` is what the encoder's window leaves."""
        heads = [unit for unit in segment if unit.heading]
        body = segment[len(heads) :]
        limit = min(self.max_tokens, room)
        if not heads or not body:
            yield from _balance(segment, limit, room)
        elif sum(unit.tokens for unit in [*heads, body[0]]) > room:
            yield from _balance(heads, limit, room)
            yield from _balance(body, limit, room)
        else:
            yield from _balance([_under(heads, body[0]), *body[1:]], limit, room)


def _units(document: Document) -> Iterator[_Unit]:
    """Cut all blocks of a document into units."""
    headings = {section.heading.start for section in document.sections}
    front = front_matter(document.text) if document.media_type == "text/markdown" else 0
    mail = document.media_type == "message/rfc822"
    people = frozenset(word.lower() for s in document.speakers for word in (s.speaker or "").split() if mail)
    above: list[str] = []
    for block in _blocks(document):
        heading = block.start in headings and len(block) <= LONGEST_SENTENCE  # what is longer is no heading to cite
        greets = bool(people) and is_greeting(block.of(document.text), people)
        for unit in _units_of(document.text, block, heading=heading, front=block.end <= front, greets=greets):
            found = unnamed(unit.span.of(document.text), document.statements_in(unit.span))
            yield replace(unit, names=tuple(name for name in found if name not in above))
            above = found


def _units_of(text: str, block: Span, *, heading: bool, front: bool, greets: bool) -> Iterator[_Unit]:
    """Cut one block into units that hold all of it but white space."""
    found = heading_text(text, block) if heading else pieces(text, block)
    quotable = not front and not greets and not is_furniture(block.of(text))
    ends = [*(piece.end for piece in found[:-1]), block.end]
    for start, end, piece in zip_longest([block.start, *ends[:-1]], ends, found):
        sentence = piece if piece and quotable and not is_wordless(piece.of(text)) else None
        unit = strip(text, Span(start, end))
        leads = unit.of(text).endswith(":") or is_question(unit.of(text))  # with what follows it is best in one passage
        closes = end == block.end and not leads
        yield _Unit(unit, sentence, heading, front, closes)


def _blocks(document: Document) -> Iterator[Span]:
    """Return the document's blocks, completed where it names none and cut at headings."""
    text = document.text
    headings = [section.heading for section in document.sections]
    borders = sorted({border for heading in headings for border in (heading.start, heading.end)})
    for block in complete(text, document.blocks):
        inside = borders[bisect_right(borders, block.start) : bisect_left(borders, block.end)]
        for start, end in pairwise([block.start, *inside, block.end]):
            part = strip(text, Span(start, end))
            if len(part):
                yield part


def _segments(units: Iterable[_Unit]) -> list[list[_Unit]]:
    """Divide units at headings: each segment is headings that follow each other and the text under them.

    So does the end of front matter; and a screen of white space, or a passage could be any length.
    """
    segments: list[list[_Unit]] = []
    for unit in units:
        above = segments[-1][-1] if segments else None
        far = above is not None and unit.span.start - above.span.end > LONGEST_SENTENCE
        if above is None or far or (unit.heading and not above.heading) or (above.front and not unit.front):
            segments.append([])
        segments[-1].append(unit)
    return segments


def _context(document: Document, segment: Sequence[_Unit]) -> str:
    """Return the context line of a segment's passages."""
    first = next((unit for unit in segment if not unit.heading), segment[0])
    return document.passage(Span(first.span.start, first.span.start)).context


def _under(heads: Sequence[_Unit], first: _Unit) -> _Unit:
    """Put headings in front of the first unit under them, as one unit."""
    tokens = sum(unit.tokens for unit in heads) + first.tokens
    return replace(first, span=Span(heads[0].span.start, first.span.end), tokens=tokens)


def _balance(units: Sequence[_Unit], limit: int, room: int) -> Iterator[list[_Unit]]:
    """Choose the breaks that leave passages evenly full and fall between paragraphs; linear in the number of units.

    The cost of a passage is the square of its unused share, so that two halves are better than a whole and a rest.
    A passage has at most `limit` tokens, and with the names in its context line at most `room`.
    """
    upto = [0, *accumulate(unit.tokens for unit in units)]
    with_names = [0, *accumulate(unit.tokens + unit.named for unit in units)]
    best, back = [0.0], [0]
    for end in range(1, len(units) + 1):
        border = 0.0 if units[end - 1].closes else _BORDER
        options: list[tuple[float, int]] = []
        for start in range(end - 1, max(0, end - _MOST_UNITS) - 1, -1):
            size = upto[end] - upto[start]
            if options and (size > limit or with_names[end] - with_names[start] > room):
                break
            options.append((best[start] + max(0.0, 1 - size / limit) ** 2 + border, start))
        cost, start = min(options)
        best.append(cost)
        back.append(start)
    starts = [len(units)]
    while starts[-1]:
        starts.append(back[starts[-1]])
    return (list(units[start:end]) for start, end in pairwise(reversed(starts)))


def _passage(document: Document, units: Sequence[_Unit]) -> Passage:
    """Make one passage of neighbouring units."""
    span = Span(units[0].span.start, units[-1].span.end)
    return document.passage(span, [unit.sentence for unit in units if unit.sentence])
