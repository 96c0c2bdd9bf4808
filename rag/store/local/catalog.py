"""The catalog: SQLite, the truth. Documents, passages, vectors by (model, text), generation, recipe."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentUnknown
from rag.records import Document
from rag.records.codec import layout
from rag.store.journal import Journal
from rag.store.local.connection import Connection
from rag.store.local.rows import decoding, encoded_sentences, encoded_statements, text_key, to_document, to_passage
from rag.store.protocol import DocumentInfo, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rag.records import Filter, Passage
    from rag.store.local.texts import Texts

_PASSAGE = "SELECT id, start, end, section, speaker, page, sentences, statements FROM passages"

_BY_ID = "SELECT id, {} FROM passages JOIN vectors USING (key) WHERE id = ? AND model = ?"

_HAS = {
    "uri": "uri IN (SELECT value FROM json_each(?))",
    "section": "section IN (SELECT value FROM json_each(?))",
    "speaker": "EXISTS (SELECT 1 FROM json_each(statements) s "
    "WHERE s.value ->> 2 IN (SELECT value FROM json_each(?)))",  # several may speak in one passage
}
"""Whether a passage has one of some values, by field."""


class Catalog(Connection):
    """The tables by what they mean."""

    # meta

    @property
    def generation(self) -> int:
        """How often something was published."""
        with decoding("the generation"):
            return int(self.get("generation") or 0)

    @property
    def recipe(self) -> Recipe | None:
        """What the index was made with."""
        stored = self.get("recipe")
        with decoding("the recipe"):
            return Recipe(**json.loads(stored)) if stored else None

    def set_recipe(self, recipe: Recipe) -> None:
        """Remember what the index is made with."""
        self.put("recipe", json.dumps(asdict(recipe)))

    @property
    def journal(self) -> Journal:
        """What the latest runs did."""
        stored = self.get("journal")
        with decoding("the journal"):
            return Journal.from_json(stored) if stored else Journal()

    def set_journal(self, journal: Journal) -> None:
        """Remember what the latest runs did."""
        self.put("journal", journal.to_json())

    # documents

    def digests(self) -> dict[str, str]:
        """Return the digest of every document by URI."""
        return dict(self._db.execute("SELECT uri, digest FROM documents"))

    def uris(self) -> list[str]:
        """Return the URI of every document in order; no text is read for it."""
        return [row[0] for row in self._db.execute("SELECT uri FROM documents ORDER BY uri")]

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
        return to_document(row)

    def put_document(self, document: Document, passages: Sequence[Passage]) -> None:
        """Insert or replace a document and its passages; passages that stay the same keep their number."""
        d = document
        self._db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (uri) DO UPDATE SET digest=excluded.digest, "
            "media_type=excluded.media_type, title=excluded.title, date=excluded.date, text=excluded.text, "
            "layout=excluded.layout",
            (d.uri, d.digest, d.media_type, d.title, d.date, d.text, json.dumps(layout(d))),
        )
        stale = self.passage_ids(d.uri) - {passage.id for passage in passages}
        self._db.executemany("DELETE FROM passages WHERE id = ?", ((id_,) for id_ in stale))
        self._db.executemany(
            "INSERT INTO passages (id, uri, start, end, section, speaker, page, sentences, statements, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET sentences=excluded.sentences, "
            "page=excluded.page, statements=excluded.statements",  # the same words may have moved to another page
            (
                (
                    *(p.id, p.uri, p.span.start, p.span.end, p.section, p.speaker, p.page),
                    *(encoded_sentences(p), encoded_statements(p.statements), text_key(p)),
                )
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

    def passages(self, ids: Iterable[str] | None = None, texts: Texts | None = None) -> Iterator[Passage]:
        """Return those of these passages that exist, document by document; all of them without `ids`.

        Each text is read once, and cut here: SQLite would read it from its start for every passage.

        Args:
            ids: of passages.
            texts: keeps the texts of this generation for the next time.
        """
        by_document = dict.fromkeys(self.digests()) if ids is None else self._by_document(ids)
        for uri, inside in by_document.items():
            source = self._source(uri, texts)
            if source is not None:
                yield from self.passages_of(source, inside)

    def passages_of(self, document: Document, ids: Iterable[str] | None = None) -> Iterator[Passage]:
        """Cut those of these passages that exist out of their document's text; all of its passages without `ids`."""
        if ids is None:
            rows = self._db.execute(f"{_PASSAGE} WHERE uri = ? ORDER BY number", (document.uri,))
            yield from (to_passage(row, document) for row in rows)
            return
        yield from (to_passage(row, document) for row in self._each(f"{_PASSAGE} WHERE id = ?", ids))

    def _by_document(self, ids: Iterable[str]) -> dict[str, list[str]]:
        """Return these passages by the URI of their document, without those that do not exist."""
        found: dict[str, list[str]] = {}
        for id_, uri in self._each("SELECT id, uri FROM passages WHERE id = ?", ids):
            found.setdefault(uri, []).append(id_)
        return found

    def _source(self, uri: str, texts: Texts | None) -> Document | None:
        """Return a document without its layout, as passages are cut out of it; None for an unknown one."""
        query = "SELECT title, digest, media_type, date FROM documents WHERE uri = ?"
        row = self._db.execute(query, (uri,)).fetchone()
        if row is None:
            return None
        title, digest, media_type, date = row
        text = texts.get(uri, digest, lambda: self._text(uri)) if texts else self._text(uri)
        return Document(uri, text, title, digest, media_type, date)

    def _text(self, uri: str) -> str:
        """Return a document's text; raises `IndexCorrupt`."""
        (text,) = self._db.execute("SELECT text FROM documents WHERE uri = ?", (uri,)).fetchone()
        with decoding(f"the document {uri}"):
            if not isinstance(text, str):
                raise TypeError("its text is no text")
        return text

    def numbers(self, model: str) -> list[int]:
        """Return the numbers of all passages that have a vector of this model, in ascending order."""
        query = "SELECT number FROM passages JOIN vectors USING (key) WHERE model = ? ORDER BY number"
        return [row[0] for row in self._db.execute(query, (model,))]

    def limits(self, where: Filter) -> dict[str, list[str]]:
        """Return the values that a filter admits, for each field of passages that it limits."""
        limits: dict[str, list[str]] = {}
        if where.limits_documents:
            rows = self._db.execute("SELECT uri, date FROM documents")
            limits["uri"] = [uri for uri, date in rows if where.has_document(uri, date)]
        if where.section:
            rows = self._db.execute("SELECT DISTINCT section FROM passages")
            limits["section"] = [section for (section,) in rows if where.has_section(section)]
        if where.speaker:
            rows = self._db.execute("SELECT DISTINCT s.value ->> 2 FROM passages, json_each(statements) s")
            limits["speaker"] = [speaker for (speaker,) in rows if where.has_speaker(speaker)]
        return limits

    def numbers_within(self, limits: Mapping[str, Sequence[str]]) -> list[int]:
        """Return the numbers of the passages that have one of these values in each of these fields."""
        query = " AND ".join(["SELECT number FROM passages WHERE 1", *(_HAS[field] for field in limits)])
        return [row[0] for row in self._db.execute(query, [json.dumps(values) for values in limits.values()])]

    def documents_of_numbers(self) -> dict[int, int]:
        """Return the document of each passage by number, documents counted from 0."""
        query = "SELECT number, dense_rank() OVER (ORDER BY uri) - 1 FROM passages"
        return dict(self._db.execute(query))

    def numbers_of(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the number of each passage id that exists."""
        return dict(self._each("SELECT id, number FROM passages WHERE id = ?", ids))

    def ids_of(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return the passage id of each number that exists."""
        return dict(self._each("SELECT number, id FROM passages WHERE number = ?", numbers))

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - own names only

    # vectors

    def has_vector(self, model: str, key: str) -> bool:
        """Tell whether the vector of this text is known."""
        query = "SELECT 1 FROM vectors WHERE model = ? AND key = ?"
        return self._db.execute(query, (model, key)).fetchone() is not None

    def put_vectors(self, model: str, rows: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Keep vectors and words by the key of their text."""
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", ((model, *row) for row in rows))

    def prune_vectors(self) -> None:
        """Forget the vectors of texts that no passage has any more."""
        self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")

    def vectors(self, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Return (number, float32 bytes) of those of these passages that have a vector."""
        query = "SELECT number, vector FROM passages JOIN vectors USING (key) WHERE number = ? AND model = ?"
        return self._each(query, numbers, model)

    def vectors_by_id(self, model: str, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Return (passage id, float32 bytes) of those of these passages that have a vector."""
        return self._each(
            "SELECT id, vector FROM passages JOIN vectors USING (key) WHERE id = ? AND model = ?", ids, model
        )

    def words_by_id(self, model: str, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Return (passage id, packed words) of those of these passages that have a vector."""
        return self._each(
            "SELECT id, words FROM passages JOIN vectors USING (key) WHERE id = ? AND model = ?", ids, model
        )

    def _each(self, query: str, keys: Iterable[str | int], *more: str) -> Iterator[Any]:
        """Return the one row of each key that has one, in their order."""
        rows = (self._db.execute(query, (key, *more)).fetchone() for key in keys)
        return (row for row in rows if row is not None)

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
