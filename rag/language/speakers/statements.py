"""Who said what in a text: quotations, reported speech and transcripts, each with its speaker or with none.

Pure text analysis, no model. Where it is not clear who speaks, the speaker is None: never a guess. One pass in
reading order over the blocks; each step looks at a bounded stretch, so the time is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from rag.language.blocks import is_row, strip
from rag.language.names import CAPITALISED
from rag.language.speakers.attribution import attributions, narrated_sentences, separate
from rag.language.speakers.people import People, sentence_subject
from rag.language.speakers.transcript import transcript
from rag.language.speakers.vocabulary import is_role, singular
from rag.records import Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.language.speakers.attribution import Attribution, NarratedSentence
    from rag.language.speakers.people import Speaker

__all__ = ["statements", "statements_by_author"]

_MARKS = "\"“”„‟«»‘'"
_AROUND = " \t\n•‣◦▪●–—-"


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
    titles = {heading.start for heading in headings}
    narration = _Narration(text)
    for block in blocks:
        narration.heading() if block.start in titles else narration.read(block)
    return narration.statements()


def _by_author(text: str, block: Span, author: str | None, quoted: Sequence[Statement]) -> Iterator[Statement]:
    start = block.start
    for sentence in narrated_sentences(text, block):
        inside = [statement for statement in quoted if statement.span.overlaps(sentence.span)]
        if inside:
            yield from _own(text, Span(start, sentence.span.start), author)
            yield from (statement for statement in inside if statement.span.start >= start)
            start = max(sentence.span.end, inside[-1].span.end)
    yield from _own(text, Span(start, max(start, block.end)), author)


def _own(text: str, span: Span, author: str | None) -> Iterator[Statement]:
    words = span.of(text)
    own = strip(text, Span(span.start + len(words) - len(words.lstrip("> \t")), span.end))
    if len(own):
        yield Statement(own, author)


def _plain(name: str) -> str:
    """Return a name without what opens an item in front of it, as in `- **2 May 2016** The army`."""
    return next((part.strip(_AROUND) for part in reversed(name.split("**")) if part.strip(_AROUND)), name)


_NAME = re.compile(rf"(?<=[\s,]){CAPITALISED}\s{CAPITALISED}")
_TO_PERSON = re.compile(r"\s*(?:him|her)\b")
_NEAR = 12  # words in front of a pronoun among which somebody else may be meant by it
_FEW = 4  # words; a shorter quotation that nobody is said to have spoken is a term
_LONGEST_BLOCK = 20_000  # characters; a longer one is no prose


class _Narration:
    """Reads blocks in order and collects statements: who is quoted, and who is still speaking."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._people = People()
        self._found: list[tuple[Span, Speaker | None]] = []
        self._next: Speaker | None = None  # whom a paragraph that is all quotation continues

    def statements(self) -> tuple[Statement, ...]:
        """Return the statements found, in order and without overlap."""
        told: list[Statement] = []
        reached = 0
        for found, who in sorted(self._found, key=lambda pair: pair[0]):
            span = strip(self._text, Span(max(found.start, reached), max(found.end, reached)))
            if len(span):
                told.append(Statement(span, _plain(str(self._people.resolve(who))) if who else None))
                reached = span.end
        return tuple(told)

    def heading(self) -> None:
        """Pass a heading: nobody goes on speaking under it."""
        self._next = None

    def read(self, block: Span) -> None:
        """Read one block."""
        self._people.next_block(self._text[block.start : min(block.end, block.start + _LONGEST_BLOCK)])
        if len(block) > _LONGEST_BLOCK:
            self.heading()
            return
        cut = narrated_sentences(self._text, block)
        after = next((sentence for sentence in cut if not sentence.only_quotes), None)
        subject = sentence_subject(after.narration) if after and len(cut) > 1 else None
        speaker = self._next if subject is None or subject.kind == "pronoun" else None
        for sentence in cut:
            speaker = self._sentence(sentence, speaker)
        self._next = speaker

    def _sentence(self, sentence: NarratedSentence, before: Speaker | None) -> Speaker | None:
        """Read one sentence; return who may go on speaking after it."""
        if sentence.only_quotes:
            self._found += [(quote, before) for quote in sentence.quotes]
            return before
        found = attributions(sentence.narration)
        subject = sentence_subject(sentence.narration)
        if subject and subject.kind == "name" and not self._people.knows(subject):
            subject = None
        if subject and (not found or subject.kind != "pronoun"):
            self._people.about(subject)
        if not found:
            self._unattributed(sentence)
            about = self._people.resolve(subject) if subject and subject.kind != "body" else None
            return about if about == self._people.focus else None
        if len(found) > 1 and separate(sentence.narration, found[0], found[1]):
            self._several(sentence, found)
            return None
        return self._attributed(sentence, found[0])

    def _attributed(self, sentence: NarratedSentence, by: Attribution) -> Speaker | None:
        who = self._people.resolve(by.speaker)
        if by.speaker.kind == "pronoun" and self._other_named(sentence.narration[: by.start]):
            who = None
        if not _TO_PERSON.match(sentence.narration, by.end):  # `the judge told him`: it goes on about him
            self._people.about(by.speaker, spoke=True)
        reported = Span(0, 0)
        if by.reported and who:
            start, end = (sentence.span.start + offset for offset in by.reported)
            reported = Span(start, max(start, end))
            self._found.append((reported, who))
        self._found += [(quote, who) for quote in sentence.quotes if quote not in reported]
        return who

    def _other_named(self, words: str) -> bool:
        """Tell whether somebody else is named in front of a pronoun, who may be the one it means."""
        focus = self._people.focus
        if any(not focus or name.split()[-1] not in focus.name for name in _NAME.findall(words)):
            return True
        subject = sentence_subject(words)
        if subject and subject.kind == "name" and focus and subject.name in focus.name:
            return False  # `Ann Hill is a fighter, and she says`
        return any(is_role(word) and singular(word) == word.lower() for word in words.split()[-_NEAR:])

    def _several(self, sentence: NarratedSentence, found: list[Attribution]) -> None:
        """Give each quotation to the attribution right beside it, and nobody what is between two."""
        for quote in sentence.quotes:
            start, end = quote.start - sentence.span.start, quote.end - sentence.span.start
            near = [a for a in found if 0 <= a.start - end <= 3 or 0 <= start - a.end <= 3]
            self._found.append((quote, self._people.resolve(near[0].speaker) if len(near) == 1 else None))
        self._people.about(found[-1].speaker, spoke=True)

    def _unattributed(self, sentence: NarratedSentence) -> None:
        """Keep long quotations inside a sentence that does not say whose they are, as nobody's."""
        for quote in sentence.quotes:
            words = quote.of(self._text).strip(f"{_MARKS}\u00a0\u202f\r\n\t ").split()
            if len(words) > 2 * _FEW or (len(words) >= _FEW and words[-1].endswith((".", "!", "?"))):
                self._found.append((quote, None))
