"""What goes into an index, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records.documents import Document, Passage


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
    """The state of an index. `waiting` passages have no vector yet: only the lexical half finds them.

    `vectors` says how they are searched: all of them, or a part, and the share of the nearest that is found so.
    """

    store: str
    generation: int
    documents: int
    passages: int
    waiting: int
    model: str
    dimension: int
    vectors: str
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
