"""The folder that uploads pass through: private, deleted at the end, and at the next start where there was no end."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "rag-ui-"
_LOCK = "LOCK"  # held for as long as the process lives, also one that is killed


def made_folder() -> Path:
    """Make a folder that only its owner can enter; delete those that killed processes left behind."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or one that is just being deleted
            if not old.is_symlink() and old.stat().st_uid == os.geteuid() and _is_abandoned(old):
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700
    half = folder / f".{_LOCK}"
    fcntl.flock(os.open(half, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), fcntl.LOCK_EX)  # never closed
    half.rename(folder / _LOCK)
    return folder


def _is_abandoned(folder: Path) -> bool:
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
