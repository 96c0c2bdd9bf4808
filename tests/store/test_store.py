"""The embedded engine against oracles: a dict for what is there, numpy and a plain BM25 for what is found."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress

import numpy as np
import pytest

from rag.errors import FormatMismatch, IndexCorrupt, InputError, StoreError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Document, Span
from rag.store.local import LocalStore, lexical
from rag.store.local import files as index_files
from rag.store.local.catalog import Catalog
from rag.store.local.files import identity
from rag.sync import Sync
from tests.store.oracles import HALF, bm25_oracle, dense_oracle


@pytest.fixture
def filled(library, corpus):
    """A library with the 200 documents."""
    library.index(corpus)
    return library


def test_bm25_scores(filled):
    """Scores of tantivy are BM25's over our terms (texts this short are stored with their exact length)."""
    oracle = bm25_oracle(filled, "which crane lifted 17 tons")
    with filled.store.snapshot() as snapshot:
        found = snapshot.lexical("which crane lifted 17 tons", 300)
    assert {hit.id for hit in found} == oracle.keys()
    assert np.allclose([hit.score for hit in found], [oracle[hit.id] for hit in found], rtol=1e-4)


def test_later_vectors_are_searched_beside_the_file(filled, corpus, monkeypatch):
    """Small updates of a large index write no new FAISS file, and search is exact all the same."""
    monkeypatch.setattr(index_files, "SMALL", 0)
    files = sorted(filled.store.root.glob("vectors-*.faiss"))
    (corpus / "new.txt").write_text("A violin was found in the harbour.")
    (corpus / "report-007.txt").unlink()
    filled.index(corpus)
    assert sorted(filled.store.root.glob("vectors-*.faiss")) == files
    query = HashEmbedder().embed_query("violin found harbour")
    with filled.store.snapshot() as snapshot:
        found = snapshot.dense(query, 300)
    oracle = dense_oracle(filled, "violin found harbour")
    assert len(found) == 200
    assert np.allclose([hit.score for hit in found], [score for _, score in oracle], atol=HALF)


def test_large_updates_write_a_new_file(filled, corpus):
    """Once a fifth has changed, the file is written anew and no old one stays."""
    for round_ in range(3):
        for number in range(60):
            (corpus / f"report-{number:03d}.txt").write_text(f"Round {round_}, number {number}.")
        filled.index(corpus)
    files = sorted(filled.store.root.glob("vectors-*.faiss"))
    assert len(files) == 1
    assert files[-1].name == f"vectors-{filled.status().generation:06d}.faiss"


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty", "another generation's"])
def test_damaged_vectors_are_noticed_and_made_again(filled, corpus, damage):
    """A FAISS file that is not the published one is named by verify; search goes on from the stored vectors."""
    path = next(filled.store.root.glob("vectors-*.faiss"))
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        flipped = data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]
        forms = {"truncated": data[:-100], "flipped": flipped, "empty": b"", "another generation's": data[::-1]}
        path.write_bytes(forms[damage])
    with Library.open(filled.store.root, embedder=HashEmbedder()) as again:
        assert any(path.name in line for line in again.verify())
        assert len(again.search("crane", 300)) == 200
        assert again.index(corpus).embedded == 0  # nothing changed, and yet the file is made again
        assert again.verify() == []
        assert not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["missing", "flipped"])
@pytest.mark.parametrize("ending", ["idx", "pos", "term", "store", "fast", "fieldnorm"])
def test_damaged_lexical_file_is_named_and_made_again(filled, corpus, ending, damage):
    """Each file of the lexical folder is checked before tantivy sees it."""
    path = next((filled.store.root / "lexical").glob(f"*.{ending}"))
    filled.close()
    if damage == "missing":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 4] ^= 0xFF
        path.write_bytes(data)
    with Library.open(filled.store.root, embedder=HashEmbedder()) as again:
        assert any(path.name in line for line in again.verify())
        assert again.search("crane numbered 17 lifted", 1)[0].lexical_rank == 1
        assert again.index(corpus).count("unchanged") == 200
        assert again.verify() == []


