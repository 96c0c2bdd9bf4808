"""What goes into an index, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.records.documents import Document, Passage


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A line of the list of documents; `pages` is the last page that has text, 0 where there are no pages.

    `added` is when it came into the index, in UTC, ISO 8601 to the second; None where that was not noted yet.
    """

    uri: str
    name: str
    digest: str
    media_type: str
    date: str | None
    characters: int
    passages: int
    pages: int = 0
    added: str | None = None


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


def found_by_words(waiting: int, passages: int) -> str:
    """Say how many of all passages have no vector yet; nothing when none has."""
    return f"{waiting:,} of {passages:,} passages are so far found by their words only" if waiting else ""


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
    """One atomic step: these documents with their passages come or replace their former selves, those go.

    `added` tells, by URI, when documents came that come from another store; all others that are new come now.
    """

    upserts: Sequence[tuple[Document, Sequence[Passage]]] = ()
    removals: Sequence[str] = ()
    added: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A passage id with the score that one half gave it; higher is better."""

    id: str
    score: float
