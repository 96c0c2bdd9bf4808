"""The search indexes of one generation that are kept open: vectors, documents' means, the lexical index, long texts."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import IndexCorrupt
from rag.store.local import lexical, vectors
from rag.store.local.lexical import Lexical
from rag.store.local.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rag.store.local.catalog import Catalog
    from rag.store.local.vectors import DocumentVectors, VectorIndex
    from rag.store.protocol import Recipe

_log = logging.getLogger("rag")
T = TypeVar("T")


class OpenIndexes:
    """Opens what questions need of a generation when it is first asked for. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Let go of everything."""
        self._kept: dict[str, tuple[int, Any]] = {}  # of a generation, by what it is
        self._lexical: tuple[int, Lexical] | None = None

    def dense_index(self, catalog: Catalog, generation: int, recipe: Recipe) -> VectorIndex:
        """Return the vector index of this generation."""
        return self._of("dense", generation, lambda: vectors.open_index(self.root, catalog, recipe))

    def document_vectors(self, catalog: Catalog, generation: int, recipe: Recipe) -> DocumentVectors:
        """Return the documents' mean vectors in this generation."""

        def means() -> DocumentVectors:
            index = self.dense_index(catalog, generation, recipe)
            return vectors.DocumentVectors(index, catalog.documents_of_numbers())

        return self._of("documents", generation, means)

    def texts(self, generation: int) -> Texts:
        """Return the long texts of this generation that earlier questions have read."""
        return self._of("texts", generation, Texts)

    def _of(self, name: str, generation: int, make: Callable[[], T]) -> T:
        """Return what is kept of a generation, made when it is first asked for."""
        with self._lock:
            if name not in self._kept or self._kept[name][0] != generation:
                self._kept[name] = (generation, make())
            found: T = self._kept[name][1]
            return found

    def lexical_index(self, catalog: Catalog, generation: int) -> Lexical:
        """Return the lexical index, level with this generation; made in memory when the folder's is unusable."""
        with self._lock:
            if not self._has_lexical(generation):
                self._lexical = (generation, self._open_lexical(catalog) or _in_memory(catalog))
            assert self._lexical is not None
            return self._lexical[1]

    def lexical_in_memory(self, catalog: Catalog, generation: int) -> Lexical:
        """Return an index in place of a folder that turned out to be damaged, and keep it."""
        with self._lock:
            kept = self._lexical
            if kept is None or kept[0] != generation or not kept[1].in_memory:
                kept = self._lexical = (generation, _in_memory(catalog))
            return kept[1]

    def _has_lexical(self, generation: int) -> bool:
        """Tell whether the index that is kept will do, brought level with what a writer committed since."""
        if self._lexical is None:
            return False
        made_for, index = self._lexical
        if index.in_memory:
            return made_for == generation
        try:
            index.refresh()
        except IndexCorrupt:  # the folder is gone, or another has taken its place
            return False
        return True

    def _open_lexical(self, catalog: Catalog) -> Lexical | None:
        state = catalog.get("lexical")
        folder = lexical.present(self.root, moved=state == "moved")
        found = lexical.open_folder(folder, write=False) if state in {"whole", "moved"} else None
        if found is None:
            _log.warning("%s is missing or damaged; the next rag index writes it anew", folder)
        return found


def _in_memory(catalog: Catalog) -> Lexical:
    index = Lexical(None)
    index.update((), catalog.passages())
    return index
