"""Documents into passages: whole sentences, exact spans, never across a heading, sized for the encoder."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest
from typing import TYPE_CHECKING

from rag.language.blocks import complete, front_matter, is_head, strip
from rag.language.furniture import is_furniture, is_greeting, is_wordless
from rag.language.questions import is_question
from rag.language.sentences import LONGEST_SENTENCE, heading_text, pieces, sentences
from rag.records import Span, unnamed
from rag.records.rows import without_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from rag.records import Document, Passage

__all__ = ["Chunker", "sentences"]

_WINDOW = 254  # the encoder's 256 tokens without the two that it adds itself
_LONGEST_SIDE = 4  # characters of `Q.` and the space behind it
_MOST_UNITS = 64  # sentences in a passage: bounds the search in texts of one-word sentences
_BORDER = 0.5  # what it costs to break inside a paragraph, in units of a passage's unused share, squared


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence with the markup around it, or text that nobody quotes."""

    span: Span
    sentence: Span | None
    heading: bool
    front: bool  # part of Markdown's front matter
    closes: bool  # the last one of its block, and none that introduces the next one
    names: tuple[str, ...] = ()  # of those who speak in it and that it does not name, as the context line has them
    tokens: int = 0
    named: int = 0  # tokens of these names


@dataclass(frozen=True, slots=True)
class Chunker:
    """Makes the passages of a document.

    Attributes:
        count_tokens: the encoder's number of tokens of each text, without those that it adds itself.
        max_tokens: of a passage's own text, as the encoder reads it: rows of a table name their columns once, but
            count at least two thirds of what they are with all names, so that the reader needs one window. The context
            line and these names come on top, within the encoder's window.
    """

    count_tokens: Callable[[Sequence[str]], list[int]]
    max_tokens: int = 200

    @property
    def settings(self) -> str:
        """All that shapes passages: an index made with other settings cannot be continued."""
        return f"sentences-11 max={self.max_tokens}"

    def passages(self, document: Document) -> list[Passage]:
        """Cut a document into passages: in order, not overlapping, holding all of its text but white space.

        A heading stands in front of the text under it and is not among the passage's sentences, unless there is
        nothing else. Nor is what nobody would quote: front matter, drawn lines, bylines. A passage of such text alone
        has no sentences. A passage exceeds the encoder's window only where a single sentence does.
        """
        segments = _segments(_units(document), {section.span.end for section in document.sections})
        contexts = [_context(document, segment) for segment in segments]
        speakers = [statement.speaker for statement in document.speakers if statement.speaker]
        names = [name for segment in segments for unit in segment for name in unit.names]
        read = [_as_read(document.text, segment) for segment in segments]
        # All are counted in one call: the tokenizer is quickest on one long list.
        written = [unit.span.of(document.text) for segment in segments for unit in segment]
        texts = list(
            dict.fromkeys(
                [*contexts, *names, *speakers, *written, *(text for rows in read for row in rows for text in row)]
            )
        )
        sizes = dict(zip(texts, self.count_tokens(texts), strict=True))
        longest_speaker = max((sizes[speaker] for speaker in speakers), default=0)
        return [
            document.passage(Span(group[0].span.start, group[-1].span.end), [u.sentence for u in group if u.sentence])
            for segment, rows, context in zip(segments, read, contexts, strict=True)
            for group in self._pack(
                [_sized(unit, document.text, text, sizes) for unit, (text, _) in zip(segment, rows, strict=True)],
                max(_WINDOW - sizes[context] - longest_speaker - max(sizes[said] for _, said in rows), _WINDOW // 4),
            )
        ]

    def _pack(self, segment: list[_Unit], room: int) -> Iterator[list[_Unit]]:
        """Divide the units of one section among passages; `room` is what the encoder's window leaves."""
        heads = [unit for unit in segment if unit.heading]
        body = segment[len(heads) :]
        tokens = sum(unit.tokens for unit in [*heads, *body[:1]])
        if heads and body and tokens <= room:  # the headings and the first unit under them are one
            under = replace(body[0], span=Span(heads[0].span.start, body[0].span.end), tokens=tokens)
            heads, body = [], [under, *body[1:]]
        for units in (heads, body):
            yield from _balance(units, min(self.max_tokens, room), room)


def _as_read(text: str, segment: Iterable[_Unit]) -> list[tuple[str, str]]:
    """Return each unit as the encoder reads it, and the names of columns that it leaves out as they stand above."""
    known: set[str] = set()
    return [without_names(unit.span.of(text), known) for unit in segment]


def _sized(unit: _Unit, text: str, read: str, sizes: Mapping[str, int]) -> _Unit:
    tokens = max(1, sizes[read], sizes[unit.span.of(text)] * 2 // 3)
    return replace(unit, tokens=tokens, named=sum(sizes[name] for name in unit.names))


def _units(document: Document) -> Iterator[_Unit]:
    text = document.text
    headings = [section.heading for section in document.sections]
    starts = [heading.start for heading in headings]
    front = front_matter(text) if document.media_type == "text/markdown" else 0
    mail = document.media_type == "message/rfc822"
    people = frozenset(word.lower() for s in document.speakers for word in (s.speaker or "").split() if mail)
    above: list[str] = []
    blocks = list(_blocks(document))
    for block, below in zip_longest(blocks, blocks[1:]):
        words = block.of(text)
        begun = bisect_right(starts, block.start)
        is_in_heading = begun > 0 and block.end <= headings[begun - 1].end
        heading = is_in_heading and len(block) <= LONGEST_SENTENCE  # what is longer is no heading to cite
        names_columns = is_head(words, below.of(text) if below else None)
        of_page = is_furniture(words) or bool(people and is_greeting(words, people))
        quotable = block.end > front and not names_columns and not of_page
        found = heading_text(text, block) if heading else pieces(text, _without_side(document, block))
        ends = [*(piece.end for piece in found[:-1]), block.end]
        for start, end, piece in zip_longest([block.start, *ends[:-1]], ends, found):
            sentence = piece if piece and quotable and not is_wordless(piece.of(text)) else None
            unit = strip(text, Span(start, end))
            leads = unit.of(text).endswith(":") or is_question(unit.of(text))  # best in one passage with what follows
            speakers = unnamed(unit.of(text), document.statements_in(unit))
            names = tuple(f"· {name}" for name in speakers if name not in above)
            yield _Unit(unit, sentence, heading, block.end <= front, end == block.end and not leads, names)
            above = speakers


def _without_side(document: Document, block: Span) -> Span:
    """Return a turn of an examination without `Q.` or `A.` in front: its speaker stands for that."""
    said = next(iter(document.statements_in(block)), None)
    begins = said is not None and block.start < said.span.start <= block.start + _LONGEST_SIDE
    is_side = begins and block.of(document.text)[:1] in "QA"
    return Span(said.span.start, block.end) if said and is_side else block


def _blocks(document: Document) -> Iterator[Span]:
    text = document.text
    headings = [section.heading for section in document.sections]
    borders = sorted({border for heading in headings for border in (heading.start, heading.end)})
    for block in complete(text, document.blocks):
        inside = borders[bisect_right(borders, block.start) : bisect_left(borders, block.end)]
        for start, end in pairwise([block.start, *inside, block.end]):
            part = strip(text, Span(start, end))
            if len(part):
                yield part


def _segments(units: Iterable[_Unit], ends: Collection[int]) -> list[list[_Unit]]:
    """Divide units at headings: each segment is headings that follow each other and the text under them.

    A segment also ends where a section or front matter ends, and at much white space, or it could be of any length.
    """
    segments: list[list[_Unit]] = []
    for unit in units:
        above = segments[-1][-1] if segments else None
        far = above is not None and unit.span.start - above.span.end > LONGEST_SENTENCE
        ended = not unit.heading and unit.span.start in ends
        if above is None or far or ended or (unit.heading and not above.heading) or (above.front and not unit.front):
            segments.append([])
        segments[-1].append(unit)
    return segments


def _context(document: Document, segment: Sequence[_Unit]) -> str:
    first = next((unit for unit in segment if not unit.heading), segment[0])
    return document.passage(Span(first.span.start, first.span.start)).context


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
