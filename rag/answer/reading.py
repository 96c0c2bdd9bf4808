"""Reads passages for a question: how likely each answers, in which sentence, and with which words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from rag.answer.values import is_of_kind
from rag.language.blocks import lines
from rag.language.markup import without_links
from rag.language.questions import asked_before, is_question
from rag.language.sentences import heading_text
from rag.language.terms import coverage
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.answer.question import Question
    from rag.answer.settings import Evidence
    from rag.models.reader import Reader, Reading
    from rag.models.spans import TokenScores
    from rag.records import Hit, Passage

UNLIKELY = 0.002
"""The share of an answer's beginning below which a sentence has no short answer."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPassage:
    """A passage that was read.

    Attributes:
        hit: the passage.
        looks: what was found in it, and, after a second look, in its best sentence.
        covered: the share of the question's terms in each sentence.
        shares: the share of the answer that begins in each sentence.
        signals: what speaks for the passage, as `Evidence.signals` has it.
        chance: the probability that the passage answers.
        again: the short answers of the sentences that were read again, by their numbers.
        heading: the heading above the sentences that answers, as the date does that minutes are under. The best
            sentence is the one under it with most of the question.
    """

    hit: Hit
    looks: tuple[Reading, ...]
    covered: tuple[float, ...]
    shares: tuple[float, ...]
    signals: tuple[float, ...] = ()
    chance: float = 0.0
    again: Mapping[int, Span] = field(default_factory=dict)
    heading: str | None = None

    @property
    def best(self) -> int:
        """The number of the sentence where most of the answer begins."""
        return max(range(len(self.shares)), key=self.shares.__getitem__)

    @property
    def scores(self) -> list[float]:
        """The scores of the sentences: the best one has the whole probability, others as their share relates to its."""
        certain = self.chance * min(1.0, sum(self.shares)) / (max(self.shares) or 1.0)
        return [certain * share for share in self.shares]

    def short(self, sentence: int) -> Span | None:
        """Return the best answer in a sentence, in code points of the document; None where none is likely there."""
        if self.heading:
            return None
        if sentence in self.again or self.shares[sentence] < UNLIKELY:
            return self.again.get(sentence)
        found = self._tokens(sentence).best(self.hit.passage.text)
        return self._placed(sentence, found) if found else None

    def certainty(self, short: Span | None) -> float:
        """Return the probability of a short answer among all in the passage, as the first look has it, 0 to 1."""
        offset = self.hit.passage.span.start
        return self.looks[0].tokens.certainty(short.start - offset, short.end - offset) if short else 0.0

    def likeliest(self, least: float) -> list[int]:
        """Return the best sentence, and the next where it has a share of `least`; none where no answer begins."""
        ranked = sorted(range(len(self.shares)), key=lambda sentence: -self.shares[sentence])
        return [s for s, needed in zip(ranked, (UNLIKELY, least), strict=False) if self.shares[s] >= needed]

    def weighed(self, evidence: Evidence, question: Question) -> ReadPassage:
        """Return the same with signals and chance."""
        short = self.short(self.best)
        found = self.heading or (self.hit.passage.quote(short) if short else None)
        of_kind = found is None or is_of_kind(question, found)
        signals = weighed_signals(evidence, self.looks, max(self.covered), self.hit.dense_score or 0.0, of_kind=of_kind)
        return replace(self, signals=signals, chance=evidence.probability(signals))

    def after(self, looks: Mapping[int, Reading], evidence: Evidence, question: Question) -> ReadPassage:
        """Judge anew after a second look at some sentences: the one with the best answer in both is the best."""
        found = {sentence: self._both(sentence, look, evidence.price) for sentence, look in looks.items()}
        best = max(looks, key=lambda sentence: found[sentence][2])
        shares = list(self.shares)
        shares[best], shares[self.best] = shares[self.best], shares[best]
        again = {sentence: self._placed(sentence, span) for sentence, span in found.items()}
        now = replace(self, looks=(self.looks[0], looks[best]), shares=tuple(shares), again=again)
        return now.weighed(evidence, question)

    def _both(self, sentence: int, look: Reading, price: float) -> tuple[int, int, float]:
        """Return the best answer in a sentence after two looks; after the first where they have no token in common."""
        tokens, text = self._tokens(sentence), self.hit.passage.text
        start, _ = self._within(sentence)
        found = tokens.mean(look.tokens, start).best(text, price) or tokens.best(text)
        return found or (*self._within(sentence), -math.inf)

    def _tokens(self, sentence: int) -> TokenScores:
        return self.looks[0].tokens.within(*self._within(sentence))

    def _within(self, sentence: int) -> tuple[int, int]:
        span, offset = self.hit.passage.sentences[sentence], self.hit.passage.span.start
        return span.start - offset, span.end - offset

    def _placed(self, sentence: int, found: tuple[int, int, float]) -> Span:
        offset = self.hit.passage.span.start
        return Span(offset + found[0], min(offset + found[1], self.hit.passage.sentences[sentence].end))


