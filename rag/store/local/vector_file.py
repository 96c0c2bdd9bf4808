"""The FAISS file: immutable, memory-mapped, of the kind that suits its size.

Up to `EXACT` vectors it has them as float16, as the catalog has, and search compares all; above, it has a byte for each
component, in lists by the nearest of some thousand centroids, of which a search reads a few. How many is chosen when
the lists are made: more until `RECALL` of the ten nearest of some passages' neighbours, found by comparing all, are
among the first twenty. Whoever searches scores these by the catalog's vectors.

FAISS answers from most damaged files as if nothing were wrong, so no byte is used unchecked. The catalog has the
SHA-256 of the whole, which is compared by `verify` alone: at a million vectors that takes half a second. It also has
the CRC32 of each part: of the head, which is all that FAISS reads when it opens the file, and of each list, or of all
vectors where there are no lists. The head is checked at opening, and so is all of a file up to `EAGER` bytes or without
lists, since its first search reads all of it anyway; a list is checked once in a process, when a search first comes to
it. A file that somebody found damaged is noted beside it, and the next writer makes it anew from the stored vectors.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import zlib
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import faiss
import numpy as np

from rag.errors import IndexCorrupt
from rag.store.encoding import decoding, matrix
from rag.store.local.files import is_marked, sync, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rag.models.encoder import Vectors
    from rag.store.local.catalog import Catalog

    Kind = Literal["float16", "bytes", "lists"]  # bytes without lists is what earlier versions wrote
    Selector = faiss.IDSelector | None

FaissIndex = Any  # its stubs do not have the attributes of the kinds

EXACT = 50_000
"""Vectors that are all compared, which takes 7 ms of one thread for so many; 100,000 in lists take 2."""

RECALL = 0.97
REFINED = 2  # times as many are found as are wanted where the order is not exact,
MORE = 10  # and so many more than are wanted are scored by the catalog's vectors
EAGER = 64_000_000

_BATCH = 10_000  # vectors that are read from the catalog at once
_TRAINED = 40  # vectors of each list that its centroid is found with
_ASKED = 60  # passages whose neighbours are looked for, to measure recall
_NOISE = 0.7  # length of what is added to their vectors: questions are that far from passages
_ID = 8  # bytes of a number in the file
_BLOCK = 1 << 20  # bytes that are written at once


@dataclass(frozen=True, slots=True)
class Published:
    """What the catalog remembers of the file.

    `parts` are bytes and CRC32 of the head and of what follows. `trained` is how many vectors there were when the
    kind, the `probes` (lists that a search reads) and the `recall` were found.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[tuple[int, int], ...]
    kind: Kind
    count: int
    trained: int
    probes: int
    recall: float

    @classmethod
    def of(cls, catalog: Catalog) -> Published | None:
        """Read what the catalog has; None before anything was written."""
        stored = catalog.get("vectors")
        with decoding("what it says of the vectors' file"):
            found = json.loads(stored) if stored else None
            return found and cls(**{**found, "parts": tuple((size, crc) for size, crc in found["parts"])})

    def __str__(self) -> str:
        """Say it for `rag status`."""
        if self.kind == "lists":
            return f"{len(self.parts) - 1} lists, {self.probes} read, recall {self.recall:.3f}"
        return {"float16": "exact", "bytes": f"a byte each, recall {self.recall:.3f}"}[self.kind]

    def keep(self, catalog: Catalog) -> None:
        """Make it what the catalog remembers."""
        catalog.put("vectors", json.dumps(asdict(self)))


