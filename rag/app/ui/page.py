"""The page's layout: which parts there are, and which handler each event calls. The scripts in web/ build the parts."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, NoReturn

import gradio as gr
from gradio.events import api

from rag.app.as_json import Json, answer_json, hits_json, report_json
from rag.app.calls import attempt, checked_number, checked_question, on_error
from rag.app.ui.changes import ChangeHandlers, add_uploaded
from rag.app.ui.handlers import Handlers
from rag.app.ui.render import file_name
from rag.app.ui.selections import Selections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.app.ui.examples import Examples
    from rag.app.ui.follow import Follow
    from rag.library import Library

TITLE = "Ask your documents"
SYSTEM_FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]
SHEETS = ("page", "controls", "text", "ask", "turn", "sources", "reader", "library", "news", "overview")
STYLES = "".join(f'<link rel="stylesheet" href="/web/{name}.css">' for name in SHEETS)
ONE_WRITER: Any = {"concurrency_id": "writing", "concurrency_limit": 1}  # events that change the index take turns
OWN_VIEW: Any = {"show_progress": "hidden", "api_visibility": "private"}  # our scripts show what goes on
SETTLED = "() => {{ window.dispatchEvent(new CustomEvent('rag-settled', {{ detail: '{}' }})); }}"
"""Runs when an event of a part has ended, however it did: a server that is gone sends no view."""


def theme() -> gr.themes.Base:
    """Return plain colours and the machine's own fonts."""
    return gr.themes.Base(
        primary_hue="blue", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=["ui-monospace", "monospace"]
    )


def layout(library: Library, follow: Follow, examples: Examples, *, local: bool = True) -> gr.Blocks:
    """Return the page for a library; `local` says whether only people at this machine see it."""
    history = library.history()
    handlers = Handlers(library, history, examples, local=local)
    selections = Selections(library.root / "selections.json")
    changes = ChangeHandlers(library, history, follow, local=local)
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600))
    with blocks:
        _for_programs(library)  # first, or events of the page take the names
        _part("frame", _calls(handlers, changes, follow, selections))
        asking = _part("ask")
        # "multiple": a question right after Stop would be dropped while the end of the stopped one is awaited
        asked = asking.submit(handlers.ask, outputs=asking, trigger_mode="multiple", **OWN_VIEW)
        asked.then(None, js=SETTLED.format("ask"), **OWN_VIEW)
        asking.stop(None, cancels=[asked], **OWN_VIEW)
        _part("overview")
        work = _part("library")
        for event, change in ((work.upload, changes.add), (work.input, changes.index), (work.delete, changes.remove)):
            changed = event(change, outputs=work, **ONE_WRITER, **OWN_VIEW)
            changed.then(None, js=SETTLED.format("library"), **OWN_VIEW)
    return blocks


def _calls(
    handlers: Handlers, changes: ChangeHandlers, follow: Follow, selections: Selections
) -> list[Callable[..., object]]:
    return [
        *(selections.kept_selections, selections.keep_selection, selections.forget_selection),
        *(handlers.start, handlers.examples, handlers.why, handlers.read, handlers.page_picture, handlers.overview),
        *(handlers.conversations, handlers.reopen, handlers.forget),
        *(handlers.judge, handlers.withdraw, handlers.export, handlers.questions),
        *(handlers.models.look, handlers.models.choose, handlers.models.try_it, handlers.models.forget_model),
        *(changes.cancel, follow.news, follow.follow),
    ]


def _for_programs(library: Library) -> None:
    """Name calls for gradio_client: they give the JSON of the command line, and raise errors of one line."""

    @on_error(_raise)
    def ask(question: str, k: int = 12) -> Json:
        """Answer a question with citations: the JSON of `rag ask --json`."""
        return answer_json(library.ask(checked_question(question), checked_number(k)))

    @on_error(_raise)
    def search(question: str, k: int = 10) -> Json:
        """Find cited passages: the JSON of `rag search --json`."""
        asked = checked_question(question)
        return hits_json(asked, library.search(asked, checked_number(k)))

    @on_error(_raise)
    def index(files: list[Json] | None) -> Json:
        """Add uploaded files: the JSON of `rag index --json`, with `file` (its name) instead of `path`.

        gradio_client takes every object with a `path` for a file, and would try to download it.
        """
        form = report_json(add_uploaded(library, [str(file["path"]) for file in files or []]))
        for trouble in ("skipped", "failed", "incomplete"):
            form[trouble] = [{"file": file_name(each["path"]), "reason": each["reason"]} for each in form[trouble]]
        return form

    api(ask, api_name="ask")
    api(search, api_name="search")
    files, outcome = gr.File(file_count="multiple", visible=False), gr.JSON(visible=False)
    hidden = gr.Button(visible=False)  # without preprocessing, which makes an empty file for each that was uploaded
    hidden.click(index, files, outcome, api_name="index", preprocess=False, **ONE_WRITER)


def _raise(message: str) -> NoReturn:
    raise gr.Error(html.escape(message), print_exception=False)


def _part(kind: str, calls: Sequence[Callable[..., object]] = ()) -> gr.HTML:
    """Return a part that web/page.js builds; its scripts may call `calls`. These strings are all the HTML there is."""
    return gr.HTML(
        html_template=f'<div id="rag-{kind}" class="rag"></div>',
        js_on_load=f"import('/web/page.js').then(({{mount}}) => mount('{kind}', {{element, props, trigger, watch, "
        "server, upload}))",
        head=STYLES,
        server_functions=[_server_function(call) for call in calls],
        apply_default_css=False,
        elem_id=f"part-{kind}",
    )


def _server_function(method: Callable[..., object]) -> Callable[[list[Any]], object]:
    """Return a method as core.js calls it: with its arguments in a list, and for an error its line under `error`."""

    def call(arguments: list[Any]) -> object:
        return attempt(lambda: method(*arguments), lambda message: {"error": message})

    call.__name__ = method.__name__
    return call
