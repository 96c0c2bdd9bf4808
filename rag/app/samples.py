"""The sample documents, and whether they are in an index beside a person's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rag.sync.walk import uri_of

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE = Path(__file__).parents[2] / "data"
"""What app.py indexes where there is no index."""


def samples_among(uris: Iterable[str], paths: Iterable[str | Path]) -> list[str]:
    """Return which of these documents are samples; none where one of the paths that were indexed holds samples."""
    if not SAMPLE.with_name("app.py").is_file():  # installed without them: that folder is anybody's
        return []
    folder = Path(uri_of(SAMPLE))
    for path in (Path(uri_of(Path(given))) for given in paths):
        if path == folder or path in folder.parents or folder in path.parents:
            return []
    return [uri for uri in uris if folder in Path(uri).parents]


def removal(samples: list[str], store: str) -> str:
    """Return the command that takes samples out of an index; short where they are all that their folder holds."""
    whole = sorted(samples) == sorted(uri_of(path) for path in SAMPLE.iterdir())
    named = f"{shlex.quote(uri_of(SAMPLE))}/*" if whole else shlex.join(samples)
    return f"rag remove {named} --store {shlex.quote(store)}"
