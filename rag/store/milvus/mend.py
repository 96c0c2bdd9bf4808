"""What a stopped run left, and what a server lost: found by counting, and only where counts differ by reading all keys.

A server that had no space left may forget rows that it had taken: Milvus Lite does when it is started again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from rag.store.milvus.rows import Head
    from rag.store.milvus.server import MilvusServer


class _Rows(NamedTuple):
    """The rows of one kind: where they are, where their keys name a version, and how many each head has."""

    collection: str
    condition: str
    first: int
    counts: dict[tuple[str, str], int]

    def version(self, key: str) -> tuple[str, ...]:
        """Return the document and the version that a key names."""
        return tuple(key.split(":")[self.first : self.first + 2])


def _kinds(server: MilvusServer, epoch: int, heads: Collection[Head]) -> tuple[_Rows, _Rows]:
    """Return the passages and the pieces of texts."""
    passages = {(head.document, head.version): head.info.passages for head in heads}
    pieces = {(head.document, head.version): head.pieces for head in heads}
    return (
        _Rows(server.address.passages(epoch), "", 0, passages),
        _Rows(server.address.collection, f'kind == "piece" and epoch == {epoch}', 2, pieces),
    )


def delete_unnamed(server: MilvusServer, epoch: int, heads: Collection[Head], since: int) -> None:
    """Delete the rows of this generation and of later ones that belong to no head."""
    for rows in _kinds(server, epoch, heads):
        condition = " and ".join(filter(None, (rows.condition, f"generation >= {since}")))
        keys = [row["key"] for row in server.scan(rows.collection, condition, ())]
        server.delete(rows.collection, [key for key in keys if rows.version(key) not in rows.counts])


def incomplete(server: MilvusServer, epoch: int, heads: Collection[Head]) -> set[str]:
    """Return the URIs of documents that lack rows; where there are more rows than these have, delete what is too much.

    Two calls where all is as it should be.
    """
    found: set[str] = set()
    for rows in _kinds(server, epoch, heads):
        if server.count(rows.collection, rows.condition) == sum(rows.counts.values()):
            continue
        keys = [row["key"] for row in server.scan(rows.collection, rows.condition, ())]
        there = Counter(map(rows.version, keys))
        server.delete(rows.collection, [key for key in keys if rows.version(key) not in rows.counts])
        lacking = {version for version, count in rows.counts.items() if there[version] < count}
        found |= {head.info.uri for head in heads if (head.document, head.version) in lacking}
    return found
