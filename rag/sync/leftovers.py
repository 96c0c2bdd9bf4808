"""What is left of a document that was removed from the index: answers that quote it, and its file.

The conversations stay until they are forgotten on the page or by `rag forget`. A file in an indexed folder is added
again by the next run, unless a `.ragignore` names it. `rag remove` and the page say both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.sync.walk import walk_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.store.history import History
    from rag.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is left of one document.

    The kept `conversations` that quote it or show a passage of it, by id; and its `file`, or that of the archive around
    it, where the next run over its folder takes it in again.
    """

    uri: str
    conversations: frozenset[int] = frozenset()
    file: Path | None = None


def leftovers(store: Store, history: History, uris: Iterable[str]) -> list[Leftovers]:
    """Return what is left of these documents; raises `StoreError` when the history cannot be read."""
    quoted = history.quoted()
    roots, own = store.journal().roots, store.root
    return [Leftovers(uri, frozenset(quoted.get(uri, ())), _file_found_again(uri, roots, own)) for uri in uris]


def _file_found_again(uri: str, roots: Sequence[str], index: Path) -> Path | None:
    """Return the file of a document, unless it is gone or an ignore file leaves it out.

    One that was named by itself is looked for from its folder.
    """
    path = Path(uri)
    file = next((each for each in (path, *path.parents) if each.is_file()), None) if path.is_absolute() else None
    if file is None:
        return None
    around = [root for root in map(Path, roots) if root in file.parents] or [file.parent]
    return file if walk_changed(around, [file], index).files else None
