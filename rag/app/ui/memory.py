"""Memory that many questions took and freed goes back to the system: C's allocator keeps it, in pieces, for later."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

EVERY = 30.0  # s


def give_back() -> None:
    """Return what is free to the system, where the C library can do that (glibc)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def give_back_from_time_to_time(blocks: gr.Blocks) -> None:
    """Give back again and again, until cancelled: a few milliseconds where nothing was freed since."""
    while True:
        await asyncio.sleep(EVERY)
        forget_sessions(blocks)
        await asyncio.to_thread(give_back)


def forget_sessions(blocks: gr.Blocks) -> None:
    """Forget the sessions of which Gradio keeps no messages any more: it keeps the name of each one for ever.

    A program that names no session makes one with each call. To be called in the thread of Gradio's own loop.
    """
    queue = blocks._queue  # noqa: SLF001 - nothing public forgets them
    for session in queue.pending_event_ids_session.keys() - queue.pending_messages_per_session.keys():
        del queue.pending_event_ids_session[session]