def test_tantivys_errors_are_answered_from_memory(filled, monkeypatch):
    """What the checks at opening do not see must not reach a person as a traceback."""
    panic = type("PanicException", (BaseException,), {})

    class Broken:
        schema = lexical._schema()

        def searcher(self):
            raise panic("index out of range")

    with filled.store.snapshot() as snapshot:
        wanted = snapshot.lexical("crane", 300)
        index = filled.store._indexes.lexical_index(snapshot.catalog, snapshot.generation)
        monkeypatch.setattr(index, "_index", Broken())
        monkeypatch.setattr(index, "_seen", index._stamp())
        assert {hit.id for hit in snapshot.lexical("crane", 300)} == {hit.id for hit in wanted}


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["missing", "garbage", "emptied"])
def test_damaged_lexical_index_is_noticed_and_made_again(filled, corpus, damage):
    """The lexical folder is derived: questions are answered without it, the next run writes it anew."""
    folder = filled.store.root / "lexical"
    if damage == "missing":
        shutil.rmtree(folder)
    elif damage == "garbage":
        (folder / "meta.json").write_text("{")
    else:
        for path in folder.iterdir():
            path.unlink()
    with Library.open(filled.store.root, embedder=HashEmbedder()) as again:
        assert again.verify() != []
        assert again.search("crane numbered 17 lifted", 1)[0].lexical_rank == 1
        again.index(corpus)
        assert again.verify() == []


def test_damaged_catalog_is_refused_and_rebuilt(filled, corpus):
    """Garbage in the catalog is a clear error; a rebuild sets the damaged file aside and starts over."""
    filled.close()
    (filled.store.root / "catalog.db").write_bytes(b"This is no database. " * 500)
    with Library.open(filled.store.root, embedder=HashEmbedder()) as again:
        with pytest.raises(IndexCorrupt, match=r"catalog\.db"):
            again.search("crane")
        assert again.verify() != []
        with pytest.raises(IndexCorrupt):
            again.index(corpus)
        assert again.index(corpus, rebuild=True).count("added") == 200
        assert again.verify() == []
    assert (filled.store.root / "catalog.db.damaged-1").exists()


def test_a_rebuild_over_damage_says_what_it_does_not_have(filled, corpus, tmp_path):
    """Uploads come back by themselves; documents of other folders are named, as far as the damaged file can be read."""
    (tmp_path / "upload.txt").write_text("An upload. It lives in the index.")
    (tmp_path / "elsewhere.txt").write_text("A file of another folder.")
    filled.add(tmp_path / "upload.txt")
    filled.index(tmp_path / "elsewhere.txt")
    filled.close()
    catalog = filled.store.root / "catalog.db"
    with closing(sqlite3.connect(catalog)) as database:
        page = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'").fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    with catalog.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 100)
    with Library.open(filled.store.root, embedder=HashEmbedder()) as again:
        report = again.index(corpus, rebuild=True)
        assert report.count("added") == 201
        assert [(o.path, o.state) for o in report.of("failed")] == [(str(tmp_path / "elsewhere.txt"), "failed")]
        assert "catalog.db.damaged-1" in report.of("failed")[0].reason
        assert again.document("upload.txt").text.startswith("An upload.")
        assert again.verify() == []


def test_other_format_is_refused(filled):
    """An index of another version says so."""
    with filled.store.writer() as writer, writer.catalog.transaction():
        writer.catalog.put("format", "99")
    with pytest.raises(FormatMismatch, match="format 99"):
        Library.open(filled.store.root).search("crane")


def test_removed_text_is_in_no_file(filled, corpus):
    """What is removed is overwritten, not only unlinked."""
    path = corpus / "secret.txt"
    path.write_text("The whistleblower is called Zyxwvutsrq.")
    filled.index(corpus)
    path.unlink()
    filled.index(corpus)
    filled.close()
    for file in filled.store.root.rglob("*"):
        assert not file.is_file() or b"zyxwvutsrq" not in file.read_bytes().lower(), file


def test_removed_vector_is_in_no_file(filled, corpus):
    """Nor is the vector of a removed text in any file."""
    path = corpus / "secret.txt"
    path.write_text("The whistleblower is called Zyxwvutsrq.")
    filled.index(corpus)
    with filled.store.snapshot() as snapshot:
        catalog = snapshot.catalog
        ids = catalog.passage_ids([str(path)])
        (candidate,) = catalog.candidates(sorted(ids))
        vector = candidate.vector
    filled.index(corpus, rebuild=True)
    assert any(vector in file.read_bytes() for file in filled.store.root.glob("vectors-*"))
    path.unlink()
    filled.index(corpus)
    filled.close()
    for file in filled.store.root.rglob("*"):
        assert not file.is_file() or vector not in file.read_bytes(), file


