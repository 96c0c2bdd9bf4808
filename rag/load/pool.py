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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import PurePath
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from rag.errors import LoadError, Skipped
from rag.load import load_bytes
from rag.load.pdf.rectangles import Rectangle
from rag.load.worker import SECONDS, receive, send
from rag.records.codec import document_from_json, document_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from rag.records import Document, Span

_WITHOUT_PARSER = frozenset({".txt", ".text", ".md", ".markdown"})
_SHORT = 100_000  # bytes
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from rag.load import worker; worker.main(sys.argv[2])"
)
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
        self._all = [_Worker() for _ in range(self.workers)]
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._all:
            self._free.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._all:
            worker.stop()

    def submit(self, data: bytes, uri: str, digest: str | None = None) -> Future[Document]:
        """Begin to read a file. The result is what `load_bytes` returns, or raises; a crash is a `LoadError`.

        `digest` is that of the archive that holds the file.
        """
        if digest is not None or len(data) > _SHORT or PurePath(uri).suffix.lower() not in _WITHOUT_PARSER:
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
        head = document_to_json(document)
        header = {"uri": document.uri, "document": len(head), "span": [span.start, span.end], "page": page}
        answer, drawn = self._ask(header, head + data)
        return [Rectangle(*each) for each in answer["rectangles"]], drawn

    def _read(self, data: bytes, uri: str, digest: str | None) -> Document:
        document = document_from_json(self._ask({"uri": uri}, data)[1])
        return replace(document, digest=digest) if digest else document

    def _ask(self, header: Mapping[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        worker = self._free.get()
        try:
            return worker.ask(header, data, self._seconds)
        finally:
            self._free.put(worker)


class _Worker:
    """One process, started when it is needed and started anew after a file that brought it down."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def ask(self, header: Mapping[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Let the process do something with a file."""
        process, pipe = self._running()
        try:
            outcome, content = _answer(pipe, header, data, seconds)
        except (OSError, EOFError) as error:
            cause = self._cause(process, late=isinstance(error, TimeoutError), seconds=seconds)
            raise LoadError(f"{header['uri']}: {cause}; the rest goes on") from None
        if "last" in outcome:
            self.stop()
        if "skipped" in outcome:
            raise Skipped(outcome["skipped"])
        if "failed" in outcome:
            raise LoadError(outcome["failed"])
        return outcome, content

    def _running(self) -> tuple[subprocess.Popen[bytes], Connection]:
        if self._process is None or self._pipe is None or self._process.poll() is not None:
            self._pipe, other = Pipe()
            # Isolated, so that no file in the working folder passes for a module; by itself, so that Ctrl-C does not
            # reach it and the owner decides; one thread for numpy, whose buffers would fill the memory it may have.
            path = [entry for entry in sys.path if entry] or [os.getcwd()]  # noqa: PTH109
            with other:
                self._process = subprocess.Popen(  # noqa: S603 - this same Python
                    [sys.executable, "-I", "-c", _START, json.dumps(path), str(other.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[other.fileno()],
                    start_new_session=True,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
                )
        return self._process, self._pipe

    def _cause(self, process: subprocess.Popen[bytes], *, late: bool, seconds: float) -> str:
        try:
            code = process.wait(0 if late else 1)  # it may be about to end, with a code that says more than a kill does
        except subprocess.TimeoutExpired:
            code = _kill(process)
        self.stop()
        if late or code == -signal.SIGXCPU:
            return f"took more than {seconds:g} s to read"
        if code < 0:
            return f"brought its reader down ({signal.Signals(-code).name})"
        return f"its reader gave up (exit {code})"

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process, self._pipe = self._process, None, None
        if process is not None:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> int:
    """End a process and those that it started, since it leads a group of its own; return its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it was faster
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _answer(pipe: Connection, header: Mapping[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
    """Send a file and wait for the answer; raises TimeoutError, and OSError or EOFError when the process is gone."""
    send(pipe, header, data)
    while pipe.poll(seconds):
        outcome, content = receive(pipe)
        if "wait" not in outcome:
            return outcome, content
        seconds = outcome["wait"]  # for one page of many
    raise TimeoutError
