"""The page's layout: which parts there are, and which handler each event calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api

from rag.load import SUFFIXES
from rag.ui import render
from rag.ui.handlers import Handlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.library import Library

TITLE = "Ask your documents"
SUBTITLE = "Every sentence of an answer is cited to the exact words of its source. Nothing leaves this machine."
SYSTEM_FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]
ASSETS = '<link rel="stylesheet" href="/page.css"><script src="/page.js"></script>'
ONE_WRITER: Any = {"concurrency_id": "writing", "concurrency_limit": 1}  # events that change the index take turns


def theme() -> gr.themes.Base:
    """Return plain colours and the machine's own fonts."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=SYSTEM_FONTS,
        font_mono=["ui-monospace", "monospace"],
        radius_size="sm",
    ).set(  # Gradio's own blue is too pale under white letters
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
    )


def layout(library: Library) -> gr.Blocks:
    """Return the page for a library."""
    handlers = Handlers(library)
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600))
    with blocks:
        _for_programs(handlers)  # first, or events of the page take the names
        gr.HTML(f"<h1>{TITLE}</h1><p>{SUBTITLE}</p>", elem_id="rag-header", head=ASSETS, apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Ask"):
                answer = _asking(blocks, handlers)
            with gr.Tab("Documents"):
                documents = _collection(handlers)
        blocks.load(handlers.start, outputs=[documents, answer], show_progress="hidden", api_visibility="private")
    return blocks


def _asking(blocks: gr.Blocks, handlers: Handlers) -> gr.HTML:
    """Lay out the question, the answer and its sources; returns the answer's part."""
    with gr.Row(elem_id="rag-question", equal_height=True):
        question = gr.Textbox(
            label="Question",
            placeholder="What do you want to know?",
            lines=1,
            max_lines=1,
            autofocus=True,
            scale=8,
            min_width=200,
        )
        button = gr.Button("Ask", variant="primary", scale=1, min_width=90)
    examples = _part("examples", [])
    with gr.Row(elem_id="rag-result"):
        with gr.Column(scale=5, min_width=300):
            answer = _part("answer", render.message_view("", "empty"))
        with gr.Column(scale=4, min_width=300):
            sources = _part("sources", render.NO_SOURCES, handlers.read)

    events: Any = {"fn": handlers.ask, "inputs": question, "outputs": [answer, sources], **_shown_on(answer)}
    question.submit(**events)
    button.click(**events)
    chosen = examples.select(_chosen, outputs=question, show_progress="hidden", api_visibility="private")
    chosen.then(**events)
    blocks.load(handlers.examples, outputs=examples, show_progress="hidden", api_visibility="private")
    return answer


def _collection(handlers: Handlers) -> gr.HTML:
    """Lay out adding, the report of what was done, and the list of documents; returns the list's part."""
    upload = gr.File(
        label="Add files: text, Markdown or web pages",
        file_count="multiple",
        file_types=sorted(SUFFIXES),
        height=140,
        elem_id="rag-upload",
    )
    report = _part("report", None)
    documents = _part("documents", None, handlers.read)
    upload.upload(handlers.add, upload, [upload, report, documents], **ONE_WRITER, **_shown_on(report))
    documents.delete(handlers.remove, outputs=[report, documents], **ONE_WRITER, **_shown_on(report))
    return documents


def _for_programs(handlers: Handlers) -> None:
    """Name the calls for gradio_client: /ask, /search and /index give the JSON of the command line."""
    api(handlers.api_ask, api_name="ask")
    api(handlers.api_search, api_name="search")
    files = gr.File(file_count="multiple", visible=False)
    outcome = gr.JSON(visible=False)
    gr.Button(visible=False).click(handlers.api_index, files, outcome, api_name="index", **ONE_WRITER)


def _part(kind: str, value: object, read: Callable[[list[Any]], object] | None = None) -> gr.HTML:
    """Return a part that page.js builds from `value`; `read` is what its "Open document" calls.

    The strings here are all the HTML there is.
    """
    return gr.HTML(
        value=value,
        html_template=f'<div class="rag-{kind}"></div>',
        js_on_load=f"ragPage.mount('{kind}', {{element, props, trigger, watch, server}})",
        head=ASSETS,
        server_functions=[_server_function(read)] if read else None,
        apply_default_css=False,
        elem_id=f"rag-{kind}",
    )


def _server_function(method: Callable[[list[Any]], object]) -> Callable[[list[Any]], object]:
    """Wrap a bound method, which cannot carry the mark that Gradio puts on functions a script may call."""

    def read(place: list[Any]) -> object:
        return method(place)

    return read


def _shown_on(component: gr.HTML) -> dict[str, Any]:
    """Draw progress on this one part: Gradio would draw it over every output."""
    return {"show_progress_on": component, "api_visibility": "private"}


def _chosen(event: gr.EventData) -> str:
    return str(event.question)
