"""Broad questions (what happened, main points, timeline, compare): which quotations, and in which order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer.settings import Breadth
from rag.language.dates import is_date, written
from rag.language.terms import alike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.answer.question import Question
    from rag.records import Candidate

_SETTINGS = Breadth()
_ENDS = frozenset(".!?…。")
_BEHIND = " \n\"'”’»)]*_"  # what may stand behind the end of a sentence


def relevant(candidates: Sequence[Candidate], cosines: Sequence[float]) -> list[Candidate]:
    """Return sentences with scores from 0 to 1 for a broad question, all 0 where none means anything like it.

    A sentence counts by its meaning, by its share of the question's terms, by what the reader makes of it, and by how
    near the beginning of its document it stands, where news say what it is about. Headings, captions and what else is
    no whole sentence tell nothing.

    Args:
        candidates: sentences with the reader's scores.
        cosines: of the question with each of them.
    """
    if max(cosines, default=0.0) < _SETTINGS.least:
        return [replace(c, score=0.0, short=None) for c in candidates]
    best = max(c.hit.score for c in candidates) or 1.0
    weights = (_SETTINGS.cosine, _SETTINGS.coverage, _SETTINGS.reader, _SETTINGS.lead, _SETTINGS.passage)
    found = []
    for candidate, cosine in zip(candidates, cosines, strict=True):
        opening = max(0.0, 1 - candidate.span.start / _SETTINGS.opening)
        parts = (max(0.0, cosine), candidate.support, candidate.score, opening, candidate.hit.score / best)
        score = math.fsum(weight * part for weight, part in zip(weights, parts, strict=True)) / sum(weights)
        found.append(replace(candidate, score=score if _tells(candidate.text) else 0.0, short=None))
    return found


def _tells(text: str) -> bool:
    return len(text) >= _SETTINGS.shortest and (" | " in text or text.rstrip(_BEHIND)[-1:] in _ENDS)


def overview(question: Question, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Choose the sentences that together answer a broad question, in order: by date, or the best and then by document.

    One that repeats a chosen one is left out (maximal marginal relevance: Carbonell, Goldstein 1998).

    Args:
        question: what is asked.
        candidates: sentences with their relevance, best first.
    """
    chosen: list[Candidate] = []
    for candidate in candidates:
        if len(chosen) == _SETTINGS.most or candidate.score < _SETTINGS.near * candidates[0].score:
            break
        if all(alike(candidate.text, other.text) < _SETTINGS.alike for other in chosen):
            chosen.append(candidate)
    if question.ordering:
        dated = [replace(c, heading=_dated_heading(c)) for c in chosen]
        return sorted(dated, key=lambda c: (_told_of(c), c.hit.passage.uri, c.span))
    rank = {uri: number for number, uri in enumerate(dict.fromkeys(c.hit.passage.uri for c in chosen))}
    return sorted(chosen, key=lambda c: (c is not chosen[0], rank[c.hit.passage.uri], c.span))


def _told_of(candidate: Candidate) -> str:
    """Return the first full date in a sentence, or else the day it was written; undated ones come last."""
    parts = next((p for _, p in written(candidate.text) if p.year), None)
    if parts:
        return f"{parts.year:04}-{parts.month or 0:02}-{parts.day or 0:02}"
    return written_on(candidate) or "9999"


def _dated_heading(candidate: Candidate) -> str | None:
    section = candidate.hit.passage.place(candidate.span).section
    return section if section and is_date(section) else None


def written_on(candidate: Candidate) -> str:
    """Return the date above a sentence, as of an entry or an older message, or its document's; ISO 8601 or empty."""
    from rag.language.published import parse_date  # many patterns, which most questions do not need

    passage = candidate.hit.passage
    return parse_date(passage.place(candidate.span).section or "") or passage.date or ""
