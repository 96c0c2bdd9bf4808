"""The catalog: SQLite, the truth. Documents, passages, vectors by (model, text), generation, recipe."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentUnknown
from rag.records import Document, Passage, Place, Span, Statement
from rag.records.codec import layout, with_layout
from rag.records.index import DocumentInfo, Recipe
from rag.records.runs import Journal
from rag.store.encoding import checked_text, decoding, packed_text, text_key, text_sha256, unpacked_text
from rag.store.local.connection import Connection
from rag.store.local.means import set_mean
from rag.store.scores import CandidateRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rag.records import Filter

LONG = 100_000
"""Characters from which on a text is kept in memory; a shorter one is soon read again."""

MOST_BYTES = 100_000_000
"""Of memory that the texts may take: the longest that is read into an index fits, whatever its letters."""

_PASSAGE = "SELECT id, start, end, section, speaker, page, sentences, statements FROM passages"

_NUMBER = "(SELECT number FROM documents WHERE uri = ?)"

_CANDIDATES = (
    "SELECT id, number, document, vector, words FROM (SELECT value FROM json_each(?)) wanted "
    "CROSS JOIN passages ON passages.{} = wanted.value LEFT JOIN vectors USING (key)"
)

_BESIDE = "beside CROSS JOIN passages p USING (number) LEFT JOIN vectors v USING (key)"
"""The passages that are not in the FAISS file, in this order of tables: else SQLite goes through all vectors."""

_HAS = {
    "uri": "document IN (SELECT d.number FROM documents d JOIN json_each(?) u ON d.uri = u.value)",
    "section": "section IN (SELECT value FROM json_each(?))",
    "speaker": "EXISTS (SELECT 1 FROM json_each(statements) s "
    "WHERE s.value ->> 2 IN (SELECT value FROM json_each(?)))",  # several may speak in one passage
}
"""Whether a passage has one of some values, by field."""


class Catalog(Connection):
    """The tables by what they mean."""

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
            "SELECT uri, title, digest, media_type, date, characters, "  # noqa: S608 - own words
            "(SELECT count(*) FROM passages p WHERE p.document = d.number), "
            "coalesce((SELECT page FROM passages p WHERE p.document = d.number ORDER BY number DESC LIMIT 1), 0), "
            f"{'added' if self.tells_added else 'NULL'} FROM documents d ORDER BY uri"
        )
        return [DocumentInfo(uri, title or uri.rpartition("/")[2], *others) for uri, title, *others in rows]

    def added(self) -> dict[str, str | None]:
        """Return when every document came, by URI."""
        return dict(self._db.execute("SELECT uri, added FROM documents"))

    def document(self, uri: str) -> Document:
        """Return a document; raises `DocumentUnknown`."""
        row = self._db.execute(
            "SELECT uri, title, digest, media_type, date, text, layout, sha256 "
            "FROM documents JOIN contents ON number = document WHERE uri = ?",
            (uri,),
        ).fetchone()
        if row is None:
            raise DocumentUnknown(f"no document {uri} in the index; rag status lists them")
        with decoding(f"the document {uri}"):
            document = Document(uri, checked_text(row[5], row[7]), *row[1:5])
            return with_layout(document, json.loads(unpacked_text(row[6])))

    def put_document(self, document: Document, passages: Sequence[Passage], model: str, added: str | None) -> int:
        """Insert or replace a document and its passages, return its number; passages that stay the same keep theirs.

        `added` is when it came, if it is new.
        """
        d = document
        (number,) = self._db.execute(
            "INSERT INTO documents (uri, digest, media_type, title, date, characters, added) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (uri) DO UPDATE SET digest=excluded.digest, media_type=excluded.media_type, "
            "title=excluded.title, date=excluded.date, characters=excluded.characters RETURNING number",
            (d.uri, d.digest, d.media_type, d.title, d.date, len(d.text), added),
        ).fetchone()
        packed = packed_text(d.text), packed_text(json.dumps(layout(d))), text_sha256(d.text)
        self._db.execute(
            "INSERT OR REPLACE INTO contents (document, text, layout, sha256) VALUES (?, ?, ?, ?)", (number, *packed)
        )
        stale = self.passage_ids([d.uri]) - {passage.id for passage in passages}
        self._db.executemany("DELETE FROM passages WHERE id = ?", ((id_,) for id_ in stale))
        self._db.executemany(
            "INSERT INTO passages (id, document, start, end, section, speaker, page, sentences, statements, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET sentences=excluded.sentences, "
            "page=excluded.page, statements=excluded.statements",  # the same words may have moved to another page
            (
                (
                    *(p.id, number, p.span.start, p.span.end, p.section, p.speaker, p.page),
                    *(_encoded_sentences(p), _encoded_statements(p), text_key(p, model)),
                )
                for p in passages
            ),
        )
        return int(number)

    def set_mean(self, document: int, dimension: int) -> None:
        """Keep the direction of a document, by its number, as its vectors are now."""
        set_mean(self._db, document, dimension)

    def delete_document(self, uri: str) -> None:
        """Forget a document and its passages."""
        self._db.execute("DELETE FROM documents WHERE uri = ?", (uri,))

    def delete_everything(self) -> None:
        """Forget all documents and the recipe; the generation goes on counting."""
        for table in ("passages", "documents"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
        for table in ("beside", "gone"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
        self._db.execute("DELETE FROM meta WHERE key IN ('recipe', 'vectors')")

    def passage_ids(self, uris: Iterable[str] | None = None) -> set[str]:
        """Return the ids of the passages of these documents, or of all."""
        if uris is None:
            return {row[0] for row in self._db.execute("SELECT id FROM passages")}
        query = f"SELECT id FROM passages WHERE document = {_NUMBER}"  # noqa: S608 - own words
        return {row[0] for uri in uris for row in self._db.execute(query, (uri,))}

    def passages(self, ids: Iterable[str] | None = None, texts: dict[str, str] | None = None) -> Iterator[Passage]:
        """Return those of these passages that exist, document by document; all of them without `ids`.

        Each text is read once, and cut here: SQLite would read it from its start for every passage. `texts` keeps the
        texts of this generation for the next time.
        """
        query = "SELECT id, uri FROM passages p JOIN documents d ON p.document = d.number WHERE id = ?"
        inside: dict[str, list[str]] = {}
        for id_, uri in self._each(query, ids or ()):
            inside.setdefault(uri, []).append(id_)
        for uri in self.digests() if ids is None else inside:
            yield from self.passages_of(self._without_layout(uri, texts), inside.get(uri))

    def passages_of(self, document: Document, ids: Iterable[str] | None = None) -> Iterator[Passage]:
        """Cut those of these passages that exist out of their document's text; all of its passages without `ids`."""
        rows = (
            self._db.execute(f"{_PASSAGE} WHERE document = {_NUMBER} ORDER BY number", (document.uri,))
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
                query = f"SELECT text, sha256 FROM contents WHERE document = {_NUMBER}"  # noqa: S608 - own words
                text = checked_text(*self._db.execute(query, (uri,)).fetchone())
            if texts is not None and len(text) >= LONG and sys.getsizeof(text) <= MOST_BYTES:
                if sum(map(sys.getsizeof, [text, *texts.values()])) > MOST_BYTES:
                    texts.clear()
                texts[uri] = text
        return Document(uri, text, *row)

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

    def candidates(self, ids: Sequence[str]) -> Iterator[CandidateRow]:
        """Return those of these passages that exist, in their order."""
        return map(CandidateRow._make, self._db.execute(_CANDIDATES.format("id"), (json.dumps(ids),)))

    def candidates_by_number(self, numbers: Sequence[int]) -> Iterator[CandidateRow]:
        """Return those of these passages that exist, in their order."""
        return map(CandidateRow._make, self._db.execute(_CANDIDATES.format("number"), (json.dumps(numbers),)))

    def means(self, documents: Iterable[int | str]) -> dict[int | str, bytes]:
        """Return the stored direction of each of these documents, by number, that has one."""
        wanted = json.dumps(list(documents))
        query = "SELECT document, mean FROM json_each(?) JOIN contents ON document = value WHERE mean IS NOT NULL"
        return dict(self._db.execute(query, (wanted,)))

    @property
    def passage_count(self) -> int:
        """The number of passages, as it was published."""
        with decoding("the number of passages"):
            return int(self.get("passages") or 0)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - own names only

    def has_vector(self, key: bytes) -> bool:
        """Tell whether the vector of this text is known."""
        return self._db.execute("SELECT 1 FROM vectors WHERE key = ?", (key,)).fetchone() is not None

    def put_vectors(self, rows: Iterable[tuple[bytes, bytes, bytes]]) -> None:
        """Keep vectors and words by the key of their text; a publish forgets those that no passage needs."""
        for row in rows:
            self._db.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", row)
            self._db.execute("INSERT OR IGNORE INTO loose VALUES (?)", row[:1])

    def prune_vectors(self) -> None:
        """Forget the vectors of texts that no passage has any more."""
        needed = "SELECT 1 FROM passages WHERE passages.key = loose.key"  # with IN, SQLite goes through all passages
        self._db.execute(f"DELETE FROM loose WHERE EXISTS ({needed})")  # noqa: S608 - own words
        self._db.execute("DELETE FROM vectors WHERE key IN (SELECT key FROM loose)")
        self._db.execute("DELETE FROM loose")

    def vectors(self, step: int = 1) -> Iterator[tuple[int, bytes]]:
        """Return (number, stored vector) of all passages that have one, or of every so manyth, in ascending order."""
        query = "SELECT number, vector FROM passages JOIN vectors USING (key) WHERE number % ? = 0 ORDER BY number"
        return iter(self._db.execute(query, (step,)))

    def vectors_of(self, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Return (number, stored vector) of those of these passages that have one."""
        return self._each("SELECT number, vector FROM passages JOIN vectors USING (key) WHERE number = ?", numbers)

    def numbers_beside(self) -> list[int]:
        """Return the numbers of the passages whose vector is not in the FAISS file, in ascending order."""
        query = f"SELECT number FROM {_BESIDE} WHERE v.key NOTNULL ORDER BY number"  # noqa: S608 - own words
        return [row[0] for row in self._db.execute(query)]

    def numbers_gone(self) -> list[int]:
        """Return the numbers in the FAISS file whose passages were removed, in ascending order."""
        return [row[0] for row in self._db.execute("SELECT number FROM gone ORDER BY number")]

    def waiting(self) -> dict[str, int]:
        """Return how many passages of a document have no vector yet, by its URI: of those that have any, newest first.

        Such passages are in no FAISS file. This looks at each passage beside it, which takes 1.3 s for a million.
        """
        query = (
            f"SELECT uri, count(*) FROM {_BESIDE} JOIN documents d ON d.number = p.document "  # noqa: S608 - own words
            "WHERE v.key ISNULL GROUP BY p.document ORDER BY max(p.number) DESC"
        )
        return dict(self._db.execute(query))

    def settle_vectors(self) -> None:
        """Note that a FAISS file holds just the vectors that there are."""
        self._db.execute("DELETE FROM gone")
        vector = "SELECT 1 FROM passages JOIN vectors USING (key) WHERE number = beside.number"
        self._db.execute(f"DELETE FROM beside WHERE EXISTS ({vector})")  # noqa: S608 - own words

    def _each(self, query: str, keys: Iterable[str | int]) -> Iterator[Any]:
        """Return the one row of each key that has one, in their order."""
        rows = (self._db.execute(query, (key,)).fetchone() for key in keys)
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
        orphans = self._db.execute("SELECT count(*) FROM passages WHERE document NOT IN (SELECT number FROM documents)")
        lost = orphans.fetchone()[0]
        damages = [f"catalog.db: {row}" for row in rows if row != "ok"]
        return damages + ([f"catalog.db: {lost} passages without a document"] if lost else [])


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
