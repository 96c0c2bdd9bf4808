"""Keeps an index level with files while they change: the system says what changed, and each batch of it is indexed.

Two things are listened to: folders with all that is in them, and the folders around the named paths, since a file that
an editor saves is often a new one in the place of the old, and a folder may go and come again.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from rag.errors import InputError, RagError
from rag.records import Progress, never, silent
from rag.sync.walk import NAME, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence
    from contextlib import AbstractContextManager

    from rag.records import SyncReport

    News = set[str] | Exception

_QUIET = 150  # milliseconds without a change that end a batch,
_LONGEST = 1_000  # and how long a batch may grow while there is no quiet
_RETRY = 2.0  # seconds after which a batch that failed is tried again
_HINT = "raise fs.inotify.max_user_watches, or set WATCHFILES_FORCE_POLLING=1"


class _Indexed(Protocol):
    """What can be brought level: a `Library`. Changes in its own folder `root` are not listened to."""

    @property
    def root(self) -> Path: ...

    def readers_kept(self) -> AbstractContextManager[None]: ...

    def index(
        self,
        *paths: str | Path,
        changed: Collection[str | Path] | None = None,
        progress: Progress = silent,
        until: Callable[[], bool] = never,
    ) -> SyncReport: ...


def watch(
    library: _Indexed,
    paths: Sequence[str | Path],
    *,
    progress: Progress = silent,
    stop: threading.Event | None = None,
) -> Generator[SyncReport | RagError, None, None]:
    """Index files and folders, then again whatever changes in them, until `stop` is set.

    What changes while vectors are made is read at once, and then these go on.

    Yields:
        the report of the first run, of each batch that changed something, and of the first that succeeds after one that
        failed. For a batch that failed, its error, once: it is tried again, together with what changes meanwhile.

    Raises:
        RagError: what `Library.index` raises in the first run; `InputError` also when the system cannot watch a path.
    """
    stop = stop or threading.Event()
    _check(paths)
    roots, index = [uri_of(Path(path)) for path in paths], os.path.realpath(library.root)
    with library.readers_kept(), closing(_Changes(roots, index, stop)) as changes:
        # After listening began, so that what changes meanwhile comes again; an empty folder may be filled later.
        report = library.index(*paths, changed=paths, progress=progress, until=changes.are_there)
        yield report
        waiting: set[str] = set()
        failure: str | None = None
        while not stop.is_set():
            waiting |= changes.next(0 if report.waiting else _RETRY)
            if stop.is_set() or not (waiting or report.waiting):
                continue
            try:
                report = library.index(*paths, changed=sorted(waiting), until=changes.are_there)
            except RagError as error:
                if str(error) != failure:
                    yield error
                failure = str(error)
                stop.wait(_RETRY)
            else:
                if failure or any(outcome.state != "unchanged" for outcome in report.outcomes):
                    yield report
                waiting, failure = set(), None


def _check(paths: Sequence[str | Path]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise InputError(f"{path} does not exist; check the path")


class _Changes:
    """What changes below some paths, until `stop`. Hidden and backup files, and the index itself, are passed over."""

    def __init__(self, roots: list[str], index: str, stop: threading.Event) -> None:
        self._roots = roots
        self._index = index
        self._stop = stop
        self._news: SimpleQueue[News] = SimpleQueue()
        self._seen: set[str] = set()  # and not returned yet
        around = sorted({os.path.dirname(root) for root in roots})  # noqa: PTH120
        self._end_around = _listen(around, self._news, recursive=False)
        self._end_inside = self._listen_inside()

    def close(self) -> None:
        self._end_around()
        self._end_inside()

    def are_there(self) -> bool:
        """Tell whether `next` has something to return, or to raise; or whether it is to be the end."""
        with suppress(Empty):
            while True:
                news = self._news.get_nowait()
                if isinstance(news, Exception):
                    self._news.put(news)
                    return True
                self._seen |= {path for path in news if self._concerns(path)}
        return bool(self._seen) or self._stop.is_set()

    def next(self, seconds: float) -> set[str]:
        """Wait for changes, at most so long, and return the paths."""
        found = self._received(0 if self._seen else seconds) | self._seen
        self._seen = set()
        if not found.isdisjoint(self._roots):
            self._end_inside()  # a folder that came again is another one
            self._end_inside = self._listen_inside()
        return {path for path in found if self._concerns(path)}

    def _received(self, seconds: float) -> set[str]:
        found: set[str] = set()
        try:
            news = self._news.get(timeout=seconds)
            while True:
                if isinstance(news, Exception):
                    raise InputError(f"changes cannot be watched ({news}); {_HINT}") from news
                found |= news
                news = self._news.get_nowait()
        except Empty:
            return found

    def _listen_inside(self) -> Callable[[], None]:
        return _listen([root for root in self._roots if os.path.isdir(root)], self._news, recursive=True)  # noqa: PTH112

    def _concerns(self, path: str) -> bool:
        around = [root for root in self._roots if f"{path}/".startswith(f"{root.rstrip('/')}/")]
        root = max(around, key=len, default=None)  # the innermost: a hidden folder may be named itself
        if root is None or f"{os.path.realpath(path)}/".startswith(f"{self._index}/"):
            return False
        *folders, name = path.removeprefix(root).split("/")
        hidden = any(folder.startswith(".") for folder in folders) or (name.startswith(".") and name != NAME)
        return not hidden and not name.endswith("~")


class _End:
    """Ends a thread that listens. It is asked before each wait, so once it has been asked, the listening has begun."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), False

    def is_set(self) -> bool:
        self.begun.set()
        return self.over


def _listen(folders: Sequence[str], news: SimpleQueue[News], *, recursive: bool) -> Callable[[], None]:
    """Put the paths that change from now on into a queue, in a thread, and return what ends it.

    An error ends it, too, and is put there.
    """
    stop = _End()

    def run() -> None:
        import watchfiles

        try:
            if not folders:
                return
            for changes in watchfiles.watch(
                *folders,
                watch_filter=None,
                debounce=_LONGEST,
                step=_QUIET,
                stop_event=stop,
                rust_timeout=0,  # none: a change that comes while one ends is lost (watchfiles 1.3)
                recursive=recursive,
                ignore_permission_denied=True,
            ):
                news.put({path for _, path in changes})
        except (OSError, RuntimeError) as error:  # the second is what watchfiles raises for an error of the system
            news.put(error)
        finally:
            stop.begun.set()

    def end() -> None:
        stop.over = True
        thread.join()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stop.begun.wait()
    return end
