"""Which sentences make up an answer, which one leads it, and when there is none: scores in, quotations out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.answer.answerer import NO_ANSWER, NO_PASSAGE, NOT_OUTRIGHT, NOT_SAID, refusal
from rag.answer.broad import overview, written_on
from rag.answer.conflicts import sides
from rag.answer.lists import with_items
from rag.answer.premise import missing, other_year
from rag.answer.quotation import Quotation, quotations
from rag.answer.settings import Evidence, Quoting
from rag.answer.short import short_answer, widened
from rag.language.terms import words
from rag.records import Answer, Citation, Conflict, ShortAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.answer.question import Question
    from rag.answer.scorer import SentenceScorer
    from rag.records import Candidate, Hit, Span


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
        if not self._comes_close(candidates[0]):  # one with a lower score may hold all of the question
            candidates = sorted(candidates, key=lambda c: not self._comes_close(c))
        uri = candidates[0].hit.passage.uri
        if uri.lower().endswith((".eml", ".msg")):  # its own words lead, before older mail's
            near = self.settings.near * candidates[0].score
            own = max((c for c in candidates if c.score >= near and c.hit.passage.uri == uri), key=written_on)
            candidates.sort(key=lambda c: c is not own)
        best = candidates[0]
        if question.kind == "broad" and best.score > 0:
            of_its_time = [c for c in candidates if not other_year(question, c.text)]
            answer = cite(question, quotations(overview(question, of_its_time or candidates)))
        elif question.kind != "broad" and self._comes_close(best):
            answer = self._quoted(question, candidates, min(threshold, best.score), hits)
            if not self._is_plain(question, best, threshold):
                answer = replace(answer, closest=True, short_answer=None, reason=_notice(lacking))
        else:
            answer = _refused(candidates, refusal(question, _notice(lacking, NO_ANSWER), hits), self.settings.nearest)
        return replace(answer, confidence=best.score)

    def _is_plain(self, question: Question, best: Candidate, threshold: float) -> bool:
        """Tell whether the best sentence answers plainly.

        A sentence that has the whole question with its heading does where it is shown under that heading, and, of
        who somebody is, where it comes close.
        """
        whole = best.support >= self.evidence.whole
        named = question.is_definition and best.score >= self.evidence.closest
        return (whole and (named or best.heading is not None)) or best.score >= threshold

    def _comes_close(self, best: Candidate) -> bool:
        """Tell whether a sentence is likely enough to be shown, or holds all that the question is about."""
        return best.score >= self.evidence.closest or best.support >= self.evidence.whole

    def _lowered(
        self, question: Question, candidates: Sequence[Candidate], threshold: float
    ) -> tuple[list[Candidate], str | None]:
        """Lower the sentences of passages that lack what the question takes for granted; and name what the best lacks.

        A broad question, or one that wants yes or no, takes nothing for granted.
        """
        likely = {c.hit.passage.id: c.hit.passage for c in candidates if c.score >= threshold}
        if question.kind in {"broad", "yes_no"} or not likely:
            return list(candidates), None
        documents: dict[str, str] = {}
        for passage in {c.hit.passage.id: c.hit.passage for c in candidates}.values():
            documents[passage.uri] = f"{documents.get(passage.uri, '')}\n{passage.text}"
        lacking = {id_: missing(question, passage, documents[passage.uri]) for id_, passage in likely.items()}
        lacks = [lacking.get(c.hit.passage.id) or other_year(question, c.text) for c in candidates]
        scores = [
            self.evidence.lowered(c.score) if lack else c.score for c, lack in zip(candidates, lacks, strict=True)
        ]
        judged = [replace(c, score=score) for c, score in zip(candidates, scores, strict=True)]
        judged.sort(key=lambda c: -c.score)
        best = judged[0].hit.passage
        lack = lacking[best.id] if best.id in lacking else missing(question, best, documents[best.uri])
        return judged, lack or other_year(question, judged[0].text)

    def _quoted(
        self, question: Question, candidates: Sequence[Candidate], threshold: float, hits: Sequence[Hit]
    ) -> Answer:
        differing = sides(question, candidates, threshold)
        leading = differing or [candidates[0]]
        chosen = self._chosen(candidates, threshold, leading)
        whole = chosen if differing else with_items(question, chosen, leading[0], hits)
        if len(whole) == len(chosen):
            whole = sorted(chosen, key=lambda c: c is not leading[0])
        floor = self.settings.near * candidates[0].score  # below it, words of a neighbour are no second answer
        marked = [
            replace(c, short=widened(question, c) if c.score >= floor and self._is_sure(question, c) else None)
            for c in whole
        ]
        apart = [c for c, old in zip(marked, whole, strict=True) if old in differing]
        quoted = quotations(marked, apart=apart)
        several = bool(differing) or len(whole) > len(chosen)  # sides, or the items of a list
        if not several:
            judged = [replace(quotation, beside=quotation.score < leading[0].score) for quotation in quoted]
            quoted = sorted(judged, key=lambda quotation: quotation.beside)
        short = None if several else short_answer(question, leading[0])
        return cite(question, quoted, differing, short)

    def _is_sure(self, question: Question, candidate: Candidate) -> bool:
        """Tell whether the words that answer are likely enough to be marked: wrong ones are worse than none."""
        plain = candidate.score >= self.scorer.threshold(question)
        return candidate.certain >= (self.settings.marked if plain else self.settings.marked_closest)

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
            if candidate.score >= self.settings.beside * best.score and _stand_beside(candidate, leading[0]):
                chosen.setdefault(_words(candidate), candidate)  # the answer goes on in the next sentence
            if candidate.score >= floor and len(chosen) < self.settings.longest:
                chosen.setdefault(_words(candidate), candidate)
        return in_reading_order(chosen.values(), leading)


def _notice(lacking: str | None, otherwise: str = NOT_OUTRIGHT) -> str:
    """Say why there is no plain answer: what the question takes for granted is missing, or nothing says it outright."""
    return NOT_SAID.format(lacking) if lacking else otherwise


def _refused(candidates: Sequence[Candidate], refused: Answer, most: int) -> Answer:
    """Let a refusal show the passages that come closest first, in each the sentence that comes nearest."""
    nearest: dict[str, Candidate] = {}
    for candidate in candidates:  # best first
        nearest.setdefault(candidate.hit.passage.id, candidate)
    closest = [replace(c.hit, sentence=c.span) for c in nearest.values() if c.score > 0 or c.support > 0]
    rest = [hit for hit in refused.nearest if hit.passage.id not in nearest]
    return replace(refused, nearest=tuple([*closest, *rest][:most]))


def cite(
    question: Question, quoted: Sequence[Quotation], differing: Sequence[Candidate] = (), short: Span | None = None
) -> Answer:
    """Make an answer of quotations, each with a citation of its own.

    Args:
        question: what is asked.
        quoted: the quotations, in the order of the answer.
        differing: the sentences that answer differently, in the order in which they are to be shown.
        short: the short answer, in code points of the document of the first quotation.
    """
    citations = tuple(Citation.of(q.hit.passage, q.span, number, q.score) for number, q in enumerate(quoted, 1))
    sentences = tuple(part for q, c in zip(quoted, citations, strict=True) for part in q.sentences(c.number))
    numbers = [next(n for n, q in enumerate(quoted, 1) if q.holds(candidate)) for candidate in differing]
    return Answer(
        question.text,
        sentences,
        citations,
        ShortAnswer(quoted[0].hit.passage.quote(short), 1, short) if short else None,
        conflicts=(Conflict(" ".join(question.text.split()), tuple(numbers)),) if numbers else (),
    )


def in_reading_order(chosen: Iterable[Candidate], leading: Sequence[Candidate] = ()) -> list[Candidate]:
    """Order sentences document by document, the leading and then the one with the best sentence first."""
    ranked = sorted(chosen, key=lambda c: -c.score)
    rank: dict[str, int] = {}
    for candidate in (*leading, *ranked):
        rank.setdefault(candidate.hit.passage.uri, len(rank))
    return sorted(ranked, key=lambda c: (rank[c.hit.passage.uri], c.span))


def _stand_beside(one: Candidate, other: Candidate) -> bool:
    spans = list(other.hit.passage.sentences)
    if one.hit is not other.hit or one.span not in spans or other.span not in spans or " | " in one.text:
        return False
    return abs(spans.index(one.span) - spans.index(other.span)) == 1


def _words(candidate: Candidate) -> str:
    return " ".join(words(candidate.text)).casefold()  # also where only quotation marks differ
