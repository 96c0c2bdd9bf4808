"""Files read in processes of their own: one that crashes, hangs or fills the memory fails alone.

Workers start when the first file needs one, and are used for many files. Short plain text and Markdown is read here: it
needs no parser that could be brought down, and there may be thousands of such files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from rag.errors import LoadError, Skipped
from rag.load import load_bytes
from rag.load.pdf.rectangles import Rectangle
from rag.load.worker import SECONDS, receive, send
from rag.records.codec import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rag.records import Document, Span

_HERE = frozenset({".txt", ".text", ".md", ".markdown"})
_SHORT = 100_000  # bytes
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from rag.load.worker import main; main()"
_MOST_WORKERS = 4


class Pool:
    """Reads files in parallel. Use it as a context manager: at its end all of its processes end.

    Args:
        workers: how many; without it, one for each processor, at most 4.
        seconds: that a file may take, by the clock on the wall.
    """

    def __init__(self, workers: int | None = None, seconds: float = SECONDS) -> None:
        self.workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(self.workers)
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(self.workers):
            self._free.put(_Worker())
        self._all: set[_Worker] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self._all):
            worker.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in list(self._all):
            worker.stop()

    def submit(self, data: bytes, uri: str, digest: str | None = None) -> Future[Document]:
        """Begin to read a file. The result is what `load_bytes` returns, or raises; a crash is a `LoadError`.

        `digest` is that of the archive that holds the file.
        """
        if digest is not None or len(data) > _SHORT or PurePath(uri).suffix.lower() not in _HERE:
            return self._threads.submit(self._read, data, uri, digest)
        done: Future[Document] = Future()
        try:
            done.set_result(load_bytes(data, uri))
        except LoadError as error:
            done.set_exception(error)
        return done

    def places(
        self, data: bytes, document: Document, span: Span, page: int | None = None
    ) -> tuple[list[Rectangle], bytes]:
        """Return where on the pages of a PDF a span of its document stands, and PNG of a page with the span marked.

        Without `page` there is no picture (no bytes). Raises `LoadError`.
        """
        head = to_json(document)
        header = {"uri": document.uri, "document": len(head), "span": [span.start, span.end], "page": page}
        answer, drawn = self._ask(header, head + data)
        return [Rectangle(*each) for each in answer["rectangles"]], drawn

    def _read(self, data: bytes, uri: str, digest: str | None) -> Document:
        document = from_json(self._ask({"uri": uri}, data)[1])
        return replace(document, digest=digest) if digest else document

    def _ask(self, header: Mapping[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        worker = self._free.get()
        self._all.add(worker)
        try:
            return worker.ask(header, data, self._seconds)
        finally:
            self._free.put(worker)


class _Worker:
    """One process, started when it is needed and started anew after a file that brought it down."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, header: Mapping[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Let the process do something with a file."""
        process = self._running()
        late = threading.Event()
        with _deadline(process, late, seconds):
            answer = _ask(process, header, data)
        while answer and "wait" in answer[0]:  # one page of many is done
            with _deadline(process, late, answer[0]["wait"]):
                answer = _received(process)
        if answer is None:
            cause = self._cause(process, late=late.is_set(), seconds=seconds)
            raise LoadError(f"{header['uri']}: {cause}; the rest goes on")
        outcome, _ = answer
        if "last" in outcome:
            self.stop()
        if "skipped" in outcome:
            raise Skipped(outcome["skipped"])
        if "failed" in outcome:
            raise LoadError(outcome["failed"])
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            # Isolated, so that no file in the working folder passes for a module; by itself, so that Ctrl-C does not
            # reach it and the owner decides; one thread for numpy, whose buffers would fill the memory it may have.
            self._process = subprocess.Popen(  # noqa: S603 - this same Python
                [sys.executable, "-I", "-c", _START, json.dumps([path for path in sys.path if path] or [os.getcwd()])],  # noqa: PTH109
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
            )
        return self._process

    def _cause(self, process: subprocess.Popen[bytes], *, late: bool, seconds: float) -> str:
        """Say why the process is gone."""
        try:
            code = process.wait(1)  # it may be about to end, with a code that says more than being killed does
        except subprocess.TimeoutExpired:
            _kill(process)
            code = process.wait()
        self.stop()
        if late or code == -signal.SIGXCPU:
            return f"took more than {seconds:g} s to read"
        if code < 0:
            return f"brought its reader down ({signal.Signals(-code).name})"
        return f"its reader gave up (exit {code})"

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was still to be written has no reader any more


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started: it leads a group of its own."""
    try:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it was faster


@contextmanager
def _deadline(process: subprocess.Popen[bytes], late: threading.Event, seconds: float) -> Iterator[None]:
    """End the process when this takes longer."""

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _ask(
    process: subprocess.Popen[bytes], header: Mapping[str, Any], data: bytes
) -> tuple[dict[str, Any], bytes] | None:
    """Send a file and return the answer; None when the process is gone."""
    assert process.stdin is not None
    try:
        send(process.stdin, header, data)
    except (OSError, ValueError):  # the pipe broke or was closed under our feet
        return None
    return _received(process)


def _received(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], bytes] | None:
    assert process.stdout is not None
    try:
        return receive(process.stdout)
    except (OSError, ValueError):
        return None
