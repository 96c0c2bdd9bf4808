"""What happens when somebody asks, reads or looks at the collection: call the library, render what it says."""

from __future__ import annotations

import logging
import os
import time
from base64 import b64encode
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from typing import TYPE_CHECKING, Any

import gradio as gr  # noqa: TC002 - the same

from rag.answer.quote import StreamingAnswerer
from rag.app import as_json as wire
from rag.app.ui import listing, render
from rag.app.ui.attempt import attempt, checked_number
from rag.app.ui.examples import Examples
from rag.app.ui.map import CurrentMap
from rag.app.ui.overview import overview_view
from rag.app.ui.timeline import timeline
from rag.app.ui.views import DocumentsView, OverviewView, PictureView, ReaderView, StartView, TurnView
from rag.errors import IndexMissing, RagError
from rag.records import Filter, Span

if TYPE_CHECKING:
    from rag.answer.quote import Answerer
    from rag.library import Library
    from rag.records import Answer
    from rag.store.history import History

SEARCHED_FOR_WHY = 100  # hits among which a citation's passage is looked for
LIT = 20  # passages that a question lights up on the map
TICK = 0.1  # s between two views of a growing answer
MOST_LATEST = 1000  # conversations whose last answer is at hand

_log = logging.getLogger(__name__)


class Handlers:
    """The page's events as methods; Gradio runs each call in a thread of its own.

    Args:
        library: what is asked.
        history: keeps what was asked.
        local: whether whoever sees the page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, history: History, *, local: bool) -> None:
        self._library = library
        self._history = history
        self._local = local
        self._examples = Examples(library)
        self._map = CurrentMap(library.store)
        self._llm: Answerer | None = None
        self._latest: dict[int, Answer] = {}  # the last answer of each conversation since the start

    # asking

    def ask(self, event: gr.EventData) -> Iterator[TurnView]:
        """Answer a question sentence by sentence, and keep the answer.

        `turn` is its number on the page, `where` its conditions, `k` the passages to read, `conversation` the one that
        it goes on with, `answerer` who writes.
        """
        views = self._answered(event)
        while view := attempt(lambda: next(views, None), render.message_view):
            yield {**view, "turn": int(event.turn)}

    def _answered(self, event: gr.EventData) -> Iterator[TurnView]:
        where = Filter.parse(map(str, event.where))
        conversation = int(event.conversation)
        question, k = render.checked_question(str(event.question)), checked_number(int(event.k))
        before, answerer = self._before(conversation), self._answerer(str(event.answerer))
        grows = isinstance(answerer, StreamingAnswerer)
        answer, sent = None, 0.0
        for answer in self._library.ask_stream(question, k, where, before, answerer):
            if grows and time.monotonic() - sent > TICK:
                sent = time.monotonic()
                yield {**render.answer_view(wire.answer_json(answer)), "growing": True}
        if answer is not None:
            yield self._kept(answer, conversation or None)

    def _answerer(self, name: str) -> Answerer:
        """Return the one of that name, or the library's own; raises `InputError` without an LLM's address."""
        if name != "llm" or isinstance(self._library.answerer, StreamingAnswerer):
            return self._library.answerer
        if self._llm is None:
            from rag.answer.write import llm_answerer
            from rag.answer.write.endpoint import Settings

            self._llm = llm_answerer(self._library.retriever, Settings.of())
        return self._llm

    def _before(self, conversation: int) -> list[Answer | str]:
        """Return what a follow-up leans on: the answer before it, or only its question if that was in another run."""
        if conversation in self._latest:
            return [self._latest[conversation]]
        if not conversation:
            return []
        answer = self._history.turns(conversation)[-1].answer
        return [answer["searched_for"] or answer["question"]]

    def _kept(self, answer: Answer, conversation: int | None) -> TurnView:
        """Keep an answer; where that is not possible, it is shown all the same."""
        form = wire.answer_json(answer)
        try:
            turn = self._history.add(form, conversation)
        except RagError as error:
            _log.warning("%s", error)
            return render.answer_view(form)
        self._latest[turn.conversation] = answer
        while len(self._latest) > MOST_LATEST:
            self._latest.pop(next(iter(self._latest)))
        return render.turn_view(turn)

    def why(self, asked: list[Any]) -> str:
        """Say how the passage around a citation was found; called with [question, uri, start, end]."""

        def run() -> str:
            question, uri, start, end = asked
            hits = self._library.retriever.fused(str(question), SEARCHED_FOR_WHY)
            passages = self._library.status().passages
            return render.why_line(str(question), hits, Span(int(start), int(end)), str(uri), passages)

        return attempt(run, lambda message: message)

    def examples(self, wanted: list[Any]) -> list[str]:
        """Offer example questions, called with [how many]; waits for the encoder, and until they have been tried."""
        return attempt(lambda: self._examples.first(int(wanted[0])), lambda _: [])

    # reading

    def page_picture(self, place: list[Any]) -> PictureView | dict[str, str]:
        """Return a page of a PDF with a span marked; called with [uri, start, end, page]."""

        def run() -> PictureView | dict[str, str]:
            uri, start, end, page = place
            picture, marked = self._library.marked_page(str(uri), Span(int(start), int(end)), int(page))
            return {"base64": b64encode(picture).decode("ascii"), "marked": marked}

        return attempt(run, lambda message: {"error": message})

    def read(self, place: list[Any]) -> ReaderView | dict[str, str]:
        """Return a document in full with spans marked; called with [uri, [[number, start, end], ...]]."""

        def run() -> ReaderView | dict[str, str]:
            uri, cited = place
            marks = {int(number): Span(int(start), int(end)) for number, start, end in cited}
            return render.reader_view(self._library.document(str(uri)), marks)

        return attempt(run, lambda message: {"error": message})

    # the collection

    def start(self, _: list[Any]) -> StartView:
        """Fill a page that has just been opened."""
        always = isinstance(self._library.answerer, StreamingAnswerer)
        llm = "always" if always else "offered" if "RAG_LLM_URL" in os.environ else "none"
        return {"documents": self.documents(), "local": self._local, "llm": llm}

    def documents(self) -> DocumentsView:
        """List the documents; none while there is no index."""

        def run() -> DocumentsView:
            try:
                return listing.documents_view(self._library.documents())
            except IndexMissing:
                return listing.documents_view([])

        return attempt(run, lambda message: DocumentsView(summary=message, rows=[]))

    def overview(self, asked: list[Any]) -> OverviewView | dict[str, str]:
        """Draw the collection; called with [question], which may be empty: else what it finds is lit up."""

        def run() -> OverviewView | dict[str, str]:
            question = str(asked[0]).strip()
            hits = self._library.retriever.fused(render.checked_question(question), LIT) if question else []
            passages = [hit.passage for hit in hits]
            map_, found = self._map.of(passages)
            time_ = timeline(self._library.documents(), {passage.uri for passage in passages})
            return overview_view(map_, found, time_)

        return attempt(run, lambda message: {"error": message})
