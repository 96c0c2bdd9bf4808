"""Reading: one generation of the index, whatever is published meanwhile, by indexes that stay open for the next."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import IndexCorrupt
from rag.language.terms import grams, term_weights
from rag.records.index import Found
from rag.store.local import lexical, seal, vectors
from rag.store.local.lexical import Lexical
from rag.store.protocol import StoredVector
from rag.store.scores import CandidateRow, CandidateScores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from rag.models.encoder import Vectors
    from rag.records import Document, Filter, Passage
    from rag.records.index import DocumentInfo, Recipe
    from rag.store.local.catalog import Catalog
    from rag.store.local.lexical import Field
    from rag.store.local.vectors import VectorIndex

_log = logging.getLogger("rag")
T = TypeVar("T")
_FEW = 2_000  # passages that are compared one by one, where a filter leaves no more


class OpenIndexes:
    """Keeps open what questions need of a generation, made when first asked for. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        """Let go of everything."""
        self._kept: dict[str, tuple[int, Any]] = {}  # of a generation, by what it is

    def of(self, name: str, generation: int, make: Callable[[], T]) -> T:
        """Return what is kept of a generation by this name, made when it is first asked for."""
        with self._lock:
            if name not in self._kept or self._kept[name][0] != generation:
                self._kept[name] = (generation, make())
            found: T = self._kept[name][1]
            return found

    def lexical_index(self, catalog: Catalog, generation: int, *, damaged: bool = False) -> Lexical:
        """Return the lexical index, level with this generation; made in memory where the folder's is unusable.

        A folder's index goes on from one generation to the next, unless it turned out to be damaged.
        """
        with self._lock:
            _, index = self._kept.get("lexical", (0, None))
            if index and index.folder:
                if not damaged and index.refreshed():
                    return index  # type: ignore[no-any-return]  # one place keeps all kinds
                del self._kept["lexical"]

            def make() -> Lexical:
                return (None if damaged else self._open_lexical(catalog)) or _in_memory(catalog)

            return self.of("lexical", generation, make)

    def dense_index(self, catalog: Catalog, generation: int, dimension: int, *, damaged: bool = False) -> VectorIndex:
        """Return the vector index of this generation; the file of the one before stays open where it is the same."""
        with self._lock:
            kept, before = self._kept.get("dense", (0, None))
            if before and kept == generation and not damaged:
                return before  # type: ignore[no-any-return]  # one place keeps all kinds
            index = vectors.open_index(self.root, catalog, dimension, before, damaged=damaged)
            self._kept["dense"] = (generation, index)
            return index

    def _open_lexical(self, catalog: Catalog) -> Lexical | None:
        state = catalog.get("lexical")
        folder = lexical.present(self.root, moved=state == "moved")
        usable = state in {"whole", "moved"} and not set(seal.broken(self.root, seal.DERIVED)) & {*seal.DERIVED}
        found = lexical.open_folder(folder, write=False) if usable else None
        if found is None:
            _log.warning("%s is missing or damaged; the next rag index writes it anew", folder)
        return found


def _in_memory(catalog: Catalog) -> Lexical:
    index = Lexical(None)
    index.update((), catalog.passages())
    return index


