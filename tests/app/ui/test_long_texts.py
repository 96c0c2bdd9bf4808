"""Documents of millions of characters: their passages are cut without reading the text again for each of them."""

from __future__ import annotations

import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Document, Span
from rag.store.local import LocalStore
from rag.store.local.texts import LONG, Texts
from rag.store.protocol import Changes, Recipe

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
    document = long_document()
    ids = publish(store, document)
    for again in (False, True):
        with cold(store).snapshot() as snapshot:
            before = bytes_read()
            assert list(snapshot.passages([*ids[:10], "unknown"])) == ids[:10]
            assert again == (bytes_read() - before < len(document.text))


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


def test_kept_texts_are_bounded():
    """The texts that were asked for longest ago make room; short ones and larger ones than fit are not kept."""
    read: list[str] = []

    def get(name: str, length: int = LONG) -> None:
        def from_file() -> str:
            read.append(name)
            return "x" * length

        assert texts.get(name, "", from_file) == "x" * length

    texts = Texts(most_bytes=2 * sys.getsizeof("x" * LONG))
    for name in "abab":
        get(name)
    assert read == ["a", "b"]
    get("a")
    get("c")  # in place of b
    for name in "acb":
        get(name)
    assert read == ["a", "b", "c", "b"]
    for length in (LONG - 1, 3 * LONG):
        read.clear()
        get("d", length)
        get("d", length)
        assert read == ["d", "d"]


def test_threads_share_texts():
    """Threads that ask for many texts at once each get the right one, and the count of bytes stays true."""
    texts = Texts(most_bytes=5 * sys.getsizeof("x" * LONG))
    wrong: list[str] = []

    def ask(first: int) -> None:
        for number in range(first, first + 300):
            letter = "abcdefgh"[number % 8]
            if texts.get(letter, "", partial(str.__mul__, letter, LONG))[0] != letter:
                wrong.append(letter)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert texts._bytes == sum(map(sys.getsizeof, texts._kept.values())) <= 5 * sys.getsizeof("x" * LONG)
