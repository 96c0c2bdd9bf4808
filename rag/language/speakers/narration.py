"""Narration with quotations, read block by block: who is quoted, and who is still speaking."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.language.blocks import strip
from rag.language.names import CAPITALISED
from rag.language.speakers.attribution import Attribution, attributions, separate
from rag.language.speakers.noun_phrases import sentence_subject
from rag.language.speakers.people import People
from rag.language.speakers.quotations import NarratedSentence, narrated_sentences
from rag.language.speakers.vocabulary import is_role, singular
from rag.records import Span, Statement

if TYPE_CHECKING:
    from rag.language.speakers.noun_phrases import Speaker
    from rag.language.speakers.quotations import QuotedSpeech

_WHOLE_SENTENCE = re.compile(r"^[^\w]*[^\Wa-z_].*[.!?…,]$", re.DOTALL)
_NAME = re.compile(rf"(?<=[\s,]){CAPITALISED}\s{CAPITALISED}")
_TO_PERSON = re.compile(r"\s*(?:him|her)\b")
_NEAR = 12  # words in front of a pronoun among which somebody else may be meant by it
_FEW = 4  # words; a shorter quotation that nobody is said to have spoken is a term
_LONGEST_BLOCK = 20_000  # characters; a longer one is no prose


class Narration:
    """Reads blocks in order and collects statements.

    Attributes:
        text: of the document.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._people = People()
        self._found: list[tuple[Span, Speaker | None]] = []
        self._next: Speaker | None = None  # whom a paragraph that is all quotation continues
        self._open = False  # a quotation whose marks have not closed yet

    def statements(self) -> tuple[Statement, ...]:
        """Return the statements found, in order and without overlap."""
        told: list[Statement] = []
        reached = 0
        for found, who in sorted(self._found, key=lambda pair: pair[0]):
            span = strip(self.text, Span(max(found.start, reached), max(found.end, reached)))
            if len(span):
                told.append(Statement(span, str(self._people.resolve(who)) if who else None))
                reached = span.end
        return tuple(told)

    def heading(self) -> None:
        """Pass a heading: nobody goes on speaking under it."""
        self._next, self._open = None, False

    def read(self, block: Span) -> None:
        """Read one block."""
        self._people.next_block(self.text[block.start : min(block.end, block.start + _LONGEST_BLOCK)])
        if len(block) > _LONGEST_BLOCK:
            self.heading()
            return
        speaker = self._next
        cut = narrated_sentences(self.text, block)
        for index, sentence in enumerate(cut):
            inherited = speaker if index or self._continues(cut) else None
            speaker = self._sentence(sentence, inherited, first=index == 0)
        self._next = speaker

    def _continues(self, cut: list[NarratedSentence]) -> bool:
        """Tell whether a block that opens with quotation can be the speech of the person before it."""
        after = next((sentence for sentence in cut if not sentence.only_quotes), None)
        if self._open or len(cut) == 1 or after is None:
            return True
        who = sentence_subject(after.narration)
        return who is None or who.kind == "pronoun"

    def _sentence(self, sentence: NarratedSentence, inherited: Speaker | None, *, first: bool) -> Speaker | None:
        """Read one sentence; return who may go on speaking after it."""
        if sentence.only_quotes:
            return self._only_quotes(sentence, None if self._open and not first else inherited)
        self._open = False
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
        for quote in sentence.quotes:
            if quote.span not in reported:
                self._add(quote, who)
        return who

    def _other_named(self, words: str) -> bool:
        """Tell whether somebody else is named in front of a pronoun, who may be the one it means."""
        focus = self._people.focus
        names = _NAME.findall(words)
        if any(not focus or name.split()[-1] not in focus.name for name in names):
            return True
        subject = sentence_subject(words)
        if subject and subject.kind == "name" and focus and subject.name in focus.name:
            return False  # `Ann Hill is a fighter, and she says`
        return any(is_role(word) and singular(word) == word.lower() for word in words.split()[-_NEAR:])

    def _several(self, sentence: NarratedSentence, found: list[Attribution]) -> None:
        """Give each quotation to the attribution right beside it, and nobody what is between two."""
        for quote in sentence.quotes:
            at = Span(quote.span.start - sentence.span.start, quote.span.end - sentence.span.start)
            near = [a for a in found if 0 <= a.start - at.end <= 3 or 0 <= at.start - a.end <= 3]
            self._add(quote, self._people.resolve(near[0].speaker) if len(near) == 1 else None)
        self._people.about(found[-1].speaker, spoke=True)

    def _unattributed(self, sentence: NarratedSentence) -> None:
        """Keep long quotations inside a sentence that does not say whose they are, as nobody's."""
        for quote in sentence.quotes:
            words = quote.words(self.text).split()
            if len(words) > 2 * _FEW or (len(words) >= _FEW and words[-1].endswith((".", "!", "?"))):
                self._add(quote, None)

    def _only_quotes(self, sentence: NarratedSentence, who: Speaker | None) -> Speaker | None:
        """Read a sentence that is all quotation: it goes on with who spoke before."""
        for quote in sentence.quotes:
            words = quote.words(self.text)
            if not quote.closed or _WHOLE_SENTENCE.match(words) or len(words.split()) > 2 * _FEW:
                self._add(quote, who)
        if who and who == self._people.focus:
            self._people.about(who)
        return who

    def _add(self, quote: QuotedSpeech, who: Speaker | None) -> None:
        self._found.append((quote.span, who))
        self._open = not quote.closed
