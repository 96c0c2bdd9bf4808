"""A checksum of each document's text, checked whenever the text is read: nothing that changed by itself is quoted.

A table beside the documents, so that versions that do not know it keep reading and writing: a trigger forgets the
checksum of a text that they replace, and the next writer that knows it fills in what is missing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rag.errors import IndexCorrupt

if TYPE_CHECKING:
    import sqlite3

_TABLE = """
CREATE TABLE IF NOT EXISTS checksums (
    uri TEXT PRIMARY KEY REFERENCES documents(uri) ON DELETE CASCADE, sha256 TEXT NOT NULL
) WITHOUT ROWID
"""
_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS text_replaced AFTER UPDATE OF text ON documents
BEGIN DELETE FROM checksums WHERE uri = old.uri; END
"""


def prepare(database: sqlite3.Connection) -> None:
    """Make the table where it is missing, and fill in what is missing there; for writers, inside of a transaction."""
    for statement in (_TABLE, _TRIGGER):
        database.execute(statement)
    missing = "SELECT uri FROM documents WHERE uri NOT IN (SELECT uri FROM checksums)"
    for (uri,) in database.execute(missing).fetchall():
        note(database, uri, *database.execute("SELECT text FROM documents WHERE uri = ?", (uri,)).fetchone())


def note(database: sqlite3.Connection, uri: str, text: str) -> None:
    """Keep the checksum of a text that was just written."""
    database.execute("INSERT OR REPLACE INTO checksums VALUES (?, ?)", (uri, _sha256(text)))


def is_kept(database: sqlite3.Connection) -> bool:
    """Tell whether the index has checksums: an older one gets them with the next `rag index`."""
    return database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'checksums'").fetchone() is not None


def check(database: sqlite3.Connection, uri: str, text: str) -> str:
    """Return the text; raises `IndexCorrupt` where it is not what was written."""
    row = database.execute("SELECT sha256 FROM checksums WHERE uri = ?", (uri,)).fetchone()
    if row is not None and row[0] != _sha256(text):
        raise IndexCorrupt(
            f"catalog.db: the text of {uri} is damaged (its checksum is another one); rebuild with: "
            "rag index --rebuild FOLDER"
        )
    return text


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