@pytest.mark.parametrize("small", [0, 3_000])
def test_weights_after_many_deletions(filled, corpus, monkeypatch, small):
    """Removed passages count no more, whether or not the files still hold them."""
    monkeypatch.setattr(index_files, "SMALL", small)
    monkeypatch.setattr(index_files, "SHARE", 1e9)
    for path in sorted(corpus.iterdir())[3:]:
        path.unlink()
    filled.index(corpus)
    with filled.store.snapshot() as snapshot:
        assert snapshot.frequencies(["crane", "nothing"]) == {"crane": 3, "nothing": 0}
        assert all(weight > 0 for weight in snapshot.rarity(["crane", "harbour"]).values())


@pytest.mark.slow
@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY])
def test_full_disk_takes_no_index_away(filled, corpus, monkeypatch, code):
    """An error of the disk during a rebuild is no damage: the index is as it was."""

    def fails(*_):
        error = sqlite3.OperationalError("the disk")
        error.sqlite_errorcode = code
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Catalog, "put_document", fails)
        with pytest.raises(StoreError) as caught:
            filled.index(corpus, rebuild=True)
        assert type(caught.value) is StoreError
    assert not list(filled.store.root.glob("*damaged*"))
    assert filled.verify() == []
    assert len(filled.documents()) == 200
    filled.index(corpus, rebuild=True)
    assert filled.verify() == []


def test_full_disk_for_the_derived_files(filled, corpus, monkeypatch):
    """No space for the lexical index is a clear error, and the next run makes up for it."""

    def fails(*_):
        raise ValueError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(lexical.Lexical, "_write", fails)
        with pytest.raises(StoreError, match="cannot be written") as caught:
            filled.index(corpus, rebuild=True)
        assert type(caught.value) is StoreError
    assert not list(filled.store.root.glob("*damaged*"))
    assert not (filled.store.root / "lexical.new").exists()
    filled.index(corpus)
    assert filled.verify() == []


@pytest.mark.parametrize(("column", "table"), [("layout", "contents"), ("sentences", "passages"), ("text", "contents")])
def test_damaged_rows_are_lines_of_verify(filled, corpus, column, table):
    """A row that does not decode is named, and the check goes on; a rebuild starts over from the files."""
    with filled.store.writer() as writer, writer.catalog.transaction():
        these = "SELECT number FROM documents WHERE uri LIKE '%report-00_.txt'"
        query = f"UPDATE {table} SET {column} = ? WHERE document IN ({these})"
        writer.catalog._db.execute(query, (b"\xff[",))
    assert sum("is damaged" in line for line in filled.verify()) == 10
    with pytest.raises(IndexCorrupt):
        _ = filled.search("crane", 300), filled.document("report-003.txt")
    if table == "contents":
        assert filled.index(corpus, rebuild=True).count("added") == 200
        assert filled.verify() == []


@pytest.mark.slow
def test_reader_outlives_the_lexical_folder(filled, corpus):
    """A reader goes on when the folder disappears under it, and when a writer makes it anew."""
    assert filled.search("crane", 3)
    shutil.rmtree(filled.store.root / "lexical")
    assert filled.search("crane numbered 17 lifted", 1)[0].lexical_rank == 1
    with Library.open(filled.store.root, embedder=HashEmbedder()) as reader:
        with Library.open(filled.store.root, embedder=HashEmbedder()) as other:
            other.index(corpus)
            assert reader.search("crane numbered 17 lifted", 1)[0].lexical_rank == 1
            other.index(corpus, rebuild=True)
        assert reader.search("crane numbered 17 lifted", 1)[0].lexical_rank == 1


