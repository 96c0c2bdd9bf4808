"""What every engine computes alike from the passages that a question may find: cosines, late interaction, rarity."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from rag.store.encoding import matrix, word_similarities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.models.encoder import Vectors
    from rag.records.index import Recipe


class CandidateRow(NamedTuple):
    """What a question needs of a passage that it may find: `vector` and `words` as stored, None while it has none.

    `number` orders passages, `document` tells whose it is; both are the engine's own.
    """

    id: str
    number: int | str
    document: int | str
    vector: bytes | None
    words: bytes | None


class CandidateScores(ABC):
    """The scores of candidates, from what an engine stores of them."""

    recipe: Recipe

    @abstractmethod
    def candidates(self, ids: Iterable[str]) -> list[CandidateRow]:
        """Return what is stored of those of these passages that exist; read once for a question."""

    @abstractmethod
    def means(self, documents: Iterable[int | str]) -> Mapping[int | str, bytes]:
        """Return the stored direction of each of these documents that has one."""

    @abstractmethod
    def passage_count(self) -> int:
        """Return the number of passages."""

    @abstractmethod
    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        """Return in how many passages each term occurs."""

    def rarity(self, terms: Iterable[str]) -> Mapping[str, float]:
        """Return each term's idf as BM25 has it (Robertson, Zaragoza 2009)."""
        total = self.passage_count()
        return {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in self.frequencies(terms).items()}

    def similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the cosine of each of these passages that has a vector."""
        rows = {c.id: c.vector for c in self.candidates(ids) if c.vector is not None}
        cosines = matrix(rows.values(), self.recipe.dimension) @ query
        return dict(zip(rows, cosines.tolist(), strict=True))

    def document_similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return, for each of these passages that has a vector, the cosine of its document: the mean of its vectors."""
        having = {c.id: (c.document, c.vector) for c in self.candidates(ids) if c.vector is not None}
        means = self.means({document for document, _ in having.values()})
        own = {document: means.get(document, vector) for document, vector in having.values()}
        cosines = matrix(own.values(), self.recipe.dimension) @ query
        by_document = dict(zip(own, cosines.tolist(), strict=True))
        return {id_: by_document[document] for id_, (document, _) in having.items()}

    def word_similarities(self, asked: Vectors, weights: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return late interaction for those of these passages whose words are known."""
        packed = {c.id: c.words for c in self.candidates(ids) if c.words is not None}
        return word_similarities(asked, weights, packed)
