"""What happens when somebody does something on the page: call the library, render what it says.

This is the boundary where every error becomes one line for a person; nothing below it catches what it cannot handle.
"""

from __future__ import annotations

import html
import logging
import os
import queue
import threading
import time
from base64 import b64encode
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr

from rag import export, wire
from rag.errors import IndexMissing, InputError, RagError
from rag.history import History, Verdict
from rag.progress import Progress, silent
from rag.records import Span
from rag.timeline import timeline
from rag.ui import listing, render
from rag.ui.examples import example_questions
from rag.ui.overview import overview_view
from rag.ui.views import (  # read at run time, too
    ConversationRow,
    DocumentsView,
    OverviewView,
    ReaderView,
    StartView,
    TurnView,
    WorkView,
)
from rag.where import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.answer import Answerer
    from rag.library import Library
    from rag.records import Answer
    from rag.store import Outcome, State, SyncReport

MOST_FILES = 500  # in one upload
TROUBLES: tuple[State, ...] = ("skipped", "failed")
MOST_SOURCES = 50  # that may be asked for
SEARCHED_FOR_WHY = 100  # hits among which a citation's passage is looked for
LIT = 20  # passages that a question lights up on the map
VERDICTS: dict[str, Verdict] = {"helpful": "helpful", "wrong": "wrong"}
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
        self._history = History(library.store.root / "history.db")
        self._llm: Answerer | None = None
        self._latest: dict[int, Answer] = {}  # the last answer of each conversation since the start

    # asking

    def ask(self, event: gr.EventData) -> Iterator[TurnView]:
        """Answer a question sentence by sentence, and keep the answer.

        `turn` is its number on the page, `where` its conditions, `k` the passages to read, `conversation` the one that
        it goes on with, `answerer` who writes.
        """
        views = self._answered(event)
        while view := _attempt(lambda: next(views, None), render.message_view):
            yield {**view, "turn": int(event.turn)}

    def _answered(self, event: gr.EventData) -> Iterator[TurnView]:
        where = Filter.parse(map(str, event.where))
        conversation = int(event.conversation)
        question, k = render.checked_question(str(event.question)), _number(int(event.k))
        before, answerer = self._before(conversation), self._answerer(str(event.answerer))
        answer, sent = None, 0.0
        for answer in self._library.ask_stream(question, k, where, before, answerer):
            if answer.sentences and time.monotonic() - sent > TICK:
                sent = time.monotonic()
                yield {**render.answer_view(wire.answer_json(answer)), "growing": True}
        if answer is not None:
            view = self._kept(wire.answer_json(answer), conversation or None)
            self._latest[view.get("conversation", 0)] = answer
            yield view

    def _answerer(self, name: str) -> Answerer | None:
        """Return the one of that name; None for the library's own. Raises `InputError` without an LLM's address."""
        if name != "llm":
            return None
        if self._llm is None:
            from rag.llm.setup import llm_answerer

            self._llm = llm_answerer(self._library.retriever)
        return self._llm

    def _before(self, conversation: int) -> list[Answer | str]:
        """Return what a follow-up leans on: the answer before it, or only its question if that was in another run."""
        if conversation in self._latest:
            return [self._latest[conversation]]
        if not conversation:
            return []
        answer = self._history.turns(conversation)[-1].answer
        return [answer["searched_for"] or answer["question"]]

    def _kept(self, answer: wire.Json, conversation: int | None) -> TurnView:
        """Keep an answer; where that is not possible, it is shown all the same."""
        try:
            return render.turn_view(self._history.add(answer, conversation))
        except RagError as error:
            _log.warning("%s", error)
            return render.answer_view(answer)

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

    # what was asked before

    def conversations(self, _: list[Any]) -> list[ConversationRow]:
        """List the conversations, the one touched last first."""
        return _attempt(lambda: [render.conversation_row(each) for each in self._history.conversations()], lambda _: [])

    def reopen(self, chosen: list[Any]) -> list[TurnView]:
        """Return the turns of a conversation; called with [id]."""
        return _attempt(
            lambda: [render.turn_view(turn) for turn in self._history.turns(int(chosen[0]))],
            lambda message: [render.message_view(message)],
        )

    def forget(self, chosen: list[Any]) -> list[ConversationRow]:
        """Forget a conversation, called with [id], and list the others."""
        _attempt(lambda: self._history.delete(int(chosen[0])), lambda _: None)
        return self.conversations([])

    def judge(self, said: list[Any]) -> str:
        """Keep what somebody thinks of an answer; called with [id, verdict or null, correction]. Returns an error."""

        def run() -> str:
            number, verdict, correction = said
            self._history.judge(int(number), VERDICTS.get(str(verdict)), str(correction or "").strip() or None)
            return ""

        return _attempt(run, lambda message: message)

    def export(self, chosen: list[Any]) -> dict[str, str]:
        """Return answers as a document; called with [conversation, turn ids or null, form].

        The forms are `text`, `markdown` and `docx`; a Word document comes as Base64.
        """

        def run() -> dict[str, str]:
            conversation, ids, form = chosen
            turns = self._history.turns(int(conversation))
            answers = [turn.answer for turn in turns if ids is None or turn.id in ids]
            if form == "docx":
                return {"base64": b64encode(export.docx(answers)).decode("ascii")}
            return {"text": export.markdown(answers) if form == "markdown" else export.text(answers)}

        return _attempt(run, lambda message: {"error": message})

    def questions(self, _: list[Any]) -> dict[str, str]:
        """Return the judged answers as a question file for `rag eval`."""

        def run() -> dict[str, str]:
            return {"text": self._history.question_file({info.uri for info in self._library.documents()})}

        return _attempt(run, lambda message: {"error": message})

    # reading

    def page_picture(self, place: list[Any]) -> dict[str, str]:
        """Return a page of a PDF as PNG in Base64, a span marked; called with [uri, start, end, page]."""

        def run() -> dict[str, str]:
            uri, start, end, page = place
            picture = self._library.page_picture(str(uri), Span(int(start), int(end)), int(page))
            return {"base64": b64encode(picture).decode("ascii")}

        return _attempt(run, lambda message: {"error": message})

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
        return {"documents": self.documents(), "local": self._local, "llm": "RAG_LLM_URL" in os.environ}

    def documents(self) -> DocumentsView:
        """List the documents; none while there is no index."""

        def run() -> DocumentsView:
            try:
                return listing.documents_view(self._library.documents())
            except IndexMissing:
                return listing.documents_view([])

        return _attempt(run, lambda message: DocumentsView(summary=message, rows=[]))

    def overview(self, asked: list[Any]) -> OverviewView | dict[str, str]:
        """Draw the collection; called with [question], which may be empty: else what it finds is lit up."""

        def run() -> OverviewView | dict[str, str]:
            question = str(asked[0]).strip()
            hits = self._library.search(render.checked_question(question), LIT) if question else []
            passages = [hit.passage for hit in hits]
            map_, found = self._library.map(passages)
            time_ = timeline(self._library.documents(), {passage.uri for passage in passages})
            return overview_view(map_, found, time_)

        return _attempt(run, lambda message: {"error": message})

    def add(self, event: gr.EventData) -> Iterator[WorkView]:
        """Add uploaded files, given as Gradio's file values: the guard has seen that each was uploaded."""
        files = [str(file["path"]) for file in event.files]
        yield from _watched(lambda progress: self._add(files, progress))

    def index(self, event: gr.EventData) -> Iterator[WorkView]:
        """Bring a folder of this machine up to date."""
        path = str(event.folder).strip()

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
