"""Many processes at one index: readers see one generation whole, and of two writers one works, the other says who."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import IndexLocked
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.local import LocalStore

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["faiss", "tantivy", "rag.library", __name__])
READERS = 8


def write(docs: Path, number: int) -> None:
    """Three documents that all say which publish they are of."""
    for name in ("one.txt", "two.txt", "three.txt"):
        (docs / name).write_text(f"The harbour count {name} has turn {number} of the crane.\n")


def turns(texts: list[str]) -> set[str]:
    return {turn for text in texts for turn in re.findall(r"turn (\d+)", text)}


def read(root: str, stop, out) -> None:
    """Search and read until told to stop; report every answer that mixes publishes, and any error."""
    mixed: list[str] = []
    looks = 0
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        while not stop.is_set():
            try:
                found = turns([hit.passage.text for hit in library.search("harbour count turn crane", 10)])
                with library.store.snapshot() as snapshot:
                    whole = turns([snapshot.document(info.uri).text for info in snapshot.documents()])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
                mixed.append(repr(error))
                break
            mixed += [str(sorted(each)) for each in (found, whole) if len(each) != 1]
            looks += 1
    out.put((looks, mixed))


@pytest.mark.slow
@pytest.mark.parametrize("publishes", [20, pytest.param(100, marks=pytest.mark.soak)])
def test_eight_readers_see_every_publish_whole(tmp_path, publishes):
    docs = tmp_path / "docs"
    docs.mkdir()
    stop, out = FORKS.Event(), FORKS.Queue()
    with Library.open(tmp_path / "index", embedder=HashEmbedder(), reranker="none") as library:
        write(docs, 0)
        library.index(docs)
        readers = [FORKS.Process(target=read, args=(str(library.root), stop, out)) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        for number in range(1, publishes + 1):
            write(docs, number)
            assert library.index(docs).count("updated") == 3
        stop.set()
        found = [out.get(timeout=120) for _ in readers]
        for reader in readers:
            reader.join(60)
        assert [mixed for _, mixed in found if mixed] == []
        assert min(looks for looks, _ in found) > 3
        assert library.verify() == []


def publish(root: str, docs: str, rebuild: bool) -> None:
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        library.index(docs, rebuild=rebuild)


@pytest.mark.parametrize("rebuild", [False, True])
def test_an_open_reader_sees_what_other_processes_publish(tmp_path, rebuild):
    """Also after it has checked the catalog's hash, for which it opened the file beside SQLite."""
    docs = tmp_path / "docs"
    docs.mkdir()
    write(docs, 0)
    with Library.open(tmp_path / "index", embedder=HashEmbedder(), reranker="none") as library:
        library.index(docs)
        for number in range(1, 4):
            assert library.verify() == []
            write(docs, number)
            other = FORKS.Process(target=publish, args=(str(library.root), str(docs), rebuild))
            other.start()
            other.join()
            assert turns([hit.passage.text for hit in library.search("harbour count turn crane", 10)]) == {str(number)}
            assert turns([library.document("one.txt").text]) == {str(number)}


def indexed(place: Path) -> tuple[Path, Path]:
    """Make documents and their index; return both folders."""
    docs, root = place / "docs", place / "index"
    docs.mkdir()
    write(docs, 0)
    publish(str(root), str(docs), rebuild=False)
    return docs, root


def test_an_open_reader_keeps_its_locks_when_another_of_its_process_closes(tmp_path):
    """To close any descriptor of a file gives up all locks of the process on it, those of other connections too."""
    docs, root = indexed(tmp_path)
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        with library.store.snapshot() as snapshot:
            with Library.open(root, embedder=HashEmbedder(), reranker="none") as passing:
                assert passing.verify() == []
            write(docs, 1)
            other = FORKS.Process(target=publish, args=(str(root), str(docs), False))
            other.start()
            other.join()
            assert turns([snapshot.document(str(docs / "one.txt")).text]) == {"0"}
        assert turns([library.document(str(docs / "one.txt")).text]) == {"1"}


def descriptors_open() -> int:
    return len(list(Path("/proc/self/fd").glob("*")))  # 0 where the system does not say


def test_stores_of_one_process_come_and_go_while_others_check_the_index(tmp_path):
    """None closes what another one is reading by."""
    docs, root = indexed(tmp_path)

    def come_and_go(_: int) -> None:
        for _ in range(60):
            with closing(LocalStore(root)) as store, store.snapshot() as snapshot:
                assert turns([snapshot.document(str(docs / "one.txt")).text]) == {"0"}

    opened = descriptors_open()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    assert descriptors_open() <= opened


def race(root: str, docs: str, start, out) -> None:
    """Index when told; report what became of it, and how long that took."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        start.wait()
        began = time.monotonic()
        try:
            library.index(docs)
            out.put((os.getpid(), "worked", time.monotonic() - began))
        except IndexLocked as error:
            out.put((os.getpid(), str(error), time.monotonic() - began))


@pytest.mark.slow
@pytest.mark.parametrize("races", [40, pytest.param(200, marks=pytest.mark.soak)])
def test_of_two_writers_one_works_and_the_other_says_who(tmp_path, races):
    """Ten at a time; whoever comes second may also find the first one done."""
    docs = tmp_path / "docs"
    docs.mkdir()
    refused = 0
    for number in range(races // 10):
        write(docs, number)
        start, out = FORKS.Event(), FORKS.Queue()
        writers = [FORKS.Process(target=race, args=(str(tmp_path / "index"), str(docs), start, out)) for _ in range(10)]
        for writer in writers:
            writer.start()
        start.set()
        found = [out.get(timeout=120) for _ in writers]
        for writer in writers:
            writer.join(60)
        ids = {str(pid) for pid, _, _ in found}
        others = [said for _, said, _ in found if said != "worked"]
        assert len(others) < len(found)
        assert all(ids & set(re.findall(r"\d+", said)) for said in others), others
        refused += len(others)
    assert refused > races / 10
    with Library.open(tmp_path / "index", embedder=HashEmbedder(), reranker="none") as library:
        assert library.verify() == []
        assert turns([library.document(name).text for name in ("one.txt", "two.txt", "three.txt")]) == {
            str(races // 10 - 1)
        }
