"""Where passages and vectors live, and what was asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rag.store.protocol import Store


def open_store(place: str | Path) -> Store:
    """Return the index at a place, which need not exist yet: a folder, or the URL of a collection on a server.

    Raises `InputError` for a URL of another kind, and for a path that is a file.
    """
    if "://" in str(place):
        from rag.store.milvus import MilvusStore

        return MilvusStore(str(place))
    from rag.store.local import LocalStore

    return LocalStore(place)
