"""Writing to Milvus, which has no transactions: every step can be done again, and the order makes any end of it safe.

1. `Meta.writer` names who writes.
2. Pieces and passages of new versions go in: nobody reads them yet.
3. The heads are put in place: from then on each document is read as its new version. Removed ones become `gone`.
4. `Meta` gets the new generation. A rebuild fills collections of its own, of the next epoch, and this alone switches.
5. Rows of old versions are deleted, and `Meta.writer` is emptied.
The next writer that finds a name in `Meta.writer` deletes what no head names, and publishes the heads that are there.
So a document is read whole, as it was or as it is; a run that is killed in step 3 has replaced some and not others.

Vectors are kept as records from the moment they are made, and move into passages' rows when these are published.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import IndexCorrupt, IndexLocked, IndexMissing, ModelMismatch, StoreError
from rag.records.codec import document_to_json
from rag.records.index import DocumentInfo
from rag.records.runs import Journal
from rag.store.encoding import decoding, direction, matrix, pack_words, packed_vector, text_key
from rag.store.milvus import rows, schema
from rag.store.milvus.mend import delete_unnamed, incomplete
from rag.store.milvus.rows import Head, Meta
from rag.store.milvus.server import one_of
from rag.store.milvus.snapshot import MilvusSnapshot, read_meta
from rag.store.protocol import StoredVector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from rag.models.encoder import Vectors, WordVectors
    from rag.records import Document, Passage, SyncReport
    from rag.records.index import Changes, Recipe
    from rag.store.milvus.server import MilvusServer

_HEAD = ("kind", "value", "generation")
_GROUP = 200  # passages whose vectors are asked for in one call


@dataclass(frozen=True, slots=True)
class _Version:
    """A version of a document before it is written: its bytes, and the values of its passages."""

    document: Document
    passages: Sequence[Passage]
    data: bytes
    values: Sequence[str]
    name: str

    @classmethod
    def of(cls, document: Document, passages: Sequence[Passage]) -> _Version:
        data, values = document_to_json(document), [rows.passage_value(passage) for passage in passages]
        return cls(document, passages, data, values, rows.version_of(data, values))

    def rows(self, vectors: Mapping[str, StoredVector], model: str, dimension: int) -> list[dict[str, Any]]:
        """Return the passages' rows; one without a vector gets zeros."""
        keys = rows.passage_keys(rows.document_key(self.document.uri), self.name, len(self.passages))
        found = []
        for key, passage, value in zip(keys, self.passages, self.values, strict=True):
            text = text_key(passage, model).hex()
            stored = vectors.get(text)
            vector = matrix([stored.vector], dimension)[0] if stored else np.zeros(dimension, np.float32)
            words = rows.packed(stored.words if stored else b"")
            own = {"key": key, "text_key": text, "value": value, "vector": vector, "words": words}
            found.append({**own, "waiting": stored is None, **rows.searched_fields(passage, self.document)})
        return found

    def head(
        self, found: Sequence[Mapping[str, Any]], pieces: int, old: Head | None, vectors: Mapping[str, StoredVector]
    ) -> Head:
        """Return the entry that names this version, whose passages have these rows."""
        d = self.document
        having = [vectors[row["text_key"]].vector for row in found if not row["waiting"]]
        mean = direction(matrix(having, len(having[0]) // 2)) if len(having) > 1 else None
        name, pages = d.title or d.uri.rpartition("/")[2], self.passages[-1].page or 0 if self.passages else 0
        info = DocumentInfo(d.uri, name, d.digest, d.media_type, d.date, len(d.text), len(found), pages)
        return Head(
            info,
            self.name,
            pieces,
            terms=sum(len(row["terms"].split()) for row in found),
            waiting=len(found) - len(having),
            mean=None if mean is None else packed_vector(mean),
            before=old.present if old else None,
        )


class MilvusWriter:
    """The one on this machine that may write; of another one elsewhere, the one that began last may go on."""

    def __init__(self, server: MilvusServer, meta: Meta) -> None:
        self._server = server
        self._records = server.address.collection
        self._meta = meta
        self._heads: dict[str, Head] = {}
        self._incomplete: set[str] = set()  # URIs of documents some of whose rows are missing
        self._mended = False
        found_name = meta.writer
        self._name = f"process {os.getpid()} on {socket.gethostname()} {secrets.token_hex(4)}"
        self._put_meta(writer=self._name)
        if self._meta.recipe:
            self._heads = {head.info.uri: head for head in self._reader().heads()}
        if found_name:
            self._mend()
        if self._meta.recipe:
            self._incomplete = incomplete(self._server, self._meta.epoch, self._heads.values())

    def close(self) -> None:
        """Say that nobody writes any more; raises `StoreError` where the server has not kept what it took."""
        self._check_alone()
        stored = self._server.count(self._collection()) if self._meta.epoch else 0
        if stored < sum(head.info.passages for uri, head in self._heads.items() if uri not in self._incomplete):
            raise StoreError(
                f"{self._server.address.place} has {stored} of {self._meta.passages} passages: the server lost what it "
                "had taken; look at its log and its disk, then run rag index again, which reads anew what is missing"
            )
        self._put_meta(writer="")

    @property
    def recipe(self) -> Recipe | None:
        return self._meta.recipe

    def digests(self) -> dict[str, str]:
        """Return the digest of every document by URI; "" where rows are missing, so that the file is read anew."""
        lost = self._incomplete
        return {uri: "" if uri in lost else head.info.digest for uri, head in sorted(self._heads.items())}

    def document(self, uri: str) -> Document:
        return self._reader().document(uri)

    def passage_count(self) -> int:
        return self._meta.passages

    def passages_of(self, uri: str) -> list[Passage]:
        return self._reader().passages_of(uri)

    def waiting(self) -> Mapping[str, int]:
        newest = sorted(self._heads.values(), key=lambda head: (-head.generation, head.info.uri))
        return {head.info.uri: head.waiting for head in newest if head.waiting}

    def missing(self, passages: Iterable[Passage], model: str) -> list[Passage]:
        wanted = {text_key(passage, model).hex(): passage for passage in passages}
        staged = self._server.get(self._records, [f"vector:{key}" for key in wanted], ())
        left = [key for key in wanted if f"vector:{key}" not in staged]
        known = self._published(left, ("text_key",))
        return [wanted[key] for key in left if key not in known]

    def _published(self, keys: Sequence[str], fields: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return a row with its vector for each text that has one; read part by part, for it may stand anywhere."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(keys) if self._meta.epoch else 0, _GROUP):
            some = keys[start : start + _GROUP]
            condition = f"{one_of('text_key', some)} and waiting == false"
            for row in self._server.scan(self._collection(), condition, fields):
                found[row["text_key"]] = row
                if found.keys() >= set(some):
                    break
        return found

    def add_vectors(
        self, passages: Sequence[Passage], values: Vectors, words: Sequence[WordVectors], model: str
    ) -> None:
        pairs = zip(map(packed_vector, values), (pack_words(each.vectors) for each in words), strict=True)
        self.put_vectors(passages, [StoredVector(*pair) for pair in pairs], model)

    def put_vectors(self, passages: Sequence[Passage], stored: Sequence[StoredVector], model: str) -> None:
        keys = (f"vector:{text_key(passage, model).hex()}" for passage in passages)
        values = (rows.packed_json([each.vector.hex(), each.words.hex()]) for each in stored)
        self._put((key, "vector", value) for key, value in zip(keys, values, strict=True))

    def apply(self, changes: Changes, recipe: Recipe, *, fresh: bool = False) -> int:
        """Publish the changes as one new generation and return its number.

        With `fresh`, everything that was there before goes in the same step, and the recipe may be another one; without
        it, another one raises `ModelMismatch`. Raises `IndexLocked` where somebody else began to write meanwhile.
        """
        present = self.recipe
        if not fresh and present is not None and present != recipe:
            raise ModelMismatch(present.difference(recipe))
        begins = fresh or present is None
        meta = replace(
            self._meta,
            recipe=recipe,
            epoch=self._meta.epoch + begins,
            generation=self._meta.generation + 1,
        )
        if begins:
            self._server.delete_where(self._records, f"epoch == {meta.epoch}")  # of a run whose last records were lost
            schema.create_passages(self._server, self._server.address.passages(meta.epoch), recipe.dimension)
        before = {} if begins else self._heads
        new = {head.info.uri: head for head in self._dated(self._written(changes.upserts, before, meta), changes)}
        gone = [before[uri] for uri in dict.fromkeys(changes.removals) if uri in before and uri not in new]
        self._check_alone()
        self._put(((self._head_key(head, meta), "head", head.to_value()) for head in new.values()), meta)
        self._put(((self._head_key(head, meta), "gone", head.to_value()) for head in gone), meta)
        self._heads = {**before, **new}
        for head in gone:
            del self._heads[head.info.uri]
        self._incomplete &= before.keys() & (self._heads.keys() - new.keys())
        self._publish(meta)
        self._delete_replaced(new.values(), gone)
        if begins:
            self._delete_other_epochs()
        self._forget_vectors(changes, recipe.fingerprint)
        return meta.generation

    def _dated(self, heads: Iterable[Head], changes: Changes) -> Iterator[Head]:
        """Yield heads with the time when their documents came: what is known stays, also in a rebuild."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        added = {**changes.added, **{uri: head.info.added for uri, head in self._heads.items()}}
        for head in heads:
            yield replace(head, info=replace(head.info, added=added.get(head.info.uri, now)))

    def note(self, report: SyncReport, roots: Collection[str] = ()) -> None:
        try:
            before: Journal | None = journal(self._server)
        except IndexCorrupt:  # a part of it was lost: another one begins
            before = None
        after = (before or Journal()).noted(report, roots)
        if after == before:
            return
        old, pieces = _journal_keys(self._server), rows.cut(rows.packed_json(after.to_json()))
        name = secrets.token_hex(8)
        new = [f"journal:{name}:{number}" for number in range(len(pieces))]
        self._put((key, "journal", piece) for key, piece in zip(new, pieces, strict=True))
        self._put([("journal", "journal", json.dumps(new))])
        self._server.delete(self._records, old)

    def _reader(self) -> MilvusSnapshot:
        if self._meta.recipe is None:
            raise IndexMissing(f"the index at {self._server.address.place} is empty; fill it with: rag index FOLDER")
        return MilvusSnapshot(self._server, self._meta, self._meta.recipe, {})

    def _collection(self) -> str:
        return self._server.address.passages(self._meta.epoch)

    def _head_key(self, head: Head, meta: Meta) -> str:
        return rows.head_key(meta.epoch, head.document)

    def _put(self, records: Iterable[tuple[str, str, str]], meta: Meta | None = None) -> None:
        """Write records of a key, a kind and a value; those of documents belong to an epoch and a generation."""
        epoch, generation = (meta.epoch, meta.generation) if meta else (0, 0)
        same = {"epoch": epoch, "generation": generation, "unused": schema.UNUSED}
        written = [{"key": key, "kind": kind, "value": value, **same} for key, kind, value in records]
        self._server.upsert(self._records, written)

    def _put_meta(self, **changed: Any) -> None:  # noqa: ANN401 - fields of `Meta`
        self._meta = replace(self._meta, **changed)
        self._put([("meta", "meta", self._meta.to_json())])

    def _check_alone(self) -> None:
        """Refuse to go on where somebody else began to write; raises `IndexLocked`."""
        present = read_meta(self._server)
        if present is None or present.writer != self._name:
            who = present.writer.rpartition(" ")[0] if present and present.writer else "another machine"
            raise IndexLocked(f"{self._server.address.place} is being written by {who}; run it again when that is done")

    def _publish(self, meta: Meta) -> None:
        heads = self._heads.values()
        self._put_meta(
            recipe=meta.recipe,
            epoch=meta.epoch,
            generation=meta.generation,
            passages=sum(head.info.passages for head in heads),
            terms=sum(head.terms for head in heads),
            waiting=sum(head.waiting for head in heads),
        )

    def _written(
        self, upserts: Sequence[tuple[Document, Sequence[Passage]]], before: Mapping[str, Head], meta: Meta
    ) -> list[Head]:
        """Write the versions that are not there yet, and return their heads."""
        heads: list[Head] = []
        group: list[_Version] = []
        for document, passages in upserts:
            version, old = _Version.of(document, passages), before.get(document.uri)
            is_there = document.uri not in self._incomplete
            if old and old.version == version.name and not old.waiting and is_there:
                continue
            group.append(version)
            if sum(len(each.passages) for each in group) >= _GROUP:
                heads += self._write_group(group, before, meta)
                group = []
        return heads + self._write_group(group, before, meta)

    def _write_group(self, group: Sequence[_Version], before: Mapping[str, Head], meta: Meta) -> list[Head]:
        model = meta.recipe.fingerprint if meta.recipe else ""
        vectors = self._vectors([text_key(passage, model).hex() for each in group for passage in each.passages])
        passages: list[dict[str, Any]] = []
        pieces: list[tuple[str, str, str]] = []
        heads: list[Head] = []
        for version in group:
            document, cut = rows.document_key(version.document.uri), rows.cut(rows.packed(version.data))
            names = rows.piece_keys(meta.epoch, document, version.name, len(cut))
            pieces += [(name, "piece", value) for name, value in zip(names, cut, strict=True)]
            own = [
                {**row, "generation": meta.generation}
                for row in version.rows(vectors, model, meta.recipe.dimension if meta.recipe else 0)
            ]
            passages += own
            head = version.head(own, len(cut), before.get(version.document.uri), vectors)
            heads.append(replace(head, generation=meta.generation))
        self._put(pieces, meta)
        self._server.upsert(self._server.address.passages(meta.epoch), passages)
        return heads

    def _vectors(self, keys: Sequence[str]) -> dict[str, StoredVector]:
        """Return what is stored for these texts, by their keys."""
        staged = self._server.get(self._records, [f"vector:{key}" for key in dict.fromkeys(keys)], ("value",))
        found = {key.partition(":")[2]: _stored_vector(row["value"]) for key, row in staged.items()}
        left = [key for key in dict.fromkeys(keys) if key not in found]
        for key, row in self._published(left, ("text_key", "vector", "words")).items():
            vector = packed_vector(np.asarray(row["vector"], np.float32))
            found[key] = StoredVector(vector, rows.unpacked(row["words"]))
        return found

    def _delete_replaced(self, new: Iterable[Head], gone: Collection[Head]) -> None:
        """Delete the rows of versions that no head names any more."""
        versions = [(head.document, head.before) for head in new if head.before and head.before[0] != head.version]
        versions += [(head.document, head.present) for head in gone]
        self._server.delete(
            self._collection(),
            [key for doc, (name, count, _) in versions for key in rows.passage_keys(doc, name, count)],
        )
        pieces = [
            key for doc, (name, _, count) in versions for key in rows.piece_keys(self._meta.epoch, doc, name, count)
        ]
        self._server.delete(self._records, [*pieces, *(self._head_key(head, self._meta) for head in gone)])

    def _delete_other_epochs(self) -> None:
        for name in self._server.collections():
            if self._server.address.is_passages(name) and name != self._collection():
                self._server.drop(name)
        self._server.delete_where(self._records, f"epoch != 0 and epoch != {self._meta.epoch}")

    def _forget_vectors(self, changes: Changes, model: str) -> None:
        """Delete the records of vectors that are in passages' rows now; after a killed run all others, too.

        These may be what passages wait for, and go when none waits any more.
        """
        if self._mended and not self._meta.waiting:
            self._server.delete_where(self._records, 'kind == "vector"')
        else:
            keys = (text_key(passage, model).hex() for _, passages in changes.upserts for passage in passages)
            self._server.delete(self._records, [f"vector:{key}" for key in dict.fromkeys(keys)])

    def _mend(self) -> None:
        """Finish what another writer left: what it put in place counts, all else that it wrote goes."""
        self._mended = True
        self._delete_other_epochs()
        if self._meta.recipe is None:
            return
        meta = replace(self._meta, generation=self._meta.generation + 1)
        since = f"generation >= {self._meta.generation}"
        found = list(self._server.scan(self._records, f'kind == "gone" or (kind == "head" and {since})', _HEAD))
        heads, gone = ([Head.parse(row) for row in found if row["kind"] == kind] for kind in ("head", "gone"))
        self._delete_replaced(heads, gone)
        delete_unnamed(self._server, self._meta.epoch, self._heads.values(), meta.generation)
        self._publish(meta)


def journal(server: MilvusServer) -> Journal:
    """Return what the latest runs did."""
    keys = _journal_keys(server)
    found = server.get(server.address.collection, keys, ("value",))
    with decoding("the journal", server.address.place):
        text = "".join(found[key]["value"] for key in keys)
        return Journal.from_json(json.loads(rows.unpacked(text))) if keys else Journal()


def _journal_keys(server: MilvusServer) -> list[str]:
    """Return the keys of the records that hold the journal; the record `journal` has them."""
    found = server.get(server.address.collection, ["journal"], ("value",))
    return [str(key) for key in json.loads(found["journal"]["value"])] if found else []


def _stored_vector(value: str) -> StoredVector:
    with decoding("a vector", "the collection"):
        vector, words = json.loads(rows.unpacked(value))
        return StoredVector(bytes.fromhex(vector), bytes.fromhex(words))
