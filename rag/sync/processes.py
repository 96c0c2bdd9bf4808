"""Workers that are processes of this machine. One that dies is replaced, and what it was doing is done again.

The other end of the pipe is `main`: a request is a file to cut or texts to encode, an answer what became of it.
"""

from __future__ import annotations

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from rag.errors import LoadError, ModelError
from rag.load.child import Child, ChildLost
from rag.load.worker import end_with, receive, send
from rag.sync.workers import Served, begun, received

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from rag.models.encoder import Embedder
    from rag.sync.workers import Cut, Encoded, File

_TRIES = 3
_FOR_EVER = 1_000_000  # seconds: what takes long inside has limits of its own


class Processes:
    """So many processes for an encoder that has a name. Use it as a context manager: at its end all of them end."""

    def __init__(self, count: int, encoder: Embedder) -> None:
        self._threads = ThreadPoolExecutor(count)
        self._all = [Child(__name__, encoder.name, encoder.fingerprint) for _ in range(count)]
        self._free: SimpleQueue[Child] = SimpleQueue()
        for child in self._all:
            self._free.put(child)
        self._ends = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        for child in self._all:
            child.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in self._all:
            child.stop()

    def cut(self, files: Iterable[File]) -> Iterator[tuple[str, Cut | LoadError]]:
        """Yield the URI of each file, in order, with its document and passages, or with the reason for having none."""
        for file, cutting in begun(files, partial(self._begin, "cut"), len(self._all)):
            try:
                yield file.uri, cutting.result()
            except ChildLost as lost:
                yield file.uri, LoadError(f"{file.uri}: {lost}, {_TRIES} times; the rest goes on")

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Encoded]:
        """Yield what `embed_with_words` returns for each batch of texts, in order; raises `ModelError`."""
        for _, encoding in begun(batches, partial(self._begin, "embed"), len(self._all)):
            try:
                yield encoding.result()
            except ChildLost as lost:
                raise ModelError(f"a batch of texts: {lost}, {_TRIES} times; try fewer --workers") from None

    def _begin(self, what: str, given: File | Sequence[str]) -> Future[Any]:
        return self._threads.submit(self._ask, what, pickle.dumps(given))

    def _ask(self, what: str, given: bytes) -> Any:  # noqa: ANN401 - what the worker's method of that name returns
        child, lost = self._free.get(), 0
        try:
            while not self._ends:
                try:
                    return received(child.ask({"do": what}, given, _FOR_EVER)[1])
                except ChildLost:
                    lost += 1
                    if lost == _TRIES:
                        raise
            raise ChildLost("was ended")
        finally:
            self._free.put(child)


def main(descriptor: str, model: str, fingerprint: str) -> None:
    """Serve until the owner closes the pipe (open as this descriptor), or is gone."""
    pipe = Connection(int(descriptor))
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    served = Served(model, fingerprint)
    while True:
        try:
            header, data = receive(pipe)
        except EOFError:
            return
        send(pipe, {}, served.answer(header["do"], data))
