"""The dense half: the FAISS file, and beside it what changed since it was written, as the catalog lists it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import faiss
import numpy as np

from rag.errors import IndexCorrupt
from rag.store.encoding import matrix
from rag.store.local import files, vector_file
from rag.store.local.files import holds_too_much, is_marked, mark_damaged
from rag.store.local.vector_file import MORE, REFINED, FaissIndex, MappedFile, Published, searched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rag.models.encoder import Vectors
    from rag.store.local.catalog import Catalog

    Numbers = NDArray[np.int64]

_log = logging.getLogger("rag")

MOST_BESIDE = 10_000
"""Vectors beside the file at most: reading them takes a tenth of a second, and they take 15 MB."""


class VectorIndex:
    """Search over the vectors of one generation; numbers are the catalog's passage numbers. Never changed.

    Args:
        main: the file; or all vectors in memory, where it is damaged; or nothing.
        gone: numbers in it that count no more.
        numbers: of the later vectors.
        later: these, shape (numbers, dimension).
    """

    def __init__(self, main: MappedFile | FaissIndex | None, gone: Numbers, numbers: Numbers, later: Vectors) -> None:
        self.main = main
        self.gone = gone
        self.numbers = numbers
        self.later = later

    def search(self, query: Vectors, k: int, among: Sequence[int] | None = None) -> list[int]:
        """Return at least the `k` nearest live passages to a unit vector, if there are so many, in no order.

        With `among`, numbers of live passages, only these are searched. Raises `IndexCorrupt` for a damaged file.
        """
        wanted = None if among is None else np.asarray(among, np.int64)
        found = [] if self.main is None else self._in_file(query, k, wanted)
        scores, numbers = self.later @ query, self.numbers
        if wanted is not None:
            inside = np.isin(numbers, wanted)
            scores, numbers = scores[inside], numbers[inside]
        nearest: list[int] = numbers[np.argsort(-scores, kind="stable")[:k]].tolist()
        return found + nearest

    def _in_file(self, query: Vectors, k: int, wanted: Numbers | None) -> list[int]:
        only: faiss.IDSelector | None = None if wanted is None else faiss.IDSelectorBatch(wanted)
        if only is None and len(self.gone):
            only = faiss.IDSelectorNot(faiss.IDSelectorBatch(self.gone))
        if not isinstance(self.main, MappedFile):
            return _found(searched(self.main, query, k, only)[1])
        file = self.main.published
        there = file.count - len(self.gone) if wanted is None else int((~np.isin(wanted, self.numbers)).sum())
        scored, k = (k, k) if file.kind == "float16" else (k + MORE, k * REFINED)
        if (k := min(k, there)) < 1:
            return []
        probes = min(self.main.lists, file.probes * file.count // there)  # a filter leaves few in each list
        while True:
            found = _found(self.main.search(query, k, only, probes)[1])
            if len(found) >= k or probes >= self.main.lists:
                return found[:scored]
            probes = min(4 * probes, self.main.lists)


def _found(numbers: Numbers) -> list[int]:
    return [number for number in numbers.tolist() if number >= 0]  # FAISS pads with -1


def open_index(
    root: Path, catalog: Catalog, dimension: int, before: VectorIndex | None = None, *, damaged: bool = False
) -> VectorIndex:
    """Return the index of the catalog's generation: from the stored vectors where the file is unusable, or `damaged`.

    What the index of a generation `before` has read of the same file, and of later vectors, is used again.
    """
    published = Published.of(catalog)
    main: MappedFile | None = None
    if published and before and isinstance(before.main, MappedFile) and before.main.published == published:
        main = before.main
    none = np.zeros(0, np.int64)
    if published and (damaged or main is None):
        try:
            main = _opened(root, published, damaged=damaged)
        except IndexCorrupt as error:
            _log.warning("%s", error)
            mark_damaged(root / published.name)
            memory = vector_file.in_memory(catalog, dimension)
            return VectorIndex(memory, none, none, np.zeros((0, dimension), np.float32))
    beside = np.array(catalog.numbers_beside(), np.int64)
    gone = np.array(catalog.numbers_gone(), np.int64)
    numbers, later = none, np.zeros((0, dimension), np.float32)
    if before and isinstance(before.main, MappedFile) and before.main is main:
        kept = np.isin(before.numbers, beside)
        numbers, later = before.numbers[kept], before.later[kept]
    rows = dict(catalog.vectors_of(beside[~np.isin(beside, numbers)].tolist()))
    numbers = np.concatenate([numbers, np.array(list(rows), np.int64)])
    return VectorIndex(main, gone, numbers, np.concatenate([later, matrix(rows.values(), dimension)]))


def _opened(root: Path, published: Published, *, damaged: bool) -> MappedFile:
    if damaged or is_marked(root / published.name):
        raise IndexCorrupt(f"{root / published.name} is damaged; the next rag index writes it anew")
    return MappedFile(root, published)


def is_stale(catalog: Catalog) -> bool:
    """Tell whether so much has changed since the file was written that a new one pays."""
    live, beside, gone = catalog.passage_count, catalog.count("beside"), catalog.count("gone")
    if Published.of(catalog) is None:
        return True
    if beside > min(files.SHARE * live, MOST_BESIDE) or beside + gone > files.SHARE * live:
        beside -= sum(catalog.waiting().values())
    many = beside > min(files.SHARE * live, MOST_BESIDE) or beside + gone > files.SHARE * max(live, 1)
    return many or holds_too_much(gone, live)


def write(root: Path, generation: int, catalog: Catalog, dimension: int) -> None:
    """Write the file of a generation, and what the catalog is to know of it; raises `StoreError`."""
    vector_file.write(root, f"vectors-{generation:06d}.faiss", catalog, dimension).keep(catalog)
    catalog.settle_vectors()
