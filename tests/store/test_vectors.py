"""The FAISS file in its two kinds, against numpy; damage of any part of it; and the format before, taken over."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing

import numpy as np
import pytest

from rag.errors import FormatMismatch, ModelError
from rag.library import Library
from rag.models.encoder import HashEmbedder, WordVectors
from rag.records import Document, Span
from rag.records.filters import Filter
from rag.records.index import Changes, Recipe
from rag.store.local import LocalStore, files, vector_file
from rag.store.local.vector_file import MappedFile, Published

SIZE, DIMENSION = 1_000, 32
RECIPE = Recipe("made", "made", DIMENSION, "whole", "terms-2")


def made(number: int, version: int = 0):
    """A document of one passage in one of 20 clumps, its passage and its vector."""
    chance = np.random.default_rng([number, version])
    vector = np.random.default_rng(number % 20).standard_normal(DIMENSION) + 0.7 * chance.standard_normal(DIMENSION)
    document = Document(f"/{number % 4}/{number:05}.txt", f"Number {number}, version {version}.", None, f"{number}")
    return document, document.passage(Span(0, len(document.text))), vector / np.linalg.norm(vector)


def put(store: LocalStore, documents, removals=()) -> None:
    """Publish documents and removals."""
    with store.writer() as writer:
        passages = [passage for _, passage, _ in documents]
        if passages:
            rows = np.array([vector for *_, vector in documents], np.float32)
            words = [WordVectors((), np.zeros((0, DIMENSION), np.float32))] * len(rows)
            writer.add_vectors(passages, rows, words, "made")
        writer.apply(Changes([(document, [passage]) for document, passage, _ in documents], removals), RECIPE)


def kind_and_kept(store: LocalStore) -> Published:
    with store.snapshot() as snapshot:
        published = Published.of(snapshot.catalog)
    assert published is not None
    return published


def recall(store: LocalStore, documents, k: int = 10, where: Filter | None = None) -> float:
    """The share of the nearest that are found, over 20 vectors; scores must be the true ones."""
    ids = np.array([passage.id for _, passage, _ in documents])
    matrix = np.array([vector for *_, vector in documents])
    shares = []
    for seed in range(20):
        query = made(seed, 99)[2].astype(np.float32)
        cosines = dict(zip(ids, matrix @ query, strict=True))
        best = set(ids[np.argsort(-(matrix @ query))[:k]])
        with store.snapshot() as snapshot:
            found = snapshot.dense(query, k, where)
        assert len(found) == min(k, len(ids))
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
        assert all(abs(cosines[hit.id] - hit.score) < 1e-3 for hit in found)
        shares.append(len(best & {hit.id for hit in found}) / len(best))
    return float(np.mean(shares))


@pytest.fixture(params=["float16", "lists"])
def kind(request, monkeypatch):
    """The size up to which all are compared, as if a thousand were many."""
    monkeypatch.setattr(vector_file, "EXACT", {"float16": 9_999, "lists": 100}[request.param])
    monkeypatch.setattr(vector_file, "EAGER", 0)
    monkeypatch.setattr(files, "SMALL", 0)
    return request.param


def test_each_kind_finds_the_nearest(kind, tmp_path):
    """All kinds find what numpy does, after changes beside the file as well, with filters, and for any k."""
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    put(store, documents)
    assert kind_and_kept(store).kind == kind
    assert kind_and_kept(store).recall >= 0.97
    assert recall(store, documents) >= 0.97
    name = kind_and_kept(store).name
    documents[:50] = [made(number, 1) for number in range(50)]
    put(store, documents[:50], [documents[-1][0].uri])
    del documents[-1]
    assert kind_and_kept(store).name == name
    assert recall(store, documents) >= 0.97
    assert recall(store, documents[::4], where=Filter.parse(["folder=/0"])) >= 0.97
    assert recall(store, documents, k=SIZE) == 1.0
    assert store.verify() == []
    documents[:450] = [made(number, 2) for number in range(450)]
    put(store, documents[:450])
    assert kind_and_kept(store).name != name
    assert recall(store, documents) >= 0.97
    assert store.verify() == []
    store.close()


def test_vectors_that_come_later(kind, tmp_path, monkeypatch):
    """Documents are there first, of more than are all compared; a part of them has vectors, then all."""
    monkeypatch.setattr("rag.store.local.snapshot._FEW", 10)
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    with store.writer() as writer:
        writer.apply(Changes([(document, [passage]) for document, passage, _ in documents]), RECIPE)
    assert (kind_and_kept(store).kind, kind_and_kept(store).count) == ("float16", 0)
    for there in (80, 240, 500, SIZE):
        put(store, documents[there // 2 : there])
        put(store, documents[: there // 2])
        assert recall(store, documents[:there]) >= 0.97
        assert recall(store, documents[1:there:4], 30, Filter.parse(["folder=/1"])) >= 0.97
        assert store.status().waiting == SIZE - there
        assert store.verify() == []
    assert kind_and_kept(store).kind == kind
    store.close()


def test_filters_that_leave_many(kind, tmp_path, monkeypatch):
    """A filter is part of the search where it leaves too much to compare one by one."""
    monkeypatch.setattr("rag.store.local.snapshot._FEW", 10)
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    put(store, documents)
    assert recall(store, documents[1::4], where=Filter.parse(["folder=/1"])) >= 0.97
    assert recall(store, documents[1::4], 500, Filter.parse(["folder=/1"])) == 1.0
    store.close()


def test_no_part_is_used_unchecked(kind, tmp_path):
    """A changed byte anywhere is noticed when it is first used; the answer is right, and the next writer mends it."""
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    put(store, documents)
    published = kind_and_kept(store)
    path = store.root / published.name
    whole = path.read_bytes()
    assert sum(size for size, _ in published.parts) == len(whole)
    for place in np.linspace(0, len(whole) - 1, 6, dtype=int):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        reader = LocalStore(store.root)
        assert recall(reader, documents) >= 0.97
        reader.close()
        assert any(published.name in line for line in store.verify())
        with store.writer():
            pass
        assert kind_and_kept(store).name != published.name
        assert store.verify() == []
        published = kind_and_kept(store)
        path = store.root / published.name
        whole = path.read_bytes()
    store.close()


def test_opening_reads_only_the_head(tmp_path, monkeypatch, kind):
    """Of a file with lists, a search checks just those that it reads."""
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    put(store, documents)
    published = kind_and_kept(store)
    opened = MappedFile(store.root, published)
    assert len(opened._checked) == (1 if kind == "lists" else len(published.parts))
    opened.search(made(3)[2].astype(np.float32), 5, None, 2)
    assert len(opened._checked) == (3 if kind == "lists" else len(published.parts))
    store.close()


def test_a_file_stays_open_over_a_publish(tmp_path, monkeypatch):
    """What a reader has of the file and of later vectors is used again, and shows the new generation."""
    monkeypatch.setattr(files, "SMALL", 0)
    store, documents = LocalStore(tmp_path / "index"), [made(number) for number in range(SIZE)]
    put(store, documents)
    recall(store, documents)
    _, before = store._indexes._kept["dense"]
    documents[5] = made(5, 1)
    put(LocalStore(store.root), [documents[5]])
    assert recall(store, documents) == 1.0
    documents[6] = made(6, 1)
    put(LocalStore(store.root), [documents[6]])
    assert recall(store, documents) == 1.0
    _, after = store._indexes._kept["dense"]
    assert after.main is before.main
    assert (len(before.numbers), len(after.numbers)) == (0, 2)
    store.close()


def test_vectors_that_no_passage_came_to_need_are_forgotten(tmp_path):
    """An interrupted run leaves vectors for the next one, and a publish without their texts forgets them."""
    store = LocalStore(tmp_path / "index")
    put(store, [made(1), made(2)])
    words = [WordVectors((), np.zeros((0, DIMENSION), np.float32))]
    _, passage, vector = made(3)
    with store.writer() as writer:
        writer.add_vectors([passage], vector[None, :].astype(np.float32), words, "made")
    with store.writer() as writer:
        assert writer.missing([passage], "made") == []
        assert writer.missing([passage], "other") == [passage]
    put(store, [made(4)], [made(1)[0].uri])
    with store.writer() as writer:
        assert writer.missing([passage], "made") == [passage]
        assert writer.catalog.count("vectors") == 2
    store.close()


OLD_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    uri TEXT PRIMARY KEY, digest TEXT NOT NULL, media_type TEXT NOT NULL, title TEXT, date TEXT,
    text TEXT NOT NULL, layout TEXT NOT NULL
);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, uri TEXT NOT NULL REFERENCES documents(uri) ON DELETE CASCADE,
    start INTEGER NOT NULL, end INTEGER NOT NULL, section TEXT, speaker TEXT, page INTEGER,
    sentences TEXT NOT NULL, statements TEXT NOT NULL, key TEXT NOT NULL
);
CREATE INDEX passages_uri ON passages(uri);
CREATE INDEX passages_key ON passages(key);
CREATE TABLE vectors (
    model TEXT NOT NULL, key TEXT NOT NULL, vector BLOB NOT NULL, words BLOB NOT NULL, PRIMARY KEY (model, key)
);
CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def as_it_was(root, embedder) -> None:
    """Turn an index into one of format 3: its catalog as that program wrote it, and no lexical folder."""
    import hashlib

    path = root / "catalog.db"
    with LocalStore(root).snapshot() as snapshot:
        passages = list(snapshot.catalog.passages())
    vectors, found = embedder.embed_words([p.retrieval_text for p in passages])
    with closing(sqlite3.connect(path)) as new:
        meta = dict(new.execute("SELECT key, value FROM meta"))
        documents = new.execute(
            "SELECT uri, digest, media_type, title, date, text, layout "
            "FROM documents JOIN contents ON document = number"
        ).fetchall()
        rows = {row[0]: row[1:] for row in new.execute("SELECT id, sentences, statements FROM passages")}
    for file in (path, *root.glob("vectors-*")):
        file.unlink()
    (root / "catalog.seal").unlink()  # which came with the present format
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(f"PRAGMA journal_mode=WAL; {OLD_SCHEMA}")
        kept = {key: value for key, value in meta.items() if key not in {"vectors", "passages"}}
        stale = {"format": "3", "vectors_file": "vectors-000001.faiss", "vectors_size": "9", "vectors_sha256": "0"}
        old.executemany("INSERT INTO meta VALUES (?, ?)", {**kept, **stale}.items())
        for *others, text, layout in documents:
            unpacked = (zlib.decompress(text).decode(), zlib.decompress(layout).decode())
            old.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", (*others, *unpacked))
        for p, vector, words in zip(passages, vectors, found, strict=True):
            key = hashlib.sha256(p.retrieval_text.encode()).hexdigest()
            place = (p.id, p.uri, p.span.start, p.span.end, p.section, p.speaker, p.page)
            marks = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            old.execute(
                "INSERT INTO passages (id, uri, start, end, section, speaker, page, sentences, statements, key) "
                f"VALUES {marks}",
                (*place, *rows[p.id], key),
            )
            fingerprint = json.loads(meta["recipe"])["fingerprint"]
            values = (fingerprint, key, vector.tobytes(), np.packbits(words.vectors[:, ::2] > 0, axis=1).tobytes())
            old.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", values)


def test_format_3_is_taken_over(tmp_path, corpus):
    """The next run brings an older index up to date and embeds nothing; before, a reader says what to do."""
    embedder = HashEmbedder()
    (corpus / "long.txt").write_text(
        "\n\n".join(f"Part {n} of the crane's report. {'It held. ' * 90}" for n in range(9))
    )
    with Library.open(tmp_path / "index", embedder=embedder) as library:
        library.index(corpus)
        wanted = [(hit.passage, hit.score) for hit in library.search("crane numbered 17 lifted", 20)]
        words = stored_words(library)
    as_it_was(library.root, embedder)
    with Library.open(library.root, embedder=embedder) as again:
        with pytest.raises(FormatMismatch, match=r"format 3.*rag index --rebuild FOLDER"):
            again.search("crane")
        report = again.index(corpus)
        assert (report.count("unchanged"), report.embedded) == (201, 0)
        found = again.search("crane numbered 17 lifted", 20)
        assert [hit.passage for hit in found] == [passage for passage, _ in wanted]
        assert [hit.score for hit in found] == pytest.approx([score for _, score in wanted], abs=1e-3)
        assert stored_words(again) == words
        assert again.verify() == []


def stored_words(library):
    """The words of all passages as they are kept."""
    with library.store.snapshot() as snapshot:
        ids = [passage.id for passage in snapshot.catalog.passages()]
        return {candidate.id: candidate.words for candidate in snapshot.catalog.candidates(ids)}


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0])
def test_an_encoder_that_fails_spoils_no_index(tmp_path, hasher, wrong):
    """Vectors that are none are refused with the text they are of; the index is as it was."""

    class Failing(HashEmbedder):
        def embed(self, texts):
            vectors = super().embed(texts)
            vectors[["pier" in text for text in texts]] = wrong
            return vectors

    (tmp_path / "crane.txt").write_text("The crane lifted nine tons.")
    with Library.open(tmp_path / "index", embedder=Failing(), reranker="none") as library:
        library.index(tmp_path / "crane.txt")
        (tmp_path / "pier.txt").write_text("The pier is long.")
        with pytest.raises(ModelError, match=r"gives no unit vector for: .*The pier is long"):
            library.index(tmp_path / "pier.txt")
        assert library.verify() == []
        assert [hit.passage.text for hit in library.search("crane")] == ["The crane lifted nine tons."]
