"""How well sentences answer a question: by the trained reader, or by words and meaning alone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from rag.hub_reader import hub_reader
from rag.read import Reader
from rag.records import Span
from rag.said import SAYING, asked_speaker
from rag.terms import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.read import Reading
    from rag.records import Hit, Passage
    from rag.retrieve import Retriever

ASKING = frozenset(terms("many much say said says tell told speak name called according describe described"))
"""Terms of questions that say what kind of answer is wanted, not what it is about."""

SAID, ABOUT, FOLLOWING, OTHERS, ELSES = 0.8, 0.5, 0.8, 0.5, 0.2
"""Words of the asked speaker: their score when they hold all that was asked about, the share of it that they need, what
a sentence behind them has of their score, what any other sentence keeps of its own, and what is left of the words of
somebody else that do not name the asked one."""

_YES_NO = re.compile(
    r"\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\bor (?!not\b)[\w-]+(?: [\w-]+){0,2}\s*\?*\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be part of the answer; the higher the score, the better it answers.

    Attributes:
        hit: the passage that it stands in.
        span: the sentence, in code points of the document.
        text: the sentence itself.
        score: from 0 to 1.
        support: the share of the question's terms in it, from 0 to 1.
        short: the part of the sentence that answers by itself, where one is known; in code points of the document.
    """

    hit: Hit
    span: Span
    text: str
    score: float
    support: float = 0.0
    short: Span | None = None

    @property
    def speaker(self) -> str | None:
        """Who says the sentence, as its passage knows."""
        return self.hit.passage.speaker_of(self.span)


