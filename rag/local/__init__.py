"""The embedded engine: SQLite is the truth, FAISS and tantivy are derived from it (see DESIGN in the README).

COMMIT of the catalog is the only switch. The order of a publish, and why a crash at any point does no harm:

1. note in the catalog which passages the lexical index is about to differ in (`unsettled`)
2. add the new passages to the lexical index: a crash leaves entries that the catalog does not know, dropped on reading
3. in one transaction: documents, passages, the new FAISS file's name and hash (the file is written and synced first)
4. take the removed passages out of the lexical index, then settle
The next writer brings the lexical index level for whatever is still unsettled.
"""

from __future__ import annotations

import logging
import math
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import IndexCorrupt, IndexMissing, ModelMismatch, StoreError
from rag.local import lexical, vectors
from rag.local.catalog import Catalog, text_key
from rag.local.lexical import Lexical
from rag.local.lock import locked
from rag.local.vectors import VectorFile, VectorIndex
from rag.local.verify import damages
from rag.store import Changes, Found, Recipe, Status
from rag.terms import grams, term_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import faiss

    from rag.records import Document, Passage
    from rag.store import DocumentInfo, Vectors
    from rag.where import Filter

_log = logging.getLogger("rag")


class LocalStore:
    """An index in a folder of this machine. Safe to use from several threads.

    Args:
        root: the folder; made by the first writer.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._catalogs: list[Catalog] = []  # idle reading connections
        self._lock = threading.Lock()
        self._dense: tuple[int, VectorIndex] | None = None
        self._lexical: tuple[int, Lexical] | None = None

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with; None while there is nothing in it."""
        try:
            with self._catalog() as catalog:
                return catalog.recipe
        except IndexMissing:
            return None

    @contextmanager
    def snapshot(self) -> Iterator[LocalSnapshot]:
        """Open the present generation for reading; raises `IndexMissing`."""
        with self._catalog() as catalog, catalog.transaction(write=False):
            generation, recipe = catalog.generation, catalog.recipe
            if recipe is None:
                raise IndexMissing(f"the index at {self.root} is empty; fill it with: rag index FOLDER")
            yield LocalSnapshot(self, catalog, generation, recipe)

    @contextmanager
    def writer(self) -> Iterator[LocalWriter]:
        """Become the writer; raises `IndexLocked`."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the folder {self.root}: {error.strerror}") from error
        with locked(self.root / "LOCK"):
            catalog = Catalog(self.root / "catalog.db", write=True)
            try:
                writer = LocalWriter(self.root, catalog)
                yield writer
                catalog.checkpoint()
            finally:
                catalog.close()

    def status(self) -> Status:
        """Count what is there."""
        with self.snapshot() as snapshot:
            catalog, recipe = snapshot.catalog, snapshot.recipe
            passages = catalog.count("passages")
            return Status(
                store=str(self.root),
                generation=snapshot.generation,
                documents=catalog.count("documents"),
                passages=passages,
                waiting=passages - len(catalog.numbers(recipe.fingerprint)),
                model=recipe.model,
                dimension=recipe.dimension,
                bytes=sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file()),
            )

    def set_aside(self) -> None:
        """Move an unusable catalog out of the way, kept under another name; raises `IndexLocked`."""
        self.close()
        with locked(self.root / "LOCK"):
            number = 1 + len(list(self.root.glob("catalog.db.damaged-*")))
            for path in self.root.glob("catalog.db*"):
                if "damaged" not in path.name:
                    path.rename(path.with_name(path.name.replace("catalog.db", f"catalog.db.damaged-{number}")))

    def verify(self) -> list[str]:
        """Check everything again; each entry names one damage, none means sound."""
        try:
            with self._catalog() as catalog, catalog.transaction(write=False):
                return damages(self.root, catalog)
        except IndexCorrupt as error:
            return [str(error)]

    def close(self) -> None:
        """Close all connections."""
        while self._catalogs:
            self._catalogs.pop().close()
        self._dense = self._lexical = None

    @contextmanager
    def _catalog(self) -> Iterator[Catalog]:
        try:
            catalog = self._catalogs.pop()
        except IndexError:
            catalog = Catalog(self.root / "catalog.db")
        try:
            with catalog.guarded():
                yield catalog
        except IndexCorrupt:
            catalog.close()
            raise
        else:
            self._catalogs.append(catalog)

    def dense_index(self, catalog: Catalog, generation: int, recipe: Recipe) -> VectorIndex:
        """Return the vector index of this generation, made when it is first asked for."""
        with self._lock:
            if self._dense is None or self._dense[0] != generation:
                self._dense = (generation, open_vectors(self.root, catalog, recipe))
            return self._dense[1]

    def lexical_index(self, catalog: Catalog, generation: int) -> Lexical:
        """Return the lexical index, level with this generation; made in memory when the folder's is unusable."""
        with self._lock:
            if self._lexical is None or (self._lexical[1].in_memory and self._lexical[0] != generation):
                whole = catalog.get("lexical") == "whole"
                found = lexical.open_folder(self.root / "lexical", write=False) if whole else None
                if found is None:
                    _log.warning("%s is missing or damaged; the next rag index writes it anew", self.root / "lexical")
                    found = Lexical(None)
                    found.update((), catalog.passages())
                self._lexical = (generation, found)
            self._lexical[1].refresh()
            return self._lexical[1]


