"""What was asked and answered, and what people thought of it: kept on this machine, beside the index.

A SQLite file of its own, so that a rebuilt index keeps its history and a deleted one takes it along. Answers are kept
in the form of `rag.app.as_json.answer_json`. Feedback becomes questions that `rag eval` measures.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from rag.errors import DocumentUnknown, FormatMismatch, IndexCorrupt, InputError, StoreError
from rag.records.filters import is_called
from rag.store.local.files import make_folder, sync

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

Json = dict[str, Any]
Verdict = Literal["helpful", "wrong"]

FORMAT = 2
MOST_BYTES = 256 * 1024 * 1024
"""Beyond it the conversations that were touched longest ago are forgotten: some ten thousand answers fit."""

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL, asked_at TEXT NOT NULL,
    question TEXT NOT NULL, answer TEXT NOT NULL, verdict TEXT, correction TEXT, sha256 TEXT
);
CREATE INDEX IF NOT EXISTS turns_conversation ON turns(conversation, id);
PRAGMA user_version = {FORMAT};
COMMIT;
"""

_FROM_1 = """
BEGIN IMMEDIATE;
ALTER TABLE turns ADD COLUMN sha256 TEXT;
UPDATE turns SET sha256 = turn_sha256(id, conversation, asked_at, question, answer, verdict, correction);
PRAGMA user_version = 2;
COMMIT;
"""

_SEAL = (
    "UPDATE turns SET sha256 = turn_sha256(id, conversation, asked_at, question, answer, verdict, correction) "
    "WHERE id = ?"
)
_DAMAGED = """
SELECT id FROM turns
WHERE sha256 IS NOT turn_sha256(id, conversation, asked_at, question, answer, verdict, correction)
"""


