"""Mail and other texts of known authors: their own words are theirs, and what they quote is not."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from rag.language.blocks import strip
from rag.language.speakers.frames import frames
from rag.language.speakers.story import Story
from rag.language.speakers.turns import turns
from rag.records import Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARKS = "\"“”„‟«»‘'"


def letters(text: str, written: Sequence[tuple[Span, str | None]]) -> Iterator[Statement]:
    """Yield the statements of blocks and their authors, None for unknown ones, in order and without overlap.

    A sentence in which somebody is quoted word for word is not the author's: only its quotation is somebody's.
    """
    quoted = _quoted(text, [block for block, _ in written])
    for block, author in written:
        first = bisect_right(quoted, block.start, key=lambda statement: statement.span.end)
        after = bisect_left(quoted, block.end, key=lambda statement: statement.span.start)
        yield from _block(text, block, author, quoted[first:after])


def _quoted(text: str, blocks: Sequence[Span]) -> Sequence[Statement]:
    """Return what stands in quotation marks, or in the turns of a transcript."""
    spoken = turns(text, blocks)
    if spoken is not None:
        return spoken
    story = Story(text)
    for block in blocks:
        story.read(block)
    return [statement for statement in story.told() if text[statement.span.start] in _MARKS]


def _block(text: str, block: Span, author: str | None, quoted: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the quotations of one block, and the sentences before, between and behind them as the author's."""
    start = block.start
    for frame in frames(text, block):
        inside = [statement for statement in quoted if statement.span.overlaps(frame.span)]
        if inside:
            yield from _own(text, Span(start, frame.span.start), author)
            yield from (statement for statement in inside if statement.span.start >= start)
            start = max(frame.span.end, inside[-1].span.end)
    yield from _own(text, Span(start, max(start, block.end)), author)


def _own(text: str, span: Span, author: str | None) -> Iterator[Statement]:
    """Yield the author's words in a span, without the signs of quoted mail."""
    words = span.of(text)
    own = strip(text, Span(span.start + len(words) - len(words.lstrip("> \t")), span.end))
    if len(own):
        yield Statement(own, author)
