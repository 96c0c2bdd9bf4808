"""An answer while an LLM writes it: each sentence is checked, cited, and put in the place of a quotation."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.answer.premise import other_year
from rag.answer.question import Question
from rag.answer.write.context import SourceSentence
from rag.answer.write.prompt import MOST_CITATIONS, day, said_by, with_days
from rag.language.dates import mentions
from rag.language.detect import asked_in_english, not_english
from rag.language.terms import terms
from rag.records import Answer, AnswerSentence, Citation, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.answer.check import CheckedSentence, SentenceChecker
    from rag.answer.write.forms import Kind
    from rag.answer.write.parse import Draft

_NEAREST = 3  # sources that are tried for a sentence whose own do not support it
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")


@dataclass(slots=True)
class GrowingAnswer:
    """The sentences that were written so far, and what they cite.

    Attributes:
        question: what they answer.
        quoted: the answer in quotations, whose sentences stand until as many are written.
        checker: holds them against their sources.
        writer: the LLM's name.
        form: how they are laid out.
        searches: what was searched besides.
        note: one line to be told with it.
    """

    question: str
    quoted: Answer
    checker: SentenceChecker
    writer: str
    form: Kind = "sentences"
    searches: tuple[str, ...] = ()
    note: str | None = None
    sentences: list[AnswerSentence] = field(default_factory=list)
    cited: list[list[SourceSentence]] = field(default_factory=list)
    """The sources of each sentence."""

    def answer(self) -> Answer:
        """Return the answer as far as it is written."""
        return self._numbered(self.sentences, self.cited)

    @property
    def only_copies(self) -> bool:
        """Whether there is nothing but sentences of the sources, which the reader took for no answer either.

        Small models that find no answer copy something; an answer they write in words of their own, as they are asked.
        """
        copied = {sentence.support for sentence in self.sentences} - {"unsupported"} == {"verbatim"}
        return self.form == "sentences" and copied and self.reader_disagrees

    @property
    def reader_disagrees(self) -> bool:
        """Whether the reader takes the sources for no answer, or for what comes closest, in a language it knows."""
        read = [source.text for sources in self.cited for source in sources]
        return not self.quoted.is_plain and asked_in_english(self.question) and not not_english(read)

    def with_quotations(self) -> Answer:
        """Return the answer as far as it is written, and behind it the quotations that still stand."""
        places = {
            citation.number: SourceSentence(citation.passage, citation.span) for citation in self.quoted.citations
        }
        rest = self.quoted.sentences[len(self.sentences) :]
        cited = [[places[number] for number in sentence.citations] for sentence in rest]
        return self._numbered([*self.sentences, *rest], [*self.cited, *cited])

    def with_conflicts(self) -> Answer:
        """Return the answer with the conflicts of the quoted one, their sides cited behind its own sources."""
        answer = self.answer()
        numbers = {SourceSentence(c.passage, c.span): c.number for c in answer.citations}
        sides = {c.number: SourceSentence(c.passage, c.span) for c in self.quoted.citations}
        for conflict in self.quoted.conflicts:
            for side in conflict.sides:
                numbers.setdefault(sides[side], len(numbers) + 1)
        conflicts = tuple(
            replace(each, sides=tuple(numbers[sides[side]] for side in each.sides)) for each in self.quoted.conflicts
        )
        return replace(answer, citations=_citations(numbers), conflicts=conflicts)

    def _numbered(self, sentences: Iterable[AnswerSentence], cited: Sequence[Sequence[SourceSentence]]) -> Answer:
        numbers: dict[SourceSentence, int] = {}
        for sources in cited:
            for source in sources:
                numbers.setdefault(source, len(numbers) + 1)
        told = (
            replace(sentence, citations=tuple(numbers[source] for source in sources))
            for sentence, sources in zip(sentences, cited, strict=True)
        )
        return Answer(
            self.question,
            tuple(told),
            _citations(numbers),
            confidence=self.quoted.confidence,
            reason=self.note,
            searches=self.searches,
            form=self.form,
        )

    def add(self, draft: Draft, named: Sequence[SourceSentence], others: Sequence[SourceSentence] = ()) -> None:
        """Check a sentence against the sources that it names, or else against those of `others` nearest to it.

        One of these that has more of its words comes first, or as many as several have together, and one that is the
        sentence stands for all: small models write wrong numbers, or all. What was said already is not said twice.
        """
        text, lead = _with_days_written(draft.text), _with_days_written(draft.lead)
        if not any(source.text == text for source in (*named, *others)):
            for source in (*named, *others):
                text = _without_label(text, source)
        same = [source for source in (*named, *others) if source.text == text]
        choices = [same[:1] or list(named)[:MOST_CITATIONS], *([source] for source in _nearest(text, others))]
        if choices[1:] and _shared(text, choices[1]) + (len(choices[0]) > 1) > _shared(text, choices[0]):
            choices.insert(0, choices.pop(1))
        named, checked = choices[0], self._check(text, lead, choices[0])
        for sources in choices[1:] if checked.support == "unsupported" else ():
            other = self._check(text, lead, sources)
            if other.support != "unsupported":
                named, checked = sources, other
                break
        speakers = {source.passage.speaker_of(source.span) for source in named}
        speaker = speakers.pop() if len(speakers) == 1 and not lead else None
        shown, cells = _laid_out(self.form, lead, checked.text)
        if any(sentence.text == shown for sentence in self.sentences):
            return
        self.sentences.append(
            AnswerSentence(shown, (), speaker, checked.support, checked.fault, cells=cells, writer=self.writer)
        )
        self.cited.append(named)

    def _check(self, text: str, lead: str, sources: Sequence[SourceSentence]) -> CheckedSentence:
        citations = [Citation.of(source.passage, source.span) for source in sources]
        checked = self.checker.check(text, citations)
        if not citations or checked.support == "unsupported":
            return checked
        if not lead:
            when = self._of_another_year(text, citations)
            return replace(checked, support="unsupported", fault=f"its source is not of {when}") if when else checked
        fault = _wrong_date(lead, citations) if self.form == "timeline" else _wrong_speaker(lead, citations)
        return replace(checked, support="unsupported", fault=fault) if fault else checked

    def _of_another_year(self, text: str, citations: Sequence[Citation]) -> str | None:
        """Return the date of the question where the sources are of another year, and the sentence does not say so."""
        question = Question.parse(self.question)
        cited = "\n".join(citation.quote for citation in citations)
        return None if other_year(question, text) else other_year(question, cited)


def _without_label(text: str, source: SourceSentence) -> str:
    """Return a sentence without the name in front of it (`Ada Bell: `): the source tells who speaks, and it is shown.

    A sentence of the source loses whatever name stands there; another one that of its source.
    """
    plain, label = text.translate(_STRAIGHT), said_by(source).translate(_STRAIGHT)
    if plain.endswith(f": {source.text.translate(_STRAIGHT)}"):
        return source.text
    return text[len(label) :] if plain.startswith(label) else text


def _citations(numbers: dict[SourceSentence, int]) -> tuple[Citation, ...]:
    return tuple(Citation.of(source.passage, source.span, number) for source, number in numbers.items())


def _nearest(text: str, sources: Sequence[SourceSentence]) -> list[SourceSentence]:
    shared = {source: _shared(text, [source]) for source in sources}
    near = [source for source in sources if 2 * shared[source] >= len(set(terms(text)))]
    return sorted(near, key=lambda source: -shared[source])[:_NEAREST]


def _shared(text: str, sources: Sequence[SourceSentence]) -> int:
    """Count the terms of a text that its sources have."""
    return len(set(terms(text)) & {term for source in sources for term in terms(source.text)})


def _laid_out(form: Kind, lead: str, text: str) -> tuple[str, tuple[tuple[Span, Span], ...]]:
    """Return a sentence with what a form sets apart in front of it, as the cells of a row."""
    if not lead:
        return text, ()
    names = ("Who", "Says") if form == "table" else ("When", "What")
    row = f"{names[0]}: {lead}; {names[1]}: {text}"
    start = len(names[0]) + 2
    behind = start + len(lead) + 2
    first = (Span(0, len(names[0])), Span(start, start + len(lead)))
    second = (Span(behind, behind + len(names[1])), Span(behind + len(names[1]) + 2, len(row)))
    return row, (first, second)


def _with_days_written(text: str) -> str:
    """Write out days as `2024-12-07`, which the sources have in words."""

    def written(match: re.Match[str]) -> str:
        try:
            return day(dt.date(*map(int, match.groups())))
        except ValueError:
            return match[0]

    return _ISO.sub(written, text)


def _wrong_date(lead: str, citations: Sequence[Citation]) -> str | None:
    """Tell what is wrong with the date of an event: neither its sentence nor its document has it."""
    told = [mention for c in citations for mention in mentions(with_days(c.quote, c.date), c.date)]
    told += [mention for c in citations for mention in mentions(f"{c.passage.context} {c.date or ''}", c.date)]
    given = mentions(lead, next((c.date for c in citations if c.date), None))
    if given and all(any(a.first <= b.first and b.last <= a.last for b in told) for a in given):
        return None
    return f"the source does not date it {lead}" if given or not _says(lead, citations) else None


def _wrong_speaker(lead: str, citations: Sequence[Citation]) -> str | None:
    """Tell what is wrong with the one who is said to say it: the source knows another, or none of that name."""
    speakers = {citation.speaker for citation in citations if citation.speaker}
    if speakers:
        wanted = set(terms(lead))
        return None if any(wanted & set(terms(each)) for each in speakers) else f"{min(speakers)} says it, not {lead}"
    return None if _says(lead, citations) else f"the source does not have {lead} say it"


def _says(words: str, citations: Sequence[Citation]) -> bool:
    known = set(terms(" ".join(f"{citation.quote} {citation.passage.context}" for citation in citations)))
    return bool(known & set(terms(words)))
