"""What every derived file needs of the disk: names that last, errors in our words, and when to write it anew."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARE = 0.2
"""A derived file is written anew once this share of it is of removed passages, or missing from it."""

SMALL = 3_000
"""Up to so many passages, it is written anew for a single removed one: this takes a few seconds."""


def holds_too_much(removed: int, live: int) -> bool:
    """Tell whether a derived file with so many entries of removed passages is to be written anew."""
    return removed > (0 if live <= SMALL else SHARE * live)


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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
