"""Files that were uploaded, on their way into the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError
from rag.records import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.library import Library
    from rag.records import SyncReport

MOST_FILES = 500  # in one upload


def add_uploaded(library: Library, files: Sequence[str] | None, progress: Progress = silent) -> SyncReport:
    """Index uploaded files and delete what the upload left in Gradio's folder; raises what `Library.add` raises."""
    paths = [Path(file) for file in files or []]
    if not paths:
        raise InputError("Choose at least one file.")
    if len(paths) > MOST_FILES:
        raise InputError(f"{len(paths):,} files at once are too many: add up to {MOST_FILES}.")
    try:
        return library.add(*paths, progress=progress)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
