"""Texts of long documents, kept from one question to the next: each cuts its passages out of them again."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 100_000
"""Characters from which on a text is kept; a shorter one is soon read again."""

MOST_BYTES = 100_000_000
"""Of memory that the texts may take: the longest that is read into an index fits, whatever its letters."""


class Texts:
    """The long texts of one generation, by URI and digest. Safe to use from several threads.

    Args:
        most_bytes: of memory; beyond it, the texts that were asked for longest ago are let go.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[tuple[str, str], str] = {}  # the one asked for last is the last
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, uri: str, digest: str, read: Callable[[], str]) -> str:
        """Return a document's text: the one that is kept, or what `read` returns."""
        with self._lock:
            text = self._kept.pop((uri, digest), None)
            if text is not None:
                self._kept[uri, digest] = text
                return text
        text = read()  # without the lock: others need not wait for it
        if len(text) >= LONG:
            self._keep((uri, digest), text)
        return text

    def _keep(self, key: tuple[str, str], text: str) -> None:
        with self._lock:
            if key in self._kept:  # another thread was faster
                return
            self._kept[key] = text
            self._bytes += sys.getsizeof(text)
            while self._bytes > self._most_bytes:
                self._bytes -= sys.getsizeof(self._kept.pop(next(iter(self._kept))))
