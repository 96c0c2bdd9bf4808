"""Only the owner can read what an index writes, whatever the umask is, and also what was readable before."""

from __future__ import annotations

import os
import stat

import pytest

from rag.library import Library
from rag.store.history import History

ANSWER = {"question": "Who?", "citations": [], "nearest": []}


@pytest.fixture(params=[0, 0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(root) -> dict[str, int]:
    """The mode of everything in a folder, and its own."""
    return {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}


def wanted(root) -> dict[str, int]:
    return {name: 0o700 if root.joinpath(name).is_dir() else 0o600 for name in modes(root)}


@pytest.fixture
def filled(tmp_path, hasher, umask):
    """An index with everything that can be in one; and how it was while it was written."""
    root, seen = tmp_path / "index", []
    for name in ("first", "second"):
        (tmp_path / f"{name}.txt").write_text(f"The {name} crane lifted nine tons.\n")
    with Library.open(root, embedder=hasher) as library:
        library.index(tmp_path / "first.txt", progress=lambda *_: seen.append(modes(root)))
        library.add(tmp_path / "second.txt")
        History(root / "history.db").add(ANSWER)
        with library.store.snapshot():
            yield root, seen


def test_index_is_private(filled):
    root, seen = filled
    found = modes(root)
    assert {"catalog.db", "history.db", "LOCK", "files", "files/second.txt", "lexical/meta.json"} <= found.keys()
    assert found == wanted(root)
    assert {each["."] for each in seen} == {0o700}  # from the start: nothing in it can be reached


def test_older_index_becomes_private_at_the_next_write(filled, hasher, tmp_path):
    root, _ = filled
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with Library.open(root, embedder=hasher) as library:
        library.index(tmp_path / "first.txt")
    assert modes(root) == wanted(root)


def test_what_is_not_the_indexs_keeps_its_mode(hasher, tmp_path):
    """An index in a folder with other things in it: these stay as they are, its own files are private."""
    root = tmp_path / "shared"
    (root / "pictures").mkdir(parents=True)
    (root / "pictures" / "crane.png").write_bytes(b"\x89PNG")
    (root / "report.txt").write_text("The crane lifted nine tons.\n")
    (tmp_path / "elsewhere").write_text("not ours")
    (tmp_path / "elsewhere").chmod(0o644)
    (root / "vectors-link").symlink_to(tmp_path / "elsewhere")
    for path in (root, root / "pictures"):
        path.chmod(0o755)
    for path in (root / "pictures" / "crane.png", root / "report.txt"):
        path.chmod(0o644)
    with Library.open(root, embedder=hasher) as library:
        library.index(root / "report.txt")
    found = modes(root)
    assert found["."] == found["pictures"] == 0o755
    assert found["report.txt"] == found["pictures/crane.png"] == found["vectors-link"] == 0o644
    assert found["catalog.db"] == found["LOCK"] == 0o600
    assert found["lexical"] == 0o700
