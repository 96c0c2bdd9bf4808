"""What the files of an index need of the system: a lock, names that last, errors in our words, and when to be renewed.

One writer at a time: an flock on a file of the index. It dies with its owner, also after `kill -9`.
That needs a file system with locks: Linux or macOS, a local disk.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rag.errors import IndexLocked, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOKS, _PAUSE = 20, 0.025  # s: for who holds the lock, half a second

_OWN = (
    "catalog.db*",
    "catalog.seal*",
    "vectors-*.faiss*",
    ".vectors-*.tmp",
    "lexical*",
    "history.db*",
    ".history.db*",
    "selections.json",
    ".selections.json.*",
    "token",
    "LOCK",
)
"""What an index's folder holds, besides `files`; anything else in it is somebody else's."""

SHARE = 0.2
"""A derived file is written anew once this share of it is of removed passages, or missing from it."""

SMALL = 3_000
"""Up to so many passages, it is written anew for a single removed one: this takes a few seconds."""


def holds_too_much(removed: int, live: int) -> bool:
    """Tell whether a derived file with so many entries of removed passages is to be written anew."""
    return removed > (0 if live <= SMALL else SHARE * live)


def mark_damaged(path: Path) -> None:
    """Leave a note beside a file or folder that is damaged, for the next writer; not where that cannot be written."""
    with suppress(OSError):
        _mark(path).touch()


def is_marked(path: Path) -> bool:
    """Tell whether somebody found this file or folder damaged."""
    return _mark(path).exists()


def unmark(path: Path) -> None:
    """Take the note away."""
    _mark(path).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock; raises `IndexLocked` with process and host, where somebody else holds it.

    Raises `StoreError` where the folder cannot be written, or its file system has no locks.
    """
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexLocked(
                f"{path.parent} is being written by {_owner(descriptor)}; wait until it is done"
            ) from error
        except OSError as error:
            raise StoreError(f"{path.parent} is on a file system without locks; put the index elsewhere") from error
        if identity(path) != identity(descriptor):  # its index was withdrawn between the opening and the locking
            raise IndexLocked(f"{path.parent} was being written by another process; run it again")
        with writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)  # the next to hold it is not to be taken for this one
    finally:
        os.close(descriptor)


def _owner(descriptor: int) -> str:
    """Return who holds a lock: whoever has just got it may still be writing who it is."""
    for _ in range(_LOOKS):
        if owner := os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip():
            return owner
        time.sleep(_PAUSE)
    return "another process"


def make_private(root: Path) -> None:
    """Let nobody but its owner read an index: folders 0700, files 0600, whatever the umask is and was.

    A folder that holds other things as well keeps its own mode, and that of its `files`, which may be anybody's.
    """
    own = {path for pattern in _OWN for path in root.glob(pattern) if not path.is_symlink()}
    if {*own, root / "files"}.issuperset(root.iterdir()):
        own |= {root, root / "files"}
    for path in own:
        _set_mode(path)
        for folder, folders, files in os.walk(path) if path != root else ():
            for name in (*folders, *files):
                _set_mode(path.joinpath(folder, name))


def _set_mode(path: Path) -> None:
    with suppress(OSError):  # it is another user's, is gone, or its file system has no modes
        found = path.lstat().st_mode
        wanted = 0o700 if stat.S_ISDIR(found) else 0o600
        if (stat.S_ISDIR(found) or stat.S_ISREG(found)) and stat.S_IMODE(found) != wanted:
            path.chmod(wanted)


def identity(file: Path | int) -> tuple[int, int] | None:
    """Return what tells a file, by path or descriptor, from one that takes its place; None where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - Path.stat takes no descriptor
    except OSError:
        return None
    return found.st_dev, found.st_ino


_users: Counter[tuple[int, int]] = Counter()  # connections of this process to a file, and who reads it just now
_descriptors: dict[tuple[int, int], list[int]] = {}
_of_both = threading.Lock()


def hold(file: tuple[int, int]) -> None:
    """Count a user of a file, by its `identity`: while there is one, no descriptor of `kept_open` is closed."""
    with _of_both:
        _users[file] += 1


def let_go(file: tuple[int, int]) -> None:
    """Take a user back; with the last one of this process, the file's descriptors are closed."""
    with _of_both:
        _users[file] -= 1
        if _users[file] <= 0:
            del _users[file]
            for descriptor in _descriptors.pop(file, []):
                os.close(descriptor)


@contextmanager
def kept_open(path: Path) -> Iterator[int]:
    """Yield a descriptor to read a file by, which is closed with the file's last user; raises `OSError`.

    To close any descriptor of a file takes away all locks that this process has on it (POSIX), those of SQLite's open
    connections as well: another process would then delete the log that they read.
    """
    with _of_both:
        file = identity(path)
        if not (file and _descriptors.get(file)):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            file = identity(descriptor) or (0, 0)
            _descriptors.setdefault(file, []).append(descriptor)
        _users[file] += 1
        descriptor = _descriptors[file][-1]
    try:
        yield descriptor
    finally:
        let_go(file)


def _after_fork() -> None:
    """Begin anew in a child, whose locks are its own; its parent's connections stay open in it (`begin_anew`)."""
    global _of_both  # noqa: PLW0603 - another thread of the parent may have held it
    _of_both = threading.Lock()
    _users.clear()
    _descriptors.clear()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a refusal of the operating system to write a file into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error


def unwritable(path: Path, reason: str) -> StoreError:
    """Return the error of a file that cannot be written."""
    return StoreError(f"{path} cannot be written ({reason}); when the disk is full, free space; then run it again")


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and those around it that are missing, all so that they last."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in missing:
        sync(made.parent)


def sync(path: Path) -> None:
    """Make what a file holds, or the names in a folder, last through a power cut; raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
