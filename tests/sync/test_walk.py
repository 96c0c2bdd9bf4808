"""Which files of a tree are looked at: ignore files, links, depth, folders and files that are out of reach."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.load import load, read
from rag.sync.walk import NAME, Rules, walk, walk_changed

OUTSIDE = Path("/nowhere")
TREES = (
    {"": "*.log\n!keep.log\n/top.txt\nbuild/\n"},
    {"": "# all but notes\n*\n!*/\n!*.md\n"},
    {"": "drafts/**\n!drafts/fine.md\n", "drafts": "*.tmp\n"},
    {"": "*.md\n", "a": "!one.md\n", "a/b": "one.md\n"},
    {"": "a/**/x.txt\n**/drafts\n\\#odd.txt\n?.txt\n[ab].md\n"},
    {"a": "/one.md\nb/\n", "": "top.txt \n\n"},
)
FILES = (
    "top.txt", "a.log", "keep.log", "one.md", "#odd.txt", "a.md", "a/top.txt", "a/one.md", "a/x.txt", "a/b/one.md",
    "a/b/x.txt", "a/b/c/x.txt", "a/build/x.md", "build/one.md", "drafts/fine.md", "drafts/a.tmp", "drafts/sub/one.md",
)  # fmt: skip


def plant(root: Path, ignores: dict[str, str]) -> None:
    """Make the files and their ignore files."""
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Words of {name}.")
    for folder, text in ignores.items():
        (root / folder / NAME).write_text(text)


def found(walked, root: Path) -> set[str]:
    """Return the files found, as names below the root."""
    return {path.relative_to(root).as_posix() for path in walked.files}


@pytest.mark.parametrize("ignores", TREES)
def test_ignore_files_mean_what_git_means(tmp_path, ignores):
    """The same files are left as by git itself, walked at once or one by one."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    plant(tmp_path, ignores)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "-c", "core.quotePath=off", "ls-files", "--others", f"--exclude-per-directory={NAME}"]
    listed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.splitlines()
    expected = {name for name in listed if not name.rpartition("/")[2].startswith(".")}
    assert expected != set(FILES)
    assert found(walk([tmp_path], [], OUTSIDE), tmp_path) == expected
    assert found(walk_changed([tmp_path], [tmp_path / name for name in FILES], OUTSIDE), tmp_path) == expected


def test_a_newly_ignored_document_is_forgotten_and_comes_back(library, tmp_path):
    """Said as skipped with the file that says so; found again when the pattern is gone."""
    root = tmp_path / "docs"
    (root / "private").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "private/c.txt"):
        (root / name).write_text(f"The crane of {name} fell.")
    assert library.index(root).count("added") == 3
    (root / NAME).write_text("b.txt\nprivate/\n")
    report = library.index(root)
    assert (report.count("unchanged"), report.count("removed")) == (1, 0)
    assert [(o.path, o.reason) for o in report.of("skipped")] == [
        (str(root / name), f"removed: {root / NAME} leaves it out") for name in ("b.txt", "private/c.txt")
    ]
    assert [info.name for info in library.documents()] == ["a.txt"]
    assert library.index(root).of("skipped") == []
    assert library.index(root / "b.txt").count("added") == 1, "a file that is named itself is wanted"
    (root / NAME).unlink()
    assert library.index(root, changed=[root / NAME]).count("added") == 1


def test_a_bad_ignore_file_hides_nothing_and_shows_nothing(library, tmp_path):
    """Its folder is not read before it is mended, and keeps its documents."""
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "docs" / "a.txt").write_text("The crane fell.")
    (tmp_path / "docs" / "sub" / "b.txt").write_text("The bridge stood.")
    library.index(tmp_path / "docs")
    (tmp_path / "docs" / "sub" / NAME).write_text("fine\n!\n")
    report = library.index(tmp_path / "docs")
    assert (report.count("unchanged"), report.count("failed")) == (1, 1)
    assert f"{NAME}: line 2 is no pattern (!)" in report.of("failed")[0].reason
    assert len(library.documents()) == 2
    assert Rules().inside(str(tmp_path / "docs")) == Rules()


def test_an_ignore_file_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(LoadError, match=f"{NAME} is no file"):
        Rules().inside(str(tmp_path))


