"""Watching: what is saved is found and what is deleted is not, in few steps, whatever fails on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from rag.app.ui.follow import Follow
from rag.errors import IndexLocked, InputError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import SyncReport
from rag.sync.watch import watch


def until(holds, seconds=60.0):
    """Wait for something that another thread or process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    return pytest.fail("it did not happen")


def names(library):
    return {info.name for info in library.documents()}


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "first.txt").write_text("The crane fell into the river.")
    return folder


@pytest.fixture
def watched(library):
    """Begin to watch paths in a thread; the reports come into the list that is returned."""
    stop, threads = threading.Event(), []

    def begin(*paths):
        reports = []
        watching = watch(library, paths, stop=stop)
        reports.append(next(watching))
        threads.append(threading.Thread(target=lambda: reports.extend(watching)))
        threads[0].start()
        return reports

    yield begin
    stop.set()
    for thread in threads:
        thread.join()


def reported(news):
    assert isinstance(news, SyncReport)
    return news


class Told(HashEmbedder):
    """An encoder that says what a reader sees before each batch, and lets a file be written before the third."""

    def __init__(self, root, write):
        super().__init__()
        self._root, self._write, self.seen = root, write, []

    def embed_words(self, texts):
        with Library.open(self._root, embedder=HashEmbedder()) as reader:
            self.seen.append((reader.status().waiting, names(reader), len(texts)))
        if len(self.seen) == 3:
            self._write()
            time.sleep(1.5)  # longer than the system needs to tell of it
        return super().embed_words(texts)


def test_a_new_file_does_not_wait_for_the_vectors_of_others(tmp_path, docs, monkeypatch):
    """What is saved while many vectors are missing is read at once, and its own are made first."""
    monkeypatch.setattr("rag.sync.EMBED_BATCH", 10)
    for number in range(99):
        (docs / f"{number:02}.txt").write_text(f"The crane numbered {number} fell into the river.")
    encoder = Told(tmp_path / "index", lambda: (docs / "late.txt").write_text("The lighthouse keeper resigned."))
    stop = threading.Event()
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        watching = watch(library, [docs], stop=stop)
        first, second = reported(next(watching)), reported(next(watching))
        stop.set()
        assert list(watching) == []
    assert (first.embedded, first.waiting) == (30, 70)
    assert (second.count("added"), second.embedded, second.waiting) == (1, 71, 0)
    assert [(waiting, "late.txt" in found, texts) for waiting, found, texts in encoder.seen[2:5]] == [
        (80, False, 10),
        (70, False, 1),
        (70, True, 10),
    ]


