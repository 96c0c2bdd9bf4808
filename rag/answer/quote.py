"""Hits -> an answer whose every sentence is cited, or a refusal that says why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.answer.conflicts import sides, subject
from rag.answer.deeds import leaves_unsaid
from rag.answer.events import asked_event, is_of_another_event
from rag.answer.lists import with_items
from rag.answer.premise import denies, is_denied, is_unreal, missing
from rag.answer.question import wants_person
from rag.answer.score import is_yes_no
from rag.answer.subject import answers_another, is_done_to, other_subject
from rag.answer.values import is_surely_other, says_nothing
from rag.language.dates import without_dates
from rag.language.questions import asked_before
from rag.language.terms import terms
from rag.records import Answer, AnswerSentence, Citation, Conflict, ShortAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.answer.score import SentenceScorer
    from rag.records import Candidate, Hit

NEAREST = 5
"""Passages shown with a refusal."""

_WHO_SAID = re.compile(r"\s*who\b.{0,40}?\b(?:said|says|say|told|tells|claim|describ|compar)", re.IGNORECASE)

_TOLD_IN_ORDER = re.compile(
    r"\W*(?:why|how(?! (?:many|much|long|old|far|often|tall|high|big|large|fast)\b)|what (?:did|do|does|has|have)\b)",
    re.IGNORECASE,
)
"""Questions whose answer is told in several sentences, as they stand; others are answered by the first one shown."""

NO_PASSAGE = "Nothing in the documents matches the question."
NOT_SAID = "The documents do not seem to say this: no passage that comes near has “{}” as the question does."
NO_ANSWER = "The documents do not seem to answer this; these passages come nearest."
NOT_OUTRIGHT = "The documents do not seem to say this outright; one sentence comes near."


class Answerer(Protocol):
    """Turns what was found into an answer."""

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Answer from these passages and nothing else."""


