"""Following the indexed files while they change, for as long as somebody wants it and the server runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.app.ui import listing
from rag.app.ui.calls import attempt, error_view, on_error
from rag.errors import InputError, RagError
from rag.sync.watch import watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.app.as_json import Json
    from rag.library import Library

CLOSE_TIMEOUT = 5.0  # s that the end of the server waits for a run; what is cut short goes on with the next one


class Follow:
    """The switch of the library, one for the whole server; off when the server starts.

    Args:
        library: what is kept level with its files.
        local: whether whoever sees the page sits at this machine: only they may turn the switch.
    """

    def __init__(self, library: Library, *, local: bool) -> None:
        self._library = library
        self._local = local
        self._lock = threading.Lock()
        self._watcher: _Watcher | None = None

    @on_error(error_view)
    def news(self, _: list[Any]) -> Json:
        """Say what changed lately, and whether changes are followed."""
        return {
            "changes": [listing.run_view(run) for run in self._library.store.journal().runs],
            "follow": self._view(),
        }

    @on_error(error_view)
    def follow(self, asked: list[Any]) -> Json:
        """Turn it on or off; called with [whether it shall be on]."""
        if not self._local:
            raise InputError("Only on the machine that serves the page can its files be followed.")
        with self._lock:
            if asked[0]:
                self._begin(self._present())
            elif self._watcher:
                self._watcher.stop.set()
        return self._view()

    def renew(self) -> None:
        """Where it is on, follow also what has been indexed since."""
        with self._lock:
            if self._watcher and self._watcher.is_on and (roots := self._present()) not in ([], self._watcher.roots):
                self._begin(roots)

    def close(self) -> None:
        """Turn it off, and wait for the run that is under way, if it is short."""
        with self._lock:
            if self._watcher:
                self._watcher.stop.set()
                self._watcher.join(CLOSE_TIMEOUT)

    def _present(self) -> list[str]:
        return [root for root in self._library.roots() if Path(root).exists()]

    def _view(self) -> Json:
        """Say whether changes are followed, of which `roots`, and what is in the way just now, if anything is."""
        now = self._watcher
        on = bool(now and now.is_on)
        return {
            "on": on,
            "roots": list(now.roots) if now and on else self._present(),
            "trouble": now.trouble if now else "",
        }

    def _begin(self, roots: Sequence[str]) -> None:
        """Watch these, in place of what was watched before; raises `InputError`."""
        if not roots:
            raise InputError("No folder has been indexed that could be followed: name one first.")
        if self._watcher:
            self._watcher.stop.set()
        self._watcher = _Watcher(self._library, roots, self._watcher)
        self._watcher.start()


class _Watcher(threading.Thread):
    """Watches files until `stop` is set, once the one before has ended; `trouble` is what is in its way."""

    def __init__(self, library: Library, roots: Sequence[str], before: _Watcher | None) -> None:
        super().__init__(name="rag-follow", daemon=True)
        self.roots = list(roots)
        self.stop = threading.Event()
        self.trouble = ""
        self._library = library
        self._before = before

    @property
    def is_on(self) -> bool:
        """Whether it goes on."""
        return not self.stop.is_set()

    def run(self) -> None:
        """Watch; an error ends it, and stays as its trouble."""
        if self._before:
            self._before.join()
            self._before = None
        self.trouble = attempt(self._watch, str)
        self.stop.set()

    def _watch(self) -> str:
        for report in watch(self._library, self.roots, stop=self.stop):
            self.trouble = f"{report}; it is tried again" if isinstance(report, RagError) else ""
        return ""