def children(pid):
    """Return the processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end meanwhile
            found += (task / "children").read_text().split()
    return found


@pytest.mark.slow
def test_a_process_that_watches(docs, tmp_path):
    """Another process reads what it publishes: 500 files in few steps; Ctrl-C ends it and all that it started."""
    command = [sys.executable, "-m", "rag", "index", str(docs), "--watch", "--json", "--model", "hash"]
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)  # shells have background jobs ignore it, and children inherit
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, heard)
    assert process.stdout
    assert process.stderr
    try:
        assert json.loads(process.stdout.readline())["added"] == 1
        assert "watching" in process.stderr.readline()
        with Library.open(tmp_path / "index", embedder=HashEmbedder()) as reader:
            before = reader.status().generation
            for number in range(500):
                (docs / f"{number:03}.txt").write_text(f"The crane numbered {number} fell into the river.")
            until(lambda: len(names(reader)) == 501)
            assert reader.status().generation - before <= 10  # each step is of texts, and of their vectors
            (docs / "page.html").write_text("<p>The lighthouse keeper resigned.</p>")
            until(lambda: "page.html" in names(reader))
            assert reader.search("lighthouse keeper", 1)[0].passage.text == "The lighthouse keeper resigned."
            (docs / "page.html").unlink()
            until(lambda: "page.html" not in names(reader))
            assert "lighthouse" not in reader.search("lighthouse keeper", 1)[0].passage.text
        workers = children(process.pid)
        assert workers, "the page was read by a process of its own"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "stopped" in process.stderr.read()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        lines = [json.loads(line) for line in process.stdout]
        assert sum(line["added"] for line in lines) == 501
    except BaseException as error:  # it may come once in a thousand: what it said, and where its threads stand
        process.send_signal(signal.SIGABRT)
        error.add_note(f"{process.wait()}\n{process.stdout.read()}\n{process.stderr.read()}\n{[*docs.glob('page*')]}")
        raise
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.slow
def test_saving_as_editors_do_and_folders_that_go_and_come(library, docs, watched):
    """A new file in the place of the old, a folder moved in, renamed and removed, an ignore file."""
    reports = watched(docs)
    (docs / "new").write_text("The crane was mended.")
    (docs / "new").replace(docs / "first.txt")
    until(lambda: library.document("first.txt").text == "The crane was mended.")
    (docs.parent / "sub").mkdir()
    (docs.parent / "sub" / "deep.txt").write_text("The bridge stood.")
    (docs.parent / "sub").rename(docs / "sub")
    until(lambda: "deep.txt" in names(library))
    (docs / "sub" / "deep.txt").rename(docs / "sub" / "moved.txt")
    until(lambda: names(library) == {"first.txt", "moved.txt"})
    until(lambda: any(report.renamed for report in reports))
    (docs / ".ragignore").write_text("sub/\n")
    until(lambda: names(library) == {"first.txt"})
    docs.rename(docs.parent / "away")
    until(lambda: not names(library))
    (docs.parent / "away").rename(docs)
    until(lambda: names(library) == {"first.txt"})
    time.sleep(0.5)  # so that the file comes by itself, and not with the folder that has just been seen
    (docs / "later.txt").write_text("The folder is watched as before.")
    until(lambda: names(library) == {"first.txt", "later.txt"})


def test_an_empty_folder_is_watched(library, tmp_path, watched):
    """It may be filled later."""
    (tmp_path / "inbox").mkdir()
    assert watched(tmp_path / "inbox")[0].outcomes == ()
    (tmp_path / "inbox" / "a.txt").write_text("The crane fell.")
    until(lambda: library.store.recipe is not None and names(library) == {"a.txt"})


def test_a_single_file_is_watched(library, docs, watched):
    """Without its neighbours; and a hidden folder that is named."""
    (docs / ".own").mkdir()
    (docs / ".own" / "hidden.txt").write_text("A note.")
    watched(docs / "first.txt", docs / ".own")
    (docs / ".own" / "hidden.txt").write_text("Another note.")
    until(lambda: library.document("hidden.txt").text == "Another note.")
    (docs / "other.txt").write_text("Nobody asked for this.")
    (docs / "new").write_text("The crane was mended.")
    (docs / "new").replace(docs / "first.txt")
    until(lambda: library.document("first.txt").text == "The crane was mended.")
    assert names(library) == {"first.txt", "hidden.txt"}


@pytest.mark.slow
def test_a_batch_that_fails_is_said_once_and_tried_again(library, docs, watched):
    """As while another process is writing."""
    reports = watched(docs)
    with library.store.writer():
        (docs / "late.txt").write_text("The bridge stood.")
        until(lambda: len(reports) > 1)
        time.sleep(3)  # proves that nothing follows: it is tried again after two seconds, and fails in silence
    until(lambda: "late.txt" in names(library))
    assert [type(report) for report in reports].count(IndexLocked) == 1


@pytest.mark.slow
def test_an_index_inside_does_not_wake_itself(docs, hasher):
    """What is published changes files in the folder that is watched."""
    with Library.open(docs / "index", embedder=hasher) as library:
        stop = threading.Event()
        watching = watch(library, [docs], stop=stop)
        assert [outcome.state for outcome in reported(next(watching)).outcomes] == ["added"]
        generation, lock = library.status().generation, (docs / "index" / "LOCK").stat().st_mtime_ns
        threading.Timer(2, stop.set).start()  # proves that nothing follows
        assert list(watching) == []
        assert library.status().generation == generation
        assert (docs / "index" / "LOCK").stat().st_mtime_ns == lock


def test_what_is_not_there_cannot_be_watched(library, tmp_path):
    """Neither a path that does not exist, nor one that went, is waited for."""
    with pytest.raises(InputError, match="does not exist"):
        next(watch(library, [tmp_path / "never"]))


def sent(view):
    """Return a view as the page gets it."""
    return json.loads(json.dumps(view))


@pytest.mark.slow
def test_the_page_follows_what_was_indexed(library, docs, tmp_path):
    """Also what is indexed later; it says what is in its way, and no more once that has gone."""
    follow = Follow(library, local=True)
    with pytest.raises(InputError, match="name one first"):
        follow.follow(on=True)
    library.index(docs)
    assert follow.follow(on=True) == {"on": True, "roots": [str(docs)], "trouble": ""}
    more = tmp_path / "more"
    more.mkdir()
    (more / "gate.txt").write_text("The gate was shut.")
    library.index(more)
    follow.renew()
    assert sent(follow.news())["follow"]["roots"] == [str(docs), str(more)]
    (more / "gate.txt").write_text("The gate was open.")
    until(lambda: library.document("gate.txt").text == "The gate was open.")
    with ExitStack() as other:
        until(lambda: is_entered(other, library.store.writer()))
        (docs / "late.txt").write_text("The bridge stood.")
        until(lambda: "is being written" in sent(follow.news())["follow"]["trouble"])
    until(lambda: not sent(follow.news())["follow"]["trouble"])
    assert "late.txt" in names(library)
    assert sent(follow.news())["changes"][0]["rows"] == [{"file": "late.txt", "state": "added", "reason": ""}]
    follow.close()
    assert not sent(follow.news())["follow"]["on"]
    assert not any(thread.name == "rag-follow" for thread in threading.enumerate())


def is_entered(stack, writing):
    """Become the writer, unless a run is under way."""
    try:
        stack.enter_context(writing)
    except IndexLocked:
        return False
    return True


def test_only_people_at_the_machine_turn_the_switch(library, docs):
    library.index(docs)
    with pytest.raises(InputError, match="Only on the machine"):
        Follow(library, local=False).follow(on=True)
