"""The catalog: SQLite, the truth. Documents, passages, vectors by (model, text), generation, recipe."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentUnknown
from rag.records import Document, Passage, Place, Span, Statement
from rag.records.codec import layout, with_layout
from rag.records.index import DocumentInfo, Recipe
from rag.records.runs import Journal
from rag.store.local import checksums
from rag.store.local.connection import Connection, decoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rag.records import Filter

LONG = 100_000
"""Characters from which on a text is kept in memory; a shorter one is soon read again."""

MOST_BYTES = 100_000_000
"""Of memory that the texts may take: the longest that is read into an index fits, whatever its letters."""

_PASSAGE = "SELECT id, start, end, section, speaker, page, sentences, statements FROM passages"

_STORED = "SELECT {0}, {1} FROM passages JOIN vectors USING (key) WHERE {0} = ? AND model = ?"

_HAS = {
    "uri": "uri IN (SELECT value FROM json_each(?))",
    "section": "section IN (SELECT value FROM json_each(?))",
    "speaker": "EXISTS (SELECT 1 FROM json_each(statements) s "
    "WHERE s.value ->> 2 IN (SELECT value FROM json_each(?)))",  # several may speak in one passage
}
"""Whether a passage has one of some values, by field."""


class Catalog(Connection):
    """The tables by what they mean."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        super().__init__(path, write=write)
        with self.guarded():
            self._has_checksums = checksums.is_kept(self._db)

    def complete_checksums(self) -> None:
        """Give each text that has none its checksum; only the writer may."""
        with self.transaction(), decoding("a text"):
            checksums.prepare(self._db)
        self._has_checksums = True

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
        with decoding(f"the document {uri}"):
            return with_layout(Document(uri, self._text(uri, row[1]), *row[2:6]), json.loads(row[6]))

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
        if self._has_checksums:
            checksums.note(self._db, d.uri, d.text)
        stale = self.passage_ids([d.uri]) - {passage.id for passage in passages}
        self._db.executemany("DELETE FROM passages WHERE id = ?", ((id_,) for id_ in stale))
        self._db.executemany(
            "INSERT INTO passages (id, uri, start, end, section, speaker, page, sentences, statements, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET sentences=excluded.sentences, "
            "page=excluded.page, statements=excluded.statements",  # the same words may have moved to another page
            (
                (
                    *(p.id, p.uri, p.span.start, p.span.end, p.section, p.speaker, p.page),
                    *(_encoded_sentences(p), _encoded_statements(p), text_key(p)),
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

    def passage_ids(self, uris: Iterable[str] | None = None) -> set[str]:
        """Return the ids of the passages of these documents, or of all."""
        if uris is None:
            return {row[0] for row in self._db.execute("SELECT id FROM passages")}
        return {row[0] for uri in uris for row in self._db.execute("SELECT id FROM passages WHERE uri = ?", (uri,))}

    def passages(self, ids: Iterable[str] | None = None, texts: dict[str, str] | None = None) -> Iterator[Passage]:
        """Return those of these passages that exist, document by document; all of them without `ids`.

        Each text is read once, and cut here: SQLite would read it from its start for every passage. `texts` keeps the
        texts of this generation for the next time.
        """
        query, inside = "SELECT id, uri FROM passages JOIN documents USING (uri) WHERE id = ?", dict[str, list[str]]()
        for id_, uri in self._each(query, ids or ()):
            inside.setdefault(uri, []).append(id_)
        for uri in self.digests() if ids is None else inside:
            yield from self.passages_of(self._without_layout(uri, texts), inside.get(uri))

    def passages_of(self, document: Document, ids: Iterable[str] | None = None) -> Iterator[Passage]:
        """Cut those of these passages that exist out of their document's text; all of its passages without `ids`."""
        rows = (
            self._db.execute(f"{_PASSAGE} WHERE uri = ? ORDER BY number", (document.uri,))
            if ids is None
            else self._each(f"{_PASSAGE} WHERE id = ?", ids)
        )
        return (_passage(row, document) for row in rows)

    def _without_layout(self, uri: str, texts: dict[str, str] | None) -> Document:
        query = "SELECT title, digest, media_type, date FROM documents WHERE uri = ?"
        row = self._db.execute(query, (uri,)).fetchone()
        text = texts.get(uri) if texts else None
        if text is None:
            with decoding(f"the document {uri}"):
                stored = self._db.execute("SELECT text FROM documents WHERE uri = ?", (uri,)).fetchone()
                text = self._text(uri, *stored)
            if texts is not None and len(text) >= LONG and sys.getsizeof(text) <= MOST_BYTES:
                if sum(map(sys.getsizeof, [text, *texts.values()])) > MOST_BYTES:
                    texts.clear()
                texts[uri] = text
        return Document(uri, text, *row)

    def _text(self, uri: str, stored: object) -> str:
        if not isinstance(stored, str):
            raise TypeError("its text is no text")
        return checksums.check(self._db, uri, stored) if self._has_checksums else stored

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
        return self._each(_STORED.format("number", "vector"), numbers, model)

    def vectors_by_id(self, model: str, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Return (passage id, float32 bytes) of those of these passages that have a vector."""
        return self._each(_STORED.format("id", "vector"), ids, model)

    def words_by_id(self, model: str, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Return (passage id, packed words) of those of these passages that have a vector."""
        return self._each(_STORED.format("id", "words"), ids, model)

    def _each(self, query: str, keys: Iterable[str | int], *more: str) -> Iterator[Any]:
        """Return the one row of each key that has one, in their order."""
        rows = (self._db.execute(query, (key, *more)).fetchone() for key in keys)
        return (row for row in rows if row is not None)

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


def text_key(passage: Passage) -> str:
    """Return the key under which the vector of this passage's retrieval text is kept."""
    return hashlib.sha256(passage.retrieval_text.encode("utf-8", "surrogatepass")).hexdigest()


def _passage(row: tuple[str, int, int, str, str, int, str, str], document: Document) -> Passage:
    id_, start, end, section, speaker, page, encoded, statements = row
    with decoding(f"passage {id_} of {document.uri}"):
        span = Span(start, end)
        stored = json.loads(encoded)
        flat, where = (stored["spans"], stored["places"]) if isinstance(stored, dict) else (stored, ())
        spans = tuple(Span(a, b) for a, b in zip(flat[::2], flat[1::2], strict=True))
        said = tuple(Statement(Span(a, b), who) for a, b, who in json.loads(statements))
        own = (document.title, section, speaker, document.date, page)
        places = tuple(Place(*place) for place in where)
        return Passage(id_, document.uri, span, span.of(document.text), *own, spans, places, said)


def _encoded_sentences(passage: Passage) -> str:
    flat = [offset for span in passage.sentences for offset in (span.start, span.end)]
    places = [(place.page, place.section) for place in passage.places]
    return json.dumps({"spans": flat, "places": places} if places else flat)


def _encoded_statements(passage: Passage) -> str:
    return json.dumps([(s.span.start, s.span.end, s.speaker) for s in passage.statements])