class MappedFile:
    """The published file, opened without reading its vectors; raises `IndexCorrupt` for damage.

    Attributes:
        index: FAISS's own.
        lists: in how many its vectors lie.
    """

    def __init__(self, root: Path, published: Published) -> None:
        self.path, self.published = root / published.name, published
        self._starts = np.cumsum([0, *(size for size, _ in published.parts)])
        self._checked: set[int] = set()
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != published.size:
                    raise self._damaged("its size is not the published one")
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise IndexCorrupt(f"{self.path} cannot be read ({error}); the next rag index writes it anew") from error
        self.lists = len(published.parts) - 1 if published.kind == "lists" else 0
        self.check([0] if self.lists and published.size > EAGER else range(len(published.parts)))
        flag = faiss.IO_FLAG_MMAP if self.lists else faiss.IO_FLAG_MMAP_IFC
        try:
            self.index: FaissIndex = faiss.read_index(str(self.path), flag)
        except RuntimeError as error:
            raise self._damaged("FAISS cannot read it") from error

    def check(self, parts: Iterator[int] | range | list[int]) -> None:
        """Compare parts with their checksums, each once; raises `IndexCorrupt`."""
        for part in parts:
            if part in self._checked:
                continue
            with memoryview(self._bytes)[self._starts[part] : self._starts[part + 1]] as view:
                if zlib.crc32(view) != self.published.parts[part][1]:
                    raise self._damaged("its checksum is not the published one")
            self._checked.add(part)

    def check_all(self) -> None:
        """Compare the whole with what was published; raises `IndexCorrupt`."""
        self.check(range(len(self.published.parts)))
        if hashlib.sha256(self._bytes).hexdigest() != self.published.sha256:
            raise self._damaged("its hash is not the published one")

    def search(self, query: Vectors, k: int, only: Selector, probes: int) -> tuple[np.ndarray, np.ndarray]:
        """Return scores and numbers of the `k` nearest to a vector, shape (k,), in `probes` lists where there are any.

        Raises `IndexCorrupt` for a list that is damaged.
        """
        if not self.lists:
            return searched(self.index, query, k, only)
        faiss.omp_set_num_threads(1)
        _, near = self.index.quantizer.search(query[None, :], probes)  # those that the search below reads
        self.check([number + 1 for number in near[0].tolist() if number >= 0])
        limits = faiss.SearchParametersIVF(sel=only, nprobe=probes)  # type: ignore[call-arg]
        scores, found = self.index.search(query[None, :], k, params=limits)
        return scores[0], found[0]

    def _damaged(self, how: str) -> IndexCorrupt:
        return IndexCorrupt(f"{self.path} is damaged ({how}); the next rag index writes it anew")


