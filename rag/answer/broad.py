"""Broad questions (what happened, main points, timeline, compare): several quotations in the order a reader expects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer.settings import Breadth
from rag.language.dates import written
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.answer.question import Question
    from rag.records import Candidate

_SETTINGS = Breadth()


def overview(
    question: Question, candidates: Sequence[Candidate], cosines: Sequence[float], settings: Breadth = _SETTINGS
) -> list[Candidate]:
    """Choose the sentences that together answer a broad question, and order them: by date, or by document.

    A sentence counts by its meaning, by its share of the question's terms, by what the reader makes of it, and by how
    near the beginning of its document it stands, where news say what it is about. One that repeats a chosen one is left
    out (maximal marginal relevance: Carbonell, Goldstein 1998).

    Args:
        question: what is asked.
        candidates: sentences with the reader's scores.
        cosines: of the question with each of them.
        settings: how much each counts.
    """
    best = max((c.hit.score for c in candidates), default=0.0) or 1.0
    scored = [
        replace(c, score=_score(c, cosine, best, settings))
        for c, cosine in zip(candidates, cosines, strict=True)
        if settings.shortest <= len(c.text)
    ]
    chosen: list[Candidate] = []
    for candidate in sorted(scored, key=lambda c: -c.score):
        if len(chosen) == settings.most or candidate.score < settings.near * max(
            (c.score for c in chosen), default=0.0
        ):
            break
        if all(_alike(candidate, other) < settings.alike for other in chosen):
            chosen.append(candidate)
    if question.is_in_time:
        return sorted(chosen, key=lambda c: (_date(c), c.hit.passage.uri, c.span))
    rank = {uri: number for number, uri in enumerate(dict.fromkeys(c.hit.passage.uri for c in chosen))}
    return sorted(chosen, key=lambda c: (rank[c.hit.passage.uri], c.span))


def _score(candidate: Candidate, cosine: float, best: float, settings: Breadth) -> float:
    opening = max(0.0, 1 - candidate.span.start / settings.opening)
    relevance = candidate.hit.score / best
    parts = (
        (settings.cosine, cosine), (settings.coverage, candidate.support), (settings.reader, candidate.score),
        (settings.lead, opening), (settings.passage, relevance),
    )  # fmt: skip
    return sum(weight * part for weight, part in parts)


def _date(candidate: Candidate) -> str:
    """Return the first full date in a sentence, or else that of its document, ISO 8601; undated ones come last."""
    parts = next((p for _, p in written(candidate.text) if p.year), None)
    if parts:
        return f"{parts.year:04}-{parts.month or 0:02}-{parts.day or 0:02}"
    return candidate.hit.passage.date or "9999"


def _alike(one: Candidate, other: Candidate) -> float:
    """Return the share of words that two sentences have in common (Jaccard)."""
    first, second = set(terms(one.text)), set(terms(other.text))
    return len(first & second) / max(1, len(first | second))