@dataclass(frozen=True, slots=True)
class LocalSnapshot(CandidateScores):
    """One generation, read in one SQLite transaction; `known` is what was read of passages that may be found."""

    indexes: OpenIndexes
    catalog: Catalog
    generation: int
    recipe: Recipe
    known: dict[str, CandidateRow] = field(default_factory=dict)

    def uris(self) -> list[str]:
        return sorted(self.catalog.digests())

    def documents(self) -> list[DocumentInfo]:
        return self.catalog.documents()

    def document(self, uri: str) -> Document:
        return self.catalog.document(uri)

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        wanted = list(ids)
        texts = self.indexes.of("texts", self.generation, dict[str, str])
        found = {p.id: p for p in self.catalog.passages(wanted, texts)}
        return {id_: found[id_] for id_ in wanted if id_ in found}

    def passages_of(self, uri: str) -> list[Passage]:
        return sorted(self.passages(self.catalog.passage_ids([uri])).values(), key=lambda passage: passage.span)

    def vectors_of(self, uri: str) -> Mapping[str, StoredVector]:
        rows = self.candidates(sorted(self.catalog.passage_ids([uri])))
        return {c.id: StoredVector(c.vector, c.words) for c in rows if c.vector is not None and c.words is not None}

    def means(self, documents: Iterable[int | str]) -> Mapping[int | str, bytes]:
        """Return the stored direction of each of these documents that has one."""
        return self.catalog.means(documents)

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        among = self.catalog.numbers_within(self.catalog.limits(where)) if where else None
        numbers = among if among is not None and len(among) <= _FEW else self._nearest(query, k, among)
        found = {candidate.id: candidate for candidate in self.catalog.candidates_by_number(numbers)}
        self.known.update(found)
        order = sorted(
            self.similarities(query, list(found)).items(), key=lambda item: (-item[1], found[item[0]].number)
        )
        return [Found(id_, score) for id_, score in order[:k]]

    def _nearest(self, query: Vectors, k: int, among: Sequence[int] | None) -> list[int]:
        indexes, dimension = self.indexes, self.recipe.dimension
        try:
            return indexes.dense_index(self.catalog, self.generation, dimension).search(query, k, among)
        except IndexCorrupt as error:
            _log.warning("%s", error)
            index = indexes.dense_index(self.catalog, self.generation, dimension, damaged=True)
            return index.search(query, k, among)

    def candidates(self, ids: Iterable[str]) -> list[CandidateRow]:
        """Return what is stored of those of these passages that exist; read once for a question."""
        wanted = list(ids)
        new = [id_ for id_ in wanted if id_ not in self.known]
        self.known.update((candidate.id, candidate) for candidate in self.catalog.candidates(new))
        return [self.known[id_] for id_ in wanted if id_ in self.known]

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        limits = self.catalog.limits(where) if where else {}
        weights, more = term_weights(query), k
        most = k + self.catalog.count("unsettled")  # the index may have so many that this generation does not
        while True:
            found = self._ask(lambda index, more=more: index.search(weights, more, limits))  # type: ignore[misc]
            known = {candidate.id for candidate in self.candidates(hit.id for hit in found)}
            best = [hit for hit in found if hit.id in known][:k]
            if len(best) == k or len(found) < more or more == most:
                return best
            more = min(4 * more, most)

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        return self._scores(weights, ids, "terms")

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        return self._scores(dict.fromkeys(grams(query), 1.0), ids, "grams")

    def _scores(self, weights: Mapping[str, float], ids: Sequence[str], field: Field) -> dict[str, float]:
        found = self._ask(lambda index: index.search(weights, len(ids), {"id": ids}, field))
        return {hit.id: hit.score for hit in found}

    def _ask(self, question: Callable[[Lexical], T]) -> T:
        """Ask the lexical index; one in memory when the folder turns out to be damaged."""
        try:
            return question(self.indexes.lexical_index(self.catalog, self.generation))
        except IndexCorrupt as error:
            _log.warning("%s", error)
            return question(self.indexes.lexical_index(self.catalog, self.generation, damaged=True))

    def passage_count(self) -> int:
        return self.catalog.passage_count

    def waiting(self) -> int:
        """Return how many passages have no vector yet; counted once for a generation."""
        return self.indexes.of("waiting", self.generation, lambda: sum(self.catalog.waiting().values()))

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        wanted = list(terms)
        known = self.indexes.of("frequencies", self.generation, dict[str, int])
        new = [term for term in wanted if term not in known]
        known.update(self._ask(lambda index: {term: index.frequency(term) for term in new}))
        found = {term: known[term] for term in wanted}
        most = self.passage_count()  # the lexical index may be ahead of this generation
        return {term: min(count, most) for term, count in found.items()}