class LocalSnapshot:
    """One generation, read in one SQLite transaction."""

    def __init__(self, store: LocalStore, catalog: Catalog, generation: int, recipe: Recipe) -> None:
        self._store = store
        self.catalog = catalog
        self.generation = generation
        self.recipe = recipe

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI."""
        return self.catalog.documents()

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""
        return self.catalog.document(uri)

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        """Return those of the passages that exist."""
        return {passage.id: passage for passage in self.catalog.passages(ids)}

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` nearest passages to a unit vector of shape (dimension,) by cosine, best first."""
        among = self.catalog.numbers_within(self.catalog.limits(where)) if where else None
        found = self._store.dense_index(self.catalog, self.generation, self.recipe).search(query, k, among)
        ids = self.catalog.ids_of(number for number, _ in found)
        return [Found(ids[number], score) for number, score in found if number in ids]

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` best passages by BM25 over the terms of `query`, best first."""
        limits = self.catalog.limits(where) if where else {}
        found = self._lexical.search(term_weights(query), k + len(self.catalog.unsettled()), limits)
        known = {passage.id for passage in self.catalog.passages(hit.id for hit in found)}
        return [hit for hit in found if hit.id in known][:k]

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over weighted terms of those of these passages that have any."""
        return self._lexical.scores("terms", weights, ids)

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over the pieces of the words of `query` of those of these passages that have any."""
        return self._lexical.scores("grams", dict.fromkeys(grams(query), 1.0), ids)

    @property
    def _lexical(self) -> Lexical:
        return self._store.lexical_index(self.catalog, self.generation)

    def passage_count(self) -> int:
        """Return the number of passages."""
        return self.catalog.count("passages")

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        """Return in how many passages each term occurs."""
        index = self._lexical
        return {term: index.frequency(term) for term in terms}

    def rarity(self, terms: Iterable[str]) -> Mapping[str, float]:
        """Return each term's idf as BM25 has it (Robertson, Zaragoza 2009)."""
        total = self.passage_count()
        frequencies = self.frequencies(terms)
        return {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in frequencies.items()}

    def similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the cosine of each of these passages that has a vector."""
        rows = self.catalog.vectors_by_id(self.recipe.fingerprint, ids)
        return {id_: float(np.frombuffer(data, np.float32) @ query) for id_, data in rows}


class LocalWriter:
    """The holder of the lock."""

    def __init__(self, root: Path, catalog: Catalog) -> None:
        self._root = root
        self._catalog = catalog
        found = lexical.open_folder(root / "lexical", write=True)
        if found is not None and catalog.get("lexical") == "whole":
            self._lexical = found
            self._settle(catalog.unsettled())
        else:
            with catalog.transaction():
                catalog.put("lexical", "unfinished")
            self._lexical = lexical.new_folder(root / "lexical")
            self._fill_lexical()

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with."""
        return self._catalog.recipe

    def digests(self) -> dict[str, str]:
        """Return the digest of every document by URI."""
        return self._catalog.digests()

    def documents(self) -> Iterator[Document]:
        """Return every document."""
        return (self._catalog.document(uri) for uri in self.digests())

    def passage_count(self) -> int:
        """Return the number of passages."""
        return self._catalog.count("passages")

    def missing(self, passages: Iterable[Passage], model: str) -> list[Passage]:
        """Return one passage for each retrieval text whose vector is not stored yet."""
        wanted = {text_key(passage): passage for passage in passages}
        return [passage for key, passage in wanted.items() if not self._catalog.has_vector(model, key)]

    def add_vectors(self, passages: Sequence[Passage], values: Vectors, model: str) -> None:
        """Keep the vectors, shape (len(passages), dimension), of these texts; they survive an interrupted run."""
        rows = zip(map(text_key, passages), (row.tobytes() for row in values), strict=True)
        with self._catalog.transaction():
            self._catalog.put_vectors(model, rows)

    def apply(self, changes: Changes, recipe: Recipe, *, fresh: bool = False) -> int:
        """Publish the changes as one new generation and return its number: all of it, or nothing."""
        present = self._catalog.recipe
        if not fresh and present is not None and present != recipe:
            raise ModelMismatch(present.difference(recipe))
        before = self._ids_before(changes, fresh=fresh)
        after = {passage.id: passage for _, passages in changes.upserts for passage in passages}
        removed, added = before - after.keys(), after.keys() - before
        with self._catalog.transaction():
            self._catalog.set_unsettled(removed | added)
        self._lexical.update((), (after[id_] for id_ in added))
        with self._catalog.transaction():
            generation = self._publish(changes, recipe, fresh=fresh)
        self._settle(removed)
        self._delete_old_files()
        return generation

    def _ids_before(self, changes: Changes, *, fresh: bool) -> set[str]:
        if fresh:
            return self._catalog.passage_ids()
        uris = [*(document.uri for document, _ in changes.upserts), *changes.removals]
        return {id_ for uri in uris for id_ in self._catalog.passage_ids(uri)}

    def _publish(self, changes: Changes, recipe: Recipe, *, fresh: bool) -> int:
        catalog = self._catalog
        generation = catalog.generation + 1
        if fresh:
            catalog.delete_everything()
        for uri in changes.removals:
            catalog.delete_document(uri)
        for document, passages in changes.upserts:
            catalog.put_document(document, passages)
        catalog.prune_vectors()
        catalog.set_recipe(recipe)
        catalog.put("generation", str(generation))
        self._write_vectors(recipe, generation)
        return generation

    def _write_vectors(self, recipe: Recipe, generation: int) -> None:
        """Write a new FAISS file when the present one has gone stale or cannot be used."""
        catalog = self._catalog
        live = catalog.numbers(recipe.fingerprint)
        try:
            index = VectorIndex(_read_file(self._root, catalog), live, recipe.dimension)
        except IndexCorrupt as error:
            _log.warning("%s", error)
            index = VectorIndex(None, live, recipe.dimension)
        if catalog.get("vectors_file") is not None and not index.stale:
            return
        rows = dict(catalog.vectors(recipe.fingerprint, live))
        matrix = _matrix(rows.values(), recipe.dimension)
        file = vectors.write(self._root, f"vectors-{generation:06d}.faiss", list(rows), matrix)
        catalog.put("vectors_file", file.name)
        catalog.put("vectors_size", str(file.size))
        catalog.put("vectors_sha256", file.sha256)

    def _settle(self, ids: Iterable[str]) -> None:
        """Bring the lexical index level with the catalog for these passages."""
        doubtful = set(ids)
        if doubtful:
            self._lexical.update(doubtful, self._catalog.passages(doubtful))
        if self._catalog.unsettled():
            with self._catalog.transaction():
                self._catalog.set_unsettled(())

    def _fill_lexical(self) -> None:
        """Write all passages into a new lexical index."""
        self._lexical.update((), self._catalog.passages())
        with self._catalog.transaction():
            self._catalog.set_unsettled(())
            self._catalog.put("lexical", "whole")

    def _delete_old_files(self) -> None:
        """Delete all but the two newest files: a reader may be about to open the one before."""
        files = sorted(self._root.glob("vectors-*.faiss"))
        current = self._catalog.get("vectors_file") or ""
        old = [path for path in files if path.name < current][:-1]
        for path in [*old, *self._root.glob(".vectors-*.tmp")]:
            path.unlink(missing_ok=True)


def open_vectors(root: Path, catalog: Catalog, recipe: Recipe) -> VectorIndex:
    """Open the vector index of the catalog's generation; from the stored vectors where the file is unusable."""
    live = catalog.numbers(recipe.fingerprint)
    try:
        index = VectorIndex(_read_file(root, catalog), live, recipe.dimension)
    except IndexCorrupt as error:
        _log.warning("%s", error)
        index = VectorIndex(None, live, recipe.dimension)
    rows = dict(catalog.vectors(recipe.fingerprint, index.missing.tolist()))
    index.add(list(rows), _matrix(rows.values(), recipe.dimension))
    return index


def _read_file(root: Path, catalog: Catalog) -> faiss.IndexIDMap2 | None:
    name, size, sha256 = (catalog.get(f"vectors_{part}") for part in ("file", "size", "sha256"))
    if name is None or size is None or sha256 is None:
        return None
    return vectors.read(root, VectorFile(name, int(size), sha256))


def _matrix(rows: Iterable[bytes], dimension: int) -> Vectors:
    data = b"".join(rows)
    return np.frombuffer(data, np.float32).reshape(-1, dimension)
