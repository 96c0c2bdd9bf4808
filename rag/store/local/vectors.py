"""The dense half: an immutable FAISS file, and beside it what changed since it was written. Exact search.

The vectors of passages' words, which late interaction compares, are in the catalog: the signs of every other
component, 24 bytes a word for 384 dimensions. benchmarks/retrieval/README.md has what that loses against whole
vectors: nothing that could be measured.
"""

from __future__ import annotations

import hashlib
import logging
import os
from typing import TYPE_CHECKING, cast

import faiss
import numpy as np

from rag.errors import IndexCorrupt
from rag.store.local import files
from rag.store.local.connection import decoding
from rag.store.local.files import holds_too_much, sync_folder, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rag.models.encoder import Vectors
    from rag.records.index import Recipe
    from rag.store.local.catalog import Catalog

_log = logging.getLogger("rag")


class VectorIndex:
    """Exact cosine search over live vectors: those of the file that still live, and the later ones in memory.

    Numbers are the catalog's passage numbers, vectors have unit length.
    """

    def __init__(self, main: faiss.IndexIDMap2 | None, live: Sequence[int], dimension: int) -> None:
        self._main = main
        self._dimension = dimension
        in_file = np.zeros(0, np.int64) if main is None else _numbers(main)
        wanted = np.asarray(live, np.int64)
        self.missing: NDArray[np.int64] = np.setdiff1d(wanted, in_file)
        self.gone: NDArray[np.int64] = np.setdiff1d(in_file, wanted)
        self._tail = _empty(dimension)
        self._size = len(wanted)

    @property
    def stale(self) -> bool:
        """Whether so much has changed that a new file pays."""
        many = len(self.missing) + len(self.gone) > files.SHARE * max(self._size, 1)
        return many or holds_too_much(len(self.gone), self._size)

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Put later vectors, shape (len(numbers), dimension), beside the file."""
        if len(numbers):
            self._tail.add_with_ids(vectors, np.asarray(numbers, np.int64))

    def vectors(self) -> tuple[NDArray[np.int64], Vectors]:
        """Return the numbers and vectors, shape (numbers, dimension), of all that is searched, gone ones included."""
        parts = [index for index in (self._main, self._tail) if index is not None]
        vectors = [faiss.downcast_index(part.index).reconstruct_n(0, part.ntotal) for part in parts if part.ntotal]
        return np.concatenate([_numbers(part) for part in parts]), np.concatenate(
            [np.zeros((0, self._dimension), np.float32), *vectors]
        )

    def search(self, query: Vectors, k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return (number, cosine) of the `k` nearest live vectors to a unit vector, best first, ties by number.

        With `among`, numbers of live passages, only these are searched.
        """
        only = None if among is None else faiss.IDSelectorBatch(np.asarray(among, np.int64))
        living = faiss.IDSelectorNot(faiss.IDSelectorBatch(self.gone)) if len(self.gone) else None
        found: list[tuple[int, float]] = []
        if self._main is not None:
            found += _search(self._main, query, k, only or living)
        found += _search(self._tail, query, k, only)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]


def document_means(index: VectorIndex, documents: Mapping[int, int]) -> Callable[[int], Vectors]:
    """Return what gives the mean direction, shape (dimension,), of the document of a passage by the passage's number.

    `documents` are the document of each passage by number, counted from 0 without gaps. Nothing of it is stored.
    """
    numbers, vectors = index.vectors()
    rows = np.fromiter((documents.get(number, -1) for number in numbers.tolist()), np.int64, len(numbers))
    sums = np.zeros((1 + max(documents.values(), default=-1), vectors.shape[1]), np.float32)
    np.add.at(sums, rows[rows >= 0], vectors[rows >= 0])
    means: Vectors = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return lambda number: means[documents[number]]


def _search(index: faiss.Index, query: Vectors, k: int, among: faiss.IDSelector | None) -> Iterable[tuple[int, float]]:
    k = min(k, index.ntotal)
    if k == 0:
        return []
    faiss.omp_set_num_threads(1)  # for this thread: two take 38 ms for one query of 100,000 vectors, one takes 17
    limits = None if among is None else faiss.SearchParameters(sel=among)  # type: ignore[call-arg]
    scores, numbers = index.search(query[None, :], k, params=limits)
    pairs = zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
    return [(number, score) for number, score in pairs if number >= 0]  # FAISS pads with -1


