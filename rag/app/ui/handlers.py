"""What happens when somebody asks, reopens a conversation, reads or looks at the collection."""

from __future__ import annotations

import logging
import os
import time
from base64 import b64encode
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from typing import TYPE_CHECKING, Any

import gradio as gr  # noqa: TC002 - the same

from rag.answer import StreamingAnswerer
from rag.app import export
from rag.app.as_json import Json, answer_json
from rag.app.ui import listing, render
from rag.app.ui.calls import attempt, checked_number, checked_question, error_view, on_error
from rag.errors import IndexMissing, RagError
from rag.load.places import page_picture
from rag.records import Filter, Span

if TYPE_CHECKING:
    from rag.answer import Answerer
    from rag.app.ui.examples import Examples
    from rag.library import Library
    from rag.records import Answer
    from rag.store.history import History, Verdict

VERDICTS: dict[str, Verdict] = {"helpful": "helpful", "wrong": "wrong"}
SEARCHED_FOR_WHY = 100  # hits among which a citation's passage is looked for
MOST_HIGHLIGHTED = 20  # passages that a question finds in the overview
TICK = 0.1  # s between two views of a growing answer
MOST_LATEST = 1000  # conversations whose last answer is at hand

_log = logging.getLogger(__name__)


class Handlers:
    """The page's events as methods; Gradio runs each call in a thread of its own.

    Args:
        library: what is asked.
        history: keeps what was asked.
        examples: questions to offer.
        local: whether whoever sees the page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, history: History, examples: Examples, *, local: bool) -> None:
        self._library = library
        self._history = history
        self._local = local
        self._examples = examples
        self._llm: Answerer | None = None
        self._latest: dict[int, Answer] = {}  # the last answer of each conversation since the start

    # asking

    def ask(self, event: gr.EventData) -> Iterator[Json]:
        """Answer a question sentence by sentence, and keep the answer.

        `turn` is its number on the page, `where` its conditions, `k` the passages to read, `conversation` the one that
        it goes on with, `answerer` who writes.
        """
        views = self._answered(event)
        while view := attempt(lambda: next(views, None), render.message_view):
            yield {**view, "turn": int(event.turn)}

    def _answered(self, event: gr.EventData) -> Iterator[Json]:
        where = Filter.parse(map(str, event.where))
        conversation = int(event.conversation)
        question, k = checked_question(str(event.question)), checked_number(int(event.k))
        before, answerer = self._before(conversation), self._answerer(str(event.answerer))
        grows = isinstance(answerer, StreamingAnswerer)
        answer, sent = None, 0.0
        for answer in self._library.ask_stream(question, k, where, before, answerer):
            if grows and time.monotonic() - sent > TICK:
                sent = time.monotonic()
                yield {**render.answer_view(answer_json(answer)), "growing": True}
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

    def _kept(self, answer: Answer, conversation: int | None) -> Json:
        """Keep an answer; where that is not possible, it is shown all the same."""
        form = answer_json(answer)
        try:
            turn = self._history.add(form, conversation)
        except RagError as error:
            _log.warning("%s", error)
            return render.answer_view(form)
        self._latest[turn.conversation] = answer
        while len(self._latest) > MOST_LATEST:
            self._latest.pop(next(iter(self._latest)))
        return render.turn_view(turn)

    @on_error(str)
    def why(self, asked: list[Any]) -> str:
        """Say how the passage around a citation was found; called with [question, uri, start, end]."""
        question, uri, start, end = asked
        hits = self._library.retriever.fused(str(question), SEARCHED_FOR_WHY)
        passages = self._library.status().passages
        return render.why_line(str(question), hits, Span(int(start), int(end)), str(uri), passages)

    @on_error(lambda _: [])
    def examples(self, wanted: list[Any]) -> list[str]:
        """Offer example questions, called with [how many]; waits for the encoder, and until they have been tried."""
        return self._examples.first(int(wanted[0]))

    # conversations

    @on_error(lambda _: [])
    def conversations(self, _: list[Any]) -> list[Json]:
        """List the conversations, the one touched last first."""
        return [render.conversation_row(each) for each in self._history.conversations()]

    @on_error(lambda message: [render.message_view(message)])
    def reopen(self, chosen: list[Any]) -> list[Json]:
        """Return the turns of a conversation; called with [id]."""
        return [render.turn_view(turn) for turn in self._history.turns(int(chosen[0]))]

    def forget(self, chosen: list[Any]) -> list[Json]:
        """Forget a conversation, called with [id], and list the others."""
        attempt(lambda: self._history.delete(int(chosen[0])), lambda _: None)
        return self.conversations([])

    @on_error(str)
    def judge(self, verdict: list[Any]) -> str:
        """Keep what somebody thinks of an answer; called with [id, verdict or null, correction]. Returns an error."""
        number, word, correction = verdict
        self._history.judge(int(number), VERDICTS.get(str(word)), str(correction or "").strip() or None)
        return ""

    @on_error(error_view)
    def export(self, chosen: list[Any]) -> dict[str, str]:
        """Return answers as a document; called with [conversation, turn ids or null, form].

        The forms are `text`, `markdown` and `docx`; a Word document comes as Base64.
        """
        conversation, ids, form = chosen
        turns = self._history.turns(int(conversation))
        answers = [turn.answer for turn in turns if ids is None or turn.id in ids]
        if form == "docx":
            return {"base64": b64encode(export.docx(answers)).decode("ascii")}
        return {"text": export.markdown(answers) if form == "markdown" else export.text(answers)}

    @on_error(error_view)
    def questions(self, _: list[Any]) -> dict[str, str]:
        """Return the judged answers as a question file for `rag eval`."""
        return {"text": self._history.question_file({info.uri for info in self._library.documents()})}

    # reading

    @on_error(error_view)
    def page_picture(self, place: list[Any]) -> Json:
        """Return a page of a PDF with a span marked; called with [uri, start, end, page].

        `base64` is its PNG, `marked` whether the words that were asked for are marked on it.
        """
        uri, start, end, page = place
        picture, marked = page_picture(self._library.document(str(uri)), Span(int(start), int(end)), int(page))
        return {"base64": b64encode(picture).decode("ascii"), "marked": marked}

    @on_error(error_view)
    def read(self, place: list[Any]) -> Json:
        """Return a document in full with spans marked; called with [uri, [[number, start, end], ...]]."""
        uri, cited = place
        marks = {int(number): Span(int(start), int(end)) for number, start, end in cited}
        return render.reader_view(self._library.document(str(uri)), marks)

    # the collection

    def start(self, _: list[Any]) -> Json:
        """Fill a page that has just been opened; `llm` is `none`, `offered`, or `always` where it answers all."""
        always = isinstance(self._library.answerer, StreamingAnswerer)
        llm = "always" if always else "offered" if "RAG_LLM_URL" in os.environ else "none"
        return {"documents": self.documents(), "local": self._local, "llm": llm}

    @on_error(lambda message: {"summary": message, "rows": []})
    def documents(self) -> Json:
        """List the documents; none while there is no index."""
        try:
            return listing.documents_view(self._library.documents())
        except IndexMissing:
            return listing.documents_view([])

    @on_error(error_view)
    def overview(self, asked: list[Any]) -> Json:
        """Draw the collection; called with [question], which may be empty: else what it finds is highlighted."""
        question = str(asked[0]).strip()
        hits = self._library.retriever.fused(checked_question(question), MOST_HIGHLIGHTED) if question else []
        return listing.overview_view(self._library.documents(), hits)
