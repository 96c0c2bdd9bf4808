"""An index that was begun in vain: a first run that failed before anything was kept takes it away again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from rag.store.local.catalog import Catalog


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
