"""A Milvus server: its address, its calls, each with a limit of time, and its errors in our words."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from rag.errors import FormatMismatch, InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pymilvus import MilvusClient

    Row = Mapping[str, Any]

T = TypeVar("T")
TOKEN = "RAG_MILVUS_TOKEN"  # noqa: S105 - a variable's name
_ROOTS = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"  # gRPC's own: whose signatures it trusts, in place of the usual ones
_LEAST_VERSION = (2, 5)
CONNECTING = 10.0
"""Seconds for a server to answer at all."""

SECONDS = 60.0
"""That one call may take; the client tries again within them."""

MOST = 16_384
"""Rows that a server returns for one question."""

_PASSAGES = "_passages_"  # in front of the epoch, in the names of passages' collections
_PAUSE = 0.5  # s
_CONNECT_FAILED, _NOT_LOADED = 2, "101"  # Milvus's own codes of errors
_BATCH = 200  # rows of some 15,000 bytes: a tenth of what a server takes in one call
_KEYS = 1_000  # in one condition


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is: `place` as it was given, `uri` as the client takes it."""

    place: str
    uri: str
    host: str
    port: int
    collection: str

    @classmethod
    def parse(cls, place: str) -> Self:
        """Read `milvus://HOST:PORT/COLLECTION`, or `https://HOST/COLLECTION` for TLS; raises `InputError`."""
        parts = urlsplit(place)
        if "@" in parts.netloc:
            raise InputError(f"an address with a password is seen by others: put USER:PASSWORD into {TOKEN} instead")
        name, is_secure = parts.path.strip("/"), parts.scheme == "https"
        try:
            port = parts.port or (443 if is_secure else 19530)
        except ValueError:
            port = 0
        known = parts.scheme in {"milvus", "https"} and parts.hostname and port and name.isidentifier()
        if not known or not name.isascii() or parts.query or parts.fragment:
            shown = parts._replace(query="", fragment="").geturl()  # there may be a password in what is left out
            raise InputError(
                f"no engine for {shown}: give --store a folder, or milvus://HOST:PORT/COLLECTION (https:// for TLS), "
                "a collection's name having letters, digits and _"
            )
        if _is_numbered(name):
            raise InputError(f"{name} is how the passages of another index are called; choose another name")
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        return cls(place, f"{'https' if is_secure else 'http'}://{named}:{port}", host, port, name)

    def passages(self, epoch: int) -> str:
        """Return the name of the passages' collection of an epoch."""
        return f"{self.collection}{_PASSAGES}{epoch}"

    def is_passages(self, collection: str) -> bool:
        """Tell whether this is the passages' collection of any epoch."""
        return _is_numbered(collection) and collection.rpartition(_PASSAGES)[0] == self.collection


