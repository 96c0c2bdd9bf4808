"""How well sentences answer a question: by the trained reader, or by words and meaning alone."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from rag.answer.broad import relevant
from rag.answer.reading import judged
from rag.answer.settings import Evidence
from rag.answer.speech import weighed_by_speaker
from rag.answer.tables import looked_up
from rag.language.dates import is_date, without_dates, written
from rag.language.questions import asked_before, is_question
from rag.language.terms import coverage, terms
from rag.models.hub_reader import hub_reader
from rag.models.reader import Reader
from rag.records import Candidate
from rag.retrieve.fusion import likely

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rag.answer.question import Question
    from rag.answer.reading import ReadPassage
    from rag.records import Hit, Passage, Span
    from rag.retrieve import Retriever

ASKING = frozenset(terms("many much say said says tell told speak name called according describe described"))
"""Terms of questions that say what kind of answer is wanted, not what it is about."""


class SentenceScorer(Protocol):
    """Says how well sentences answer a question."""

    def threshold(self, question: Question) -> float:
        """Return the score below which the best sentence is no answer to this question."""

    def score(self, question: Question, hits: Sequence[Hit]) -> list[Candidate]:
        """Return the sentences of the passages with their scores, in any order."""


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

    def warm(self) -> None:
        """Load the reader."""
        self.reader.read("warm", ["warm"], [""])

    def threshold(self, question: Question) -> float:
        """Return the score below which the best sentence is no answer to this question."""
        return self._evidence.yes_no_threshold if question.kind == "yes_no" else self._evidence.threshold

    def score(self, question: Question, hits: Sequence[Hit]) -> list[Candidate]:
        """Return every sentence with the probability that its passage answers, 0 where retrieval sees little in it.

        The sentence where most of the answer begins has all of it, others have their share in relation to that: being
        in two minds about the place within a passage is no doubt about the passage.
        The reader was trained on questions whose answer is a span: of those that want yes or no it finds the evidence,
        but not how certain it is, so that overlap has half a say, and there is no short answer.
        """
        weights = asked_terms(self._retriever.rarity(question.text), question.ordering)
        places = likely([hit.score for hit in hits], self._evidence.always, self._evidence.near)
        near = [hits[at] for at in places if hits[at].passage.sentences]
        judgements = judged(self.reader, self._evidence, question, near, weights)
        found = [candidate for one in judgements for candidate in _candidates(one)]
        found = [self._under_heading(question, candidate, weights) for candidate in found]
        read = [one.hit for one in judgements]
        found = self._with_overlap(question, read, found) if question.kind == "yes_no" else found
        found += [candidate for hit in hits if hit not in read for candidate in _unread(hit, weights)]
        found = looked_up(question, found, weights, self._retriever.similarity, self._retriever.text)
        found = weighed_by_speaker(question, found, weights)
        if question.kind == "broad" and found:
            return relevant(found, self._retriever.similarity(question.text, [candidate.text for candidate in found]))
        return found

    def _under_heading(self, question: Question, candidate: Candidate, weights: Mapping[str, float]) -> Candidate:
        """Give a sentence the heading above it, where that answers with it.

        It says all that is asked, as of `What are the recommendations?`; or is the date of what the sentence tells,
        which has all of the question and no date of its own.
        """
        heading, whole = candidate.hit.passage.heading(candidate.span), self._evidence.whole
        if question.kind == "date" and candidate.support >= whole and is_date(heading) and not written(candidate.text):
            score = max(candidate.score, self._evidence.threshold)
            return replace(candidate, heading=heading, short=None, score=score)
        names_section = question.kind in {"other", "person", "place"} and coverage(weights, heading, "") >= whole
        return replace(candidate, heading=candidate.heading or heading) if names_section else candidate

    def _with_overlap(self, question: Question, hits: Sequence[Hit], found: Sequence[Candidate]) -> list[Candidate]:
        overlap = {(c.hit.passage.id, c.span): c.score for c in self._overlap.score(question, hits)}
        scores = [(overlap[c.hit.passage.id, c.span] + math.sqrt(c.score)) / 2 for c in found]
        return [replace(c, score=score, short=None) for c, score in zip(found, scores, strict=True)]


def _candidates(one: ReadPassage) -> list[Candidate]:
    passage = one.hit.passage
    sentences = enumerate(zip(passage.sentences, one.scores, one.covered, strict=True))
    found = [
        Candidate(one.hit, span, passage.quote(span), score, support, short, certain=one.certainty(short))
        for (span, score, support), short in ((each, one.short(number)) for number, each in sentences)
        if not is_question(passage.quote(span)) and not _is_date_line(passage, span)
    ]
    best = passage.sentences[one.best]
    heading = one.heading if one.heading != passage.title else None  # which is shown with the citation
    return [replace(c, heading=heading) if c.span == best else c for c in found]


def _is_date_line(passage: Passage, span: Span) -> bool:
    """Tell whether a sentence is a date and nothing else, as at the head of a letter; as a reply it may answer."""
    return not terms(without_dates(passage.quote(span))) and not asked_before(
        passage.text, span.start - passage.span.start
    )


def _unread(hit: Hit, weights: Mapping[str, float]) -> list[Candidate]:
    """Return the sentences of a passage that was not read: they count where somebody's words are asked for."""
    passage = hit.passage
    return [
        Candidate(hit, span, passage.quote(span), 0.0, coverage(weights, passage.quote(span), passage.context))
        for span in passage.sentences
        if not is_question(passage.quote(span))
    ]


def scorer(retriever: Retriever, reader: Reader | str | None = None) -> ReaderScorer | OverlapScorer:
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

    def warm(self) -> None:
        """Nothing is loaded."""

    def threshold(self, question: Question) -> float:  # noqa: ARG002 - the same for all questions
        """Return the score below which the best sentence is no answer."""
        return 0.5

    def score(self, question: Question, hits: Sequence[Hit]) -> list[Candidate]:
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
        cosines = self._retriever.similarity(question.text, texts)
        weights = asked_terms(self._retriever.rarity(question.text))
        found = [
            Candidate(hit, hit.passage.sentences[index], text, 0.5 * cosine + 0.5 * coverage(weights, text, near))
            for (hit, index), text, cosine, near in zip(
                places, texts, cosines, (_surroundings(*place) for place in places), strict=True
            )
        ]
        found = looked_up(question, found, weights, self._retriever.similarity, self._retriever.text)
        return weighed_by_speaker(question, found, weights)


def asked_terms(weights: Mapping[str, float], ordering: Collection[str] = ()) -> dict[str, float]:
    """Leave out the terms that only say what kind of answer is wanted, or in which order."""
    return {term: weight for term, weight in weights.items() if term not in ASKING and term not in ordering}


def _quote(hit: Hit, index: int) -> str:
    return hit.passage.quote(hit.passage.sentences[index])


def _surroundings(hit: Hit, index: int) -> str:
    before = _quote(hit, index - 1) if index else ""
    return f"{hit.passage.context} {before}"