@dataclass(frozen=True, slots=True)
class ConversationTurn:
    """A question with its answer in the form of `rag ask --json`, asked at a time in UTC, ISO 8601 to the second.

    `conversation` is the id of its first turn. `verdict` is what somebody said of the answer, `correction` the right
    short answer from whoever said that this one is wrong.
    """

    id: int
    conversation: int
    asked_at: str
    answer: Json
    verdict: Verdict | None = None
    correction: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A line of the list of conversations: its first question, its number of turns, and when it was last touched."""

    id: int
    title: str
    turns: int
    asked_at: str


class History:
    """The conversations in a file, which need not exist yet. Safe to use from several threads and processes.

    Each change is on disk, or not made at all, when its method returns. All methods raise `StoreError` when the file,
    usually `library.store.root / "history.db"`, cannot be used, and `IndexCorrupt` when it is damaged: all of it is
    checked before it is first used, and each turn by its checksum when it is read.
    """

    def __init__(self, file: Path, most_bytes: int = MOST_BYTES) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self._is_checked = False

    def damages(self) -> list[str]:
        """Check everything again; each entry names one damage, none means sound, or no file."""
        if not self._file.exists():
            return []
        try:
            with self._opened() as db:
                return self._found_damages(db)
        except StoreError as error:
            return [str(error)]

    def repair(self) -> None:
        """Forget the turns that are damaged, or begin anew where SQLite's own structure is; a copy is kept beside."""
        if not self.damages():
            return
        kept = f"{self._file.name}.damaged-{1 + len(list(self._file.parent.glob(f'{self._file.name}.damaged-*')))}"
        shutil.copy(self._file, self._file.with_name(kept))
        try:
            with self._opened() as db:
                db.execute(f"DELETE FROM turns WHERE id IN ({_DAMAGED})")  # noqa: S608 - our own words
                mended = not self._found_damages(db)
        except StoreError:
            mended = False
        if not mended:
            for file in (self._file, self._file.with_name(f"{self._file.name}-journal")):
                file.unlink(missing_ok=True)

    def _found_damages(self, db: sqlite3.Connection) -> list[str]:
        found = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"turn {number} is damaged (its checksum is another one)" for (number,) in db.execute(_DAMAGED)]
        return [f"{self._file}: {each}" for each in found]

    def add(self, answer: Json, conversation: int | None = None) -> ConversationTurn:
        """Keep an answer as the next turn of a conversation; as the first of a new one without it, or if it is gone."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._open() as db:
            number = db.execute(
                "INSERT INTO turns (conversation, asked_at, question, answer) VALUES (0, ?, ?, ?) RETURNING id",
                (now, json.dumps(answer["question"]), json.dumps(answer)),
            ).fetchone()[0]
            goes_on = db.execute("SELECT count(*) FROM turns WHERE id = ?", (conversation,)).fetchone()[0]
            turn = ConversationTurn(number, conversation if conversation and goes_on else number, now, answer)
            db.execute("UPDATE turns SET conversation = ? WHERE id = ?", (turn.conversation, number))
            db.execute(_SEAL, (number,))
            self._forget_oldest(db, turn.conversation)
        return turn

    def conversations(self) -> list[Conversation]:
        """List the conversations, the one touched last first."""
        rows = self._rows(
            "SELECT conversation, (SELECT question FROM turns WHERE id = t.conversation), count(*), max(asked_at) "
            "FROM turns t GROUP BY conversation ORDER BY max(t.id) DESC"
        )
        return [Conversation(id_, json.loads(question), turns, last) for id_, question, turns, last in rows]

    def turns(self, conversation: int) -> list[ConversationTurn]:
        """Return a conversation in order; raises `InputError` when it is gone."""
        found = [_turn(row) for row in self._rows(f"{_TURN} WHERE conversation = ? ORDER BY id", conversation)]
        if not found:
            raise InputError("That conversation is not there any more.")
        return found

    def delete(self, conversation: int) -> None:
        """Forget a conversation with all feedback on it."""
        with self._open() as db:
            db.execute("DELETE FROM turns WHERE conversation = ?", (conversation,))

    def withdraw(self, turn: int) -> int | None:
        """Forget one answer with its question; return the id of its conversation from now on, None where that is gone.

        Raises `InputError` when it is not kept.
        """
        with self._open() as db:
            found = db.execute("DELETE FROM turns WHERE id = ? RETURNING conversation", (turn,)).fetchone()
            if found is None:
                raise InputError("That answer is not kept any more.")
            rest = db.execute("SELECT id FROM turns WHERE conversation = ? ORDER BY id", found).fetchall()
            if rest and turn == found[0]:  # a conversation goes by its first turn
                db.execute("UPDATE turns SET conversation = ? WHERE conversation = ?", (*rest[0], *found))
                db.executemany(_SEAL, rest)
        return rest[0][0] if rest else None

    def quoted(self) -> dict[str, set[int]]:
        """Return, for each document that answers quote or show a passage of, the conversations with such an answer."""
        found: dict[str, set[int]] = {}
        for conversation, uri in self._rows(_QUOTED):
            found.setdefault(uri, set()).add(conversation)
        return found

    def forget(self, *documents: str) -> int:
        """Forget the conversations that quote documents, with all feedback on them, and return how many there were.

        A document, which the index need not have any more, goes by its URI or the end of a path that only one of them
        has. Raises `DocumentUnknown`, and forgets nothing, where no conversation quotes it or several are called so.
        """
        quoted = self.quoted()
        gone = set[int]().union(*(quoted[_called(name, quoted)] for name in documents))
        with self._open() as db:
            db.executemany("DELETE FROM turns WHERE conversation = ?", ((number,) for number in gone))
        return len(gone)

    def judge(self, turn: int, verdict: Verdict | None, correction: str | None = None) -> None:
        """Keep what somebody says of an answer, in place of what was said before; raises `InputError`."""
        with self._open() as db:
            changed = db.execute(
                "UPDATE turns SET verdict = ?, correction = ? WHERE id = ?",
                (verdict, json.dumps(correction) if verdict == "wrong" and correction else None, turn),
            )
            if not changed.rowcount:
                raise InputError("That answer is not kept any more.")
            db.execute(_SEAL, (turn,))

    def question_file(self, documents: Collection[str]) -> str:
        """Return the answers with a verdict as a question file for `rag eval`, JSON Lines in the order of asking.

        `documents` are URIs of the index that they are to be measured on; `rag eval` refuses others.
        """
        judged = map(_turn, self._rows(f"{_TURN} WHERE verdict IS NOT NULL ORDER BY id"))
        return "".join(f"{json.dumps(_question(turn, documents))}\n" for turn in judged)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if not self._file.exists():
            return []
        with self._open() as db:
            return db.execute(query, values).fetchall()

    def _forget_oldest(self, db: sqlite3.Connection, but: int) -> None:
        """Forget conversations until the file's pages in use fit, never the one in hand."""
        while db.execute(_BYTES_USED).fetchone()[0] > self._most_bytes:
            oldest = db.execute(
                "SELECT conversation FROM turns WHERE conversation != ? GROUP BY conversation ORDER BY max(id) LIMIT 1",
                (but,),
            ).fetchone()
            if oldest is None:
                return
            db.execute("DELETE FROM turns WHERE conversation = ?", oldest)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as db:
            if not self._is_checked and (found := self._found_damages(db)):
                raise IndexCorrupt(f"{found[0]}; rag verify --repair forgets what is damaged, and keeps a copy")
            self._is_checked = True
            yield db

    def _create(self) -> None:
        """Make an empty history, wholly there or not at all: a file with nothing in it is a damaged one."""
        new = self._file.with_name(f".{self._file.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            os.close(os.open(new, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600))
            with closing(sqlite3.connect(new)) as db:
                db.executescript(_SCHEMA)
            try:
                self._file.hardlink_to(new)
            except FileExistsError:  # another process was faster
                pass
            except OSError:  # a file system without such links
                new.replace(self._file)
            sync(self._file.parent)
        finally:
            new.unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            make_folder(self._file.parent)
            if not self._file.exists():
                self._create()
            with closing(sqlite3.connect(self._file, timeout=10)) as db:
                db.execute("PRAGMA secure_delete = ON")  # what is forgotten is gone from the file
                db.execute("PRAGMA synchronous = EXTRA")  # the end of a journal is to last as well, or it comes back
                db.create_function("turn_sha256", -1, _sha256, deterministic=True)
                found = db.execute("PRAGMA user_version").fetchone()[0]
                if found == 1:
                    db.executescript(_FROM_1)
                elif not found:
                    raise IndexCorrupt(f"{self._file} is damaged: nothing is in it; rag verify --repair begins anew")
                elif found != FORMAT:
                    raise FormatMismatch(f"{self._file} was written by another version of this program; move it away")
                with db:
                    yield db
        except (OSError, sqlite3.Error, ValueError, LookupError) as error:
            raise StoreError(
                f"{self._file} cannot be used ({error}); free space, or move it away to begin anew"
            ) from error


_QUOTED = """
SELECT conversation, q.value ->> 'document' FROM turns, json_each(answer, '$.citations') q
UNION SELECT conversation, q.value ->> 'document' FROM turns, json_each(answer, '$.nearest') q
"""

_BYTES_USED = """
SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""

_TURN = "SELECT id, conversation, asked_at, answer, verdict, correction, sha256, question FROM turns"


def _called(name: str, quoted: Collection[str]) -> str:
    found = [name] if name in quoted else sorted(uri for uri in quoted if is_called(uri, name))
    if not found:
        raise DocumentUnknown(f"no kept conversation quotes {name}; rag remove takes it out of the index")
    if len(found) > 1:
        raise DocumentUnknown(f"{len(found)} quoted documents are called {name}; say which: {', '.join(found)}")
    return found[0]


def _sha256(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _turn(row: tuple[Any, ...]) -> ConversationTurn:
    number, conversation, asked_at, answer, verdict, correction, sha256, question = row
    if sha256 != _sha256(number, conversation, asked_at, question, answer, verdict, correction):
        raise IndexCorrupt(f"history.db: turn {number} is damaged (its checksum is another one); run rag verify")
    return ConversationTurn(
        number, conversation, asked_at, json.loads(answer), verdict, correction and json.loads(correction)
    )


def _question(turn: ConversationTurn, documents: Collection[str]) -> Json:
    """Return what a verdict says about a question, and no more than it says.

    A helpful answer was right, and so were its sources; a helpful refusal was right to refuse. Of a wrong answer only
    the correction is known, of a wrong refusal that there is an answer.
    """
    answer = turn.answer
    record: Json = {"id": f"turn-{turn.id}", "question": answer["question"], "verdict": turn.verdict}
    if turn.verdict == "helpful":
        record["answerable"] = not answer["abstained"]
        record["answers"] = [answer["short_answer"]["text"]] if answer["short_answer"] else []
        cited = dict.fromkeys(citation["document"] for citation in answer["citations"])
        record["documents"] = [document for document in cited if document in documents]
        record["evidence"] = [citation["quote"] for citation in answer["citations"]]
    elif answer["abstained"] or turn.correction:
        record["answerable"] = True
        record["answers"] = [turn.correction] if turn.correction else []
    return record
