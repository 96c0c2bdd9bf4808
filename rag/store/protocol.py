"""What the rest of the program knows of an engine: a `Store`, a generation of it to read, and its one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rag.models.encoder import Vectors, WordVectors
    from rag.records import Document, Filter, Passage, SyncReport
    from rag.records.index import Changes, DocumentInfo, Found, Recipe, Status
    from rag.records.runs import Journal


class StoredVector(NamedTuple):
    """What the encoder made of a text, as it is stored (`rag.store.encoding`): a float16 vector, and packed words."""

    vector: bytes
    words: bytes


class SetAside(NamedTuple):
    """A damaged catalog under its new name, and the URIs of documents that it still names."""

    file: Path
    documents: list[str]


class StoreSnapshot(Protocol):
    """One generation of an index, for reading."""

    @property
    def generation(self) -> int:
        """How often something was published."""

    @property
    def recipe(self) -> Recipe:
        """What the index was made with."""

    def uris(self) -> list[str]:
        """Return the URI of every document, in order."""

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI."""

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        """Return those of the passages that exist, in the order of `ids`."""

    def passages_of(self, uri: str) -> list[Passage]:
        """Return all passages of a document in the order of its text."""

    def vectors_of(self, uri: str) -> Mapping[str, StoredVector]:
        """Return, for those passages of a document that have a vector, what is stored of it, by id."""

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` nearest passages to a unit vector of shape (dimension,) by cosine, best first."""

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` best passages by BM25 over the terms of `query`, best first."""

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over weighted terms of those of these passages that have any."""

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over the pieces of the words of `query` of those of these passages that have any."""

    def similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the cosine of each of these passages that has a vector."""

    def document_similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return, for each of these passages that has a vector, the cosine of its document: the mean of its vectors."""

    def word_similarities(self, asked: Vectors, weights: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return late interaction for those of these passages whose words are known."""

    def passage_count(self) -> int:
        """Return the number of passages."""

    def waiting(self) -> int:
        """Return how many passages have no vector yet: only their words find them."""

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        """Return in how many passages each term occurs."""

    def rarity(self, terms: Iterable[str]) -> Mapping[str, float]:
        """Return each term's idf as BM25 has it."""


class StoreWriter(Protocol):
    """The one that may change an index."""

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with; None while there is nothing in it."""

    def digests(self) -> Mapping[str, str]:
        """Return the digest of every document by URI."""

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""

    def passage_count(self) -> int:
        """Return the number of passages."""

    def passages_of(self, uri: str) -> list[Passage]:
        """Return all passages of a document in the order of its text; raises `DocumentUnknown`."""

    def waiting(self) -> Mapping[str, int]:
        """Return how many passages of each document have no vector yet: of those that have any, the newest first."""

    def missing(self, passages: Iterable[Passage], model: str) -> list[Passage]:
        """Return one passage for each retrieval text whose vector is not stored yet."""

    def add_vectors(
        self, passages: Sequence[Passage], values: Vectors, words: Sequence[WordVectors], model: str
    ) -> None:
        """Keep the vectors, shape (len(passages), dimension), and words; they survive an interrupted run."""

    def put_vectors(self, passages: Sequence[Passage], stored: Sequence[StoredVector], model: str) -> None:
        """Keep vectors as another store has them."""

    def apply(self, changes: Changes, recipe: Recipe, *, fresh: bool = False) -> int:
        """Publish the changes as one new generation and return its number.

        Passages may come without their vectors, and are found by their words; the same documents once more, when their
        vectors were added, make these count. With `fresh`, everything that was there before goes in the same step, and
        the recipe may be another one; without it, another one raises `ModelMismatch`.
        """

    def note(self, report: SyncReport, roots: Collection[str] = ()) -> None:
        """Keep what a run did in the journal; a run that changed nothing and names nothing new writes nothing."""


class Store(Protocol):
    """An index, wherever it lives. Safe to use from several threads."""

    @property
    def root(self) -> Path:
        """The folder of this machine for what is not shared: conversations, added files, the writer's lock."""

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with; None while there is nothing in it."""

    def snapshot(self) -> AbstractContextManager[StoreSnapshot]:
        """Open the present generation for reading; raises `IndexMissing`."""

    def writer(self) -> AbstractContextManager[StoreWriter]:
        """Become the writer; raises `IndexLocked`."""

    def status(self) -> Status:
        """Count what is there; raises `IndexMissing`."""

    def journal(self) -> Journal:
        """Return what the latest runs did; empty while there is no index."""

    def verify(self) -> list[str]:
        """Check everything again; each entry names one damage, none means sound."""

    def set_aside_if_damaged(self) -> SetAside | None:
        """Move what cannot be read out of a rebuild's way; None where there is nothing to move."""

    def close(self) -> None:
        """Let go of it."""
