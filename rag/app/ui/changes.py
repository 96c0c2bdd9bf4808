"""Changes of the collection that somebody makes on the page."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr  # noqa: TC002 - the same

from rag.app.ui import listing
from rag.app.ui.attempt import attempt
from rag.app.ui.uploads import add_uploaded
from rag.app.ui.views import WorkView  # noqa: TC001 - read at run time, too
from rag.errors import InputError
from rag.sync.leftovers import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.app.ui.follow import Follow
    from rag.library import Library
    from rag.records import Progress, SyncReport
    from rag.store.history import History

TICK = 0.25  # s between two views of a long run's progress


class Changes:
    """The events of the library as methods; one of them runs at a time.

    Args:
        library: what is changed.
        history: of the conversations, which may quote what is removed.
        follow: told of folders that are new.
        local: whether whoever sees the page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, history: History, follow: Follow, *, local: bool) -> None:
        self._library = library
        self._history = history
        self._follow = follow
        self._local = local

    def add(self, event: gr.EventData) -> Iterator[WorkView]:
        """Add uploaded files, given as Gradio's file values: the guard has seen that each was uploaded."""
        files = [str(file["path"]) for file in event.files]
        yield from _watched(lambda progress: add_uploaded(self._library, files, progress))

    def index(self, event: gr.EventData) -> Iterator[WorkView]:
        """Bring a folder of this machine up to date."""
        path = str(event.folder).strip()

        def run(progress: Progress) -> SyncReport:
            if not self._local:
                raise InputError("Folders can be named only on the machine that serves the page: send the files.")
            if not Path(path).expanduser().is_absolute():
                raise InputError("Give the whole path of the folder, as in /home/ada/reports.")
            report = self._library.index(Path(path).expanduser(), progress=progress)
            self._follow.renew()
            return report

        yield from _watched(run)

    def remove(self, event: gr.EventData) -> WorkView:
        """Take documents out of the index."""
        uris = [str(uri) for uri in event.documents]
        return attempt(lambda: self._removed(uris), listing.failure_view)

    def _removed(self, uris: Sequence[str]) -> WorkView:
        """Remove, and say for each document what stays of it; if that cannot be found out, why."""
        report = self._library.remove(*uris)
        gone = [outcome.path for outcome in report.outcomes]
        left = attempt(
            lambda: {
                each.uri: listing.remains_line(each) for each in leftovers(self._library.store, self._history, gone)
            },
            lambda message: dict.fromkeys(gone, message),
        )
        return listing.report_view(
            replace(report, outcomes=tuple(replace(o, reason=left[o.path]) for o in report.outcomes))
        )


def _watched(run: Callable[[Progress], SyncReport]) -> Iterator[WorkView]:
    """Run in a thread of its own and yield how far it is, a few times a second, then its report."""
    seen: queue.SimpleQueue[WorkView] = queue.SimpleQueue()
    started: dict[str, float] = {}

    def progress(stage: str, done: int, total: int) -> None:
        seconds = time.monotonic() - started.setdefault(stage, time.monotonic())
        seen.put(listing.progress_view(stage, done, total, seconds))

    def work() -> None:
        seen.put(attempt(lambda: listing.report_view(run(progress)), listing.failure_view))

    threading.Thread(target=work, name="rag-work", daemon=True).start()
    view = listing.progress_view("reading", 0, 0, 0.0)
    while view["kind"] == "progress":
        view = seen.get()
        while view["kind"] == "progress" and not seen.empty():  # only the latest is worth sending
            view = seen.get()
        yield view
        time.sleep(TICK if view["kind"] == "progress" else 0)
