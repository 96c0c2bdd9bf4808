"""A full disk, a failing one, no more open files, `kill -9`: at each call, until a run is not hit any more.

Each time the old index answers, or the new one once it is published; one line says what is wrong; the next run is fine.
`pytest -m soak` tries every call, the other tests every so manyth.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import IndexMissing, StoreError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from tests.store.system_calls import KILL, Call, needed, watched

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [needed, pytest.mark.slow]

KINDS = ("first", "update", "update in place", "rebuild")
FAULTS = {"killed": KILL, "full": errno.ENOSPC, "failing": errno.EIO, "too many files": errno.EMFILE}
SPACE = {"write", "truncate", "rename", "mkdir", "link"}  # what needs space, besides new files


def index(folder: str, root: str, said: str, kind: str) -> int:
    """Run `rag index` in this process, with what it says in a file."""
    from rag.app.cli import main
    from rag.store.local import files

    if kind == "update in place":  # as in a large index: removed entries stay until there are many
        files.SMALL, files.SHARE = 0, 1e9
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    more = ["--rebuild"] if kind == "rebuild" else []
    return main(["index", folder, "--store", root, "--model", "hash", *more])


def write_version(folder: Path, version: str) -> None:
    """Write documents, of which the new version adds, changes and removes some."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in {"old": ("same", "changed", "gone"), "new": ("same", "changed", "added")}[version]:
        text = f"The crane at the {name} pier lifted {version if name == 'changed' else 'nine'} tons."
        (folder / f"{name}.txt").write_text(text)


def contents(folder: Path) -> dict[str, str]:
    """What a complete index of this folder shows."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def shown(root: Path) -> dict[str, str]:
    """What a reader sees, checked against itself."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        try:
            texts = {Path(info.uri).name: library.document(info.uri).text for info in library.documents()}
        except IndexMissing:
            return {}
        except StoreError as error:  # of an index that was only just begun
            assert "left half written by a stopped run" in str(error)  # noqa: PT017
            return {}
        assert library.verify() == []
        hits = library.search("crane pier lifted tons", 100)
        assert {Path(hit.passage.uri).name: hit.passage.text for hit in hits} == texts
        return texts


def fault_at(number: int, fault: int, calls: list[Call]) -> Callable[[Call], int]:
    """Let the call of that number fail, of those that may fail so; a full disk and open files stay as they are."""

    def decide(call: Call) -> int:
        creates = call.kind == "open" and call.flags & os.O_CREAT and not Path(call.path).exists()
        concerned = {
            KILL: call.changes,
            errno.ENOSPC: call.kind in SPACE or bool(creates),
            errno.EMFILE: call.kind == "open",
            errno.EIO: call.kind != "lock",
        }[fault]
        if concerned:
            calls.append(call)
        hit = len(calls) == number + 1 if fault == errno.EIO else len(calls) > number
        return fault if concerned and hit else 0

    return decide


def wrong_at(number: int, fault: str, kind: str, place: Path) -> str | None:
    """Index with one fault; return what was wrong, None where it was not reached."""
    root, folder, said = place / "index", place / "documents", place / "said"
    shutil.rmtree(root, ignore_errors=True)
    if kind != "first":
        shutil.copytree(place / "sound", root)
    old, new = contents(place / "before") if kind != "first" else {}, contents(folder)
    calls: list[Call] = []
    status = watched(root, fault_at(number, FAULTS[fault], calls), index, str(folder), str(root), str(said), kind)
    if len(calls) <= number:
        assert status == 0
        return None
    words = said.read_text() if said.exists() else ""
    try:
        assert shown(root) in ((new,) if status == 0 else (old, new)), "neither old nor new"
        if fault == "killed":
            assert status == -signal.SIGKILL
        else:
            assert status in {0, 1}
            assert "Traceback" not in words
            assert "panicked" not in words
            told = sum(line.startswith("rag: ") for line in words.splitlines())  # beside the bars of a slow machine
            assert told in ({0, 1, 2} if status == 0 else {1, 2, 3})
        with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
            library.index(folder)
        assert shown(root) == new, "the next run did not mend it"
    except Exception as error:  # noqa: BLE001 - all are listed at the end
        call = f"{calls[number].kind} {calls[number].path.removeprefix(str(place))}"
        return f"{fault} at {number}, {call}: exit {status}: {error!r}; it said: {words}"
    return ""


