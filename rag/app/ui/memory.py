"""Memory that many questions took and freed goes back to the system: C's allocator keeps it, in pieces, for later."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import suppress

EVERY = 30.0  # s


def give_back() -> None:
    """Return what is free to the system, where the C library can do that (glibc)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def give_back_from_time_to_time() -> None:
    """Give back again and again, until cancelled: a few milliseconds where nothing was freed since."""
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(give_back)
