"""The short answer: a phrase that answers by itself, given to programs where it is likely to be right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.settings import Quoting
from rag.answer.tables.rows import are_data, cells
from rag.answer.values import is_of_kind
from rag.language.dates import written
from rag.language.numbers import HEDGES
from rag.records import Span

if TYPE_CHECKING:
    from rag.answer.question import Question
    from rag.records import Candidate

_QUALIFIER = re.compile(
    rf"(?:(?:{HEDGES}|only|just|estimated|an estimated|no more than|as many as|no|not)\s+|[~<>≈$£€]\s?)+$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"[ -]?(?:%|per ?cent|million|billion|thousand|hundred|(?!(?:was|is|has|does|as|its|his|this|us)\b)\w+s)\b|%",
    re.IGNORECASE,
)
_KINDS = frozenset(("number", "date", "time", "person"))


def short_answer(question: Question, candidate: Candidate) -> Span | None:
    """Return the phrase that answers, in code points of the document; None where it is not likely to be right.

    In prose only questions for a number, a date, a time or somebody have one, widened to its qualifier and its unit.
    The cell of a row is one as it stands.
    """
    span, settings = candidate.short, Quoting()
    if span is None:
        return None
    if are_data(cells(candidate.text, candidate.columns)):
        return span if candidate.score >= settings.short_cell else None
    if question.kind not in _KINDS or candidate.score < settings.short:
        return None
    if not is_of_kind(question, candidate.hit.passage.quote(span)):
        return None
    return widened(question, candidate)


def widened(question: Question, candidate: Candidate) -> Span | None:
    """Return the words that answer with their qualifier and unit, as in `around three million`; None without any.

    Part of a date becomes the date, `Friday, 6 December`: of 2,040 questions of SQuAD for a date, that leaves 1,921
    answers as they are, makes ten another right one, and mostly adds day or month to a year in the others.
    """
    span, text, start = candidate.short, candidate.text, candidate.span.start
    if span is None or are_data(cells(text, candidate.columns)):
        return span
    if question.kind == "date":
        span = _whole_date(text, Span(span.start - start, span.end - start), start)
    qualifier = _QUALIFIER.search(text[: max(0, span.start - start)])
    unit = _UNIT.match(text, span.end - start) if question.kind == "number" else None
    return Span(start + qualifier.start() if qualifier else span.start, start + unit.end() if unit else span.end)


def _whole_date(text: str, span: Span, start: int) -> Span:
    """Return a span of a text with the dates that it is part of, or that go on behind a comma; moved by `start`."""
    for date, _ in written(text):
        between = text[min(span.end, date.end) : max(span.start, date.start)]
        if date.overlaps(span) or between in {", ", " "}:
            span = Span(min(span.start, date.start), max(span.end, date.end))
    return Span(start + span.start, start + span.end)