class SentenceScorer(Protocol):
    """Says how well sentences answer a question."""

    def threshold(self, question: str) -> float:
        """Return the score below which the best sentence is no answer to this question."""

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return the sentences of the passages with their scores, in any order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the reader's scores and retrieval's are weighed into one probability that a passage answers.

    A logistic regression (Platt 1999) on the reader's answerable logit and span margin, the best sentence's share of
    the question's terms, and the cosine of question and passage. Where the passage may answer, the reader looks again,
    at the best sentence alone, and its scores are the means of both looks: what deceives it in one often does not in
    the other. Fitted and measured by benchmarks/reader/combine.py.

    Attributes:
        always: how many passages are read however retrieval scores them: of a handful, even the second may have 0.
        near: the least score of retrieval, as a share of the best one's, of any other passage that is read.
        first: how many are read first.
        further: the least probability of one of these at which the others are read as well.
        again: the least probability of a passage whose best sentence is read again.
        threshold: the least probability of an answer.
        yes_no_threshold: the same, for questions that want yes or no.
    """

    answerable: float = 0.67
    margin: float = 0.11
    coverage: float = 3.2
    cosine: float = 3.3
    bias: float = -6.7
    always: int = 3
    near: float = 0.6
    first: int = 6
    further: float = 0.02
    again: float = 0.06
    threshold: float = 0.1
    yes_no_threshold: float = 0.32

    def probability(self, looks: Sequence[Reading], coverage: float, cosine: float) -> float:
        """Return the probability, from 0 to 1, that the passage answers the question, after one look or two."""
        logit = sum(self.answerable * look.answer_logit + self.margin * look.span_score for look in looks) / len(looks)
        logit += self.coverage * coverage + self.cosine * cosine + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


class ReaderScorer:
    """Judges a sentence by how likely its passage answers, and by how much of the answer begins in it.

    Args:
        retriever: knows how rare the question's words are.
        reader: without one, the reader that comes with the package, loaded when it is first needed.
        evidence: how the signals are weighed.
    """

    def __init__(self, retriever: Retriever, reader: Reader | None = None, evidence: Evidence | None = None) -> None:
        self._retriever = retriever
        self._given = reader
        self._evidence = evidence or Evidence()
        self._overlap = OverlapScorer(retriever)

    @cached_property
    def reader(self) -> Reader:
        """The reader, loaded when it is first needed."""
        return self._given or Reader.shipped()

    def threshold(self, question: str) -> float:
        """Return the score below which the best sentence is no answer to this question."""
        return self._evidence.yes_no_threshold if is_yes_no(question) else self._evidence.threshold

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence with the probability that its passage answers, 0 where retrieval sees little in it.

        The sentence where most of the answer begins has all of it, others have their share in relation to that: being
        in two minds about the place within a passage is no doubt about the passage.
        The reader was trained on questions whose answer is a span: of those that want yes or no it finds the evidence,
        but not how certain it is, so that overlap has half a say, and there is no short answer.
        """
        weights = asked_terms(self._retriever.term_weights(question))
        least = self._evidence.near * max((hit.score for hit in hits), default=0.0)
        near = [hit for rank, hit in enumerate(hits) if rank < self._evidence.always or hit.score >= least]
        near = [hit for hit in near if hit.passage.sentences]
        judged = self._judged(question, near, weights)
        found = [candidate for one in judged for candidate in one.candidates()]
        read = [one.hit for one in judged]
        found = self._with_overlap(question, read, found) if is_yes_no(question) else found
        found += [candidate for hit in hits if hit not in read for candidate in _unread(hit, weights)]
        return heard(question, found, weights)

    def _judged(self, question: str, hits: Sequence[Hit], weights: Mapping[str, float]) -> list[_Judged]:
        """Read the first passages, and the others unless none of the first seems to answer at all."""
        start = self._evidence.first
        judged = self._looked(question, hits[:start], weights)
        rest = hits[start:] if any(one.chance >= self._evidence.further for one in judged) else []
        return judged + (self._looked(question, rest, weights) if rest else [])

    def _looked(self, question: str, hits: Sequence[Hit], weights: Mapping[str, float]) -> list[_Judged]:
        """Read passages, and the best sentences of those that may answer once more."""
        passages = [hit.passage for hit in hits]
        readings = self.reader.read(question, [p.text for p in passages], [p.context for p in passages])
        first = [self._first(hit, reading, weights) for hit, reading in zip(hits, readings, strict=True)]
        again = [one for one in first if one.chance >= self._evidence.again and any(one.shares)]
        contexts = [one.hit.passage.context for one in again]
        looks = dict(zip(again, self.reader.read(question, [o.best for o in again], contexts), strict=True))
        return [self._second(one, looks[one]) if one in looks else one for one in first]

    def _first(self, hit: Hit, reading: Reading, weights: Mapping[str, float]) -> _Judged:
        passage = hit.passage
        covered = tuple(coverage(weights, passage.quote(span), passage.context) for span in passage.sentences)
        chance = self._evidence.probability([reading], max(covered), hit.dense_score or 0.0)
        return _Judged(hit, reading, covered, tuple(answer_shares(passage, reading)), chance)

    def _second(self, one: _Judged, look: Reading) -> _Judged:
        covered, cosine = max(one.covered), one.hit.dense_score or 0.0
        return replace(one, chance=self._evidence.probability([one.reading, look], covered, cosine))

    def _with_overlap(self, question: str, hits: Sequence[Hit], found: Sequence[Candidate]) -> list[Candidate]:
        overlap = {(c.hit.passage.id, c.span): c.score for c in self._overlap.score(question, hits)}
        scores = [(overlap[c.hit.passage.id, c.span] + math.sqrt(c.score)) / 2 for c in found]
        return [replace(c, score=score, short=None) for c, score in zip(found, scores, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A passage that was read: the share of the question's terms in each sentence, and of the answer that begins there.

    `chance` is the probability that the passage answers.
    """

    hit: Hit
    reading: Reading
    covered: tuple[float, ...]
    shares: tuple[float, ...]
    chance: float

    @property
    def best(self) -> str:
        """The sentence where most of the answer begins."""
        return _quote(self.hit, max(range(len(self.shares)), key=self.shares.__getitem__))

    def candidates(self) -> list[Candidate]:
        """Return the sentences that are no questions, the best one with the whole probability."""
        passage = self.hit.passage
        certain = self.chance * min(1.0, sum(self.shares)) / (max(self.shares) or 1.0)
        return [
            Candidate(
                self.hit, span, passage.quote(span), certain * share, support, _short(passage, span, self.reading)
            )
            for span, support, share in zip(passage.sentences, self.covered, self.shares, strict=True)
            if not is_question(passage.quote(span))
        ]


def _unread(hit: Hit, weights: Mapping[str, float]) -> list[Candidate]:
    """Return the sentences of a passage that was not read: they count where somebody's words are asked for."""
    passage = hit.passage
    return [
        Candidate(hit, span, passage.quote(span), 0.0, coverage(weights, passage.quote(span), passage.context))
        for span in passage.sentences
        if not is_question(passage.quote(span))
    ]


def scorer(retriever: Retriever, reader: Reader | str | None = None) -> SentenceScorer:
    """Return the scorer for a reader: None for that of the package, a model's name or path, or `none` for no reader."""
    if reader == "none":
        return OverlapScorer(retriever)
    return ReaderScorer(retriever, hub_reader(reader) if isinstance(reader, str) else reader)


class OverlapScorer:
    """Judges a sentence without a reader: by what it means (cosine) and by the question's words that it holds.

    Words weigh by their rarity in the index (BM25's idf). A word that is not in the sentence but near it (the
    sentence before, the heading) counts half: pronouns have their owner there.
    """

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def threshold(self, question: str) -> float:  # noqa: ARG002 - the same for all questions
        """Return the score below which the best sentence is no answer."""
        return 0.5

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence that is no question, with its score between 0 and 1."""
        places = [
            (hit, index)
            for hit in hits
            for index in range(len(hit.passage.sentences))
            if not is_question(_quote(hit, index))
        ]
        if not places:
            return []
        texts = [_quote(hit, index) for hit, index in places]
        cosines = self._retriever.similarity(question, texts)
        weights = asked_terms(self._retriever.term_weights(question))
        found = [
            Candidate(hit, hit.passage.sentences[index], text, 0.5 * cosine + 0.5 * coverage(weights, text, near))
            for (hit, index), text, cosine, near in zip(
                places, texts, cosines, (_surroundings(*place) for place in places), strict=True
            )
        ]
        return heard(question, found, weights)


def heard(question: str, found: Sequence[Candidate], weights: Mapping[str, float]) -> list[Candidate]:
    """Put the words of the speaker that a question asks for above what others say, where they are about the matter.

    A sentence counts when it holds half of what was asked about, or the two before it all; one behind it goes with it.
    Without any such sentence the reader's judgement stands, but the words of others count for little.

    Args:
        question: what is asked.
        found: candidates, those of a passage in its order.
        weights: the question's terms.
    """
    who = asked_speaker(question)
    if not who:
        return list(found)
    about = {term: weight for term, weight in weights.items() if term not in who | SAYING}
    judged: list[Candidate] = []
    before = None  # the candidate before, where it counts
    counted = 0
    for number, candidate in enumerate(found):
        score = 0.0
        if who <= set(terms(candidate.speaker or "")):
            near = " ".join(c.text for c in found[max(0, number - 2) : number] if c.hit is candidate.hit)  # a question
            said = coverage(about, candidate.text, near) if about else 1.0
            follows = FOLLOWING * before.score if before and before.hit is candidate.hit else 0.0
            score = max(SAID * said if said >= ABOUT else 0.0, follows)
        before = replace(candidate, score=score, support=max(score, candidate.support)) if score else None
        judged.append(before or replace(candidate, score=OTHERS * candidate.score))
        counted += before is not None
    judged = judged if counted else list(found)
    return [replace(c, score=ELSES * c.score) if _of_another(c, who) else c for c in judged]


def _of_another(candidate: Candidate, who: frozenset[str]) -> bool:
    """Tell whether somebody else than the asked speaker says this, without naming them."""
    return bool(candidate.speaker) and not who <= {*terms(candidate.speaker or ""), *terms(candidate.text)}


def answer_shares(passage: Passage, reading: Reading) -> list[float]:
    """Return, for each sentence of a passage, how much of the answer begins there; nothing does in a question."""
    offset = passage.span.start
    return [
        0.0 if is_question(passage.quote(span)) else reading.share(span.start - offset, span.end - offset)
        for span in passage.sentences
    ]


def asked_terms(weights: Mapping[str, float]) -> dict[str, float]:
    """Leave out the terms that only say what kind of answer is wanted."""
    return {term: weight for term, weight in weights.items() if term not in ASKING}


def coverage(weights: Mapping[str, float], text: str, near: str) -> float:
    """Return the share of the question's terms, by weight, found in `text` (whole) or only in `near` (half)."""
    total = math.fsum(weights.values())
    inside, around = set(terms(text)), set(terms(near))
    found = math.fsum(
        weight if term in inside else weight / 2 if term in around else 0.0 for term, weight in weights.items()
    )
    return found / total if total else 0.0


def is_yes_no(question: str) -> bool:
    """Tell whether a question wants yes or no: it opens with a verb, and does not end with a choice."""
    return _YES_NO.match(question) is not None and not _CHOICE.search(question)


def is_question(text: str) -> bool:
    """Tell whether a sentence asks: then it is no answer."""
    return re.search(r"[?？؟][\'\"”’»)]*\s*$", text) is not None


def _short(passage: Passage, sentence: Span, reading: Reading) -> Span | None:
    """Return the part of a sentence that answers by itself, where the reader found one that begins in it."""
    offset = passage.span.start
    found = reading.answer(sentence.start - offset, sentence.end - offset)
    return Span(offset + found[0], min(offset + found[1], sentence.end)) if found else None


def _quote(hit: Hit, index: int) -> str:
    return hit.passage.quote(hit.passage.sentences[index])


def _surroundings(hit: Hit, index: int) -> str:
    before = _quote(hit, index - 1) if index else ""
    return f"{hit.passage.context} {before}"
