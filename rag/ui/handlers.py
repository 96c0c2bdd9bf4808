"""What happens when somebody does something on the page: call the library, render what it says.

This is the boundary where every error becomes one line for a person; nothing below it catches what it cannot handle.
"""

from __future__ import annotations

import html
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr

from rag import wire
from rag.errors import IndexMissing, InputError, RagError
from rag.progress import Progress, silent
from rag.records import Span
from rag.ui import render
from rag.ui.examples import example_questions
from rag.ui.views import (  # Gradio reads the annotations of handlers at run time
    AnswerView,
    DocumentsView,
    ReaderView,
    ReportView,
    SourcesView,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.library import Library
    from rag.store import Outcome, State, SyncReport

MOST_FILES = 500  # in one upload
TROUBLES: tuple[State, ...] = ("skipped", "failed")
MOST_SOURCES = 50  # that a program may ask for

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Handlers:
    """The page's events as methods; Gradio runs each call in a thread of its own."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def ask(self, question: str) -> tuple[AnswerView, SourcesView]:
        """Answer a question."""

        def run() -> tuple[AnswerView, SourcesView]:
            answer = self._library.ask(render.checked_question(question))
            return render.answer_view(answer), render.sources_view(answer)

        if not question.strip():
            return render.message_view("Type a question first, then press Enter.", "hint"), render.NO_SOURCES
        return _attempt(run, lambda message: (render.message_view(message), render.NO_SOURCES))

    def read(self, place: list[Any]) -> ReaderView | dict[str, str]:
        """Return a document in full with one span marked; called by the page's script with [uri, start, end]."""

        def run() -> ReaderView | dict[str, str]:
            uri, start, end = place
            return render.reader_view(self._library.document(str(uri)), Span(int(start), int(end)))

        return _attempt(run, lambda message: {"error": message})

    def start(self) -> tuple[DocumentsView, AnswerView]:
        """Fill a page that has just been opened."""
        documents = self.documents()
        return documents, render.start_view(documents)

    def documents(self) -> DocumentsView:
        """List the documents; none while there is no index."""

        def run() -> DocumentsView:
            try:
                return render.documents_view(self._library.documents())
            except IndexMissing:
                return render.documents_view([])

        return _attempt(run, lambda message: DocumentsView(summary=message, rows=[]))

    def examples(self) -> list[str]:
        """Offer example questions; waits for the encoder."""
        return _attempt(lambda: example_questions(self._library), lambda _: [])

    def add(
        self,
        files: list[str] | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio asks for it
    ) -> tuple[None, ReportView, DocumentsView]:
        """Add uploaded files; empties the upload field."""
        report = _attempt(lambda: render.report_view(self._add(files, _reporter(progress))), render.failure_view)
        return None, report, self.documents()

    def remove(self, event: gr.EventData) -> tuple[ReportView, DocumentsView]:
        """Forget the document whose button was pressed."""
        report = _attempt(lambda: render.report_view(self._library.remove(str(event.document))), render.failure_view)
        return report, self.documents()

    def api_ask(self, question: str, k: int = 8) -> dict[str, Any]:
        """Answer a question with citations: the JSON of `rag ask --json`."""
        return _for_program(lambda: wire.answer_json(self._library.ask(render.checked_question(question), _number(k))))

    def api_search(self, question: str, k: int = 10) -> dict[str, Any]:
        """Find cited passages: the JSON of `rag search --json`."""

        def run() -> dict[str, Any]:
            asked = render.checked_question(question)
            return wire.hits_json(asked, self._library.search(asked, _number(k)))

        return _for_program(run)

    def api_index(self, files: list[str] | None) -> dict[str, Any]:
        """Add uploaded files: the JSON of `rag index --json`, with `file` (its name) instead of `path`.

        gradio_client takes every object with a `path` for a file, and would try to download it.
        """

        def run() -> dict[str, Any]:
            report = self._add(files)
            return {**wire.report_json(report), **{state: _named(report.of(state)) for state in TROUBLES}}

        return _for_program(run)

    def _add(self, files: list[str] | None, progress: Progress = silent) -> SyncReport:
        """Index uploaded files and delete what the upload left in Gradio's folder."""
        paths = [Path(file) for file in files or []]
        if not paths:
            raise InputError("Choose at least one file.")
        if len(paths) > MOST_FILES:
            raise InputError(f"{len(paths):,} files at once are too many: add up to {MOST_FILES}.")
        try:
            return self._library.add(*paths, progress=progress)
        finally:
            for path in paths:
                path.unlink(missing_ok=True)


def _reporter(progress: gr.Progress) -> Progress:
    """Draw the library's progress as Gradio's bar, with rate and time left of the present stage."""
    started: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        seconds = time.monotonic() - started.setdefault(stage, time.monotonic())
        unit = {"reading": "files", "embedding": "passages"}.get(stage, "steps")
        progress((done, total), desc=render.progress_line(stage, done, total, seconds), unit=unit)

    return report


def _named(outcomes: list[Outcome]) -> list[dict[str, str]]:
    return [{"file": render.file_name(outcome.path), "reason": outcome.reason} for outcome in outcomes]


def _number(k: int) -> int:
    if not 1 <= k <= MOST_SOURCES:
        raise InputError(f"k is {k}; it can be 1 to {MOST_SOURCES}.")
    return k


def _attempt(run: Callable[[], T], failed: Callable[[str], T]) -> T:
    """Run; on an error say it in one line. What is no error of the library is kept for whoever runs the server."""
    try:
        return run()
    except RagError as error:
        return failed(str(error))
    except Exception:  # noqa: BLE001 - the boundary: nothing above could say it to the person
        _log.exception("the page could not do what was asked")
        return failed("Something went wrong. The window in which the program runs says what.")


def _for_program(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run; errors reach the caller as a Gradio error of one line, escaped because Gradio shows it as HTML."""

    def failed(message: str) -> dict[str, Any]:
        raise gr.Error(html.escape(message), print_exception=False)

    return _attempt(run, failed)