@runtime_checkable
class StreamingAnswerer(Answerer, Protocol):
    """An answerer that can show an answer while it grows."""

    def stream(self, question: str, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one is what `answer` returns."""


@dataclass(frozen=True, slots=True)
class ExtractiveAnswerer:
    """Quotes the sentences that answer best, word for word.

    Attributes:
        scorer: judges the sentences.
        longest: sentences in an answer at most.
        near: a further sentence is quoted when its score is at least this share of the best one's.
        support: a sentence of the same passage is quoted beside the best one when it holds so much more of what was
            asked: "Who said that ...?" is answered by the name, and shown by what was said.
        covers: the share of what was asked that a sentence has to hold to be quoted because it denies it.
        hint: the share of the threshold that a sentence needs to be pointed at where the question is refused.
    """

    scorer: SentenceScorer
    longest: int = 3
    near: float = 0.6
    support: float = 0.25
    covers: float = 0.7
    hint: float = 0.2

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Answer with verbatim sentences, or refuse with the nearest passages."""
        candidates = sorted(self.scorer.score(question, hits), key=lambda c: -c.score)
        if not candidates:
            return replace(refusal(question, NO_PASSAGE, hits), confidence=0.0)
        threshold = self.scorer.threshold(question)
        fitting, lacking = _fitting(question, candidates, threshold)
        if fitting:
            differing = sides(question, fitting, threshold)
            denial = None if differing else self._denial(question, candidates, fitting[0])
            leading = differing or [denial or fitting[0]]
            chosen = self._chosen(fitting, threshold, leading)
            whole = chosen if differing or denial else with_items(question, chosen, leading[0], hits)
            if len(whole) == len(chosen) and not _TOLD_IN_ORDER.match(question):
                whole = sorted(chosen, key=lambda c: c is not leading[0])
            answer = cite(question, whole, differing)
            answer = replace(answer, short_answer=None) if denial or len(whole) > len(chosen) else answer
        else:
            answer = refusal(question, NOT_SAID.format(lacking) if lacking else NO_ANSWER, hits)
        trusted = fitting or [c for c in candidates if c.score < threshold]  # what was refused for its premise is not
        if trusted and not fitting and not lacking and trusted[0].score >= self.hint * threshold:
            answer = pointing_at(trusted[0], answer)
        return replace(answer, confidence=trusted[0].score if trusted else 0.0)

    def _denial(self, question: str, candidates: Sequence[Candidate], best: Candidate) -> Candidate | None:
        """Find a sentence that says that what is asked about did not happen, and covers the question as well."""
        if is_yes_no(question) or wants_person(question):  # of somebody else it may be true
            return None
        able = (c for c in candidates if c is best or (c.support >= self.covers and c.support > best.support))
        return next((c for c in able if denies(question, c.text) and not c.text.rstrip().endswith(":")), None)

    def _chosen(
        self, candidates: Sequence[Candidate], threshold: float, leading: Sequence[Candidate]
    ) -> list[Candidate]:
        best = candidates[0]
        floor = max(threshold, self.near * best.score)
        chosen = {_words(c): c for c in leading}
        supporting = max((c for c in candidates if c.hit is best.hit), key=lambda c: c.support)
        if supporting.support >= best.support + self.support:
            chosen.setdefault(_words(supporting), supporting)
        for candidate in candidates:
            if candidate.score >= floor and len(chosen) < self.longest:
                chosen.setdefault(_words(candidate), candidate)
        return in_reading_order(chosen.values(), leading)


def _fitting(question: str, candidates: Sequence[Candidate], threshold: float) -> tuple[list[Candidate], str | None]:
    """Keep the passages that may answer and have what the question takes for granted; else say what the best lacks.

    A question that wants yes or no takes nothing for granted.
    """
    likely = {c.hit.passage.id: c.hit.passage for c in candidates if c.score >= threshold}
    if is_yes_no(question):
        return [c for c in candidates if c.hit.passage.id in likely], None
    documents: dict[str, str] = {}
    for passage in {c.hit.passage.id: c.hit.passage for c in candidates}.values():
        documents[passage.uri] = f"{documents.get(passage.uri, '')}\n{passage.text}"
    lacking = {id_: missing(question, passage, documents[passage.uri]) for id_, passage in likely.items()}
    fitting = [c for c in candidates if lacking.get(c.hit.passage.id, "not likely") is None]
    if not fitting:
        return [], next(iter(lacking.values()), None)
    told = [c for c in fitting if not is_of_another_event(question, c.text)]
    if not told or told[0].score < threshold:
        return [], asked_event(question)
    told = [c for c in told if not _is_beside_the_point(question, c)]
    if not told or told[0].score < threshold:
        return [], None
    speakers = {s.speaker for c in candidates for s in c.hit.passage.statements if s.speaker}
    others = [other_subject(question, c.hit.passage, c.span, speakers) for c in told]
    about = [c for c, other in zip(told, others, strict=True) if not other]
    return (about, None) if about and about[0].score >= threshold else ([], next(filter(None, others), None))


def _is_beside_the_point(question: str, candidate: Candidate) -> bool:
    """Tell whether a sentence cannot answer.

    It only denies it, replies to another question, heads a list of what is not, is a date and nothing else, has a date
    where an age is asked for, says who did it to the one who is asked for, or nothing of what is asked about.
    """
    passage, short = candidate.hit.passage, candidate.short
    found = passage.quote(short) if short else ""
    other = bool(found) and (
        is_surely_other(question, found, candidate.text) or is_done_to(question, candidate.text, found)
    )
    reply = asked_before(passage.text, candidate.span.start - passage.span.start)
    other = other or not (reply or terms(without_dates(candidate.text)))  # the date at the head of a letter
    other = other or leaves_unsaid(question, passage, candidate.span)
    heads = candidate.text.rstrip().endswith(":") and denies(question, candidate.text)
    return other or heads or is_denied(question, candidate.text) or answers_another(question, passage, candidate.span)


def cite(question: str, chosen: Sequence[Candidate], differing: Sequence[Candidate] = ()) -> Answer:
    """Make an answer of sentences as they stand, each with a citation of its own.

    Args:
        question: what is asked.
        chosen: the sentences, in the order of the answer.
        differing: those of them that answer differently, in the order in which they are to be shown.
    """
    citations = tuple(Citation.of(c.hit.passage, c.span, number, c.score) for number, c in enumerate(chosen, 1))
    sentences = tuple(AnswerSentence(shown(c.quote), (c.number,), c.speaker) for c in citations)
    numbers = tuple(chosen.index(c) + 1 for c in differing)
    return Answer(
        question,
        sentences,
        citations,
        _short_answer(question, chosen, citations, differing),
        conflicts=(Conflict(subject(question), numbers),) if numbers else (),
    )


def _short_answer(
    question: str, chosen: Sequence[Candidate], citations: Sequence[Citation], differing: Sequence[Candidate]
) -> ShortAnswer | None:
    """Return the short answer of the best sentence, or of the newest where sources differ and all have dates.

    None where it would name somebody else than who said it, say no more than the question, only announce what follows
    (`three things` of `It demanded three things: ...`), or stand for what did not happen.
    """
    best = differing[0] if differing else max(chosen, key=lambda c: c.score)
    number = chosen.index(best) + 1
    if best.short is None:
        return None
    text = best.hit.passage.quote(best.short)
    if is_unreal(question, best.text, best.short.start - best.span.start, best.short.end - best.span.start):
        return None
    announces = best.span.start < best.short.start and best.text[best.short.end - best.span.start :].startswith(":")
    said = max(zip(chosen, citations, strict=True), key=lambda pair: pair[0].support)[1]
    another = _WHO_SAID.match(question) and said.speaker and text not in said.speaker
    if announces or another or says_nothing(question, text):
        return None
    return ShortAnswer(text, number, best.short)


def refusal(question: str, reason: str, hits: Sequence[Hit]) -> Answer:
    """Say that there is no answer, and show the nearest passages."""
    return Answer(question, abstained=True, reason=reason, nearest=tuple(hits[:NEAREST]))


def pointing_at(candidate: Candidate, refused: Answer) -> Answer:
    """Let a refusal begin with the passage of the sentence that comes nearest, and say which it is."""
    others = (hit for hit in refused.nearest if hit.passage.id != candidate.hit.passage.id)
    nearest = (replace(candidate.hit, sentence=candidate.span), *others)
    return replace(refused, reason=NOT_OUTRIGHT, nearest=nearest[:NEAREST])


def in_reading_order(chosen: Iterable[Candidate], leading: Sequence[Candidate] = ()) -> list[Candidate]:
    """Order sentences document by document, the leading and then the one with the best sentence first."""
    ranked = sorted(chosen, key=lambda c: -c.score)
    rank: dict[str, int] = {}
    for candidate in (*leading, *ranked):
        rank.setdefault(candidate.hit.passage.uri, len(rank))
    return sorted(ranked, key=lambda c: (rank[c.hit.passage.uri], c.span))


def _words(candidate: Candidate) -> str:
    return " ".join(candidate.text.split()).casefold()


def shown(quote: str) -> str:
    """Return a quotation for display: runs of white space become single spaces, a table's row loses its outer lines."""
    line = " ".join(quote.split())
    return line.strip("| ") if line.startswith("| ") and line.endswith(" |") else line
