"""An index moved from one store to another: texts, passages and vectors as they are, nothing is embedded again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import InputError, ModelMismatch, StoreError
from rag.records import Progress, SyncReport, silent
from rag.records.codec import document_to_json
from rag.records.index import Changes

if TYPE_CHECKING:
    from rag.records import Document, Passage
    from rag.records.index import Recipe
    from rag.store.protocol import Store, StoreSnapshot, StoreWriter

_BATCH = 2_000  # passages that are published at once: what a stopped copy does again at most


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy did: documents written and those that were there already, and what the target holds now."""

    copied: int
    unchanged: int
    documents: int
    passages: int


def copied(source: Store, target: Store, progress: Progress = silent) -> CopyReport:
    """Copy all documents of `source` into `target`, which is empty or holds an earlier copy; then read it again.

    A stopped copy goes on where it was: documents that are the same on both sides are not written again. Conversations
    and the files that were added stay where they are.

    Raises:
        IndexMissing: there is nothing to copy.
        InputError: the target holds documents that the source has not.
        ModelMismatch: the target was made with another encoder or other settings.
        StoreError: what was written is not what is read again.
    """
    with source.snapshot() as reading, target.writer() as writer:
        recipe, uris = reading.recipe, reading.uris()
        if writer.recipe is not None and writer.recipe != recipe:
            raise ModelMismatch(writer.recipe.difference(recipe))
        there = writer.digests()
        if others := sorted(there.keys() - set(uris)):
            raise InputError(
                f"the target holds {len(others)} documents that the source has not, such as {others[0]}; "
                "copy into an empty store, or take them out first with: rag remove"
            )
        digests = _write(reading, target, writer, uris, progress)
        writer.note(SyncReport(), source.journal().roots)
    return _checked(target, digests, reading.passage_count(), unchanged=len(uris) - len(digests.written))


@dataclass(slots=True)
class _Digests:
    """What each document is, by URI, and which were written."""

    of: dict[str, str]
    written: set[str]


def _write(reading: StoreSnapshot, target: Store, writer: StoreWriter, uris: list[str], progress: Progress) -> _Digests:
    """Write the documents that differ, batch by batch."""
    there, digests = writer.digests(), _Digests({}, set())
    added = {info.uri: info.added for info in reading.documents()}
    batch: list[tuple[Document, list[Passage]]] = []
    for done, uri in enumerate(uris):
        progress("copying", done, len(uris))
        digests.of[uri] = _digest(reading, uri)
        if uri in there:
            with target.snapshot() as present:
                if _digest(present, uri) == digests.of[uri]:
                    continue
        batch.append((reading.document(uri), reading.passages_of(uri)))
        digests.written.add(uri)
        if sum(len(passages) for _, passages in batch) >= _BATCH:
            _publish(reading, writer, Changes(batch, added=added), reading.recipe)
            batch = []
    if batch or writer.recipe is None:
        _publish(reading, writer, Changes(batch, added=added), reading.recipe)
    progress("copying", len(uris), len(uris))
    return digests


def _publish(reading: StoreSnapshot, writer: StoreWriter, changes: Changes, recipe: Recipe) -> None:
    for document, passages in changes.upserts:
        stored = reading.vectors_of(document.uri)
        having = [passage for passage in passages if passage.id in stored]
        writer.put_vectors(having, [stored[passage.id] for passage in having], recipe.fingerprint)
    writer.apply(changes, recipe)


def _digest(snapshot: StoreSnapshot, uri: str) -> str:
    """Return a hash of all that a store holds of a document."""
    found, vectors = hashlib.sha256(document_to_json(snapshot.document(uri))), snapshot.vectors_of(uri)
    for passage in snapshot.passages_of(uri):
        found.update(repr((passage, vectors.get(passage.id))).encode("utf-8", "backslashreplace"))
    return found.hexdigest()


def _checked(target: Store, digests: _Digests, passages: int, unchanged: int) -> CopyReport:
    """Read what was written again; raises `StoreError` where anything differs."""
    with target.snapshot() as present:
        different = [uri for uri in sorted(digests.written) if _digest(present, uri) != digests.of[uri]]
        counts = len(present.uris()), present.passage_count()
    if different:
        raise StoreError(
            f"{len(different)} documents are not what was copied, such as {different[0]}; see rag verify, copy again"
        )
    if counts != (len(digests.of), passages):
        raise StoreError(
            f"the target holds {counts[0]} documents and {counts[1]} passages, the source {len(digests.of)} and "
            f"{passages}; copy again when nobody writes to either"
        )
    return CopyReport(len(digests.written), unchanged, *counts)
