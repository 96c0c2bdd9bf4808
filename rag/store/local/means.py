"""The direction of each document: the mean of its passages' vectors, kept beside it when it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.store.encoding import direction, matrix, packed_vector

if TYPE_CHECKING:
    import sqlite3


def set_mean(db: sqlite3.Connection, document: int, dimension: int) -> None:
    """Keep the direction of the mean of a document's vectors, where it has several."""
    query = "SELECT vector FROM passages JOIN vectors USING (key) WHERE document = ?"
    rows = [row for (row,) in db.execute(query, (document,))]
    mean = packed_vector(direction(matrix(rows, dimension))) if len(rows) > 1 else None
    db.execute("UPDATE contents SET mean = ? WHERE document = ?", (mean, document))
