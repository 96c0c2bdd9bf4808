"""Who said what in a text: quotations, reported speech and transcripts, each with its speaker or with none.

Pure text analysis, no model. Where it is not clear who speaks, the speaker is None: never a guess. One pass in
reading order over the blocks; each step looks at a bounded stretch, so the time is linear in the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.language.blocks import is_row
from rag.language.speakers.letters import letters
from rag.language.speakers.story import Story
from rag.language.speakers.turns import turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Span, Statement

__all__ = ["letters", "statements"]


def statements(text: str, blocks: Sequence[Span], headings: Sequence[Span] = ()) -> tuple[Statement, ...]:
    """Return what is said in a text, in order and without overlap.

    A quotation's span holds its quotation marks; that of reported speech is the reported clause.

    Args:
        text: of the document.
        blocks: paragraphs, list items and so on, in order and without overlap, holding all of the text but white space.
        headings: spans whose quotation marks are nobody's speech.

    Nobody speaks in the rows of a table: `Office: Mayor's office | Employees: 15`.
    """
    blocks = [block for block in blocks if not is_row(text[block.start : block.end])]
    spoken = turns(text, blocks)
    if spoken is not None:
        return spoken
    titles = {heading.start for heading in headings}
    story = Story(text)
    for block in blocks:
        story.heading() if block.start in titles else story.read(block)
    return story.told()
