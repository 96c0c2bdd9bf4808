"""A damaged catalog that was moved out of the way, and what can still be read in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class SetAside(NamedTuple):
    """The damaged file under its new name, and the URIs of documents that it still names."""

    file: Path
    documents: list[str]


def named_documents(file: Path) -> list[str]:
    """Return the URIs that can be read in a damaged catalog: from its table, and from the index over that."""
    found: dict[str, None] = {}
    for indexed in ("", "NOT INDEXED"):
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
                for (uri,) in database.execute(f"SELECT uri FROM documents {indexed}"):  # noqa: S608 - our own words
                    if isinstance(uri, str):
                        found[uri] = None
        except sqlite3.Error:
            continue  # so far it could be read
    return list(found)