def _numbers(index: faiss.IndexIDMap2) -> NDArray[np.int64]:
    return np.asarray(faiss.vector_to_array(index.id_map), np.int64)


def _empty(dimension: int) -> faiss.IndexIDMap2:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))


def write(folder: Path, name: str, numbers: Sequence[int], vectors: Vectors) -> dict[str, str]:
    """Write a new file so that it is wholly there or not at all, also after a power cut; raises `StoreError`.

    Returns what the catalog is to remember of it: its name, its size in bytes and its SHA-256.
    """
    index = _empty(vectors.shape[1])
    index.add_with_ids(vectors, np.asarray(numbers, np.int64))
    data = faiss.serialize_index(index).tobytes()
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    try:
        with writing(folder / name):
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / name)
            sync_folder(folder)
    finally:
        temporary.unlink(missing_ok=True)
    sha256 = hashlib.sha256(data).hexdigest()
    return {"vectors_file": name, "vectors_size": str(len(data)), "vectors_sha256": sha256}


def read_published(root: Path, catalog: Catalog) -> faiss.IndexIDMap2 | None:
    """Read the file that the catalog names; None when it names none.

    Its size and hash are checked first, FAISS itself answers from most damaged files: raises `IndexCorrupt`.
    """
    name, size, sha256 = (catalog.get(f"vectors_{part}") for part in ("file", "size", "sha256"))
    if name is None or size is None or sha256 is None:
        return None
    path = root / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IndexCorrupt(f"{path} cannot be read ({error.strerror}); the next rag index writes it anew") from error
    if str(len(data)) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise IndexCorrupt(f"{path} is damaged (its hash is not the published one); the next rag index writes it anew")
    return cast("faiss.IndexIDMap2", faiss.deserialize_index(np.frombuffer(data, np.uint8)))


def open_index(root: Path, catalog: Catalog, recipe: Recipe) -> VectorIndex:
    """Return the index of the catalog's generation; from the stored vectors where the file is unusable."""
    live = catalog.numbers(recipe.fingerprint)
    try:
        index = VectorIndex(read_published(root, catalog), live, recipe.dimension)
    except IndexCorrupt as error:
        _log.warning("%s", error)
        index = VectorIndex(None, live, recipe.dimension)
    rows = dict(catalog.vectors(recipe.fingerprint, index.missing.tolist()))
    index.add(list(rows), matrix(rows.values(), recipe.dimension))
    return index


def matrix(rows: Iterable[bytes], dimension: int) -> Vectors:
    """Decode stored vectors, shape (rows, dimension); raises `IndexCorrupt`."""
    with decoding("a vector"):
        found = [np.frombuffer(row, np.float32) for row in rows]
        if any(row.shape != (dimension,) for row in found):
            raise ValueError(f"not {dimension} numbers")
        return np.stack(found) if found else np.zeros((0, dimension), np.float32)


def pack_words(vectors: Vectors) -> bytes:
    """Encode vectors of shape (words, dimension), row after row."""
    return np.packbits(vectors[:, ::2] > 0, axis=1).tobytes()


def word_similarities(asked: Vectors, weights: Vectors, packed: Mapping[str, bytes]) -> dict[str, float]:
    """Return how well each text matches: the weighted mean, over words asked for, of the best cosine with one of its.

    Args:
        asked: unit vectors, shape (words, dimension).
        weights: of these words, shape (words,); they add up to 1.
        packed: the words of each text; those without any are left out; `IndexCorrupt` for another dimension.
    """
    halves = asked[:, ::2]
    bits, width = halves.shape[1], -(-halves.shape[1] // 8)
    found = {id_: row for id_, row in packed.items() if row}
    if not found or not len(asked):
        return {}
    with decoding("the words of a passage"):
        rows = np.frombuffer(b"".join(found.values()), np.uint8).reshape(-1, width)
        lengths = [len(row) / width for row in found.values()]
        starts = np.cumsum([0, *lengths[:-1]]).astype(np.int64)
        if any(length % 1 for length in lengths):
            raise ValueError(f"not {width} bytes a word")
    signs = np.unpackbits(rows, axis=1, count=bits).astype(np.float32) * 2 - 1
    units = halves / np.maximum(np.linalg.norm(halves, axis=1, keepdims=True), 1e-12)
    best = np.maximum.reduceat(signs @ units.T / np.sqrt(bits), starts, axis=0)
    return dict(zip(found, (best @ weights).tolist(), strict=True))
