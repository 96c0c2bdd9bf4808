"""The calls for programs: they give the JSON of the command line."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.app import as_json as wire
from rag.app.ui import render
from rag.app.ui.attempt import attempt, checked_number
from rag.app.ui.uploads import add_uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.library import Library
    from rag.records import Outcome, State

TROUBLES: tuple[State, ...] = ("skipped", "failed")


class Programs:
    """The named calls as methods."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def ask(self, question: str, k: int = 12) -> dict[str, Any]:
        """Answer a question with citations: the JSON of `rag ask --json`."""

        def run() -> dict[str, Any]:
            return wire.answer_json(self._library.ask(render.checked_question(question), checked_number(k)))

        return _for_program(run)

    def search(self, question: str, k: int = 10) -> dict[str, Any]:
        """Find cited passages: the JSON of `rag search --json`."""

        def run() -> dict[str, Any]:
            asked = render.checked_question(question)
            return wire.hits_json(asked, self._library.search(asked, checked_number(k)))

        return _for_program(run)

    def index(self, files: list[str] | None) -> dict[str, Any]:
        """Add uploaded files: the JSON of `rag index --json`, with `file` (its name) instead of `path`.

        gradio_client takes every object with a `path` for a file, and would try to download it.
        """

        def run() -> dict[str, Any]:
            report = add_uploaded(self._library, files)
            return {**wire.report_json(report), **{state: _named(report.of(state)) for state in TROUBLES}}

        return _for_program(run)


def _named(outcomes: list[Outcome]) -> list[dict[str, str]]:
    return [{"file": render.file_name(outcome.path), "reason": outcome.reason} for outcome in outcomes]


def _for_program(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run; errors reach the caller as a Gradio error of one line, escaped because Gradio shows it as HTML."""

    def failed(message: str) -> dict[str, Any]:
        raise gr.Error(html.escape(message), print_exception=False)

    return attempt(run, failed)