def faults(place: Path, fault: str, kind: str, every: int) -> tuple[int, list[str]]:
    """Try every so manyth call; return how many there are, and what was wrong."""
    folder = place / "documents"
    write_version(folder, "old")
    shutil.copytree(folder, place / "before")
    with Library.open(place / "index", embedder=HashEmbedder()) as library:
        library.index(folder)
    (place / "index").rename(place / "sound")
    write_version(folder, "new")
    wrong: list[str] = []
    number = 0
    while (found := wrong_at(number, fault, kind, place)) is not None:
        wrong += [found] if found else []
        number += every
    return number, wrong


@pytest.mark.parametrize("kind", ["first", "update in place"])
@pytest.mark.parametrize("fault", FAULTS)
def test_some_faults_take_no_index_away(tmp_path, fault, kind):
    number, wrong = faults(tmp_path, fault, kind, 41)
    assert "\n".join(wrong) == ""
    assert number > 50


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_takes_an_index_away(tmp_path, fault, kind):
    number, wrong = faults(tmp_path, fault, kind, 1)
    assert "\n".join(wrong) == ""
    assert number > 50


def index_with(megabytes: int, *arguments: str) -> int:
    """Index in this process, which may take so much more memory than it has now."""
    from rag.app import cli  # noqa: F401 - what fails before a command has begun is Python's to tell
    from rag.store.local import files  # noqa: F401

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return index(*arguments)


def test_little_memory_takes_no_index_away(tmp_path):
    """More and more, until it is enough: whatever fails first, and be it with a crash, the index is whole."""
    folder, root, said = tmp_path / "documents", tmp_path / "index", tmp_path / "said"
    write_version(folder, "old")
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        library.index(folder)
    states = [contents(folder)]
    write_version(folder, "new")
    states.append(contents(folder))
    megabytes, code = 0, None
    while code != 0:
        code = watched(root, lambda _: 0, index_with, megabytes, str(folder), str(root), str(said), "update")
        if code == 1 and said.exists():
            assert "Traceback" not in said.read_text()
            assert said.read_text().splitlines()[-1].startswith("rag: ")
        assert shown(root) in states[code == 0 :]
        megabytes += 12
    assert 12 < megabytes < 1000


def test_a_file_system_without_locks_is_said(tmp_path):
    write_version(tmp_path / "documents", "new")
    said = tmp_path / "said"

    def decide(call: Call) -> int:
        return errno.ENOLCK if call.kind == "lock" and call.path.endswith("/LOCK") else 0

    paths = str(tmp_path / "documents"), str(tmp_path / "index"), str(said)
    assert watched(tmp_path / "index", decide, index, *paths, "first") == 1
    assert "is on a file system without locks; put the index elsewhere" in said.read_text()
    assert len(said.read_text().splitlines()) == 1


def add(root: str, file: str) -> int:
    """Add a file in this process; tell by the exit code that the disk is full."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        try:
            library.add(file)
        except StoreError as error:
            return 28 if "upload.txt cannot be written (No space left on device)" in str(error) else 1
    return 0


def test_an_upload_on_a_full_disk_leaves_nothing_behind(tmp_path):
    (tmp_path / "upload.txt").write_text("The uploaded crane is blue.")
    with Library.open(tmp_path / "index", embedder=HashEmbedder(), reranker="none") as library:
        library.add(tmp_path / "upload.txt")
    (tmp_path / "upload.txt").write_text("The uploaded crane is red.")

    def decide(call: Call) -> int:
        return errno.ENOSPC if call.kind == "write" and call.path.endswith(".part") else 0

    paths = str(tmp_path / "index"), str(tmp_path / "upload.txt")
    assert watched(tmp_path / "index", decide, add, *paths) == 28
    assert [file.name for file in (tmp_path / "index" / "files").iterdir()] == ["upload.txt"]
    assert shown(tmp_path / "index") == {"upload.txt": "The uploaded crane is blue."}
    assert watched(tmp_path / "index", lambda _: 0, add, *paths) == 0
    assert shown(tmp_path / "index") == {"upload.txt": "The uploaded crane is red."}
