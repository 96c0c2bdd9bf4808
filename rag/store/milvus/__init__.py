"""The engine past one machine: a collection on a Milvus server, shared by all who reach it.

What is where: `rows`. The order of a publish, and why a crash at any point does no harm: `write`. What the server
finds and what is computed here: `snapshot`. Conversations, added files and the lock of this machine's writers are in a
folder of this machine, `MilvusStore.root`: of other machines', the one that began last may write.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexCorrupt, IndexMissing
from rag.records.codec import document_to_json
from rag.records.index import Status
from rag.records.runs import Journal
from rag.store.encoding import matrix
from rag.store.local.files import locked, make_folder, writing
from rag.store.milvus import rows, schema
from rag.store.milvus.rows import Meta
from rag.store.milvus.server import Address, MilvusServer
from rag.store.milvus.snapshot import MilvusSnapshot, read_meta
from rag.store.milvus.write import MilvusWriter, journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records.index import Recipe
    from rag.store.milvus.rows import Head
    from rag.store.protocol import SetAside

__all__ = ["MilvusSnapshot", "MilvusStore", "MilvusWriter"]


class MilvusStore:
    """An index on a Milvus server. Safe to use from several threads.

    Args:
        place: `milvus://HOST:PORT/COLLECTION`, or `https://HOST/COLLECTION`; the password is in RAG_MILVUS_TOKEN.

    Raises:
        InputError: no such address. All that asks the server raises what `MilvusServer` does.
    """

    def __init__(self, place: str) -> None:
        self._address = Address.parse(place)
        self._server = MilvusServer(self._address)
        self._lock = threading.Lock()
        self._frequencies: tuple[int, dict[str, int]] = (0, {})  # of the terms of a generation

    @property
    def root(self) -> Path:
        """The folder of this machine for conversations, added files and the lock."""
        home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        address = self._address
        return home / "rag" / f"{address.host.replace(':', '.')}-{address.port}-{address.collection}"

    @property
    def recipe(self) -> Recipe | None:
        meta = read_meta(self._server)
        return meta.recipe if meta else None

    @contextmanager
    def snapshot(self) -> Iterator[MilvusSnapshot]:
        meta = read_meta(self._server)
        if meta is None or meta.recipe is None:
            place = self._address.place
            raise IndexMissing(f"no index at {place}; make one with: rag index FOLDER --store {place}")
        with self._lock:
            if self._frequencies[0] != meta.generation:
                self._frequencies = (meta.generation, {})
            known = self._frequencies[1]
        yield MilvusSnapshot(self._server, meta, meta.recipe, known)

    @contextmanager
    def writer(self) -> Iterator[MilvusWriter]:
        with writing(self.root):
            make_folder(self.root)
        with locked(self.root / "LOCK"):
            meta = read_meta(self._server)
            if meta is None and not self._server.has(self._address.collection):
                schema.create_records(self._server)
            writer = MilvusWriter(self._server, meta or Meta())
            yield writer
            writer.close()  # not after an error: the next writer then looks for what is left

    def status(self) -> Status:
        """Count what is there; the server does not tell how many bytes that are."""
        with self.snapshot() as snapshot:
            heads = snapshot.heads()
            return Status(
                store=self._address.place,
                generation=snapshot.generation,
                documents=len(heads),
                passages=snapshot.passage_count(),
                waiting=sum(head.waiting for head in heads),
                model=snapshot.recipe.model,
                dimension=snapshot.recipe.dimension,
                vectors=schema.INDEX,
                bytes=0,
            )

    def journal(self) -> Journal:
        return journal(self._server) if self._server.has(self._address.collection) else Journal()

    def verify(self) -> list[str]:
        """Read everything again; each entry names one damage, none means sound."""
        with self.snapshot() as snapshot:
            heads = snapshot.heads()
            found = [damage for head in heads for damage in self._damages(snapshot, head)]
            stored = self._server.count(self._address.passages(snapshot.epoch))
        counted = sum(head.info.passages for head in heads)
        if not stored == counted == snapshot.passage_count():
            found.append(
                f"{self._address.place}: {stored} passages are stored, documents name {counted}, the index "
                f"{snapshot.passage_count()}; the next rag index mends what a stopped run or server left"
            )
        return found

    def _damages(self, snapshot: MilvusSnapshot, head: Head) -> list[str]:
        """Return what is wrong with a document: its version is the hash of its text and its passages."""
        uri = head.info.uri
        try:
            document, known = snapshot.document_of(head), snapshot.known_of(head)
        except IndexCorrupt as error:
            return [str(error)]
        values = [rows.passage_value(each.passage) for each in known]
        if rows.version_of(document_to_json(document), values) != head.version:
            return [f"{uri}: its text or its passages are not as they were written"]
        vectors = matrix((each.row.vector for each in known if each.row.vector), snapshot.recipe.dimension)
        lengths = (vectors * vectors).sum(axis=1)
        return [f"{uri}: a vector is not a unit vector"] if (abs(lengths - 1) > 1.5e-3).any() else []

    def set_aside_if_damaged(self) -> SetAside | None:
        """Do nothing: a rebuild fills other collections, and what it replaces is not read."""
        return None

    def close(self) -> None:
        """Hang up."""
        self._server.close()
