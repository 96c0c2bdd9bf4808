"""What any engine must be able to do, and the records that go in and out. No engine here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rag.models.encoder import Vectors, WordVectors
    from rag.records import Document, Filter, Passage, SyncReport
    from rag.store.journal import Journal


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A line of the list of documents."""

    uri: str
    name: str
    digest: str
    media_type: str
    date: str | None
    characters: int
    passages: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an index. `waiting` passages have no vector yet: only the lexical half finds them."""

    store: str
    generation: int
    documents: int
    passages: int
    waiting: int
    model: str
    dimension: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an index was made with; two indexes of different recipes cannot be mixed.

    `model` names the encoder, `fingerprint` its weights; `chunker` and `lexical` name the settings of those parts.
    """

    model: str
    fingerprint: str
    dimension: int
    chunker: str
    lexical: str

    def difference(self, other: Recipe) -> str:
        """Say in one line how the index's recipe differs from `other`, and what to do."""
        if (self.model, self.fingerprint) != (other.model, other.fingerprint):
            weights = " with other weights" if self.model == other.model else ""
            what = f"the index was made with the encoder {self.model}{weights}, not {other.model}"
        else:
            mine, theirs = f"{self.chunker}, {self.lexical}", f"{other.chunker}, {other.lexical}"
            what = f"the index was made with other settings ({mine}; now {theirs})"
        return f"{what}; use that one, or rebuild with: rag index --rebuild FOLDER"


@dataclass(frozen=True, slots=True)
class Changes:
    """One atomic step: these documents with their passages come or replace their former selves, those go."""

    upserts: Sequence[tuple[Document, Sequence[Passage]]] = ()
    removals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A passage id with the score that one half gave it; higher is better."""

    id: str
    score: float


class Snapshot(Protocol):
    """One generation, whole and unchanging, for as long as it is open."""

    generation: int
    recipe: Recipe

    def uris(self) -> list[str]:
        """Return the URI of every document, in order."""

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI."""

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""

    def passages(self, ids: Iterable[str]) -> Mapping[str, Passage]:
        """Return those of the passages that exist."""

    def dense(self, query: Vectors, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` nearest passages, of those that `where` admits, to a unit vector by cosine, best first."""

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Found]:
        """Return the `k` best passages, of those that `where` admits, by BM25 over the terms of `query`, best first."""

    def term_scores(self, weights: Mapping[str, float], ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over weighted terms of those of these passages that have any."""

    def gram_scores(self, query: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the BM25 score over the pieces of the words of `query` of those of these passages that have any."""

    def passage_count(self) -> int:
        """Return the number of passages."""

    def frequencies(self, terms: Iterable[str]) -> Mapping[str, int]:
        """Return in how many passages each term occurs."""

    def rarity(self, terms: Iterable[str]) -> Mapping[str, float]:
        """Return each term's idf as BM25 has it."""

    def document_similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return, for each of these passages that has a vector, the cosine of its document: the mean of its vectors."""

    def similarities(self, query: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the cosine of each of these passages that has a vector."""

    def word_similarities(self, asked: Vectors, weights: Vectors, ids: Sequence[str]) -> Mapping[str, float]:
        """Return late interaction for those of these passages whose words are known.

        Args:
            asked: unit vectors of the question's words, shape (words, dimension).
            weights: of these words, shape (words,); they add up to 1.
            ids: of passages.
        """

    def sample(self, most: int) -> list[str]:
        """Return the ids of at most so many passages that have a vector, evenly spread, the same ones each time."""

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vector, shape (dimension,), of each of these passages that has one, in their order."""


class Store(Protocol):
    """An engine: one writer at a time, any number of readers that never wait."""

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with; None while there is nothing in it."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open the present generation for reading; raises `IndexMissing`."""

    def writer(self) -> AbstractContextManager[Writer]:
        """Become the writer; raises `IndexLocked`."""

    def status(self) -> Status:
        """Count what is there."""

    def journal(self) -> Journal:
        """Return what the latest runs did; empty for an index that was made before it kept that."""

    def verify(self) -> list[str]:
        """Check everything again; each entry names one damage, none means sound."""

    def close(self) -> None:
        """Let go of files and connections."""


class Writer(Protocol):
    """The right to change the index."""

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with; None while there is nothing in it."""

    def digests(self) -> dict[str, str]:
        """Return the digest of every document by URI."""

    def documents(self) -> Iterable[Document]:
        """Return every document."""

    def passage_count(self) -> int:
        """Return the number of passages."""

    def missing(self, passages: Iterable[Passage], model: str) -> list[Passage]:
        """Return one passage for each retrieval text that has no vector of `model` (an encoder's fingerprint) yet."""

    def add_vectors(
        self, passages: Sequence[Passage], values: Vectors, words: Sequence[WordVectors], model: str
    ) -> None:
        """Keep the vectors, shape (len(passages), dimension), and words; they survive an interrupted run."""

    def apply(self, changes: Changes, recipe: Recipe, *, fresh: bool = False) -> int:
        """Publish the changes as one new generation and return its number: all of it, or nothing.

        With `fresh`, everything that was there before goes in the same step, and the recipe may be another one.

        Raises:
            ModelMismatch: the index has another recipe, and `fresh` is not set.
        """

    def note(self, report: SyncReport, roots: Collection[str] = ()) -> None:
        """Keep what a run did, and the files and folders that it was given, in the journal."""
