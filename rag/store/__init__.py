"""The one place where an index is opened by its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from rag.store.local import LocalStore


def open_store(address: str | Path) -> LocalStore:
    """Return the engine for a folder.

    Raises:
        InputError: the address is a URL of an engine that this version does not have.
    """
    if "://" in str(address):
        raise InputError(f"no engine for {address}: this version keeps its index in a folder; give --store a path")
    from rag.store.local import LocalStore

    return LocalStore(address)