class MilvusServer:
    """The calls that a store makes. Connects with the first one. Safe to use from several threads.

    Raises:
        InputError: the package pymilvus is not installed.
        StoreError: the server is away, too slow, refuses the password, or cannot do it.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: MilvusClient | None = None
        self._loaded: set[str] = set()

    def close(self) -> None:
        """Hang up; the next call connects again."""
        with self._lock:
            client, self._client = self._client, None
            self._loaded.clear()
        if client is not None:
            client.close()

    def _connected(self) -> MilvusClient:
        with self._lock:
            if self._client is None:
                logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs reaches us as an error as well
                self._client = self._connect(time.monotonic() + CONNECTING)
            return self._client

    def _connect(self, until: float) -> MilvusClient:
        """Connect, trying again for a while: gRPC waits a little before it looks for a server that was away."""
        from pymilvus import MilvusClient, MilvusException

        while True:
            try:
                client = MilvusClient(self.address.uri, token=os.environ.get(TOKEN, ""), timeout=CONNECTING)
                version = client.get_server_version(timeout=CONNECTING)  # the connection may be one from before
            except MilvusException as error:
                if _code(error) not in {"UNAVAILABLE", "CONNECT_FAILED"} or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                if _is_too_old(version):
                    client.close()
                    raise StoreError(
                        f"{self.address.uri} is Milvus {version}, which cannot search by words (BM25); "
                        f"use {'.'.join(map(str, _LEAST_VERSION))} or later"
                    )
                return client

    @contextmanager
    def _guarded(self) -> Iterator[MilvusClient]:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it logs each refused certificate; the error says it as well
        try:
            from grpc import RpcError
            from pymilvus import MilvusException
        except ImportError as error:
            raise InputError("a store on Milvus needs the package pymilvus: pip install 'rag[milvus]'") from error
        try:
            yield self._connected()
        except (MilvusException, RpcError) as error:
            with self._lock:  # others may be in the midst of a call: they keep the connection that they have
                self._client = None
                self._loaded.clear()
            raise self._explained(error) from error

    def _asked(self, collection: str, work: Callable[[MilvusClient], T]) -> T:
        """Do something with a loaded collection; once more where the server was started again, and has loaded none."""
        try:
            return self._asked_once(collection, work)
        except StoreError as error:
            if _code(error.__cause__) != _NOT_LOADED:
                raise
        return self._asked_once(collection, work)

    def _asked_once(self, collection: str, work: Callable[[MilvusClient], T]) -> T:
        with self._guarded() as client:
            if collection not in self._loaded:
                client.load_collection(collection, timeout=SECONDS)
                self._loaded.add(collection)
            return work(client)

    def _explained(self, error: BaseException) -> StoreError:
        what, said = _code(error), str(getattr(error, "message", error)).partition("\n")[0]
        where, lower = self.address.uri, said.lower()
        if what in {"UNAUTHENTICATED", "PERMISSION_DENIED"} or "auth" in lower or "privilege" in lower:
            return StoreError(f"{where} refuses the password: set {TOKEN} to USER:PASSWORD or to an API key")
        if what == "DEADLINE_EXCEEDED" or "deadline" in lower or "timed out" in lower:
            return StoreError(f"{where} took longer than {SECONDS:g} s; nothing is lost: run it again when it is free")
        if what in {"UNAVAILABLE", "CONNECT_FAILED"} or "connect" in lower or "unavailable" in lower:
            trust = f", or trust its certificate by {_ROOTS}=FILE" if where.startswith("https") else ""
            return StoreError(
                f"no Milvus server answers at {where}; start it{trust}, or name another place with --store"
            )
        if "no space left" in lower or "disk quota" in lower:
            return StoreError(
                f"{where} has no space left; make room on its disk, start it again, since what comes after a torn "
                "write may not last, and run it again: nothing is lost"
            )
        return StoreError(f"{where} cannot do it: {said}; look at its log and its disk, then run it again")

    def has(self, collection: str) -> bool:
        """Tell whether there is such a collection."""
        if collection in self._loaded:
            return True
        with self._guarded() as client:
            return bool(client.has_collection(collection, timeout=SECONDS))

    def has_records(self) -> bool:
        """Tell whether the index's own collection is there; raises `FormatMismatch` where another program made it."""
        name = self.address.collection
        if name in self._loaded:
            return True
        if not self.has(name):
            return False
        with self._guarded() as client:
            fields = {field["name"] for field in client.describe_collection(name, timeout=SECONDS)["fields"]}
        if not {"key", "kind", "value"} <= fields:
            raise FormatMismatch(f"{self.address.place} is a collection of another program; choose another name")
        return True

    def collections(self) -> list[str]:
        """Return the names of all collections."""
        with self._guarded() as client:
            return [str(name) for name in client.list_collections(timeout=SECONDS)]

    def create(self, collection: str, schema: object, indexes: object) -> None:
        """Make a collection whose readers see what was written before they asked."""
        with self._guarded() as client:
            client.create_collection(
                collection, schema=schema, index_params=indexes, consistency_level="Strong", timeout=SECONDS
            )

    def drop(self, collection: str) -> None:
        """Delete a collection."""
        self._loaded.discard(collection)
        with self._guarded() as client:
            client.drop_collection(collection, timeout=SECONDS)

    def get(self, collection: str, keys: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        """Return those rows that there are, by their keys."""
        found: dict[str, Row] = {}
        for start in range(0, len(keys), _KEYS):
            for row in self._query(collection, one_of("key", keys[start : start + _KEYS]), fields):
                found[row["key"]] = row
        return found

    def where(self, collection: str, field: str, values: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """Return the rows whose field has one of these values."""
        starts = range(0, len(values), _KEYS)
        return [
            row
            for start in starts
            for row in self._query(collection, one_of(field, values[start : start + _KEYS]), fields)
        ]

    def _query(self, collection: str, condition: str, fields: Sequence[str]) -> list[Row]:
        asked = {"filter": condition, "output_fields": ["key", *fields], "timeout": SECONDS}
        return self._asked(collection, lambda client: list(client.query(collection, **asked)))

    def scan(self, collection: str, condition: str, fields: Sequence[str]) -> Iterator[Row]:
        """Yield all rows that a condition admits, however many."""
        asked = {"filter": condition, "output_fields": ["key", *fields], "timeout": SECONDS}
        rows = self._asked(collection, lambda client: client.query_iterator(collection, batch_size=1_000, **asked))
        while True:
            with self._guarded():
                batch = rows.next()
            if not batch:
                rows.close()
                return
            yield from batch

    def count(self, collection: str, condition: str = "") -> int:
        """Return how many rows a condition admits."""
        asked = {"filter": condition, "output_fields": ["count(*)"], "timeout": SECONDS}
        return int(self._asked(collection, lambda client: client.query(collection, **asked))[0]["count(*)"])

    def search(
        self, collection: str, field: str, data: object, k: int, condition: str, fields: Sequence[str]
    ) -> list[Row]:
        """Return the rows nearest to a vector or a text, best first."""
        asked: dict[str, Any] = {
            "data": [data],
            "anns_field": field,
            "limit": k,
            "filter": condition,
            "output_fields": ["key", *fields],
            "search_params": {"params": {"ef": min(MOST, 4 * k)}} if field == "vector" else {},
            "timeout": SECONDS,
        }
        return [hit["entity"] for hit in self._asked(collection, lambda client: client.search(collection, **asked))[0]]

    def upsert(self, collection: str, rows: Sequence[Row]) -> None:
        """Write rows by their keys; writing them again changes nothing."""
        for start in range(0, len(rows), _BATCH):
            some = list(rows[start : start + _BATCH])
            self._asked(collection, lambda client: client.upsert(collection, some, timeout=SECONDS))  # noqa: B023

    def delete(self, collection: str, keys: Sequence[str]) -> None:
        """Delete rows by their keys, whether they are there or not."""
        for start in range(0, len(keys), _KEYS):
            self.delete_where(collection, one_of("key", keys[start : start + _KEYS]))

    def delete_where(self, collection: str, condition: str) -> None:
        """Delete all rows that a condition admits."""
        self._asked(collection, lambda client: client.delete(collection, filter=condition, timeout=SECONDS))


def _is_numbered(collection: str) -> bool:
    return _PASSAGES in collection and collection.rpartition(_PASSAGES)[2].isdigit()


def _code(error: Any) -> str:  # noqa: ANN401 - two libraries' errors, alike but for their bases
    """Return the name of gRPC's status, which may stand in the error behind one, or Milvus's own."""
    behind = error.__cause__ if hasattr(error.__cause__, "code") else error
    code = behind.code() if callable(behind.code) else behind.code
    return str(getattr(code, "name", "CONNECT_FAILED" if code == _CONNECT_FAILED else code))


def quoted(value: str) -> str:
    """Return a text as a condition has it."""
    return json.dumps(value, ensure_ascii=False)


def one_of(field: str, values: Sequence[str]) -> str:
    """Return the condition that a field has one of these values."""
    return f"{field} in [{', '.join(map(quoted, values))}]"


def _is_too_old(version: str) -> bool:
    """Compare `v2.3.5-lite`, as the server writes it; that of Milvus Lite is no such number."""
    numbers = version.removeprefix("v").split(".")[:2]
    return all(map(str.isdecimal, numbers)) and tuple(map(int, numbers)) < _LEAST_VERSION
