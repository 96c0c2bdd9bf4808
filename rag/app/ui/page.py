"""The page's layout: which parts there are, and which handler each event calls. The scripts in web/ build the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api

from rag.app.ui.api import Api
from rag.app.ui.changes import ChangeHandlers
from rag.app.ui.handlers import Handlers
from rag.store.history import History

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
    history = History(library.store.root / "history.db")
    handlers = Handlers(library, history, examples, local=local)
    changes = ChangeHandlers(library, history, follow, local=local)
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600))
    with blocks:
        _for_programs(Api(library))  # first, or events of the page take the names
        _part("frame", _calls(handlers, follow))
        asking = _part("ask")
        # "multiple": a question right after Stop would be dropped while the end of the stopped one is awaited
        asked = asking.submit(handlers.ask, outputs=asking, trigger_mode="multiple", **OWN_VIEW)
        asked.then(None, js=SETTLED.format("ask"), **OWN_VIEW)
        asking.stop(None, cancels=[asked], **OWN_VIEW)
        _part("overview")
        work = _part("library")
        for event, change in (
            (work.upload, changes.add),
            (work.input, changes.index),
            (work.delete, changes.remove),
        ):
            changed = event(change, outputs=work, **ONE_WRITER, **OWN_VIEW)
            changed.then(None, js=SETTLED.format("library"), **OWN_VIEW)
    return blocks


def _calls(handlers: Handlers, follow: Follow) -> list[Callable[[list[Any]], object]]:
    """Return what the scripts may call on the server without a place in the queue."""
    return [
        *(handlers.start, handlers.examples, handlers.why, handlers.read, handlers.page_picture, handlers.overview),
        *(handlers.conversations, handlers.reopen, handlers.forget),
        *(handlers.judge, handlers.export, handlers.questions),
        *(follow.news, follow.follow),
    ]


def _for_programs(calls: Api) -> None:
    """Name the calls for gradio_client: /ask, /search and /index give the JSON of the command line."""
    api(calls.ask, api_name="ask")
    api(calls.search, api_name="search")
    files = gr.File(file_count="multiple", visible=False)
    outcome = gr.JSON(visible=False)
    gr.Button(visible=False).click(calls.index, files, outcome, api_name="index", **ONE_WRITER)


def _part(kind: str, calls: Sequence[Callable[[list[Any]], object]] = ()) -> gr.HTML:
    """Return a part that web/page.js builds; its scripts may call `calls` on the server.

    The strings here are all the HTML there is.
    """
    return gr.HTML(
        html_template=f'<div id="rag-{kind}" class="rag"></div>',
        js_on_load=f"import('/web/page.js').then(({{mount}}) => mount('{kind}', {{element, props, trigger, watch, "
        "server, upload}))",
        head=STYLES,
        server_functions=[_server_function(call) for call in calls],
        apply_default_css=False,
        elem_id=f"part-{kind}",
    )


def _server_function(method: Callable[[list[Any]], object]) -> Callable[[list[Any]], object]:
    """Wrap a bound method, which cannot carry the mark that Gradio puts on functions a script may call."""

    def call(arguments: list[Any]) -> object:
        return method(arguments)

    call.__name__ = method.__name__
    return call
