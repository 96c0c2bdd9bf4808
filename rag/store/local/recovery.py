"""An index that cannot go on as it is: a damaged catalog is set aside, one that never held anything is withdrawn."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import FormatMismatch, IndexCorrupt, StoreError
from rag.store.local.catalog import Catalog
from rag.store.local.files import writing

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("rag")


class SetAside(NamedTuple):
    """The damaged catalog under its new name, and the URIs of documents that it still names."""

    file: Path
    documents: list[str]


def damage_of(path: Path) -> str | None:
    """Return what keeps a rebuild from reading the catalog that is there; None when nothing does."""
    try:
        with closing(Catalog(path, write=True)) as catalog, catalog.guarded():
            found = catalog.check()
            for uri in catalog.digests():
                catalog.document(uri)
            _ = catalog.recipe, catalog.generation
    except (IndexCorrupt, FormatMismatch) as error:
        return str(error)
    return found[0] if found else None


def set_aside(path: Path, damage: str) -> SetAside:
    """Rename a damaged catalog, whose lock is held and which nobody here has open; raises `StoreError`."""
    name = f"{path.name}.damaged-{1 + len(list(path.parent.glob(f'{path.name}.damaged-*')))}"
    _log.warning("%s; the old file is kept as %s", damage, name)
    with writing(path):
        for file in [*path.parent.glob(f"{path.name}-*"), path]:
            file.rename(file.with_name(file.name.replace(path.name, name)))
    return SetAside(path.with_name(name), _named_documents(path.with_name(name)))


def _named_documents(file: Path) -> list[str]:
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


def holds_nothing(catalog: Catalog) -> bool:
    """Tell whether nothing was published, noted or embedded so far; of a catalog that cannot be read, it is not said.

    Vectors of an interrupted first run are something: the next one goes on with them.
    """
    try:
        with catalog.guarded():
            noted = any(catalog.get(key) is not None for key in ("recipe", "journal"))
            return not noted and not catalog.count("vectors")
    except StoreError:
        return False


def withdraw(root: Path, *, folder_too: bool) -> None:
    """Delete the files of an empty index whose lock is held and whose catalog is closed, the lock's own last.

    Args:
        root: the index.
        folder_too: whether its folder goes as well, unless somebody else has put something there.
    """
    with suppress(OSError):  # what failed before is what is to be said
        for name in ("catalog.db-wal", "catalog.db-shm", "catalog.db"):  # a log must not outlive its database
            (root / name).unlink(missing_ok=True)
        shutil.rmtree(root / "lexical", ignore_errors=True)
        (root / "LOCK").unlink(missing_ok=True)
        if folder_too:
            root.rmdir()
