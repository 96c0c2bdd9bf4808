"""Who said what in a text: quotations, reported speech and transcripts, each with its speaker or with none.

Pure text analysis, no model. Where it is not clear who speaks, the speaker is None: never a guess. One pass in
reading order over the blocks; each step looks at a bounded stretch, so the time is linear in the text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from rag.language.blocks import is_row, strip
from rag.language.speakers.narration import Narration
from rag.language.speakers.quotations import narrated_sentences
from rag.language.speakers.transcript import transcript
from rag.records import Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["statements", "statements_by_author"]

_MARKS = "\"“”„‟«»‘'"


def statements(text: str, blocks: Sequence[Span], headings: Sequence[Span] = ()) -> tuple[Statement, ...]:
    """Return what is said in a text, in order and without overlap.

    A quotation's span holds its quotation marks; that of reported speech is the reported clause.

    Args:
        text: of the document.
        blocks: paragraphs, list items and so on, in order and without overlap, holding all of the text but white space.
        headings: spans whose quotation marks are nobody's speech.

    Nobody speaks in the rows of a table: `Office: Mayor's office | Employees: 15`.
    """
    blocks = [block for block in blocks if not is_row(block.of(text))]
    spoken = transcript(text, blocks)
    return _narrated(text, blocks, headings) if spoken is None else spoken


def statements_by_author(text: str, written: Sequence[tuple[Span, str | None]]) -> Iterator[Statement]:
    """Yield the statements of a mail's blocks and their authors, None for unknown ones, in order and without overlap.

    A sentence in which somebody is quoted word for word is not the author's: only its quotation is somebody's.
    """
    blocks = [block for block, _ in written]
    quoted = transcript(text, blocks)
    if quoted is None:
        quoted = tuple(found for found in _narrated(text, blocks) if text[found.span.start] in _MARKS)
    for block, author in written:
        first = bisect_right(quoted, block.start, key=lambda statement: statement.span.end)
        after = bisect_left(quoted, block.end, key=lambda statement: statement.span.start)
        yield from _by_author(text, block, author, quoted[first:after])


def _narrated(text: str, blocks: Sequence[Span], headings: Sequence[Span] = ()) -> tuple[Statement, ...]:
    """Return what is said in any text but a transcript."""
    titles = {heading.start for heading in headings}
    narration = Narration(text)
    for block in blocks:
        narration.heading() if block.start in titles else narration.read(block)
    return narration.statements()


def _by_author(text: str, block: Span, author: str | None, quoted: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the quotations of one block, and the sentences before, between and behind them as the author's."""
    start = block.start
    for sentence in narrated_sentences(text, block):
        inside = [statement for statement in quoted if statement.span.overlaps(sentence.span)]
        if inside:
            yield from _own(text, Span(start, sentence.span.start), author)
            yield from (statement for statement in inside if statement.span.start >= start)
            start = max(sentence.span.end, inside[-1].span.end)
    yield from _own(text, Span(start, max(start, block.end)), author)


def _own(text: str, span: Span, author: str | None) -> Iterator[Statement]:
    """Yield the author's words in a span, without the signs of quoted mail."""
    words = span.of(text)
    own = strip(text, Span(span.start + len(words) - len(words.lstrip("> \t")), span.end))
    if len(own):
        yield Statement(own, author)
