"""`kill -9` while indexing: the index is wholly old or wholly new, and the next run succeeds."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.local import files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

KILLS = 200
FORKS = multiprocessing.get_context("forkserver")  # a process of its own for each run, without 0.7 s of imports
FORKS.set_forkserver_preload(
    ["faiss", "tantivy", "rag.app.cli", "rag.store.local", "rag.library", "rag.load", "rag.sync"]
)


def write_version(folder: Path, version: int) -> None:
    """Write 40 documents of which a version adds, changes and removes some."""
    for number in range(40):
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
    with Library.open(root, embedder=HashEmbedder()) as library:
        assert library.verify() == []
        texts = {info.uri: library.document(info.uri).text for info in library.documents()}
        for hit in library.search("crane lifted tons version", 100):
            assert hit.passage.text in texts[hit.passage.uri]
        return texts, library.status().generation


RUN = """
import os, sys
from rag.app.cli import main
sys.stdout = open(os.devnull, "w")
raise SystemExit(main(arguments))
"""


def start(code: str, folder: Path, root: Path, **names: float) -> multiprocessing.process.BaseProcess:
    """Start a process that runs the code, in which `arguments` are those that index the folder."""
    arguments = ["index", str(folder), "--store", str(root), "--model", "hash"]
    process = FORKS.Process(target=exec, args=(code, {"arguments": arguments, **names}))
    process.start()
    return process


def ended(process: multiprocessing.process.BaseProcess) -> int | None:
    """Wait for its end and return its exit code: -9 if it was killed."""
    process.join()
    return process.exitcode


def test_kill_at_random_times(tmp_path):
    """Two hundred kills at random times lose nothing, mix nothing, and do not stop progress."""
    folder, root = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    write_version(folder, 0)
    assert ended(start(RUN, folder, root)) == 0
    write_version(folder, -1)
    began = time.perf_counter()
    assert ended(start(RUN, folder, root)) == 0
    whole = time.perf_counter() - began
    old, generation = shown(root)
    chance = random.Random(1)
    landed = published = 0
    for version in range(1, KILLS + 1):
        write_version(folder, version)
        new = contents(folder)
        process = start(RUN, folder, root)
        time.sleep(chance.uniform(0.0, 1.0) * whole)
        process.kill()
        landed += ended(process) == -signal.SIGKILL
        seen, now = shown(root)
        assert seen in (old, new), f"a mix after kill {version}"
        assert now >= generation
        published += now > generation
        old, generation = seen, now
    assert ended(start(RUN, folder, root)) == 0
    assert shown(root)[0] == contents(folder)
    assert landed > KILLS // 4, "too few kills reached a running process to prove anything"
    assert published < KILLS, "no kill came before the publish"


COUNTED = (
    """
import os, signal
from pathlib import Path
from rag.store.local import LocalWriter, files, lexical, vectors
from rag.store.local.catalog import Catalog

files.SMALL, files.SHARE = small, share

def point():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name):
    inner = getattr(owner, name)
    def wrapped(*args, **kwargs):
        point()
        try:
            return inner(*args, **kwargs)
        finally:
            point()
    setattr(owner, name, wrapped)

for owner, name in [
    (Catalog, "put_document"), (Catalog, "delete_document"), (Catalog, "put_vectors"), (Catalog, "prune_vectors"),
    (Catalog, "set_unsettled"), (Catalog, "set_recipe"), (Catalog, "checkpoint"), (Catalog, "_create"),
    (lexical.Lexical, "update"), (vectors, "write"), (Path, "replace"), (Path, "rename"), (os, "fsync"),
    (LocalWriter, "_delete_old_files"), (LocalWriter, "_publish"), (LocalWriter, "_settle"), (lexical, "beside"),
]:
    around(owner, name)
"""
    + RUN
)


@pytest.mark.parametrize("kind", ["first-run", "update", "update-in-place"])
def test_kill_at_every_step(tmp_path, kind):
    """A kill before and after every write of a run, in order, until a run is not reached any more."""
    first = kind == "first-run"
    limits: dict[str, float] = {"small": files.SMALL, "share": files.SHARE}
    if kind == "update-in-place":  # as in a large index: removed entries stay until there are many
        limits = {"small": 0, "share": 1e9}
    folder, root = tmp_path / "documents", tmp_path / "index"
    folder.mkdir()
    write_version(folder, 0)
    for path in sorted(folder.iterdir())[8:]:
        path.unlink()
    old: dict[str, str] = {}
    if not first:
        assert ended(start(COUNTED, folder, root, left=9999, **limits)) == 0
        old = contents(folder)
    step = 0
    while True:
        if not first:
            for path in folder.iterdir():
                path.write_text(f"Step {step} of {path.name}.")
        new = contents(folder)
        code = ended(start(COUNTED, folder, root, left=step, **limits))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if first and not (root / "catalog.db").exists():
            step += 1
            continue
        old = check_after_kill(root, old, new)
        if first:
            for path in sorted(root.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            old = {}
        step += 1
    assert step > 20
    assert shown(root)[0] == contents(folder)


def check_after_kill(root: Path, old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Return what is there now: all of the old, or all of the new."""
    from rag.errors import IndexMissing

    try:
        seen, _ = shown(root)
    except IndexMissing:
        seen = {}
    assert seen in (old, new)
    return seen


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
            from rag.errors import IndexLocked

            with pytest.raises(IndexLocked, match=f"process {holder.pid} on"):
                library.index(tmp_path / "x.txt")
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
            assert library.index(tmp_path / "x.txt").count("added") == 1