def test_only_what_changed_is_looked_at(library, tmp_path):
    """Other changes wait; what vanished goes; hidden, linked and foreign paths are left alone."""
    root = tmp_path / "docs"
    root.mkdir()
    for name in "abcd":
        (root / f"{name}.txt").write_text(f"The crane of {name} fell.")
    library.index(root)
    (root / "a.txt").write_text("The crane of a was mended.")
    (root / "b.txt").write_text("The crane of b was mended.")
    (root / "c.txt").unlink()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "x.txt").write_text("Hidden words.")
    (tmp_path / "other.txt").write_text("Other words.")
    (root / "link.txt").symlink_to(tmp_path / "other.txt")
    changed = [root / "a.txt", root / "c.txt", root / "d.txt", root / ".hidden" / "x.txt", tmp_path / "other.txt"]
    report = library.index(root, changed=[*changed, root / "link.txt"])
    assert {o.path.rpartition("/")[2]: o.state for o in report.outcomes} == {
        "a.txt": "updated", "c.txt": "removed", "d.txt": "unchanged", "link.txt": "skipped",
    }  # fmt: skip
    assert library.document("b.txt").text == "The crane of b fell."
    assert library.index(root, changed=[]).outcomes == ()


def test_loops_of_links_end(library, tmp_path):
    """Two folders that link to each other, a link to itself, and one to nothing: each reported once."""
    for name in ("a", "b"):
        (tmp_path / "docs" / name).mkdir(parents=True)
    (tmp_path / "docs" / "a" / "to-b").symlink_to(tmp_path / "docs" / "b")
    (tmp_path / "docs" / "b" / "to-a").symlink_to(tmp_path / "docs" / "a")
    (tmp_path / "docs" / "self").symlink_to(tmp_path / "docs" / "self")
    (tmp_path / "docs" / "nothing.txt").symlink_to(tmp_path / "nothing")
    (tmp_path / "docs" / "a" / "x.txt").write_text("The crane fell.")
    report = library.index(tmp_path / "docs")
    assert (report.count("added"), report.count("skipped")) == (1, 4)
    assert all("symbolic link" in outcome.reason for outcome in report.of("skipped"))


def test_a_very_deep_tree_is_walked(tmp_path):
    """As deep as nobody's is."""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    with open("x.txt", "w", opener=lambda name, flags: os.open(name, flags, dir_fd=here)) as file:
        file.write("Deep words.")
    os.close(here)
    walked = walk([tmp_path], [], OUTSIDE)
    assert [path.name for path in walked.files] == ["x.txt"]
    assert load(walked.files[0]).text == "Deep words."


def test_many_files_in_a_folder_are_found(tmp_path):
    """Each once, in order."""
    for number in range(5_000):
        (tmp_path / f"{number:05}.txt").touch()
    walked = walk([tmp_path, tmp_path], [], OUTSIDE)
    assert [path.name for path in walked.files] == [f"{number:05}.txt" for number in range(5_000)]


def test_a_file_that_is_written_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """Until it is the same before and after; one that never rests is reported."""
    path = tmp_path / "a.txt"
    path.write_text("One.")
    look = os.fstat
    writes = iter(["One. Two.", "One. Two. Three."])

    def written_meanwhile(descriptor):
        status = look(descriptor)
        text = next(writes, None)
        if text:
            path.write_text(text)
        return status

    monkeypatch.setattr(os, "fstat", written_meanwhile)
    assert load(path).text == "One. Two. Three."
    writes = iter("x" * length for length in range(10, 100))
    with pytest.raises(LoadError, match="is being written"):
        load(path)


def test_a_file_that_goes_before_it_is_read_is_gone(library, tmp_path, monkeypatch):
    """A known one counts as removed, another is not there."""
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"The crane of {name} fell.")
    library.index(tmp_path)
    (tmp_path / "new.txt").write_text("Here for a moment.")
    from rag import sync

    def vanish(path):
        if path.name in {"a.txt", "new.txt"}:
            path.unlink()
        return read(path)

    monkeypatch.setattr(sync, "read", vanish)
    report = library.index(tmp_path)
    assert [(o.path.rpartition("/")[2], o.state) for o in report.outcomes] == [
        ("b.txt", "unchanged"),
        ("a.txt", "removed"),
    ]
