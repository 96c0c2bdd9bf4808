"""The page's interface for programs: named calls that give the JSON of the command line."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, NoReturn

import gradio as gr

from rag.app.as_json import answer_json, hits_json, report_json
from rag.app.ui.calls import checked_number, checked_question, on_error
from rag.app.ui.changes import add_uploaded
from rag.app.ui.render import file_name

if TYPE_CHECKING:
    from rag.library import Library
    from rag.records import State

TROUBLES: tuple[State, ...] = ("skipped", "failed")


def _raise(message: str) -> NoReturn:
    """Raise a Gradio error of one line, escaped because Gradio shows it as HTML."""
    raise gr.Error(html.escape(message), print_exception=False)


class Api:
    """The named calls as methods."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @on_error(_raise)
    def ask(self, question: str, k: int = 12) -> dict[str, Any]:
        """Answer a question with citations: the JSON of `rag ask --json`."""
        return answer_json(self._library.ask(checked_question(question), checked_number(k)))

    @on_error(_raise)
    def search(self, question: str, k: int = 10) -> dict[str, Any]:
        """Find cited passages: the JSON of `rag search --json`."""
        asked = checked_question(question)
        return hits_json(asked, self._library.search(asked, checked_number(k)))

    @on_error(_raise)
    def index(self, files: list[str] | None) -> dict[str, Any]:
        """Add uploaded files: the JSON of `rag index --json`, with `file` (its name) instead of `path`.

        gradio_client takes every object with a `path` for a file, and would try to download it.
        """
        report = add_uploaded(self._library, files)
        named: dict[str, Any] = {
            state: [{"file": file_name(outcome.path), "reason": outcome.reason} for outcome in report.of(state)]
            for state in TROUBLES
        }
        return {**report_json(report), **named}
