"""Who reads, cuts and encodes: this process, others beside it, or those of a Ray cluster. One process alone writes.

`Workers` is what a run asks for; `Here` is this process with its pool of readers, `processes` and `on_ray` are the
others, each of whose workers is a `Worker`.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from rag.chunk import Chunker
from rag.errors import LoadError, ModelError, RagError
from rag.load.pool import Pool
from rag.models.encoder import embed_with_words, embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from rag.models.encoder import Embedder, Vectors, WordVectors
    from rag.records import Document, Passage

    Cut = tuple[Document, list[Passage]]
    Encoded = tuple[Vectors, list[WordVectors]]

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4  # files or batches for each worker that are begun before their turn


@dataclass(frozen=True, slots=True)
class File:
    """What is to be made a document of; `digest` is that of the archive that holds it, where one does."""

    uri: str
    data: bytes
    digest: str | None = None


class Workers(Protocol):
    """Those who do what a run needs, for one encoder."""

    def cut(self, files: Iterable[File]) -> Iterator[tuple[str, Cut | LoadError]]:
        """Yield the URI of each file, in order, with its document and passages, or with the reason for having none."""

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Encoded]:
        """Yield what `embed_with_words` returns for each batch of texts, in order; raises `ModelError`."""


class Here:
    """This process, which cuts and encodes, and readers beside it: those of `pool`, or its own."""

    def __init__(self, encoder: Embedder, pool: Pool | None = None) -> None:
        self._encoder, self._chunker = encoder, Chunker(encoder.count_tokens)
        self._pool, self._is_own = pool or Pool(), pool is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_own:
            self._pool.__exit__(*error)

    def cut(self, files: Iterable[File]) -> Iterator[tuple[str, Cut | LoadError]]:
        """Yield the URI of each file, in order, with its document and passages, or with the reason for having none."""
        read = self._pool.submit
        for file, reading in begun(files, lambda file: read(file.data, file.uri, file.digest), self._pool.workers):
            yield file.uri, cut(reading, self._chunker)

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Encoded]:
        """Yield what `embed_with_words` returns for each batch of texts, in order; raises `ModelError`."""
        return (embed_with_words(self._encoder, texts) for texts in batches)


class Worker:
    """One of those elsewhere, with an encoder of its own: that of a name, which must have the weights that are wanted.

    It cuts and encodes; a file that crashes or hangs what reads it fails alone, since that is a process besides.
    """

    def __init__(self, model: str, fingerprint: str) -> None:
        self._encoder = embedder(model)
        if self._encoder.fingerprint != fingerprint:
            raise ModelError(f"the encoder {model} is another one in a worker than here; give its full path or name")
        self._pool = Pool(workers=1)
        self._chunker = Chunker(self._encoder.count_tokens)

    def cut(self, file: File) -> Cut | LoadError:
        """Return a file's document and passages, or the reason for having none."""
        return cut(self._pool.submit(file.data, file.uri, file.digest), self._chunker)

    def embed(self, texts: Sequence[str]) -> Encoded:
        """Return what `embed_with_words` returns, but of the words' vectors only the signs, which is what stores keep.

        So a passage is some 20 KB to send, and not 150.
        """
        vectors, words = embed_with_words(self._encoder, texts)
        return vectors, [replace(each, vectors=_signs(each.vectors)) for each in words]


def _signs(vectors: Vectors) -> Vectors:
    return np.asarray(np.where(vectors > 0, 1, -1) / np.sqrt(vectors.shape[1]), np.float32)


class Served:
    """A `Worker` as those ask it who are elsewhere: requests and answers are bytes, its errors part of the answers.

    They are pickled, for both ends are this program; what a file holds comes along as text alone.
    """

    def __init__(self, model: str, fingerprint: str) -> None:
        self._made_of = (model, fingerprint)
        self._worker: Worker | None = None

    def answer(self, what: str, request: bytes) -> bytes:
        """Do what the worker's method `what` does, and return what `received` reads."""
        return answered(lambda: self._do(what, pickle.loads(request)))  # noqa: S301 - of this program

    def _do(self, what: str, given: Any) -> object:  # noqa: ANN401 - what the worker's method takes
        self._worker = self._worker or Worker(*self._made_of)
        return self._worker.cut(given) if what == "cut" else self._worker.embed(given)


def answered(work: Callable[[], object]) -> bytes:
    """Return what work returns, or the `RagError` that it raises, as `received` reads it."""
    found: object = None
    raised: RagError | None = None
    try:
        found = work()
    except RagError as error:
        raised = error
    return zlib.compress(pickle.dumps((found, raised)), 1)


def received(answer: bytes) -> Any:  # noqa: ANN401 - what the method returns
    """Return what a worker's method returned, or raise what it raised."""
    found, error = pickle.loads(zlib.decompress(answer))  # noqa: S301 - of this program
    if error:
        raise error
    return found


def cut(reading: Future[Document], chunker: Chunker) -> Cut | LoadError:
    """Wait for a document and return it with its passages, or the reason for having none."""
    try:
        document = reading.result()
    except LoadError as error:
        return error
    return document, chunker.passages(document)


def begun(items: Iterable[T], begin: Callable[[T], Future[R]], workers: int) -> Iterator[tuple[T, Future[R]]]:
    """Yield each item, in order, with what was begun for it: a few for each worker before their turn comes."""
    waiting: deque[tuple[T, Future[R]]] = deque()
    for item in items:
        waiting.append((item, begin(item)))
        while len(waiting) > AHEAD * workers or (waiting and waiting[0][1].done()):
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()
