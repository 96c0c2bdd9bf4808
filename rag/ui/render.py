"""What the page shows, as plain data: pure functions from the library's records to JSON values.

No HTML and no Markdown is made here or anywhere else: `page.js` puts every string into a text node, so that a document
is shown exactly as it is and nothing in it can act. What is shown as marked is cut here, because the browser counts
UTF-16 units where the library counts code points.
"""

from __future__ import annotations

from datetime import date
from pathlib import PurePath
from typing import TYPE_CHECKING, get_args

from rag.errors import InputError
from rag.store import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Answer, AnswerSentence, Citation, Document, Hit, Span
    from rag.store import DocumentInfo, SyncReport
    from rag.ui.views import (
        AnswerView,
        Card,
        DocumentsView,
        Marked,
        ReaderView,
        ReportView,
        SentenceView,
        SourcesView,
    )

LONGEST_QUESTION = 2000

NO_SOURCES: SourcesView = {"heading": "", "note": "", "cards": []}


def checked_question(question: str) -> str:
    """Return the question without surrounding space, fit to be sent back (no lone surrogates).

    Raises:
        InputError: there is nothing in it, or too much.
    """
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise InputError("Type a question first.")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; up to {LONGEST_QUESTION:,} can be asked at once."
        )
    return question


def message_view(message: str, kind: str = "error") -> AnswerView:
    """Show one line where the answer would be."""
    return {"kind": kind, "message": message}


def start_view(documents: DocumentsView) -> AnswerView:
    """Say what to do first where the answer will be; nothing when one can just ask."""
    if documents["rows"]:
        return message_view("", "empty")
    return message_view("There are no documents yet: add some under Documents, then ask about them.", "hint")


def answer_view(answer: Answer) -> AnswerView:
    """Show an answer, or a refusal with its reason."""
    if answer.abstained:
        reason = answer.reason or "Nothing in the documents answers this question."
        return {"kind": "refusal", "message": reason, "question": answer.question}
    short = answer.short_answer
    return {
        "kind": "answer",
        "question": answer.question,
        "short": {"text": short.text, "source": short.citation} if short else None,
        "sentences": [_sentence(sentence) for sentence in answer.sentences],
        "conflicts": [{"about": conflict.about, "sources": list(conflict.sides)} for conflict in answer.conflicts],
    }


def sources_view(answer: Answer) -> SourcesView:
    """Show the citations of an answer; of a refusal, what came nearest, plainly not as sources."""
    if not answer.abstained:
        return {"heading": "Sources", "note": "", "cards": [citation_card(c) for c in answer.citations]}
    if not answer.nearest:
        return NO_SOURCES
    return {
        "heading": "Nearest passages",
        "note": "These came closest, but they do not answer the question.",
        "cards": [nearest_card(hit) for hit in answer.nearest],
    }


def citation_card(citation: Citation) -> Card:
    """Show a citation in the passage it stands in."""
    inside = citation.span.start - citation.passage.span.start
    return {
        **_marked(citation.passage.text, inside, inside + len(citation.span)),
        "number": citation.number,
        "title": citation.title,
        "facts": _facts(citation),
        "document": citation.uri,
        "start": citation.span.start,
        "end": citation.span.end,
    }


def nearest_card(hit: Hit) -> Card:
    """Show a passage that is no source: without number and mark."""
    card = citation_card(hit.citation)
    return {**card, "number": None, "before": hit.passage.text, "mark": "", "after": ""}


def reader_view(document: Document, span: Span | None = None) -> ReaderView:
    """Show a whole document, `span` marked.

    Raises:
        InputError: the span reaches outside of the document.
    """
    start, end = (span.start, span.end) if span else (0, 0)
    if end > len(document.text):
        raise InputError(f"{document.name} has changed since the answer: ask again.")
    facts = [nice_date(document.date), file_name(document.uri)]
    return {
        **_marked(document.text, start, end),
        "title": document.name,
        "facts": [fact for fact in facts if fact and fact != document.name],
    }


def documents_view(documents: Sequence[DocumentInfo]) -> DocumentsView:
    """List the documents by name."""
    passages = sum(document.passages for document in documents)
    return {
        "summary": f"{_count(len(documents), 'document')}, {_count(passages, 'passage')}",
        "rows": [
            {
                "document": document.uri,
                "name": document.name,
                "date": nice_date(document.date),
                "passages": document.passages,
                "file": file_name(document.uri),
            }
            for document in sorted(documents, key=lambda d: (d.name.casefold(), d.uri))
        ],
    }


def report_view(report: SyncReport) -> ReportView:
    """Show what became of each file, the ones to look at first."""
    order = ("failed", "skipped", *get_args(State))
    outcomes = sorted(report.outcomes, key=lambda outcome: order.index(outcome.state))
    return {
        "summary": str(report),
        "error": False,
        "rows": [{"file": file_name(o.path), "state": o.state, "reason": o.reason} for o in outcomes],
    }


def failure_view(message: str) -> ReportView:
    """Show that a change of the collection did not happen."""
    return {"summary": message, "error": True, "rows": []}


def progress_line(stage: str, done: int, total: int, seconds: float) -> str:
    """Say how far indexing is: `Embedding passages: 120 of 400, 35 a second, 8 s left`."""
    things = {"reading": "Reading files", "embedding": "Embedding passages"}.get(stage, stage.capitalize())
    line = f"{things}: {done:,} of {total:,}"
    if not done or seconds < 1:  # too early to tell
        return line
    rate = done / seconds
    left = (total - done) / rate
    wait = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    return f"{line}, {rate:,.0f} a second, {wait} left" if rate >= 1 else f"{line}, {wait} left"


def nice_date(iso: str | None) -> str:
    """Read as `7 December 2024`; what is no ISO date stays as it is."""
    if not iso:
        return ""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B %Y}"


def file_name(uri: str) -> str:
    """Return the last part of a path or URI."""
    return PurePath(uri).name or uri


def _sentence(sentence: AnswerSentence) -> SentenceView:
    return {
        "text": sentence.text,
        "speaker": sentence.speaker,
        "sources": list(sentence.citations),
        "supported": sentence.support != "unsupported",
    }


def _facts(citation: Citation) -> list[str]:
    """Say where a quotation stands: speaker, section, page, date; only what is known."""
    facts = (
        citation.speaker,
        citation.section if citation.section != citation.title else None,
        f"page {citation.page}" if citation.page else None,
        nice_date(citation.date),
    )
    return [fact for fact in facts if fact]


def _marked(text: str, start: int, end: int) -> Marked:
    return {"before": text[:start], "mark": text[start:end], "after": text[end:]}


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
