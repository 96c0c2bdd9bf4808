"""What happens when somebody does something on the page: call the library, render what it says.

This is the boundary where every error becomes one line for a person; nothing below it catches what it cannot handle.
"""

from __future__ import annotations

import html
import logging
import queue
import threading
import time
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr

from rag import wire
from rag.errors import IndexMissing, InputError, RagError
from rag.progress import Progress, silent
from rag.records import Span
from rag.ui import listing, render
from rag.ui.examples import example_questions
from rag.ui.views import (  # read at run time, too
    DocumentsView,
    ReaderView,
    StartView,
    TurnView,
    WorkView,
)
from rag.where import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.library import Library
    from rag.store import Outcome, State, SyncReport

MOST_FILES = 500  # in one upload
TROUBLES: tuple[State, ...] = ("skipped", "failed")
MOST_SOURCES = 50  # that may be asked for
SEARCHED_FOR_WHY = 100  # hits among which a citation's passage is looked for
TICK = 0.25  # s between two views of a long run's progress

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Handlers:
    """The page's events as methods; Gradio runs each call in a thread of its own.

    Args:
        library: what is asked and changed.
        local: whether whoever sees the page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, *, local: bool = True) -> None:
        self._library = library
        self._local = local

    # asking

    def ask(self, event: gr.EventData) -> TurnView:
        """Answer a question: `turn` is its number on the page, `where` its conditions, `k` the passages to read."""
        turn = int(event.turn)

        def run() -> TurnView:
            where = Filter.parse(map(str, event.where))
            answer = self._library.ask(render.checked_question(str(event.question)), _number(int(event.k)), where)
            return render.answer_view(wire.answer_json(answer))

        return {**_attempt(run, render.message_view), "turn": turn}

    def why(self, asked: list[Any]) -> str:
        """Say how the passage around a citation was found; called with [question, uri, start, end]."""

        def run() -> str:
            question, uri, start, end = asked
            hits = self._library.search(str(question), SEARCHED_FOR_WHY)
            passages = self._library.status().passages
            return render.why_line(str(question), hits, Span(int(start), int(end)), str(uri), passages)

        return _attempt(run, lambda message: message)

    def examples(self, _: list[Any]) -> list[str]:
        """Offer example questions; waits for the encoder."""
        return _attempt(lambda: example_questions(self._library), lambda _: [])

    # reading

    def read(self, place: list[Any]) -> ReaderView | dict[str, str]:
        """Return a document in full with spans marked; called with [uri, [[number, start, end], ...]]."""

        def run() -> ReaderView | dict[str, str]:
            uri, cited = place
            marks = {int(number): Span(int(start), int(end)) for number, start, end in cited}
            return render.reader_view(self._library.document(str(uri)), marks)

        return _attempt(run, lambda message: {"error": message})

    # the collection

    def start(self, _: list[Any]) -> StartView:
        """Fill a page that has just been opened."""
        return {"documents": self.documents(), "local": self._local}

    def documents(self) -> DocumentsView:
        """List the documents; none while there is no index."""

        def run() -> DocumentsView:
            try:
                return listing.documents_view(self._library.documents())
            except IndexMissing:
                return listing.documents_view([])

        return _attempt(run, lambda message: DocumentsView(summary=message, rows=[]))

    def add(self, event: gr.EventData) -> Iterator[WorkView]:
        """Add uploaded files, given as Gradio's file values: the guard has seen that each was uploaded."""
        files = [str(file["path"]) for file in event.files]
        yield from _watched(lambda progress: self._add(files, progress))

    def index(self, event: gr.EventData) -> Iterator[WorkView]:
        """Bring a folder of this machine up to date."""
        path = str(event.path).strip()

        def run(progress: Progress) -> SyncReport:
            if not self._local:
                raise InputError("Folders can be named only on the machine that serves the page: send the files.")
            if not Path(path).expanduser().is_absolute():
                raise InputError("Give the whole path of the folder, as in /home/ada/reports.")
            return self._library.index(Path(path).expanduser(), progress=progress)

        yield from _watched(run)

    def remove(self, event: gr.EventData) -> WorkView:
        """Forget documents."""
        uris = [str(uri) for uri in event.documents]
        return _attempt(lambda: listing.report_view(self._library.remove(*uris)), listing.failure_view)

    # for programs

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


def _watched(run: Callable[[Progress], SyncReport]) -> Iterator[WorkView]:
    """Run in a thread of its own and yield how far it is, a few times a second, then its report."""
    seen: queue.SimpleQueue[WorkView] = queue.SimpleQueue()
    started: dict[str, float] = {}

    def progress(stage: str, done: int, total: int) -> None:
        seconds = time.monotonic() - started.setdefault(stage, time.monotonic())
        seen.put(listing.progress_view(stage, done, total, seconds))

    def work() -> None:
        seen.put(_attempt(lambda: listing.report_view(run(progress)), listing.failure_view))

    threading.Thread(target=work, name="rag-work", daemon=True).start()
    view = listing.progress_view("reading", 0, 0, 0.0)
    while view["kind"] == "progress":
        view = seen.get()
        while view["kind"] == "progress" and not seen.empty():  # only the latest is worth sending
            view = seen.get()
        yield view
        time.sleep(TICK if view["kind"] == "progress" else 0)


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
