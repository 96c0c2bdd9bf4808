"""Whether an LLM does what answers need, told in one line."""

from __future__ import annotations

import datetime as dt
import json
import time

from rag.answer.write.context import tokens
from rag.answer.write.endpoint import Endpoint, Settings
from rag.answer.write.forms import Form
from rag.answer.write.prompt import messages, schema
from rag.errors import LlmError

_FORM = Form("sentences", 1)


def tried(settings: Settings) -> str:
    """Ask a small question and say what works; raises `LlmError` where nothing does, `InputError` without a client."""
    endpoint = Endpoint(settings)
    began, first, pieces = time.monotonic(), 0.0, list[str]()
    for piece in endpoint.write(
        messages("What is the sum of two and three?", [], _FORM, dt.date.min), schema(1, _FORM)
    ):
        first = first or time.monotonic()
        pieces.append(piece)
    if not pieces:
        raise LlmError(f"{endpoint.name} answers, but with nothing")
    written, seconds = "".join(pieces), max(0.01, time.monotonic() - first)
    able = ["streams" if len(pieces) > 1 else "does not stream", _form(written), f"takes {endpoint.context:,} tokens"]
    speed = f"It began after {first - began:.1f} s and wrote about {tokens(written) / seconds:.0f} tokens a second."
    return f"{endpoint.name} works: it {', '.join(able[:-1])} and {able[-1]}. {speed}"


def _form(written: str) -> str:
    try:
        kept = isinstance(json.loads(written).get("sentences"), list)
    except (ValueError, AttributeError, RecursionError):
        kept = False
    return "keeps to the JSON form" if kept else "writes plain lines instead of the JSON form"
