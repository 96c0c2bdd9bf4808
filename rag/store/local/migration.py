"""The tables of earlier formats -> those of the present one: nothing is read from files or embedded again.

Format 4 had the signs of every other component of a word, not of every fourth. Format 3 had them as well, and float32
vectors by model and text, texts as they are, and a passage's document by its URI.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from rag.store.encoding import key_of, packed_text, packed_vector, text_sha256
from rag.store.local.means import set_mean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

OLD = (3, 4)
"""The formats that are taken over."""

_TABLES = ("documents", "passages", "vectors", "unsettled")


def take_over(db: sqlite3.Connection, version: int, make_tables: Callable[[], None]) -> None:
    """Bring the tables of one of the formats `OLD` up to date; `make_tables` makes the present ones."""
    if version == OLD[0]:
        _move_away(db)
        make_tables()
        _fill(db)
    db.create_function("shortened", 2, _shortened, deterministic=True)
    db.execute("UPDATE vectors SET words = shortened(words, length(vector) / 2) WHERE length(words)")


def _shortened(words: bytes, dimension: int) -> bytes:
    """Keep every other sign of words that have every other of so many components."""
    bits = -(-dimension // 2)
    rows = np.frombuffer(words, np.uint8).reshape(-1, -(-bits // 8))
    return np.packbits(np.unpackbits(rows, axis=1, count=bits)[:, ::2], axis=1).tobytes()


def _move_away(db: sqlite3.Connection) -> None:
    """Give the old tables other names, to make room for the new ones."""
    for index in ("passages_uri", "passages_key"):
        db.execute(f"DROP INDEX {index}")
    for table in _TABLES:
        db.execute(f"ALTER TABLE {table} RENAME TO old_{table}")


def _fill(db: sqlite3.Connection) -> None:
    """Fill the new tables from the old ones and drop these; the FAISS file is to be written anew."""
    (stored,) = db.execute("SELECT value FROM meta WHERE key = 'recipe'").fetchone() or (None,)
    recipe = json.loads(stored) if stored else {}
    model = str(recipe.get("fingerprint", ""))
    db.create_function("key_of", 2, key_of, deterministic=True)
    db.create_function("packed_text", 1, packed_text, deterministic=True)
    db.create_function("text_sha256", 1, text_sha256, deterministic=True)
    db.create_function("packed_vector", 1, _halved, deterministic=True)
    db.execute(
        "INSERT INTO documents (uri, digest, media_type, title, date, characters) "
        "SELECT uri, digest, media_type, title, date, length(text) FROM old_documents ORDER BY rowid"
    )
    db.execute(
        "INSERT INTO contents (document, text, layout, sha256) "
        "SELECT d.number, packed_text(o.text), packed_text(o.layout), text_sha256(o.text) "
        "FROM documents d JOIN old_documents o USING (uri)"
    )
    db.execute(
        "INSERT INTO passages SELECT o.number, id, d.number, start, end, section, speaker, page, sentences, "
        "statements, key_of(?, key) FROM old_passages o JOIN documents d USING (uri) ORDER BY o.number",
        (model,),
    )
    db.execute("INSERT INTO vectors SELECT key_of(model, key), packed_vector(vector), words FROM old_vectors")
    db.execute("INSERT INTO loose SELECT key FROM vectors WHERE key NOT IN (SELECT key FROM passages)")
    db.execute("INSERT INTO unsettled SELECT id FROM old_unsettled")
    _set_means(db, int(recipe.get("dimension", 0)))
    for table in reversed(_TABLES):
        db.execute(f"DROP TABLE old_{table}")
    db.execute("DELETE FROM meta WHERE key LIKE 'vectors_%'")
    db.execute("INSERT OR REPLACE INTO meta SELECT 'passages', count(*) FROM passages")


def _halved(vector: bytes) -> bytes:
    return packed_vector(np.frombuffer(vector, np.float32))


def _set_means(db: sqlite3.Connection, dimension: int) -> None:
    for (number,) in db.execute("SELECT number FROM documents").fetchall():
        set_mean(db, number, dimension)
