"""Documents of millions of characters: their passages are cut without reading the text again for each of them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Document, Span
from rag.records.index import Changes, Recipe
from rag.store.local import LocalStore, catalog
from rag.store.local.catalog import LONG

IO = Path("/proc/self/io")
RECIPE = Recipe("none", "none", 8, "by hand", "by hand")
PASSAGES = 60


def long_document(words: str = "crane İzmir 北京 ") -> Document:
    """A document of a million characters, some of more than one byte."""
    return Document("/long.txt", words * (1_000_000 // len(words)), None, "0" * 64)


def publish(store: LocalStore, document: Document) -> list[str]:
    """Put a document with a few passages spread over it into an index; return their ids, the last one first."""
    step = len(document.text) // PASSAGES
    passages = [
        document.passage(Span(i * step, i * step + 80), [Span(i * step, i * step + 8)])
        for i in range(PASSAGES)
        if i * step + 80 <= len(document.text)
    ]
    with store.writer() as writer:
        writer.apply(Changes([(document, passages)]), RECIPE)
    return [passage.id for passage in passages][::-1]


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path / "index")
    yield store
    store.close()


def bytes_read() -> int:
    """What this process has read from files so far."""
    if not IO.exists():
        pytest.skip("this system does not count what is read")
    return int(IO.read_text().split()[1])


def cold(store: LocalStore) -> LocalStore:
    """Have a store read from the file whatever it reads."""
    with store.snapshot() as snapshot:
        snapshot.catalog._db.execute("PRAGMA cache_size = -100")
    return store


@pytest.mark.parametrize("way", ["all", "some", "verify"])
def test_a_text_is_read_once_for_all_its_passages(store, way):
    """However many passages a document has, its text is read as often as for a single one."""
    document = long_document()
    ids = publish(store, document)
    with cold(store).snapshot() as snapshot:
        before = bytes_read()
        passages = list(snapshot.catalog.passages(ids if way == "some" else None)) if way != "verify" else []
    damages = store.verify() if way == "verify" else []
    assert bytes_read() - before < 10 * len(document.text.encode())  # the file's own checks read it, too
    assert damages == []
    assert all(passage.text == passage.span.of(document.text) for passage in passages)
    assert len(passages) == (0 if way == "verify" else PASSAGES)


def test_the_next_question_does_not_read_a_long_text_again(store):
    """Its passages come in the order in which they are asked for, and the second time out of memory."""
    document = long_document(random.Random(0).randbytes(499_000).hex())  # the catalog packs what repeats itself
    ids = publish(store, document)
    for again in (False, True):
        with cold(store).snapshot() as snapshot:
            before = bytes_read()
            assert list(snapshot.passages([*ids[:10], "unknown"])) == ids[:10]
            assert again == (bytes_read() - before < len(document.text) // 4)


def test_a_new_text_takes_the_place_of_the_old_one(store):
    """A text that was read for a question is forgotten with the generation, whatever its source's bytes say."""
    for words in ("crane İzmir 北京 ", "harbour Rotterdam 北京 "):
        document = long_document(words)
        ids = publish(store, document)
        with store.snapshot() as snapshot:
            (passage,) = snapshot.passages(ids[:1]).values()
        assert passage.text == passage.span.of(document.text)


@pytest.mark.parametrize("name", ["/notes/short.txt", "short.txt", "./notes/short.txt"])
def test_a_document_is_found_without_reading_the_others(store, name):
    """By its URI or the end of its path, a document is looked up among names; the texts of others are not read."""
    short = Document("/notes/short.txt", "A violin was found.", None, "1" * 64)
    for document in (long_document(), short):
        publish(store, document)
    library = Library(cold(store), HashEmbedder())
    before = bytes_read()
    assert library.document(name) == short
    assert library.roots() == []
    assert bytes_read() - before < 500_000


def test_kept_texts_are_bounded(store, monkeypatch):
    """All are let go where there are too many; short ones and larger ones than fit are not kept."""
    documents = [long_document(), replace(long_document("harbour Rotterdam "), uri="/other.txt")]
    ids = [publish(store, document) for document in documents]
    short = publish(store, Document("/short.txt", "x" * (LONG - 1), None, "1" * 64))
    texts: dict[str, str] = {}
    with store.snapshot() as snapshot:
        assert list(snapshot.catalog.passages([*ids[0], *ids[1], *short], texts))
        assert list(texts) == ["/long.txt", "/other.txt"]
        texts.pop("/long.txt")
        monkeypatch.setattr(catalog, "MOST_BYTES", 2 * len(documents[0].text) + 100)  # two bytes a letter
        assert list(snapshot.catalog.passages(ids[0], texts))
        assert list(texts) == ["/long.txt"]
        texts.clear()
        monkeypatch.setattr(catalog, "MOST_BYTES", LONG)
        assert list(snapshot.catalog.passages(ids[0], texts))
        assert texts == {}
