"""Following the indexed files while they change, for as long as somebody wants it and the server runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rag.app.calls import attempt
from rag.app.ui import listing
from rag.app.ui.ending import PATIENCE, WORK, stop_if_ending
from rag.app.ui.memory import give_back
from rag.errors import InputError, RagError
from rag.sync.watch import watch

if TYPE_CHECKING:
    from rag.app.as_json import Json
    from rag.library import Library


class Follow:
    """The switch of the library, one for the whole server; off when the server starts.

    `local` says whether whoever sees the page sits at this machine: only they may turn the switch.
    """

    def __init__(self, library: Library, *, local: bool) -> None:
        self._library = library
        self._local = local
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._stop = threading.Event()  # of the watcher
        self._stop.set()
        self._roots: list[str] = []
        self._trouble = ""

    def news(self) -> Json:
        """Say what changed lately, and whether changes are followed."""
        changes = [listing.run_view(run) for run in self._library.store.journal().runs]
        return {"changes": changes, "follow": self._view()}

    def follow(self, on: bool) -> Json:
        """Turn it on or off; raises `InputError` where that is not allowed, or there is nothing to follow."""
        if not self._local:
            raise InputError("Only on the machine that serves the page can its files be followed.")
        with self._lock:
            if on:
                self._begin(self._present())
            else:
                self._stop.set()
        return self._view()

    def renew(self) -> None:
        """Where it is on, follow also what has been indexed since."""
        with self._lock:
            if not self._stop.is_set() and (roots := self._present()) not in ([], self._roots):
                self._begin(roots)

    def close(self) -> None:
        """Turn it off, and wait for the run that is under way, if it is short."""
        with self._lock:
            self._stop.set()
            if self._watcher:
                self._watcher.join(PATIENCE)

    def _present(self) -> list[str]:
        return [root for root in self._library.roots() if Path(root).exists()]

    def _view(self) -> Json:
        on = not self._stop.is_set()
        return {"on": on, "roots": self._roots if on else self._present(), "trouble": self._trouble}

    def _begin(self, roots: list[str]) -> None:
        if not roots:
            raise InputError("No folder has been indexed that could be followed: name one first.")
        self._stop.set()
        self._roots, self._stop, self._trouble = roots, threading.Event(), ""
        given = (roots, self._stop, self._watcher)
        self._watcher = threading.Thread(target=self._watch, args=given, name=WORK, daemon=True)
        self._watcher.start()

    def _watch(self, roots: list[str], stop: threading.Event, before: threading.Thread | None) -> None:
        """Watch until `stop` is set, once the watcher before has ended; an error ends it, and stays as the trouble."""
        if before:
            before.join()

        def run() -> str:
            self._trouble = ""
            for report in watch(self._library, roots, stop=stop, progress=stop_if_ending):
                give_back()
                self._trouble = f"{report}; it is tried again" if isinstance(report, RagError) else ""
            return ""

        self._trouble = attempt(run, str)
        stop.set()
