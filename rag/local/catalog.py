"""The catalog: SQLite, the truth. Documents, passages, vectors by (model, text), generation, recipe.

A writer holds the folder's lock and is the only one that writes or checkpoints: SQLite before 3.51.3 can damage a
write-ahead log when two connections checkpoint at once. Readers open the file read-only.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from rag.errors import DocumentUnknown, FormatMismatch, IndexCorrupt, IndexMissing
from rag.records import Document, Passage, Section, Span, Statement
from rag.store import DocumentInfo, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rag.where import Filter

FORMAT = 1
"""Version of this schema; an index of another one is refused."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    uri TEXT PRIMARY KEY, digest TEXT NOT NULL, media_type TEXT NOT NULL, title TEXT, date TEXT,
    text TEXT NOT NULL, layout TEXT NOT NULL
);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the id of its vector in the FAISS file
    id TEXT NOT NULL UNIQUE, uri TEXT NOT NULL REFERENCES documents(uri) ON DELETE CASCADE,
    start INTEGER NOT NULL, end INTEGER NOT NULL, section TEXT, speaker TEXT, page INTEGER,
    sentences TEXT NOT NULL, key TEXT NOT NULL  -- key of its retrieval text in vectors; the vector may come later
);
CREATE INDEX passages_uri ON passages(uri);
CREATE INDEX passages_key ON passages(key);
CREATE TABLE vectors (model TEXT NOT NULL, key TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (model, key));
CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;  -- passages that the lexical index may not be level with
"""

_PASSAGE = """
SELECT p.id, p.uri, p.start, p.end, substr(d.text, p.start + 1, p.end - p.start), d.title, p.section, p.speaker,
       d.date, p.page, p.sentences
FROM passages p JOIN documents d USING (uri)
"""


def text_key(passage: Passage) -> str:
    """Return the key under which the vector of this passage's retrieval text is kept."""
    return hashlib.sha256(passage.retrieval_text.encode("utf-8", "surrogatepass")).hexdigest()


