"""What was asked before: reopened, judged, saved."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from rag.app import export
from rag.app.ui import render
from rag.app.ui.attempt import attempt

if TYPE_CHECKING:
    from rag.app.ui.views import ConversationRow, TurnView
    from rag.library import Library
    from rag.store.history import History, Verdict

VERDICTS: dict[str, Verdict] = {"helpful": "helpful", "wrong": "wrong"}


class Kept:
    """The calls about conversations as methods; each takes the list of its arguments."""

    def __init__(self, library: Library, history: History) -> None:
        self._library = library
        self._history = history

    def conversations(self, _: list[Any]) -> list[ConversationRow]:
        """List the conversations, the one touched last first."""
        return attempt(lambda: [render.conversation_row(each) for each in self._history.conversations()], lambda _: [])

    def reopen(self, chosen: list[Any]) -> list[TurnView]:
        """Return the turns of a conversation; called with [id]."""
        return attempt(
            lambda: [render.turn_view(turn) for turn in self._history.turns(int(chosen[0]))],
            lambda message: [render.message_view(message)],
        )

    def forget(self, chosen: list[Any]) -> list[ConversationRow]:
        """Forget a conversation, called with [id], and list the others."""
        attempt(lambda: self._history.delete(int(chosen[0])), lambda _: None)
        return self.conversations([])

    def judge(self, said: list[Any]) -> str:
        """Keep what somebody thinks of an answer; called with [id, verdict or null, correction]. Returns an error."""

        def run() -> str:
            number, verdict, correction = said
            self._history.judge(int(number), VERDICTS.get(str(verdict)), str(correction or "").strip() or None)
            return ""

        return attempt(run, lambda message: message)

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

        return attempt(run, lambda message: {"error": message})

    def questions(self, _: list[Any]) -> dict[str, str]:
        """Return the judged answers as a question file for `rag eval`."""

        def run() -> dict[str, str]:
            return {"text": self._history.question_file({info.uri for info in self._library.documents()})}

        return attempt(run, lambda message: {"error": message})
