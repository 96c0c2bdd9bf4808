"""Records -> the JSON forms that the command line, the web API and outside programs share."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.language.dates import mentions
from rag.language.terms import matched_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Answer, Citation, Document, Hit, Span, SyncReport
    from rag.records.index import DocumentInfo, Status

Json = dict[str, Any]


def report_json(report: SyncReport) -> Json:
    """Form of `rag index --json`."""
    return {
        **{state: report.count(state) for state in ("added", "updated", "removed", "unchanged")},
        "skipped": [{"path": outcome.path, "reason": outcome.reason} for outcome in report.of("skipped")],
        "failed": [{"path": outcome.path, "reason": outcome.reason} for outcome in report.of("failed")],
        "incomplete": [{"path": outcome.path, "reason": outcome.reason} for outcome in report.incomplete],
        "set_aside": [{"path": outcome.path, **outcome.aside} for outcome in report.outcomes if outcome.aside],
        "renamed": [{"from": old, "to": new} for old, new in report.renamed],
        "passages": report.passages,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
    }


def hits_json(question: str, hits: Sequence[Hit]) -> Json:
    """Form of `rag search --json`."""
    return {"question": question, "hits": [hit_json(rank, hit, question) for rank, hit in enumerate(hits, 1)]}


def hit_json(rank: int, hit: Hit, question: str) -> Json:
    """One hit; both ranks and scores and the words of the question in it say why it was found."""
    passage, citation = hit.passage, hit.citation
    return {
        "rank": rank,
        "score": hit.score,
        "document": passage.uri,
        "title": passage.name,
        "date": passage.date,
        "page": passage.page,
        "section": citation.section,
        "speaker": citation.speaker,
        "start": passage.span.start,
        "end": passage.span.end,
        "text": passage.text,
        "dense_rank": hit.dense_rank,
        "lexical_rank": hit.lexical_rank,
        "dense_score": hit.dense_score,
        "lexical_score": hit.lexical_score,
        "reranker_score": hit.reranker_score,
        "matched": matched_words(question, passage.retrieval_text),
    }


def citation_json(citation: Citation) -> Json:
    """One citation with the passage around it."""
    passage = citation.passage
    return {
        "number": citation.number,
        "document": citation.uri,
        "title": citation.title,
        "date": citation.date,
        "page": citation.page,
        "section": citation.section,
        "speaker": citation.speaker,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "passage": {"start": passage.span.start, "end": passage.span.end, "text": passage.text},
        "score": citation.score,
        "dates": dates_json(citation),
    }


def dates_json(citation: Citation) -> list[Json]:
    """The dates of a quotation that count from its document's publication (`on Tuesday`), as days of the calendar."""
    start = citation.span.start
    return [
        {"start": start + m.span.start, "end": start + m.span.end, "text": m.span.of(citation.quote), "date": m.iso}
        for m in mentions(citation.quote, citation.date)
        if m.relative
    ]


def answer_json(answer: Answer) -> Json:
    """Form of `rag ask --json`."""
    short = answer.short_answer
    return {
        "question": answer.question,
        "searched_for": answer.searched_for,
        "searches": list(answer.searches),
        "writer": answer.writer,
        "form": answer.form,
        "answer": answer.text,
        "abstained": answer.abstained,
        "closest": answer.closest,
        "reason": answer.reason,
        "short_answer": short
        and {"text": short.text, "citation": short.citation, "start": short.span.start, "end": short.span.end},
        "sentences": [
            {
                "text": s.text,
                "citations": list(s.citations),
                "speaker": s.speaker,
                "support": s.support,
                "fault": s.fault,
                "writer": s.writer,
                "beside": s.beside,
                "marks": [[mark.start, mark.end] for mark in s.marks],
                "cells": [[[span.start, span.end] for span in cell] for cell in s.cells],
            }
            for s in answer.sentences
        ],
        "citations": [citation_json(citation) for citation in answer.citations],
        "conflicts": [{"about": conflict.about, "sides": list(conflict.sides)} for conflict in answer.conflicts],
        "nearest": [nearest_json(rank, hit, answer.question) for rank, hit in enumerate(answer.nearest, 1)],
    }


def nearest_json(rank: int, hit: Hit, question: str) -> Json:
    """A passage shown with a refusal; `sentence` is what comes nearest to an answer in it."""
    span = hit.sentence
    sentence = span and {"start": span.start, "end": span.end, "text": hit.passage.quote(span)}
    return {**hit_json(rank, hit, question), "sentence": sentence}


def document_json(document: Document, at: Span | None = None) -> Json:
    """Form of `rag show --json`; raises `InputError` when `at` reaches beyond the document."""
    from rag.language.published import date_origin  # many patterns, which no answer needs

    if at is not None and at.end > len(document.text):
        raise InputError(f"{document.uri} has {len(document.text)} characters; {at.end} is beyond its end")
    marked = {"at": {"start": at.start, "end": at.end, "text": at.of(document.text)}} if at is not None else {}
    return {
        "uri": document.uri,
        "title": document.name,
        "date": document.date,
        "date_origin": date_origin(document),
        "text": document.text,
        "sections": [
            {"start": s.span.start, "end": s.span.end, "title": s.title, "level": s.level} for s in document.sections
        ],
        "pages": list(document.page_starts),
        "marks": [{"start": m.span.start, "end": m.span.end, "name": m.name} for m in document.marks],
        "notes": list(document.notes),
        "set_aside": document.aside,
        "statements": [{"start": s.span.start, "end": s.span.end, "speaker": s.speaker} for s in document.speakers],
        **marked,
    }


def status_json(status: Status, documents: Sequence[DocumentInfo]) -> Json:
    """Form of `rag status --json`."""
    return {**asdict(status), "list": [asdict(info) for info in documents]}