class Catalog:
    """One connection. Vendor errors leave as `IndexCorrupt`.

    Raises:
        IndexMissing: opened for reading, and there is none.
        FormatMismatch: written by another version.
        IndexCorrupt: not a database, or a damaged one.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        if not write and not path.exists():
            raise IndexMissing(f"no index at {path.parent}; make one with: rag index FOLDER --store {path.parent}")
        with self.guarded():
            if write:
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.execute("PRAGMA secure_delete=ON")  # what is removed is gone from the file
                self._db.execute("PRAGMA foreign_keys=ON")
                self._create()
            else:
                mode = "mode=ro" if os.access(path.parent, os.W_OK) else "immutable=1"
                uri = f"{path.absolute().as_uri()}?{mode}"
                self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            found = self.get("format")
        if found is None:  # created and killed before its first transaction
            raise IndexMissing(f"no index at {path.parent}; make one with: rag index FOLDER --store {path.parent}")
        if int(found) != FORMAT:
            raise FormatMismatch(
                f"the index at {path.parent} has format {found}, this program needs {FORMAT}; "
                "rebuild it with: rag index --rebuild FOLDER"
            )

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn SQLite's complaints about the file into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise IndexCorrupt(f"{self.path} cannot be read: {error}; rebuild with: rag index --rebuild") from error
            raise IndexMissing(f"no index at {self.path.parent}; make one with: rag index FOLDER") from error
        except sqlite3.DatabaseError as error:
            raise IndexCorrupt(f"{self.path} is damaged: {error}; rebuild with: rag index --rebuild FOLDER") from error

    def _create(self) -> None:
        if self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return
        with self.transaction():
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)
            self.put("format", str(FORMAT))
            self.put("generation", "0")

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """All or nothing; for reading, one unchanging view."""
        with self.guarded():
            self._db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    # meta

    def get(self, key: str) -> str | None:
        """Return a value of the meta table."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Write a value of the meta table."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def generation(self) -> int:
        """How often something was published."""
        return int(self.get("generation") or 0)

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with."""
        stored = self.get("recipe")
        return Recipe(**json.loads(stored)) if stored else None

    def set_recipe(self, recipe: Recipe) -> None:
        """Remember what the index is made with."""
        self.put("recipe", json.dumps(asdict(recipe)))

    # documents

    def digests(self) -> dict[str, str]:
        """Return the digest of every document by URI."""
        return dict(self._db.execute("SELECT uri, digest FROM documents"))

    def documents(self) -> list[DocumentInfo]:
        """List all documents by URI."""
        rows = self._db.execute(
            "SELECT uri, title, digest, media_type, date, length(text), "
            "(SELECT count(*) FROM passages p WHERE p.uri = d.uri) FROM documents d ORDER BY uri"
        )
        return [
            DocumentInfo(uri, title or uri.rpartition("/")[2], digest, media_type, date, characters, passages)
            for uri, title, digest, media_type, date, characters, passages in rows
        ]

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""
        row = self._db.execute(
            "SELECT uri, text, title, digest, media_type, date, layout FROM documents WHERE uri = ?", (uri,)
        ).fetchone()
        if row is None:
            raise DocumentUnknown(f"no document {uri} in the index; rag status lists them")
        return _with_layout(Document(*row[:6]), row[6])

    def put_document(self, document: Document, passages: Sequence[Passage]) -> None:
        """Insert or replace a document and its passages; passages that stay the same keep their number."""
        d = document
        self._db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (uri) DO UPDATE SET digest=excluded.digest, "
            "media_type=excluded.media_type, title=excluded.title, date=excluded.date, text=excluded.text, "
            "layout=excluded.layout",
            (d.uri, d.digest, d.media_type, d.title, d.date, d.text, _layout(d)),
        )
        stale = self.passage_ids(d.uri) - {passage.id for passage in passages}
        self._db.executemany("DELETE FROM passages WHERE id = ?", ((id_,) for id_ in stale))
        self._db.executemany(
            "INSERT INTO passages (id, uri, start, end, section, speaker, page, sentences, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET sentences=excluded.sentences",
            (
                (p.id, p.uri, p.span.start, p.span.end, p.section, p.speaker, p.page, _flat(p.sentences), text_key(p))
                for p in passages
            ),
        )

    def delete_document(self, uri: str) -> None:
        """Forget a document and its passages."""
        self._db.execute("DELETE FROM documents WHERE uri = ?", (uri,))

    def delete_everything(self) -> None:
        """Forget all documents and the recipe; the generation goes on counting."""
        for table in ("passages", "documents"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
        self._db.execute("DELETE FROM meta WHERE key IN ('recipe', 'vectors_file', 'vectors_size', 'vectors_sha256')")

    # passages

    def passage_ids(self, uri: str | None = None) -> set[str]:
        """Return the ids of all passages, or of those of one document."""
        where, parameters = ("", ()) if uri is None else (" WHERE uri = ?", (uri,))
        return {row[0] for row in self._db.execute(f"SELECT id FROM passages{where}", parameters)}  # noqa: S608

    def passages(self, ids: Iterable[str] | None = None) -> Iterator[Passage]:
        """Return those of these passages that exist; all of them without `ids`."""
        if ids is None:
            yield from map(_passage, self._db.execute(_PASSAGE))
            return
        for id_ in ids:
            row = self._db.execute(f"{_PASSAGE} WHERE p.id = ?", (id_,)).fetchone()
            if row is not None:
                yield _passage(row)

    def numbers(self, model: str) -> list[int]:
        """Return the numbers of all passages that have a vector of this model, in ascending order."""
        query = "SELECT number FROM passages JOIN vectors USING (key) WHERE model = ? ORDER BY number"
        return [row[0] for row in self._db.execute(query, (model,))]

    def limits(self, where: Filter) -> dict[str, list[str]]:
        """Return the values that a filter admits, for each column of passages that it limits."""
        limits: dict[str, list[str]] = {}
        if where.document or where.folder or where.date:
            rows = self._db.execute("SELECT uri, date FROM documents")
            limits["uri"] = [uri for uri, date in rows if where.has_document(uri, date)]
        for column, wanted, fits in (
            ("section", where.section, where.has_section),
            ("speaker", where.speaker, where.has_speaker),
        ):
            if wanted:
                rows = self._db.execute(f"SELECT DISTINCT {column} FROM passages")  # noqa: S608 - names from above
                limits[column] = [value for (value,) in rows if fits(value)]
        return limits

    def numbers_within(self, limits: Mapping[str, Sequence[str]]) -> list[int]:
        """Return the numbers of the passages whose columns have one of these values each."""
        query = "SELECT number FROM passages WHERE 1"
        for column in limits:  # our own names, from the method above
            query += f" AND {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
        return [row[0] for row in self._db.execute(query, [json.dumps(values) for values in limits.values()])]

    def ids_of(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return the passage id of each number that exists."""
        found = (self._db.execute("SELECT number, id FROM passages WHERE number = ?", (n,)).fetchone() for n in numbers)
        return dict(row for row in found if row is not None)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - own names only

    # vectors

    def has_vector(self, model: str, key: str) -> bool:
        """Tell whether the vector of this text is known."""
        query = "SELECT 1 FROM vectors WHERE model = ? AND key = ?"
        return self._db.execute(query, (model, key)).fetchone() is not None

    def put_vectors(self, model: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep vectors by the key of their text."""
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", ((model, *row) for row in rows))

    def prune_vectors(self) -> None:
        """Forget the vectors of texts that no passage has any more."""
        self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")

    def vectors(self, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Return (number, float32 bytes) of those of these passages that have a vector."""
        query = "SELECT vector FROM passages JOIN vectors USING (key) WHERE number = ? AND model = ?"
        for number in numbers:
            row = self._db.execute(query, (number, model)).fetchone()
            if row is not None:
                yield number, row[0]

    def vectors_by_id(self, model: str, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Return (passage id, float32 bytes) of those of these passages that have a vector."""
        query = "SELECT vector FROM passages JOIN vectors USING (key) WHERE id = ? AND model = ?"
        for id_ in ids:
            row = self._db.execute(query, (id_, model)).fetchone()
            if row is not None:
                yield id_, row[0]

    # the lexical index's debts

    def unsettled(self) -> set[str]:
        """Return the passages whose state in the lexical index is in doubt."""
        return {row[0] for row in self._db.execute("SELECT id FROM unsettled")}

    def set_unsettled(self, ids: Iterable[str]) -> None:
        """Note passages whose state in the lexical index is about to be in doubt; none settles all."""
        self._db.execute("DELETE FROM unsettled")
        self._db.executemany("INSERT INTO unsettled VALUES (?)", ((id_,) for id_ in ids))

    def check(self) -> list[str]:
        """Run SQLite's own checks; each entry is one damage."""
        rows = [row[0] for row in self._db.execute("PRAGMA integrity_check")]
        orphans = self._db.execute("SELECT count(*) FROM passages WHERE uri NOT IN (SELECT uri FROM documents)")
        lost = orphans.fetchone()[0]
        damages = [f"catalog.db: {row}" for row in rows if row != "ok"]
        return damages + ([f"catalog.db: {lost} passages without a document"] if lost else [])

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the database; only the writer may."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _passage(row: tuple[str, str, int, int, str, str, str, str, str, int, str]) -> Passage:
    id_, uri, start, end, text, title, section, speaker, date, page, sentences = row
    flat = json.loads(sentences)
    spans = tuple(Span(a, b) for a, b in zip(flat[::2], flat[1::2], strict=True))
    return Passage(id_, uri, Span(start, end), text, title, section, speaker, date, page, spans)


def _flat(spans: Iterable[Span]) -> str:
    return json.dumps([offset for span in spans for offset in (span.start, span.end)])


def _layout(document: Document) -> str:
    return json.dumps(
        {
            "page_starts": document.page_starts,
            "sections": [
                (s.span.start, s.span.end, s.heading.start, s.heading.end, s.title, s.level) for s in document.sections
            ],
            "blocks": [(block.start, block.end) for block in document.blocks],
            "speakers": [(s.span.start, s.span.end, s.speaker) for s in document.speakers],
        }
    )


def _with_layout(document: Document, stored: str) -> Document:
    layout = json.loads(stored)
    sections = layout["sections"]
    return replace(
        document,
        page_starts=tuple(layout["page_starts"]),
        sections=tuple(Section(Span(a, b), Span(c, d), title, level) for a, b, c, d, title, level in sections),
        blocks=tuple(Span(a, b) for a, b in layout["blocks"]),
        speakers=tuple(Statement(Span(a, b), speaker) for a, b, speaker in layout["speakers"]),
    )