def test_log_in_a_read_only_folder_is_not_passed_over(filled, corpus, tmp_path, monkeypatch):
    """What is only in the write-ahead log is read, too, where the folder cannot be written."""
    copy = tmp_path / "copy"
    with filled.store.writer() as writer:
        (corpus / "new.txt").write_text("A violin was found.")
        Sync(writer, HashEmbedder(), filled.store.root).files([corpus])
        shutil.copytree(filled.store.root, copy)
    assert (copy / "catalog.db-wal").stat().st_size
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Library.open(copy, embedder=HashEmbedder()) as again:
        assert len(again.documents()) == 201


def test_lock_that_cannot_be_opened(filled, corpus, monkeypatch):
    """No permission to write is an error of the store."""

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(StoreError, match=r"LOCK cannot be written \(Permission denied\)"):
        filled.index(corpus)


def test_readers_see_the_index_after_one_begun_in_vain(tmp_path, corpus):
    """Who looked at an index whose first run failed sees the next one; its lock, opened too early, locks nothing."""
    root = tmp_path / "late"
    with (
        Library.open(root, embedder=HashEmbedder()) as reader,
        Library.open(root, embedder=HashEmbedder()) as writer,
    ):
        with suppress(InputError), writer.store.writer():
            assert reader.store.recipe is None
            early = os.open(root / "LOCK", os.O_RDWR)
            raise InputError
        assert not root.exists()
        assert identity(root / "LOCK") != identity(early)
        writer.index(corpus)
        assert identity(root / "LOCK") != identity(early)
        os.close(early)
        assert len(reader.documents()) == 200


@pytest.mark.slow
def test_readers_keep_their_generation(filled, corpus):
    """A snapshot shows one generation, whatever is published meanwhile."""
    with filled.store.snapshot() as snapshot:
        before = [info.uri for info in snapshot.documents()]
        (corpus / "report-000.txt").unlink()
        with Library.open(filled.store.root, embedder=HashEmbedder()) as other:
            other.index(corpus)
        assert [info.uri for info in snapshot.documents()] == before
        assert snapshot.document(before[0]).text.startswith("Report 0 ")
    assert len(filled.documents()) == 199


def test_index_in_a_read_only_folder(filled, tmp_path):
    """An index on read-only media can be searched."""
    copy = tmp_path / "copy"
    shutil.copytree(filled.store.root, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    store = LocalStore(copy)
    with store.snapshot() as snapshot:
        assert len(snapshot.lexical("crane", 10)) == 10
    store.close()


def test_what_a_killed_writer_left_hides_nothing(tmp_path):
    """However many passages the lexical index has that were never published, the published ones are found in order."""
    (tmp_path / "documents").mkdir()
    for number in range(6):
        (tmp_path / "documents" / f"{number}.txt").write_text(
            f"The crane of harbour {'river ' * (number + 1)}{number}."
        )
    with Library.open(tmp_path / "index", embedder=HashEmbedder()) as library:
        library.index(tmp_path / "documents")
        with library.store.snapshot() as snapshot:
            before = [hit.id for hit in snapshot.lexical("crane", 4)]
        others = [Document(f"/{number}.txt", "crane crane", None, str(number)) for number in range(300)]
        passages = [document.passage(Span(0, 11), [Span(0, 11)]) for document in others]
        with LocalStore(tmp_path / "index").writer() as writer:
            with writer.catalog.transaction():
                writer.catalog.set_unsettled(passage.id for passage in passages)
            writer._lexical.update((), passages)
        with library.store.snapshot() as snapshot:
            assert [hit.id for hit in snapshot.lexical("crane", 4)] == before
            assert len(snapshot.lexical("crane", 50)) == 6
        library.index(tmp_path / "documents")  # the next writer clears them away
        assert library.verify() == []


def test_a_write_that_ends_tantivys_thread_says_what_to_do(tmp_path, monkeypatch):
    """Which of its errors comes, that of the disk or of the thread that met it, is a matter of time."""
    said = "An error occurred in a thread: 'An index writer was killed.. A worker thread panicked.'"

    def fail(*_):
        raise ValueError(said)

    monkeypatch.setattr(lexical.Lexical, "_write", fail)
    (tmp_path / "lexical").mkdir()
    with pytest.raises(StoreError, match=r"cannot be written \(a write failed\); when the disk is full") as told:
        lexical.Lexical(tmp_path / "lexical").update((), ())
    assert "panicked" not in str(told.value)
