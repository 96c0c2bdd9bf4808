"""What happens when somebody asks, reopens a conversation, reads or looks at the collection."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from typing import TYPE_CHECKING

import gradio as gr  # noqa: TC002 - the same

from rag.answer import StreamingAnswerer
from rag.app import export
from rag.app.as_json import Json, answer_json
from rag.app.calls import attempt, checked_number, checked_question
from rag.app.ui import listing, render
from rag.app.ui.models import ModelHandlers
from rag.errors import IndexMissing, RagError
from rag.load import LARGEST
from rag.load.places import page_picture
from rag.records import Filter, Span

if TYPE_CHECKING:
    from rag.answer import Answerer
    from rag.app.ui.examples import Examples
    from rag.library import Library
    from rag.records import Answer
    from rag.store.history import History, Verdict

VERDICTS: dict[str | None, Verdict] = {"helpful": "helpful", "wrong": "wrong"}
SEARCHED_FOR_WHY = 100  # hits among which a citation's passage is looked for
MOST_HIGHLIGHTED = 20  # passages that a question finds in the overview
MOST_LATEST = 1000  # conversations whose last answer is at hand

_log = logging.getLogger(__name__)


class Handlers:
    """The event `ask`, and what the page's scripts call, whose errors `page` tells; each runs in a thread of its own.

    `local` says whether whoever sees the page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, history: History, examples: Examples, *, local: bool) -> None:
        self._library = library
        self._history = history
        self._local = local
        self._examples = examples
        self.models = ModelHandlers(library, local=local)
        self._latest: dict[int, Answer] = {}  # the last answer of each conversation since the start

    # asking

    def ask(self, event: gr.EventData) -> Iterator[Json]:
        """Answer a question sentence by sentence, and keep the answer.

        `turn` is its number on the page, `where` its conditions, `k` the passages to read, `conversation` the one that
        it goes on with, `answerer` who writes. Each view goes out as one string of JSON: Gradio sends what has changed
        since the one before, and its changes of lists within lists, where one gets shorter, delete the wrong places.
        """
        views = self._answered(event)
        while view := attempt(lambda: next(views, None), render.message_view):
            yield {"view": json.dumps({**view, "turn": int(event.turn)})}

    def _answered(self, event: gr.EventData) -> Iterator[Json]:
        where = Filter.parse(map(str, event.where))
        conversation = int(event.conversation)
        question, k = checked_question(str(event.question)), checked_number(int(event.k))
        before, answerer = self._before(conversation), self._answerer(str(event.answerer))
        grows = isinstance(answerer, StreamingAnswerer)
        answer = None
        for answer in self._library.ask_stream(question, k, where, before, answerer):
            if grows:  # whole sentences, so few
                yield {**render.answer_view(answer_json(answer)), "growing": True}
        if answer is not None:
            yield self._kept(answer, conversation or None)

    def _answerer(self, name: str) -> Answerer:
        """Return the one of that name, or the library's own; raises `InputError` where no LLM was chosen."""
        if name != "llm" or isinstance(self._library.answerer, StreamingAnswerer):
            return self._library.answerer
        return self.models.answerer()

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

    def why(self, question: str, uri: str, start: int, end: int) -> str:
        """Say how the passage around a citation was found."""
        hits = self._library.retriever.fused(question, SEARCHED_FOR_WHY)
        return render.why_line(question, hits, Span(start, end), uri, self._library.status().passages)

    def examples(self, wanted: int) -> list[str]:
        """Offer so many example questions; waits for the encoder, and until they have been tried."""
        return self._examples.first(wanted)

    # conversations

    def conversations(self) -> list[Json]:
        """List the conversations, the one touched last first."""
        return [render.conversation_row(each) for each in self._history.conversations()]

    def reopen(self, conversation: int) -> list[Json]:
        """Return the turns of a conversation."""
        return [render.turn_view(turn) for turn in self._history.turns(conversation)]

    def forget(self, conversation: int) -> list[Json]:
        """Forget a conversation, and list the others."""
        self._history.delete(conversation)
        return self.conversations()

    def withdraw(self, conversation: int, turn: int) -> int:
        """Take a question with its answer out of a conversation; return that one's id from now on, 0 if it is gone."""
        self._latest.pop(conversation, None)
        return self._history.withdraw(turn) or 0

    def judge(self, turn: int, verdict: str | None, correction: str) -> None:
        """Keep what somebody thinks of an answer; None takes it back."""
        self._history.judge(turn, VERDICTS.get(verdict), correction.strip() or None)

    def export(self, conversation: int, turns: list[int] | None, form: str) -> dict[str, str]:
        """Return the answers of some turns, or of all, as `text`, `markdown` or `docx`; the last comes as Base64."""
        kept = self._history.turns(conversation)
        answers = [turn.answer for turn in kept if turns is None or turn.id in turns]
        if form == "docx":
            return {"base64": b64encode(export.docx(answers)).decode("ascii")}
        return {"text": export.markdown(answers) if form == "markdown" else export.text(answers)}

    def questions(self) -> dict[str, str]:
        """Return the judged answers as a question file for `rag eval`."""
        return {"text": self._history.question_file({info.uri for info in self._library.documents()})}

    # reading

    def page_picture(self, uri: str, start: int, end: int, page: int) -> Json:
        """Return a page of a PDF as `base64` of a PNG; `top` is how far down it the span is marked, 0 to 1, or None."""
        picture, top = page_picture(self._library.document(uri), Span(start, end), page)
        return {"base64": b64encode(picture).decode("ascii"), "top": top}

    def read(self, uri: str, cited: list[tuple[int, int, int]]) -> Json:
        """Return a document in full with spans marked, each given as number, start and end."""
        marks = {number: Span(start, end) for number, start, end in cited}
        return render.reader_view(self._library.document(uri), marks)

    # the collection

    def start(self) -> Json:
        """Fill a page that has just been opened: `llm` as `ModelHandlers.chosen` tells, `largest` of files in bytes."""
        documents = attempt(self._documents, lambda message: {"summary": message, "rows": []})
        return {"documents": documents, "local": self._local, "largest": LARGEST, "llm": self.models.chosen()}

    def _documents(self) -> Json:
        try:
            return listing.documents_view(self._library.documents(), self._library.found_by_words())
        except IndexMissing:
            return listing.documents_view([])

    def overview(self, question: str) -> Json:
        """Show the collection over time, and what a question finds in it, which may be empty."""
        asked = question.strip() and checked_question(question)
        hits = self._library.retriever.fused(asked, MOST_HIGHLIGHTED) if asked else []
        documents = self._library.documents()
        return {**listing.overview_view(documents, hits), **listing.contents_view(documents, self._examples.named())}
