"""Sentences with scores -> an answer that quotes the best of them word for word, or a refusal that says why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.answer.answerer import NO_ANSWER, NO_PASSAGE, NOT_OUTRIGHT, NOT_SAID, refusal
from rag.answer.conflicts import sides, subject
from rag.answer.lists import with_items
from rag.answer.premise import denies, missing
from rag.answer.settings import Evidence, Quoting
from rag.answer.values import says_nothing
from rag.records import Answer, AnswerSentence, Citation, Conflict, ShortAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.answer.question import Question
    from rag.answer.scorer import SentenceScorer
    from rag.records import Candidate, Hit

_WHO_SAID = re.compile(r"\s*who\b.{0,40}?\b(?:said|says|say|told|tells|claim|describ|compar)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExtractiveAnswerer:
    """Quotes the sentences that answer best, word for word.

    Attributes:
        scorer: judges the sentences.
        settings: which sentences make up an answer.
        evidence: what a sentence loses whose passage lacks something of the question.
    """

    scorer: SentenceScorer
    settings: Quoting = field(default_factory=Quoting)
    evidence: Evidence = field(default_factory=Evidence)

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Answer with verbatim sentences, or refuse with the nearest passages."""
        candidates = sorted(self.scorer.score(question, hits), key=lambda c: -c.score)
        if not candidates:
            return replace(refusal(question, NO_PASSAGE, hits), confidence=0.0)
        threshold = self.scorer.threshold(question)
        candidates, lacking = self._lowered(question, candidates, threshold)
        best = candidates[0]
        if best.score >= threshold:
            answer = self._quoted(question, candidates, threshold, hits)
        else:
            answer = refusal(question, NOT_SAID.format(lacking) if lacking else NO_ANSWER, hits)
            if not lacking and best.score >= self.settings.hint * threshold:
                answer = _pointing_at(best, answer, self.settings.nearest)
        return replace(answer, confidence=best.score)

    def _lowered(
        self, question: Question, candidates: Sequence[Candidate], threshold: float
    ) -> tuple[list[Candidate], str | None]:
        """Lower the sentences of passages that lack what the question takes for granted; and name what the best lacks.

        A question that wants yes or no takes nothing for granted.
        """
        likely = {c.hit.passage.id: c.hit.passage for c in candidates if c.score >= threshold}
        if question.kind == "yes_no" or not likely:
            return list(candidates), None
        documents: dict[str, str] = {}
        for passage in {c.hit.passage.id: c.hit.passage for c in candidates}.values():
            documents[passage.uri] = f"{documents.get(passage.uri, '')}\n{passage.text}"
        lacking = {id_: missing(question, passage, documents[passage.uri]) for id_, passage in likely.items()}
        judged = [
            replace(c, score=self.evidence.lowered(c.score)) if lacking.get(c.hit.passage.id) else c for c in candidates
        ]
        return sorted(judged, key=lambda c: -c.score), lacking[candidates[0].hit.passage.id]

    def _quoted(
        self, question: Question, candidates: Sequence[Candidate], threshold: float, hits: Sequence[Hit]
    ) -> Answer:
        differing = sides(question, candidates, threshold)
        denial = None if differing else self._denial(question, candidates)
        leading = differing or [denial or candidates[0]]
        chosen = self._chosen(candidates, threshold, leading)
        whole = chosen if differing or denial else with_items(question, chosen, leading[0], hits)
        if len(whole) == len(chosen) and not question.is_told:
            whole = sorted(chosen, key=lambda c: c is not leading[0])
        answer = cite(question, whole, differing)
        return replace(answer, short_answer=None) if denial or len(whole) > len(chosen) else answer

    def _denial(self, question: Question, candidates: Sequence[Candidate]) -> Candidate | None:
        """Find a sentence that says that what is asked about did not happen, and covers the question as well."""
        if question.kind in {"yes_no", "person"}:  # of somebody else it may be true
            return None
        best = candidates[0]
        able = (c for c in candidates if c is best or (c.support >= self.settings.covers and c.support > best.support))
        return next((c for c in able if denies(question, c.text) and not c.text.rstrip().endswith(":")), None)

    def _chosen(
        self, candidates: Sequence[Candidate], threshold: float, leading: Sequence[Candidate]
    ) -> list[Candidate]:
        best = candidates[0]
        floor = max(threshold, self.settings.near * best.score)
        chosen = {_words(c): c for c in leading}
        supporting = max((c for c in candidates if c.hit is best.hit), key=lambda c: c.support)
        if supporting.support >= best.support + self.settings.support:
            chosen.setdefault(_words(supporting), supporting)
        for candidate in candidates:
            if candidate.score >= floor and len(chosen) < self.settings.longest:
                chosen.setdefault(_words(candidate), candidate)
        return in_reading_order(chosen.values(), leading)


def cite(question: Question, chosen: Sequence[Candidate], differing: Sequence[Candidate] = ()) -> Answer:
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
        question.text,
        sentences,
        citations,
        _short_answer(question, chosen, citations, differing),
        conflicts=(Conflict(subject(question.text), numbers),) if numbers else (),
    )


def _short_answer(
    question: Question, chosen: Sequence[Candidate], citations: Sequence[Citation], differing: Sequence[Candidate]
) -> ShortAnswer | None:
    """Return the short answer of the best sentence, or of the newest where sources differ and all have dates.

    None where it would name somebody else than who said it, say no more than the question, or only announce what
    follows (`three things` of `It demanded three things: ...`).
    """
    best = differing[0] if differing else max(chosen, key=lambda c: c.score)
    number = chosen.index(best) + 1
    if best.short is None:
        return None
    text = best.hit.passage.quote(best.short)
    announces = best.span.start < best.short.start and best.text[best.short.end - best.span.start :].startswith(":")
    citation = max(zip(chosen, citations, strict=True), key=lambda pair: pair[0].support)[1]
    another = _WHO_SAID.match(question.text) and citation.speaker and text not in citation.speaker
    if announces or another or says_nothing(question, text):
        return None
    return ShortAnswer(text, number, best.short)


def _pointing_at(candidate: Candidate, refused: Answer, most: int) -> Answer:
    """Let a refusal begin with the passage of the sentence that comes nearest, and say which it is."""
    others = (hit for hit in refused.nearest if hit.passage.id != candidate.hit.passage.id)
    nearest = (replace(candidate.hit, sentence=candidate.span), *others)
    return replace(refused, reason=NOT_OUTRIGHT, nearest=nearest[:most])


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
