"""Reading from Milvus: the server names candidates, and what its scores leave out is computed here over these.

The server searches vectors, and terms by BM25. Of the candidates' rows come here: cosines from the stored vectors, BM25
over terms with the frequencies of the whole collection, documents' directions, late interaction. What the local engine
has and this one has not: the pieces of four characters weigh by how rare they are among the candidates, not in all
passages, and find no candidates of their own in either.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from rag.errors import DocumentUnknown, IndexCorrupt, StoreError
from rag.language.terms import grams, term_weights, terms
from rag.records.codec import document_from_json
from rag.records.index import Found
from rag.store.encoding import decoding, packed_vector
from rag.store.milvus import rows
from rag.store.milvus.filters import admits, condition
from rag.store.milvus.rows import Head, Meta
from rag.store.milvus.server import MOST, quoted
from rag.store.protocol import StoredVector
from rag.store.scores import CandidateRow, CandidateScores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rag.models.encoder import Vectors
    from rag.records import Document, Filter, Passage
    from rag.records.index import DocumentInfo, Recipe
    from rag.store.milvus.server import MilvusServer, Row

T = TypeVar("T")

FIELDS = ("id", "terms", "value", "vector", "words", "waiting")
"""What is read of a passage."""

_K1, _B = 1.2, 0.75  # BM25's, as the local engine has them


class _Known(NamedTuple):
    """A passage that was read: what a question needs of it, the passage itself, and its terms."""

    row: CandidateRow
    passage: Passage
    terms: list[str]


class MilvusSnapshot(CandidateScores):
    """One generation. Each document is read as one version of it; `frequencies_known` is of this generation."""

    def __init__(self, server: MilvusServer, meta: Meta, recipe: Recipe, frequencies_known: dict[str, int]) -> None:
        self.recipe = recipe
        self._server = server
        self._meta = meta
        self._records = server.address.collection
        self._passages = server.address.passages(meta.epoch)
        self._frequencies = frequencies_known
        self._known: dict[str, _Known] = {}
        self._heads: dict[str, Head] = {}  # by the document's part of keys

    @property
    def generation(self) -> int:
        return self._meta.generation

    @property
    def epoch(self) -> int:
        """The number of the passages' collection."""
        return self._meta.epoch

    def _has_moved(self) -> bool:
        """Follow a rebuild, which deletes what it replaces; raises `StoreError` for one with another recipe."""
        meta = read_meta(self._server)
        if meta is None or meta.epoch == self._meta.epoch:
            return False
        if meta.recipe != self.recipe:
            raise StoreError(f"{self._server.address.place} has just been rebuilt with other settings; ask again")
        self._meta, self._passages = meta, self._server.address.passages(meta.epoch)
        return True

    def _following(self, ask: Callable[[], T]) -> T:
        """Ask the server; once more where what was asked has moved meanwhile."""
        try:
            return ask()
        except (StoreError, DocumentUnknown):
            if not self._has_moved():
                raise
        return ask()

    def heads(self) -> list[Head]:
        """Return the head of every document, in the order of their URIs."""
        found = self._server.scan(
            self._records, f'kind == "head" and epoch == {self._meta.epoch}', ("value", "generation")
        )
        return sorted(map(Head.parse, found), key=lambda head: head.info.uri)

    def uris(self) -> list[str]:
        return [head.info.uri for head in self.heads()]

    def documents(self) -> list[DocumentInfo]:
        return [head.info for head in self.heads()]

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`, and `IndexCorrupt` where a part of it is missing or damaged."""
        return self._read(uri, self.document_of)

    def _read(self, uri: str, read: Callable[[Head], T]) -> T:
        return self._following(lambda: self._read_version(uri, read))

    def _read_version(self, uri: str, read: Callable[[Head], T]) -> T:
        """Read what a document's head names; once more where another version took its place meanwhile."""
        head = self._head(uri)
        try:
            return read(head)
        except IndexCorrupt:
            del self._heads[head.document]
            again = self._head(uri)
            if again.version == head.version:
                raise
            return read(again)

    def document_of(self, head: Head) -> Document:
        """Return the document of a head; raises `IndexCorrupt`."""
        keys = rows.piece_keys(self._meta.epoch, head.document, head.version, head.pieces)
        found = self._server.get(self._records, keys, ("value",))
        if len(found) < len(keys):
            raise self._incomplete(head, f"{len(keys) - len(found)} of {len(keys)} parts of its text")
        with decoding(f"the document {head.info.uri}", self._server.address.place):
            return document_from_json(rows.unpacked("".join(found[key]["value"] for key in keys)))

    def _incomplete(self, head: Head, what: str) -> IndexCorrupt:
        place = self._server.address.place
        return IndexCorrupt(f"{head.info.uri}: {what} are missing in {place}; read it again with: rag index FOLDER")

    def _head(self, uri: str) -> Head:
        document = rows.document_key(uri)
        self._read_heads([document])
        if document not in self._heads:
            raise DocumentUnknown(f"no document {uri} in the index; rag status lists them")
        return self._heads[document]

    def _read_heads(self, documents: Iterable[str]) -> None:
        wanted = [rows.head_key(self._meta.epoch, each) for each in documents if each not in self._heads]
        found = self._server.get(self._records, wanted, ("kind", "value", "generation"))
        for row in found.values():
            if row["kind"] == "head":
                head = Head.parse(row)
                self._heads[head.document] = head

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        wanted = list(ids)
        self.candidates(wanted)
        return {id_: self._known[id_].passage for id_ in wanted if id_ in self._known}

    def passages_of(self, uri: str) -> list[Passage]:
        return [known.passage for known in self._read(uri, self.known_of)]

    def vectors_of(self, uri: str) -> Mapping[str, StoredVector]:
        found = (known.row for known in self._read(uri, self.known_of))
        return {c.id: StoredVector(c.vector, c.words) for c in found if c.vector is not None and c.words is not None}

    def known_of(self, head: Head) -> list[_Known]:
        """Return what is stored of the passages of a document, in the order of its text; raises `IndexCorrupt`."""
        self._heads[head.document] = head
        keys = rows.passage_keys(head.document, head.version, head.info.passages)
        found = self._server.get(self._passages, keys, FIELDS)
        if len(found) < len(keys):
            raise self._incomplete(head, f"{len(keys) - len(found)} of {len(keys)} passages")
        return self._take(found[key] for key in keys)

    def candidates(self, ids: Iterable[str]) -> list[CandidateRow]:
        """Return what is stored of those of these passages that exist; read once for a question."""
        wanted = list(ids)
        new = [id_ for id_ in wanted if id_ not in self._known]
        if new:
            self._take(self._following(lambda: self._server.where(self._passages, "id", new, FIELDS)))
        return [self._known[id_].row for id_ in wanted if id_ in self._known]

    def means(self, documents: Iterable[int | str]) -> Mapping[int | str, bytes]:
        """Return the stored direction of each of these documents that has one."""
        heads = {each: self._heads[str(each)] for each in documents}
        return {each: head.mean for each, head in heads.items() if head.mean is not None}

    def _take(self, found: Iterable[Row]) -> list[_Known]:
        """Remember rows, and return them, but for those of versions that do not count (any more, or yet)."""
        taken = [(row, *row["key"].split(":")[:2]) for row in found]
        self._read_heads({document for _, document, _ in taken})
        kept = []
        for row, document, version in taken:
            head = self._heads.get(document)
            if head and head.version == version:
                known = self._known.get(row["id"]) or _known(row, head, self.document_of)
                self._known[row["id"]] = known
                kept.append(known)
        return kept

    def _search(self, field: str, data: object, k: int, where: Filter | None) -> list[_Known]:
        """Return at least the `k` best that a filter admits, if there are so many; best first by the server."""
        vectors = "waiting == false" if field == "vector" and self._meta.waiting else ""
        asked = " and ".join(filter(None, (condition(where), vectors)))
        most = min(MOST, max(1, 2 * self._meta.passages))
        more = min(k, most)
        while True:
            ask = partial(self._server.search, field=field, data=data, k=more, condition=asked, fields=FIELDS)
            found = self._following(lambda: ask(self._passages))  # noqa: B023 - called at once
            kept = [each for each in self._take(found) if admits(where, each.passage)]
            if any(row["key"].partition(":")[0] not in self._heads for row in found) and self._has_moved():
                continue
            if len(kept) >= k or len(found) < more or more == most:
                return kept
            more = min(4 * more, most)

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        if not self.passage_count():
            return []
        ids = [each.row.id for each in self._search("vector", query, k, where)]
        cosines = self.similarities(query, ids)
        return _best(cosines, {id_: str(self._known[id_].row.number) for id_ in cosines}, k)

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        weights = term_weights(query)
        if not weights or not self.passage_count():
            return []
        ids = [each.row.id for each in self._search("sparse", rows.term_texts(terms(query)), k, where)]
        scores = self.term_scores(weights, ids)
        return _best(scores, {id_: id_ for id_ in scores}, k)

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        found = {c.id: self._known[c.id].terms for c in self.candidates(ids)}
        rarity = self.rarity(weights)
        asked = {rows.term_texts([term]): weight * rarity[term] for term, weight in weights.items()}
        return _bm25(found, asked, self._meta.terms / max(1, self._meta.passages))

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over the pieces of the words of `query` of those of these passages that have any.

        How rare a piece is, and how long passages are, is counted among all candidates that were read, also others.
        """
        wanted = [candidate.id for candidate in self.candidates(ids)]
        read = {id_: grams(known.passage.retrieval_text) for id_, known in self._known.items()}
        having = Counter(piece for pieces in read.values() for piece in set(pieces))
        asked = {piece: _idf(len(read), having[piece]) for piece in grams(query)}
        return _bm25({id_: read[id_] for id_ in wanted}, asked, sum(map(len, read.values())) / max(1, len(read)))

    def passage_count(self) -> int:
        return self._meta.passages

    def waiting(self) -> int:
        return self._meta.waiting

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        wanted = list(terms)
        for term in wanted:
            if term not in self._frequencies:
                match = f"text_match(terms, {quoted(rows.term_texts([term]))})"
                count = self._following(lambda: self._server.count(self._passages, match))  # noqa: B023 - at once
                self._frequencies[term] = min(self.passage_count(), count)
        return {term: self._frequencies[term] for term in wanted}


def read_meta(server: MilvusServer) -> Meta | None:
    """Return what a collection says of itself; None where there is no such collection, or nothing in it.

    Raises `FormatMismatch` for one that another version of this program made, or another program.
    """
    if not server.has_records():
        return None
    found = server.get(server.address.collection, ["meta"], ("value",))
    return Meta.parse(found["meta"]["value"], server.address.place) if found else None


def _known(row: Row, head: Head, read: Callable[[Head], Document]) -> _Known:
    passage = rows.passage_from(row["value"], lambda: read(head).text)
    vector = None if row["waiting"] else packed_vector(np.asarray(row["vector"], np.float32))
    with decoding(f"the words of {passage.uri}", "the collection"):
        words = None if row["waiting"] else rows.unpacked(row["words"])
    return _Known(CandidateRow(row["id"], row["key"], head.document, vector, words), passage, row["terms"].split())


def _best(scores: Mapping[str, float], order: Mapping[str, str], k: int) -> list[Found]:
    best = sorted(scores.items(), key=lambda item: (-item[1], order[item[0]]))
    return [Found(id_, score) for id_, score in best[:k]]


def _idf(total: int, having: int) -> float:
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def _bm25(texts: Mapping[str, Sequence[str]], weights: Mapping[str, float], mean: float) -> dict[str, float]:
    """Return the BM25 score of those of these texts that have any of the weighted words."""
    scores: dict[str, float] = {}
    for id_, words in texts.items():
        counts = Counter(word for word in words if word in weights)
        norm = _K1 * (1 - _B + _B * len(words) / max(mean, 1e-9))
        if counts:
            scores[id_] = sum(weights[word] * n * (_K1 + 1) / (n + norm) for word, n in counts.items())
    return scores
