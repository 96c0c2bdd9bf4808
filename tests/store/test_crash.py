"""`kill -9` while indexing: the index is wholly old or wholly new, and the next run succeeds."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import IndexLocked
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.local import LocalWriter
from tests.store.system_calls import FORKS, KILL, Call, needed, watched

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

pytestmark = pytest.mark.slow


def write_version(folder: Path, version: int) -> None:
    """Write 12 documents of which a version adds, changes and removes some."""
    for number in range(12):
        path = folder / f"{number:02d}.txt"
        if (number + version) % 4 == 0:
            path.unlink(missing_ok=True)
        else:
            text = f"Version {version if number % 2 else 0} of document {number}. The crane lifted {number} tons."
            path.write_text(text)


def contents(folder: Path) -> dict[str, str]:
    """What a complete index of this folder shows."""
    return {str(path): path.read_text() for path in folder.iterdir()}


def shown(root: Path) -> tuple[dict[str, str], int]:
    """What a reader sees, checked against itself, and its generation."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        assert library.verify() == []
        texts = {info.uri: library.document(info.uri).text for info in library.documents()}
        hits = library.search("crane lifted tons version", 100)
        assert {hit.passage.uri: hit.passage.text for hit in hits} == texts
        return texts, library.status().generation


def index(folder: str, root: str, told: Connection) -> int:
    """Run `rag index` in this process, and tell when it begins to publish, and when that is done."""
    from rag.app.cli import main

    publish = LocalWriter.apply

    def apply(*args, **kwargs):
        told.send("publishing")
        generation = publish(*args, **kwargs)
        told.send("published")
        return generation

    LocalWriter.apply = apply  # type: ignore[method-assign]
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    return main(["index", folder, "--store", root, "--model", "hash"])


def run(folder: Path, root: Path, last: int | None = None, *, inside: bool = False) -> tuple[int | None, int, bool]:
    """Index, and kill before the call of number `last`, counted from when it publishes if it is to be `inside` of that.

    Return the exit code, the number of calls that were counted, and whether it was publishing at the end.
    """
    calls, publishing = 0, False
    ours, theirs = FORKS.Pipe(duplex=False)

    def decide(call: Call) -> int:
        nonlocal calls, publishing
        while ours.poll():
            publishing = ours.recv() == "publishing"
        calls += call.changes and (publishing or not inside)
        return KILL if last is not None and calls > last else 0

    with ours, theirs:
        code = watched(root, decide, index, str(folder), str(root), theirs)
    return code, calls, publishing


def kill(place: Path, kills: int, seed: int) -> float:
    """Change documents, index and kill, so many times; return the share of kills that came while it published.

    Some runs make fewer calls than the one that was counted, by what the killed one before had done; these end whole.
    """
    folder, root = place / "documents", place / "index"
    folder.mkdir()
    write_version(folder, 0)
    assert run(folder, root)[0] == 0
    most = {}
    for inside in (False, True):
        write_version(folder, -1 - inside)
        code, most[inside], _ = run(folder, root, inside=inside)
        assert code == 0
    old, generation = shown(root)
    chance, publishing, killed = random.Random(seed), 0, 0
    for version in range(1, kills + 1):
        write_version(folder, version)
        new, inside = contents(folder), version % 2 == 0
        code, _, was_publishing = run(folder, root, chance.randrange(most[inside]), inside=inside)
        assert code in {0, -signal.SIGKILL}
        killed += code != 0
        publishing += was_publishing and code != 0
        seen, now = shown(root)
        assert seen in ((old, new) if code else (new,)), f"a mix after kill {version}"
        assert now >= generation
        old, generation = seen, now
    assert run(folder, root)[0] == 0
    assert shown(root)[0] == contents(folder)
    assert generation > kills // 10
    assert killed > 0.9 * kills
    return publishing / killed


@needed
def test_killed_forty_times(tmp_path):
    """At random calls, one run after the other: nothing is lost or mixed, and the index goes on."""
    assert kill(tmp_path, 40, 1) > 0.3


@needed
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_1000_times(tmp_path):
    assert kill(tmp_path, 1000, 2) > 0.3


def everything(root: Path) -> list[tuple[object, ...]]:
    """Ids, texts and vectors of all passages."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library, library.store.snapshot() as snapshot:
        passages = {p.id: p.text for uri in snapshot.uris() for p in snapshot.passages_of(uri)}
        vectors = {id_: found.vector for uri in snapshot.uris() for id_, found in snapshot.vectors_of(uri).items()}
        return sorted((id_, text, vectors[id_]) for id_, text in passages.items())


@needed
def test_killed_five_times_it_ends_as_if_it_had_not_been(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    write_version(folder, 0)
    assert run(folder, tmp_path / "whole")[0] == 0
    for last in (40, 60, 90, 120, 150):
        assert run(folder, tmp_path / "index", last)[0] == -signal.SIGKILL
    assert run(folder, tmp_path / "index")[0] == 0
    assert everything(tmp_path / "index") == everything(tmp_path / "whole")
    assert len(everything(tmp_path / "index")) == 9


def test_lock_dies_with_its_owner(tmp_path):
    """A killed writer leaves no lock behind."""
    code = (
        "import sys, time; from rag.store.local import LocalStore\n"
        "with LocalStore(sys.argv[1]).writer(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        (tmp_path / "x.txt").write_text("A text.")
        with Library.open(tmp_path, embedder=HashEmbedder()) as library:
            with pytest.raises(IndexLocked, match=f"process {holder.pid} on"):
                library.index(tmp_path / "x.txt")
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            assert library.index(tmp_path / "x.txt").count("added") == 1
