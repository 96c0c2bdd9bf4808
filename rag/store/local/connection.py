"""A connection to catalog.db: how it is opened, its transactions, and its errors in our words.

A writer holds the folder's lock and is the only one that writes or checkpoints: SQLite before 3.51.3 can damage a
write-ahead log when two connections checkpoint at once. Readers open the file read-only.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rag.errors import FormatMismatch, IndexCorrupt, IndexMissing, StoreError
from rag.store.encoding import decoding
from rag.store.local import migration
from rag.store.local.files import hold, identity, let_go, unwritable, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 5
"""Version of this schema. One of `migration.OLD` is brought up to date by the next writer, all others are refused."""

_PAGE = 16_384  # bytes; a row of vectors has about 1,600, of which only two would fit into the usual 4,096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, media_type TEXT NOT NULL,
    title TEXT, date TEXT, characters INTEGER NOT NULL, added TEXT
);
CREATE TABLE contents (
    document INTEGER PRIMARY KEY REFERENCES documents(number) ON DELETE CASCADE,
    mean BLOB,  -- direction of the mean of its vectors, as they are encoded; none where it has only one
    text BLOB NOT NULL, layout BLOB NOT NULL,  -- both packed
    sha256 BLOB NOT NULL  -- of the text: what changed by itself is never quoted
);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the id of its vector in the FAISS file
    id TEXT NOT NULL UNIQUE, document INTEGER NOT NULL REFERENCES documents(number) ON DELETE CASCADE,
    start INTEGER NOT NULL, end INTEGER NOT NULL, section TEXT, speaker TEXT, page INTEGER,
    sentences TEXT NOT NULL, statements TEXT NOT NULL,
    key BLOB NOT NULL  -- key of its retrieval text in vectors; the vector may come later
);
CREATE INDEX passages_document ON passages(document);
CREATE INDEX passages_key ON passages(key);
CREATE TABLE vectors (
    key BLOB NOT NULL UNIQUE,  -- of a text and the encoder
    vector BLOB NOT NULL,  -- float16
    words BLOB NOT NULL  -- vectors of the words of the text, packed; empty when the encoder gives none
);
-- passages that the lexical index may not be level with
CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;
-- vectors that perhaps no passage needs (any more)
CREATE TABLE loose (key BLOB PRIMARY KEY) WITHOUT ROWID;
-- passages that are not in the FAISS file
CREATE TABLE beside (number INTEGER PRIMARY KEY);
-- numbers in the FAISS file whose passages were removed
CREATE TABLE gone (number INTEGER PRIMARY KEY);
CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN INSERT INTO beside VALUES (new.number); END;
CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
    INSERT OR IGNORE INTO loose VALUES (old.key); INSERT INTO gone SELECT old.number
    WHERE old.number NOT IN (SELECT number FROM beside); DELETE FROM beside WHERE number = old.number; END;
"""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Connection:
    """One connection. Vendor errors leave as ours.

    Raises:
        IndexMissing: opened for reading, and there is none.
        FormatMismatch: written by another version.
        IndexCorrupt: not a database, or a damaged one.
        StoreError: it cannot be opened or, later, written: no permission, no space.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        if not write and not path.exists():
            raise self._missing()
        if write:
            if not path.exists():  # to close one that is there would take away the locks of this process (files.py)
                with writing(path):  # before SQLite, which would let others read it, and gives its log the same mode
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            elif not os.access(path, os.W_OK):
                raise unwritable(path, "Permission denied")
        with self.guarded():
            self._db = sqlite3.connect(
                path if write else _read_only(path), uri=not write, isolation_level=None, check_same_thread=False
            )
        self._file = identity(path) or (0, 0)
        hold(self._file)
        self._is_open = True
        try:
            with self.guarded():
                if write:
                    self._prepare()
                self._check_format()
        except BaseException:
            self.close()
            raise

    @property
    def is_current(self) -> bool:
        """Whether the file that was opened is still the one at its path."""
        return self._file == identity(self.path)

    def _prepare(self) -> None:
        self._db.execute(f"PRAGMA page_size={_PAGE}")  # of a new file
        self._db.execute("PRAGMA cache_size=-32000")  # kilobytes: what the indexes over a million passages need
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")  # what is removed is gone from the file
        self._db.execute("PRAGMA foreign_keys=ON")
        if not self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            self._create()
        elif (self.get("format") or "") in map(str, migration.OLD):
            self._migrate(int(self.get("format") or 0))
        if self.get("format") == str(FORMAT) and not self.tells_added:
            self._db.execute("ALTER TABLE documents ADD COLUMN added TEXT")

    @property
    def tells_added(self) -> bool:
        """Whether it is noted when documents came; indexes of the first programs of this format cannot tell."""
        query = "SELECT count(*) FROM pragma_table_info('documents') WHERE name = 'added'"
        return bool(self._db.execute(query).fetchone()[0])

    def _check_format(self) -> None:
        found = self.get("format")
        if found is None:  # created and killed before its first transaction
            raise self._missing()
        with decoding("the format"):
            version = int(found)
        if version != FORMAT:
            raise FormatMismatch(
                f"the index at {self.path.parent} has format {found}, this program needs {FORMAT}; "
                "rebuild it with: rag index --rebuild FOLDER"
            )

    def _missing(self) -> IndexMissing:
        folder = self.path.parent
        return IndexMissing(f"no index at {folder}; make one with: rag index FOLDER --store {folder}")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn SQLite's complaints into ours; only those about the file's contents are damage."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        extended = getattr(error, "sqlite_errorcode", 0)
        code = extended & 0xFF  # the low byte; the rest says where it happened
        if code not in _DAMAGE and "no such table" in str(error):
            return self._missing()
        # our SQL is fixed, so an error in it means that the stored schema is damaged
        if code in {*_DAMAGE, sqlite3.SQLITE_ERROR} or "decode to UTF-8" in str(error):
            return IndexCorrupt(f"{self.path} is damaged: {error}; rebuild with: rag index --rebuild FOLDER")
        if extended == sqlite3.SQLITE_READONLY_ROLLBACK:  # only a writer can take back what was begun
            return StoreError(f"{self.path} was left half written by a stopped run; mend it with: rag index FOLDER")
        if code == sqlite3.SQLITE_FULL:
            return StoreError(f"the disk of {self.path} is full: free space and run it again; nothing is lost")
        if code == sqlite3.SQLITE_CANTOPEN and _has_log(self.path) and not os.access(self.path.parent, os.W_OK):
            return StoreError(
                f"{self.path} has changes in {self.path.name}-wal that can only be read in a writable folder; "
                "copy the whole index to one"
            )
        return StoreError(f"{self.path} cannot be used: {error}; check space and permissions, then try again")

    def _create(self) -> None:
        with self.transaction():
            self._make_tables()
            self.put("generation", "0")

    def _make_tables(self) -> None:
        for statement in _SCHEMA.split(";\n"):
            self._db.execute(statement)
        self.put("format", str(FORMAT))

    def _migrate(self, version: int) -> None:
        """Bring an index of an earlier format up to date, wholly or not at all; its space goes back if that can be."""
        with self.transaction():
            migration.take_over(self._db, version, self._make_tables)
            self.put("format", str(FORMAT))
        with suppress(sqlite3.OperationalError):  # while somebody reads, or without space: only larger than need be
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("VACUUM")
        self._db.execute("PRAGMA journal_mode=WAL")

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """All or nothing; for reading, one unchanging view."""
        with self.guarded():
            self._db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # SQLite itself takes back what a full disk stopped
                    self._db.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the database; only the writer may."""
        with self.guarded():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        self._db.close()
        if self._is_open:
            self._is_open = False
            let_go(self._file)

    def get(self, key: str) -> str | None:
        """Return a value of the meta table."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Write a value of the meta table."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _read_only(path: Path) -> str:
    """Return the URI for reading; without looking for a log only where none is and none can come."""
    mode = "mode=ro" if _has_log(path) or os.access(path.parent, os.W_OK) else "immutable=1"
    return f"{path.absolute().as_uri()}?{mode}"


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
