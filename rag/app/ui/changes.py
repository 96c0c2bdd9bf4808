"""Changes of the collection that somebody makes on the page: files added, a folder indexed, documents removed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator  # noqa: TC003 - Gradio reads the annotations of handlers at run time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr  # noqa: TC002 - the same

from rag.app.as_json import Json  # noqa: TC001 - read at run time, too
from rag.app.calls import attempt, on_error
from rag.app.ui import listing
from rag.app.ui.ending import WORK, Ended, stop_if_ending
from rag.app.ui.memory import give_back
from rag.errors import InputError
from rag.records import Progress, silent
from rag.sync.leftovers import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.app.ui.follow import Follow
    from rag.library import Library
    from rag.records import SyncReport
    from rag.store.history import History

MOST_FILES = 500  # in one upload
TICK = 0.25  # s between two views of a long run's progress


class ChangeHandlers:
    """The events of the library as methods; one of them runs at a time.

    `history` may quote what is removed, `follow` is told of folders that are new; `local` says whether whoever sees the
    page sits at this machine, and may name its folders.
    """

    def __init__(self, library: Library, history: History, follow: Follow, *, local: bool) -> None:
        self._library = library
        self._history = history
        self._follow = follow
        self._local = local
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Give up the change that is under way, as soon as it says how far it is."""
        self._cancelled.set()

    def add(self, event: gr.EventData) -> Iterator[Json]:
        """Add uploaded files, given as Gradio's file values: the guard has seen that each was uploaded."""
        files = [str(file["path"]) for file in event.files]
        yield from self._watched(lambda progress: add_uploaded(self._library, files, progress))

    def index(self, event: gr.EventData) -> Iterator[Json]:
        """Bring a folder of this machine up to date."""
        path = Path(str(event.folder).strip())

        def run(progress: Progress) -> SyncReport:
            if not self._local:
                raise InputError("Folders can be named only on the machine that serves the page: send the files.")
            if not path.expanduser().is_absolute():
                raise InputError("Give the whole path of the folder, as in /home/ada/reports.")
            report = self._library.index(path.expanduser(), progress=progress)
            self._follow.renew()
            return report

        yield from self._watched(run)

    @on_error(listing.failure_view)
    def remove(self, event: gr.EventData) -> Json:
        """Take documents out of the index, and say of each what stays of it; if that cannot be found out, why."""
        report = self._library.remove(*map(str, event.documents))
        gone = [outcome.path for outcome in report.outcomes]
        remains = attempt(
            lambda: list(map(listing.remains_line, leftovers(self._library.store, self._history, gone))),
            lambda message: [message] * len(gone),
        )
        told = zip(report.outcomes, remains, strict=True)
        return listing.report_view(replace(report, outcomes=tuple(replace(out, reason=line) for out, line in told)))

    def _watched(self, run: Callable[[Progress], SyncReport]) -> Iterator[Json]:
        seen: queue.SimpleQueue[Json] = queue.SimpleQueue()
        started: dict[str, float] = {}

        def progress(stage: str, done: int, total: int) -> None:
            stop_if_ending()
            if self._cancelled.is_set():
                raise Ended("Cancelled. What is done so far is kept.")
            seconds = time.monotonic() - started.setdefault(stage, time.monotonic())
            seen.put(listing.progress_view(stage, done, total, seconds))

        def work() -> None:
            seen.put(attempt(lambda: listing.report_view(run(progress)), listing.failure_view))
            give_back()

        self._cancelled.clear()
        threading.Thread(target=work, name=WORK, daemon=True).start()
        view = listing.progress_view("reading", 0, 0, 0.0)
        while view["kind"] == "progress":
            view = seen.get()
            while view["kind"] == "progress" and not seen.empty():  # only the latest is worth sending
                view = seen.get()
            yield view
            time.sleep(TICK if view["kind"] == "progress" else 0)


def add_uploaded(library: Library, files: Sequence[str] | None, progress: Progress = silent) -> SyncReport:
    """Index uploaded files and delete what the upload left in Gradio's folder; raises what `Library.add` raises."""
    paths = [Path(file) for file in files or []]
    if not paths:
        raise InputError("Choose at least one file.")
    if len(paths) > MOST_FILES:
        raise InputError(f"{len(paths):,} files at once are too many: add up to {MOST_FILES}.")
    try:
        return library.add(*paths, progress=progress)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
