"""Writing: what the holder of the lock may do to an index."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag.errors import ModelMismatch
from rag.store.encoding import pack_words, packed_vector, text_key
from rag.store.local import lexical, vectors
from rag.store.local.files import holds_too_much, is_marked, unmark
from rag.store.local.vector_file import Published, is_intact
from rag.store.protocol import StoredVector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from rag.models.encoder import Vectors, WordVectors
    from rag.records import Document, Passage, SyncReport
    from rag.records.index import Changes, Recipe
    from rag.store.local.catalog import Catalog

_log = logging.getLogger("rag")


class LocalWriter:
    """The holder of the lock."""

    def __init__(self, root: Path, catalog: Catalog) -> None:
        self._root = root
        self.catalog = catalog
        self._open_lexical()
        self._repair_vectors()

    @property
    def recipe(self) -> Recipe | None:
        return self.catalog.recipe

    def digests(self) -> dict[str, str]:
        return self.catalog.digests()

    def document(self, uri: str) -> Document:
        return self.catalog.document(uri)

    def passage_count(self) -> int:
        return self.catalog.passage_count

    def passages_of(self, uri: str) -> list[Passage]:
        return sorted(self.catalog.passages_of(self.document(uri)), key=lambda passage: passage.span)

    def waiting(self) -> Mapping[str, int]:
        return self.catalog.waiting()

    def missing(self, passages: Iterable[Passage], model: str) -> list[Passage]:
        wanted = {text_key(passage, model): passage for passage in passages}
        return [passage for key, passage in wanted.items() if not self.catalog.has_vector(key)]

    def add_vectors(
        self, passages: Sequence[Passage], values: Vectors, words: Sequence[WordVectors], model: str
    ) -> None:
        packed = zip(map(packed_vector, values), (pack_words(each.vectors) for each in words), strict=True)
        self.put_vectors(passages, [StoredVector(*each) for each in packed], model)

    def put_vectors(self, passages: Sequence[Passage], stored: Sequence[StoredVector], model: str) -> None:
        keys = (text_key(passage, model) for passage in passages)
        with self.catalog.transaction():
            self.catalog.put_vectors((key, *each) for key, each in zip(keys, stored, strict=True))

    def apply(self, changes: Changes, recipe: Recipe, *, fresh: bool = False) -> int:
        """Publish the changes as one new generation and return its number: all of it, or nothing.

        With `fresh`, everything that was there before goes in the same step, and the recipe may be another one; without
        it, another one raises `ModelMismatch`.
        """
        present = self.catalog.recipe
        if not fresh and present is not None and present != recipe:
            raise ModelMismatch(present.difference(recipe))
        uris = [*(document.uri for document, _ in changes.upserts), *changes.removals]
        before = self.catalog.passage_ids(None if fresh else uris)
        after = {passage.id: passage for _, passages in changes.upserts for passage in passages}
        removed, added = before - after.keys(), after.keys() - before
        if removed or added:
            with self.catalog.transaction():
                self.catalog.set_unsettled(removed | added)
        if added:
            self._lexical.update((), (after[id_] for id_ in added))
        with self.catalog.transaction():
            generation = self._publish(changes, recipe, fresh=fresh)
        self._delete_old_files()
        if fresh or self._is_worn(len(removed)):
            self._renew_lexical()
        else:
            self._settle(removed)
        return generation

    def _publish(self, changes: Changes, recipe: Recipe, *, fresh: bool) -> int:
        catalog = self.catalog
        generation = catalog.generation + 1
        added, now = changes.added, datetime.now(UTC).isoformat(timespec="seconds")
        if fresh:
            added = {**added, **catalog.added()}
            catalog.delete_everything()
        for uri in changes.removals:
            catalog.delete_document(uri)
        for document, passages in changes.upserts:
            number = catalog.put_document(document, passages, recipe.fingerprint, added.get(document.uri, now))
            catalog.set_mean(number, recipe.dimension)
        catalog.prune_vectors()
        catalog.set_recipe(recipe)
        catalog.put("generation", str(generation))
        catalog.put("passages", str(catalog.count("passages")))
        if vectors.is_stale(catalog):
            vectors.write(self._root, generation, catalog, recipe.dimension)
        return generation

    def note(self, report: SyncReport, roots: Collection[str] = ()) -> None:
        before = self.catalog.journal
        after = before.noted(report, roots)
        if after != before:
            with self.catalog.transaction():
                self.catalog.put("journal", after.to_json())

    def _repair_vectors(self) -> None:
        """Write the file anew where it is damaged, as far as that is seen without reading it, or was said to be."""
        recipe, published = self.catalog.recipe, Published.of(self.catalog)
        if recipe is None or (published and is_intact(self._root, published)):
            return
        if published:
            _log.warning("%s is missing or damaged; it is written anew", self._root / published.name)
        generation = self.catalog.generation + 1
        with self.catalog.transaction():
            self.catalog.put("generation", str(generation))
            vectors.write(self._root, generation, self.catalog, recipe.dimension)
        self._delete_old_files()

    def _delete_old_files(self) -> None:
        """Delete all FAISS files but the published one; a reader that comes too late has the stored vectors."""
        current = Published.of(self.catalog)
        for path in [*self._root.glob("vectors-*.faiss*"), *self._root.glob(".vectors-*.tmp")]:
            if current is None or path.name != current.name:
                path.unlink(missing_ok=True)

    def _open_lexical(self) -> None:
        state = self.catalog.get("lexical")
        self._put_in_place()
        found = lexical.open_folder(self._root / "lexical", write=True) if state in {"whole", "moved"} else None
        if found is None or is_marked(self._root / "lexical"):
            self._renew_lexical()
            return
        self._lexical = found
        self._settle(self.catalog.unsettled())
        if self._lexical.count() != self.catalog.passage_count or self._is_worn(0):
            self._renew_lexical()

    def _is_worn(self, removed: int) -> bool:
        return holds_too_much(removed + self._lexical.deleted(), self.catalog.passage_count)

    def _settle(self, ids: Iterable[str]) -> None:
        doubtful = set(ids)
        if doubtful:
            self._lexical.update(doubtful, self.catalog.passages(doubtful))
        if self.catalog.unsettled():
            with self.catalog.transaction():
                self.catalog.set_unsettled(())

    def _renew_lexical(self) -> None:
        lexical.beside(self._root, self.catalog.passages())
        with self.catalog.transaction():
            self.catalog.put("lexical", "moved")
            self.catalog.set_unsettled(())
        self._put_in_place()
        unmark(self._root / "lexical")
        self._lexical = lexical.Lexical(self._root / "lexical")

    def _put_in_place(self) -> None:
        moved = self.catalog.get("lexical") == "moved"
        lexical.put_in_place(self._root, moved=moved)
        if moved:
            with self.catalog.transaction():
                self.catalog.put("lexical", "whole")
