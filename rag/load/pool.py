"""Files read in processes of their own: one that crashes, hangs or fills the memory fails alone.

Workers start when the first file needs one, and are used for many files. Short plain text and Markdown is read here: it
needs no parser that could be brought down, and there may be thousands of such files.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePath
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from rag.errors import LoadError, Skipped
from rag.load import load_bytes
from rag.load.child import Child, ChildLost
from rag.load.pdf.rectangles import Rectangle
from rag.load.worker import SECONDS, seconds_for
from rag.records.codec import document_from_json, document_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.records import Document, Span

_WITHOUT_PARSER = frozenset({".txt", ".text", ".md", ".markdown"})
_SHORT = 100_000  # bytes
_MOST_WORKERS = 4


class Pool:
    """Reads files in parallel. Use it as a context manager: at its end all of its processes end.

    Args:
        workers: how many; without it, one for each processor, at most 4.
        seconds: that a file may take, by the clock on the wall; a large one more, by its size.
    """

    def __init__(self, workers: int | None = None, seconds: float = SECONDS) -> None:
        self.workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(self.workers)
        self._all = [Child("rag.load.worker") for _ in range(self.workers)]
        self._free: SimpleQueue[Child] = SimpleQueue()
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
            outcome, content = worker.ask(header, data, self._seconds + seconds_for(len(data), header))
            if "last" in outcome:
                worker.stop()
        except ChildLost as lost:
            raise LoadError(f"{header['uri']}: {lost}; the rest goes on") from None
        finally:
            self._free.put(worker)
        if "skipped" in outcome:
            raise Skipped(outcome["skipped"])
        if "failed" in outcome:
            raise LoadError(outcome["failed"])
        return outcome, content
