"""Reading: one generation of the index, whatever is published meanwhile."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, TypeVar

from rag.errors import IndexCorrupt
from rag.language.terms import grams, term_weights
from rag.store.local.vectors import matrix, word_similarities
from rag.store.protocol import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rag.models.encoder import Vectors
    from rag.records import Document, Filter, Passage
    from rag.store.local.catalog import Catalog
    from rag.store.local.lexical import Lexical
    from rag.store.local.opened import OpenIndexes
    from rag.store.protocol import DocumentInfo, Recipe

_log = logging.getLogger("rag")
T = TypeVar("T")


class LocalSnapshot:
    """One generation, read in one SQLite transaction."""

    def __init__(self, indexes: OpenIndexes, catalog: Catalog, generation: int, recipe: Recipe) -> None:
        self._indexes = indexes
        self.catalog = catalog
        self.generation = generation
        self.recipe = recipe

    def uris(self) -> list[str]:
        """Return the URI of every document, in order."""
        return self.catalog.uris()

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI."""
        return self.catalog.documents()

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""
        return self.catalog.document(uri)

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        """Return those of the passages that exist, in the order of `ids`."""
        wanted = list(ids)
        found = {p.id: p for p in self.catalog.passages(wanted, self._indexes.texts(self.generation))}
        return {id_: found[id_] for id_ in wanted if id_ in found}

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` nearest passages to a unit vector of shape (dimension,) by cosine, best first."""
        among = self.catalog.numbers_within(self.catalog.limits(where)) if where else None
        found = self._indexes.dense_index(self.catalog, self.generation, self.recipe).search(query, k, among)
        ids = self.catalog.ids_of(number for number, _ in found)
        return [Found(ids[number], score) for number, score in found if number in ids]

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` best passages by BM25 over the terms of `query`, best first."""
        limits = self.catalog.limits(where) if where else {}
        k_more = k + len(self.catalog.unsettled())
        found = self._ask(lambda index: index.search(term_weights(query), k_more, limits))
        known = self.catalog.numbers_of(hit.id for hit in found)
        return [hit for hit in found if hit.id in known][:k]

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over weighted terms of those of these passages that have any."""
        return self._ask(lambda index: index.scores("terms", weights, ids))

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over the pieces of the words of `query` of those of these passages that have any."""
        return self._ask(lambda index: index.scores("grams", dict.fromkeys(grams(query), 1.0), ids))

    def _ask(self, question: Callable[[Lexical], T]) -> T:
        """Ask the lexical index; one in memory when the folder turns out to be damaged."""
        try:
            return question(self._indexes.lexical_index(self.catalog, self.generation))
        except IndexCorrupt as error:
            _log.warning("%s", error)
            return question(self._indexes.lexical_in_memory(self.catalog, self.generation))

    def passage_count(self) -> int:
        """Return the number of passages."""
        return self.catalog.count("passages")

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        """Return in how many passages each term occurs."""
        wanted = list(terms)
        found = self._ask(lambda index: {term: index.frequency(term) for term in wanted})
        most = self.passage_count()  # the lexical index may be ahead of this generation
        return {term: min(count, most) for term, count in found.items()}

    def rarity(self, terms: Iterable[str]) -> Mapping[str, float]:
        """Return each term's idf as BM25 has it (Robertson, Zaragoza 2009)."""
        total = self.passage_count()
        return {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in self.frequencies(terms).items()}

    def document_similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return, for each of these passages that has a vector, the cosine of its document: the mean of its vectors."""
        documents = self._indexes.document_vectors(self.catalog, self.generation, self.recipe)
        return {id_: documents.cosine(query, number) for id_, number in self.catalog.numbers_of(ids).items()}

    def similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the cosine of each of these passages that has a vector."""
        rows = dict(self.catalog.vectors_by_id(self.recipe.fingerprint, ids))
        cosines = matrix(rows.values(), self.recipe.dimension) @ query
        return dict(zip(rows, cosines.tolist(), strict=True))

    def word_similarities(self, asked: Vectors, weights: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return late interaction for those of these passages whose words are known."""
        return word_similarities(asked, weights, dict(self.catalog.words_by_id(self.recipe.fingerprint, ids)))

    def sample(self, most: int) -> list[str]:
        """Return the ids of at most so many passages that have a vector, evenly spread, the same ones each time."""
        numbers = self.catalog.numbers(self.recipe.fingerprint)
        count = min(most, len(numbers))
        return list(self.catalog.ids_of(numbers[i * len(numbers) // count] for i in range(count)).values())

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vector, shape (dimension,), of each of these passages that has one, in their order."""
        rows = dict(self.catalog.vectors_by_id(self.recipe.fingerprint, ids))
        return dict(zip(rows, matrix(rows.values(), self.recipe.dimension), strict=True))
