"""Hits -> an answer whose every sentence is cited, or a refusal that says why."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from rag.read import Reader
from rag.records import Answer, AnswerSentence, Citation, ShortAnswer, Span
from rag.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.read import Reading
    from rag.records import Hit
    from rag.retrieve import Retriever

NEAREST = 5
"""Passages shown with a refusal."""

NO_PASSAGE = "Nothing in the documents matches the question."
NO_ANSWER = "The documents do not seem to answer this; these passages come nearest."


ASKING = frozenset(terms("many much say said says tell told speak name called according describe described"))
"""Terms of questions that say what kind of answer is wanted, not what it is about."""


class Answerer(Protocol):
    """Turns what was found into an answer."""

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Answer from these passages and nothing else."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be part of the answer; the higher the score, the better it answers.

    Spans are of the document; `short` is the part of the sentence that answers by itself, where one is known.
    """

    hit: Hit
    span: Span
    text: str
    score: float
    short: Span | None = None


class SentenceScorer(Protocol):
    """Says how well sentences answer a question: the place for a trained reader."""

    threshold: float
    """Answers whose best sentence scores lower are refused."""

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence of the passages with its score."""


@dataclass(frozen=True, slots=True)
class ExtractiveAnswerer:
    """Quotes the sentences that answer best, word for word.

    Attributes:
        scorer: judges the sentences.
        longest: sentences in an answer at most.
        near: a further sentence is quoted when its score is at least this share of the best one's.
    """

    scorer: SentenceScorer
    longest: int = 3
    near: float = 0.85

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Answer with verbatim sentences, or refuse with the nearest passages."""
        candidates = sorted(self.scorer.score(question, hits), key=lambda c: -c.score)
        if not candidates:
            return replace(refusal(question, NO_PASSAGE, hits), confidence=0.0)
        refused = candidates[0].score < self.scorer.threshold
        answer = refusal(question, NO_ANSWER, hits) if refused else cite(question, self._chosen(candidates))
        return replace(answer, confidence=candidates[0].score)

    def _chosen(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        floor = max(self.scorer.threshold, self.near * candidates[0].score)
        chosen: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.score >= floor and len(chosen) < self.longest:
                chosen.setdefault(" ".join(candidate.text.split()).casefold(), candidate)
        return in_reading_order(chosen.values())


class ReaderScorer:
    """Judges a sentence by the reader: how likely its passage answers, and how much of the answer stands in it.

    Args:
        reader: without one, the reader that comes with the package, loaded when it is first needed.
    """

    def __init__(self, reader: Reader | None = None) -> None:
        self._given = reader

    @cached_property
    def _reader(self) -> Reader:
        return self._given or Reader.shipped()

    @property
    def threshold(self) -> float:
        """The reader's own, chosen where it was calibrated."""
        return self._reader.threshold

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence with the probability that its passage answers, and that it does so there."""
        read = [hit for hit in hits if hit.passage.sentences]
        passages = [hit.passage for hit in read]
        readings = self._reader.read(question, [p.text for p in passages], [p.context for p in passages])
        return [
            _read_candidate(hit, span, reading)
            for hit, reading in zip(read, readings, strict=True)
            for span in hit.passage.sentences
        ]


def _read_candidate(hit: Hit, span: Span, reading: Reading) -> Candidate:
    offset = hit.passage.span.start
    share = reading.share(span.start - offset, span.end - offset)
    start, end = max(span.start, offset + reading.start), min(span.end, offset + reading.end)
    short = Span(start, end) if start < end else None
    return Candidate(hit, span, hit.passage.quote(span), reading.answer_probability * share, short)


class OverlapScorer:
    """Judges a sentence without a reader: by what it means (cosine) and by the question's words that it holds.

    Words weigh by their rarity in the index (BM25's idf). A word that is not in the sentence but near it (the
    sentence before, the heading) counts half: pronouns have their owner there.
    """

    threshold = 0.5

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence that is no question, with its score between 0 and 1."""
        places = [
            (hit, index) for hit in hits for index in range(len(hit.passage.sentences)) if not _is_question(hit, index)
        ]
        if not places:
            return []
        texts = [_quote(hit, index) for hit, index in places]
        cosines = self._retriever.similarity(question, texts)
        weights = {t: w for t, w in self._retriever.term_weights(question).items() if t not in ASKING}
        return [
            Candidate(hit, hit.passage.sentences[index], text, 0.5 * cosine + 0.5 * coverage(weights, text, near))
            for (hit, index), text, cosine, near in zip(
                places, texts, cosines, (_surroundings(*place) for place in places), strict=True
            )
        ]


def coverage(weights: Mapping[str, float], text: str, near: str) -> float:
    """Return the share of the question's terms, by weight, found in `text` (whole) or only in `near` (half)."""
    total = math.fsum(weights.values())
    inside, around = set(terms(text)), set(terms(near))
    found = math.fsum(
        weight if term in inside else weight / 2 if term in around else 0.0 for term, weight in weights.items()
    )
    return found / total if total else 0.0


def cite(question: str, chosen: Sequence[Candidate]) -> Answer:
    """Make an answer of sentences as they stand, each with a citation of its own."""
    citations = tuple(Citation.of(c.hit.passage, c.span, number, c.score) for number, c in enumerate(chosen, 1))
    sentences = tuple(AnswerSentence(shown(c.quote), (c.number,), c.speaker) for c in citations)
    return Answer(question, sentences, citations, _short_answer(chosen))


def _short_answer(chosen: Sequence[Candidate]) -> ShortAnswer | None:
    """Return the short answer of the best sentence."""
    number, best = max(enumerate(chosen, 1), key=lambda pair: pair[1].score)
    if best.short is None:
        return None
    text = best.hit.passage.quote(best.short)
    return ShortAnswer(text, number, best.short)


def refusal(question: str, reason: str, hits: Sequence[Hit]) -> Answer:
    """Say that there is no answer, and show the nearest passages."""
    return Answer(question, abstained=True, reason=reason, nearest=tuple(hits[:NEAREST]))


def in_reading_order(chosen: Iterable[Candidate]) -> list[Candidate]:
    """Order sentences document by document, the one with the best sentence first, each in its own order."""
    ranked = sorted(chosen, key=lambda c: -c.score)
    rank: dict[str, int] = {}
    for candidate in ranked:
        rank.setdefault(candidate.hit.passage.uri, len(rank))
    return sorted(ranked, key=lambda c: (rank[c.hit.passage.uri], c.span))


def shown(quote: str) -> str:
    """Return a quotation for display: line breaks and runs of white space become single spaces."""
    return " ".join(quote.split())


def _quote(hit: Hit, index: int) -> str:
    return hit.passage.quote(hit.passage.sentences[index])


def _is_question(hit: Hit, index: int) -> bool:
    return re.search(r"[?？؟]['\"”’»)]*\s*$", _quote(hit, index)) is not None


def _surroundings(hit: Hit, index: int) -> str:
    before = _quote(hit, index - 1) if index else ""
    return f"{hit.passage.context} {before}"