def weighed_signals(
    evidence: Evidence, looks: Sequence[Reading], coverage: float, cosine: float, *, of_kind: bool
) -> tuple[float, float, float, float, float]:
    """Return what is weighed, in the order of the weights of `Evidence`, after one look or two."""
    first, last = looks[0], looks[-1]
    logit = (1 - evidence.later) * first.answer_logit + evidence.later * last.answer_logit
    margin = (1 - evidence.later) * first.span_score + evidence.later * last.span_score
    return logit, margin, coverage, cosine, -float(not of_kind)


def judged(
    reader: Reader, evidence: Evidence, question: Question, hits: Sequence[Hit], weights: Mapping[str, float]
) -> list[ReadPassage]:
    """Read the first passages, and the others unless none of the first seems to answer at all.

    Args:
        reader: reads them.
        evidence: how its scores are weighed.
        question: what is asked.
        hits: passages with sentences, best first.
        weights: the question's terms.
    """
    start = evidence.first
    found = _looked(reader, evidence, question, hits[:start], weights)
    rest = hits[start:] if any(one.chance >= evidence.further for one in found) else []
    return found + (_looked(reader, evidence, question, rest, weights) if rest else [])


def _looked(
    reader: Reader, evidence: Evidence, question: Question, hits: Sequence[Hit], weights: Mapping[str, float]
) -> list[ReadPassage]:
    readings = _read(reader, question, [hit.passage.text for hit in hits], [hit.passage.context for hit in hits])
    firsts = (_first(hit, reading, weights) for hit, reading in zip(hits, readings, strict=True))
    found = [one.weighed(evidence, question) for one in firsts]
    likely = ((n, one) for n, one in enumerate(found) if one.chance >= evidence.again and not one.heading)
    promising = [(n, one.likeliest(evidence.second)) for n, one in likely]
    again = [(n, sentence) for n, sentences in promising for sentence in sentences]
    passages = [(hits[n].passage, sentence) for n, sentence in again]
    texts = [passage.quote(passage.sentences[sentence]) for passage, sentence in passages]
    looks = _read(reader, question, texts, [_around(passage, passage.sentences[n]) for passage, n in passages])
    for n, group in groupby(zip(again, looks, strict=True), lambda pair: pair[0][0]):
        found[n] = found[n].after({sentence: look for (_, sentence), look in group}, evidence, question)
    return found


def _read(reader: Reader, question: Question, texts: Sequence[str], contexts: Sequence[str]) -> list[Reading]:
    """Read texts without the addresses of their links and the signs of emphasis; places are those with them."""
    plain = [without_links(text) for text in texts]
    readings = reader.read(question.text, [words for words, _ in plain], contexts)
    return [
        reading if words == text else replace(reading, tokens=reading.tokens.placed(places))
        for reading, text, (words, places) in zip(readings, texts, plain, strict=True)
    ]


def _first(hit: Hit, reading: Reading, weights: Mapping[str, float]) -> ReadPassage:
    passage = hit.passage
    covered = tuple(
        coverage(weights, f"{passage.heading(span)}\n{passage.quote(span)}", _around(passage, span))
        for span in passage.sentences
    )
    shares = answer_shares(passage, reading)
    heading, share = _heading(passage, reading)
    if share <= max(shares):
        return ReadPassage(hit, (reading,), covered, tuple(shares))
    shares[covered.index(max(covered))] = share
    return ReadPassage(hit, (reading,), covered, tuple(shares), heading=heading)


def _heading(passage: Passage, reading: Reading) -> tuple[str | None, float]:
    """Return the heading in front of a passage's sentences if an answer is in it, and how much begins above them."""
    section = passage.place(passage.sentences[0]).section
    *above, own = lines(passage.text, 0, passage.sentences[0].start - passage.span.start)
    found = reading.tokens.within(0, own.start).best(passage.text) if above and section else None
    rows = [row for row in above if found and row.start <= found[0] < row.end]
    headings = [" ".join(part.of(passage.text).split()) for row in rows for part in heading_text(passage.text, row)]
    return (section, reading.shares([(0, own.start)])[0]) if section in headings else (None, 0.0)


def _around(passage: Passage, sentence: Span) -> str:
    """Return what a sentence is read with: the context line, and the question in the text that it is a reply to."""
    asked = asked_before(passage.text, sentence.start - passage.span.start)
    return f"{passage.context} {asked}".strip()


def answer_shares(passage: Passage, reading: Reading) -> list[float]:
    """Return, for each sentence of a passage, how much of the answer begins there; nothing does in a question."""
    offset = passage.span.start
    shares = reading.shares([(span.start - offset, span.end - offset) for span in passage.sentences])
    asks = [is_question(passage.quote(span)) for span in passage.sentences]
    return [0.0 if is_asked else share for is_asked, share in zip(asks, shares, strict=True)]