def searched(index: FaissIndex, query: Vectors, k: int, only: Selector) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and numbers of the `k` nearest vectors of an index without lists; FAISS pads with number -1."""
    faiss.omp_set_num_threads(1)  # for this thread: two take 38 ms for one query of 100,000 vectors, one takes 17
    limits = None if only is None else faiss.SearchParameters(sel=only)  # type: ignore[call-arg]
    scores, numbers = index.search(query[None, :], min(k, max(index.ntotal, 1)), params=limits)
    return scores[0], numbers[0]


def is_intact(root: Path, published: Published) -> bool:
    """Tell whether a file is what was published, as far as opening it shows, and nobody found it damaged."""
    try:
        MappedFile(root, published)
    except IndexCorrupt:
        return False
    return not is_marked(root / published.name)


def in_memory(catalog: Catalog, dimension: int) -> FaissIndex:
    """Make an index of all vectors, as one of the smallest file."""
    form = faiss.ScalarQuantizer.QT_fp16
    index: FaissIndex = faiss.IndexIDMap(faiss.IndexScalarQuantizer(dimension, form, faiss.METRIC_INNER_PRODUCT))
    for numbers, vectors in _batches(catalog, dimension):
        index.add_with_ids(vectors, numbers)
    return index


def write(root: Path, name: str, catalog: Catalog, dimension: int) -> Published:
    """Write a new file so that it is wholly there or not at all, also after a power cut; raises `StoreError`.

    It holds all vectors of the catalog. Where that pays, the present file is taken over with what changed since.
    """
    before = Published.of(catalog)
    made = _grown(root, before, catalog, dimension) if before else None
    index, kind, trained, probes, recall = made or _made(catalog, dimension)
    path, temporary = root / name, root / f".{name}.{os.getpid()}.tmp"
    try:
        with writing(path):
            with temporary.open("w+b") as file:
                # FAISS's own writer prints that a disk was full at the end, and goes on
                faiss.write_index(index, faiss.PyCallbackIOWriter(file.write, _BLOCK))  # type: ignore[attr-defined]
                file.flush()
                os.fsync(file.fileno())
                size, digest = file.tell(), hashlib.sha256()
                file.seek(0)
                parts = tuple(_parts(file, _sizes(index, size), digest))
            temporary.replace(path)
            sync(root)
    finally:
        temporary.unlink(missing_ok=True)
    return Published(name, size, digest.hexdigest(), parts, kind, index.ntotal, trained, probes, recall)


def _sizes(index: FaissIndex, size: int) -> list[int]:
    """Return how many bytes of a file of this size are its head, and each of its lists, or all its vectors."""
    if isinstance(index, faiss.IndexIDMap):
        rest = [index.ntotal * (index.index.sa_code_size() + _ID)]
    else:
        lists = index.invlists
        rest = [lists.list_size(number) * (lists.code_size + _ID) for number in range(lists.nlist)]
    return [size - sum(rest), *rest]


def _parts(file: BinaryIO, sizes: Sequence[int], digest: hashlib._Hash) -> Iterator[tuple[int, int]]:
    """Yield bytes and CRC32 of each part, and add it to the digest of the whole."""
    for size in sizes:
        data = file.read(size)
        digest.update(data)
        yield size, zlib.crc32(data)


def kind_for(count: int) -> Kind:
    """Return what suits so many vectors."""
    return "float16" if count <= EXACT else "lists"


def _empty_lists(dimension: int, lists: int) -> FaissIndex:
    index: FaissIndex = faiss.index_factory(dimension, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False
    return index


def _batches(catalog: Catalog, dimension: int, step: int = 1) -> Iterator[tuple[np.ndarray, Vectors]]:
    """Yield numbers and vectors of the catalog, so many at once."""
    found = catalog.vectors(step)
    while part := list(islice(found, _BATCH)):
        numbers, rows = zip(*part, strict=True)
        yield np.array(numbers, np.int64), matrix(rows, dimension)


def _count(catalog: Catalog) -> int:
    """Return how many passages have a vector."""
    return catalog.count("passages") - sum(catalog.waiting().values())


Made = tuple[FaissIndex, "Kind", int, int, float]


def _made(catalog: Catalog, dimension: int) -> Made:
    """Make an index of all vectors: its kind, their number, the lists to read, and the recall that it reaches."""
    count = _count(catalog)
    kind = kind_for(count)
    if kind == "float16":
        return in_memory(catalog, dimension), kind, count, 0, 1.0
    lists = 2 ** round(np.log2(4 * np.sqrt(count)))
    index = _empty_lists(dimension, lists)
    index.train(_every(catalog, dimension, max(1, count // (_TRAINED * lists))))
    asked = _asked(catalog, dimension, count)
    best = np.full((len(asked), 10), -np.inf, np.float32), np.full((len(asked), 10), -1, np.int64)
    for numbers, vectors in _batches(catalog, dimension):
        index.add_with_ids(vectors, numbers)
        best = _nearest(best, asked @ vectors.T, numbers)
    probes = 16
    while (recall := _recall(index, asked, best[1], probes)) < RECALL and probes < lists:
        probes *= 2
    return index, kind, count, probes, recall


def _every(catalog: Catalog, dimension: int, step: int) -> Vectors:
    """Return the vectors of every so manyth passage."""
    return np.concatenate([vectors for _, vectors in _batches(catalog, dimension, step)])


def _asked(catalog: Catalog, dimension: int, count: int) -> Vectors:
    """Return vectors near to those of some passages, as of questions about them."""
    some = _every(catalog, dimension, max(1, count // _ASKED))
    noise = np.random.default_rng(0).standard_normal(some.shape).astype(np.float32)
    some += _NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return cast("Vectors", some / np.linalg.norm(some, axis=1, keepdims=True))


def _nearest(
    best: tuple[np.ndarray, np.ndarray], scores: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best ten of each row, of those so far and of more: their scores and their numbers."""
    scores = np.hstack([best[0], scores])
    all_numbers = np.hstack([best[1], np.broadcast_to(numbers, (len(scores), len(numbers)))])
    order = np.argpartition(-scores, 9, axis=1)[:, :10]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(all_numbers, order, 1)


def _recall(index: FaissIndex, asked: Vectors, nearest: np.ndarray, probes: int) -> float:
    """Return the share of the ten nearest that are among the first that a search finds."""
    limits = faiss.SearchParametersIVF(nprobe=probes)  # type: ignore[call-arg]
    _, found = index.search(asked, 10 + MORE, params=limits)
    shares = [np.isin(right, numbers).mean() for right, numbers in zip(nearest, found, strict=True)]
    return float(np.mean(shares)) if shares else 1.0


def _grown(root: Path, before: Published, catalog: Catalog, dimension: int) -> Made | None:
    """Return the present index with what changed since; None where it is damaged, or another suits better."""
    count = _count(catalog)
    if kind_for(count) != before.kind or count > 2 * before.trained or before.kind == "float16":
        return None
    try:
        MappedFile(root, before).check_all()
    except IndexCorrupt:
        return None
    index: FaissIndex = faiss.read_index(str(root / before.name))
    index.remove_ids(np.array(catalog.numbers_gone(), np.int64))
    rows = dict(catalog.vectors_of(catalog.numbers_beside()))
    index.add_with_ids(matrix(rows.values(), dimension), np.array(list(rows), np.int64))
    return index, before.kind, before.trained, before.probes, before.recall
