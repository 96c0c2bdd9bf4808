"""One writer at a time: an flock on a file of the index. It dies with its owner, also after `kill -9`."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import IndexLocked, StoreError
from rag.store.local.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock.

    Raises:
        IndexLocked: somebody else holds it; the message names process and host.
        StoreError: the folder cannot be written, or its file system has no locks.
    """
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
            raise IndexLocked(f"{path.parent} is being written by {owner}; wait until it is done") from error
        except OSError as error:
            raise StoreError(f"{path.parent} is on a file system without locks; put the index elsewhere") from error
        if not _is_still(path, descriptor):  # its index was withdrawn between the opening and the locking
            raise IndexLocked(f"{path.parent} was being written by another process; run it again")
        with writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Tell whether the name stands for the file that was opened."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
