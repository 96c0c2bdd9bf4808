"""Hits -> an answer whose every sentence is cited, or a refusal that says why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.conflicts import sides, subject
from rag.records import Answer, AnswerSentence, Citation, Conflict, ShortAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.records import Hit
    from rag.score import Candidate, SentenceScorer

NEAREST = 5
"""Passages shown with a refusal."""

_WHO_SAID = re.compile(r"\s*who\b.{0,40}?\b(?:said|says|say|told|tells|claim|describ|compar)", re.IGNORECASE)

NO_PASSAGE = "Nothing in the documents matches the question."
NO_ANSWER = "The documents do not seem to answer this; these passages come nearest."


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
    """

    scorer: SentenceScorer
    longest: int = 3
    near: float = 0.6
    support: float = 0.25

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Answer with verbatim sentences, or refuse with the nearest passages."""
        candidates = sorted(self.scorer.score(question, hits), key=lambda c: -c.score)
        if not candidates:
            return replace(refusal(question, NO_PASSAGE, hits), confidence=0.0)
        threshold = self.scorer.threshold(question)
        if candidates[0].score < threshold:
            answer = refusal(question, NO_ANSWER, hits)
        else:
            differing = sides(question, candidates, threshold)
            answer = cite(question, self._chosen(candidates, threshold, differing), differing)
        return replace(answer, confidence=candidates[0].score)

    def _chosen(
        self, candidates: Sequence[Candidate], threshold: float, differing: Sequence[Candidate]
    ) -> list[Candidate]:
        best = candidates[0]
        floor = max(threshold, self.near * best.score)
        chosen = {_words(c): c for c in differing or [best]}
        supporting = max((c for c in candidates if c.hit is best.hit), key=lambda c: c.support)
        if supporting.support >= best.support + self.support:
            chosen.setdefault(_words(supporting), supporting)
        for candidate in candidates:
            if candidate.score >= floor and len(chosen) < self.longest:
                chosen.setdefault(_words(candidate), candidate)
        return in_reading_order(chosen.values(), differing)


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

    None where it would name somebody else than who said it.
    """
    best = differing[0] if differing else max(chosen, key=lambda c: c.score)
    number = chosen.index(best) + 1
    if best.short is None:
        return None
    text = best.hit.passage.quote(best.short)
    said = max(zip(chosen, citations, strict=True), key=lambda pair: pair[0].support)[1]
    if _WHO_SAID.match(question) and said.speaker and text not in said.speaker:
        return None
    return ShortAnswer(text, number, best.short)


def refusal(question: str, reason: str, hits: Sequence[Hit]) -> Answer:
    """Say that there is no answer, and show the nearest passages."""
    return Answer(question, abstained=True, reason=reason, nearest=tuple(hits[:NEAREST]))


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
    """Return a quotation for display: line breaks and runs of white space become single spaces."""
    return " ".join(quote.split())
