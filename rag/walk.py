"""Which files there are below some paths, and which documents are there no more."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError
from rag.store import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence


@dataclass(slots=True)
class Walk:
    """Everything below some paths.

    Attributes:
        roots: the URIs of the paths.
        files: what there is to read, each once, in order.
        outcomes: what is not read, and why. Hidden files and folders are passed over in silence.
        unseen: folders that were not looked into: their documents are neither there nor gone.
    """

    roots: list[str]
    files: list[Path] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def vanished(self, known: Iterable[str], seen: Collection[str]) -> list[str]:
        """Return the known documents below the paths that were looked for and not seen."""
        gone = (uri for uri in known if uri not in seen and _is_below(uri, self.roots))
        return [uri for uri in gone if not _is_below(uri, self.unseen) or uri in self.roots]


def walk(paths: Sequence[Path], known: Collection[str], leave_out: Path) -> Walk:
    """Look below these paths.

    Args:
        paths: files and folders; one that is gone may be named when the index knows documents below it.
        known: the URIs of the index.
        leave_out: a folder that is passed over (the index itself), unless a path names something in it.

    Raises:
        InputError: a path does not exist and never was in the index.
    """
    found = Walk([uri_of(path) for path in paths])
    for path, root in zip(paths, found.roots, strict=True):
        if path.is_dir():
            found.files += _below(path, leave_out, found)
        elif path.exists():
            found.files.append(path)
        elif not any(_is_below(uri, [root]) for uri in known):
            raise InputError(f"{path} does not exist; check the path")
    found.files = list({uri_of(file): file for file in found.files}.values())
    return found


def uri_of(path: Path) -> str:
    """Return the URI of a file: its absolute path, with symbolic links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links


def shown(uri: str) -> str:
    """Return a URI that can be printed and stored: a name that is no text in escaped form."""
    return uri.encode("utf-8", "backslashreplace").decode()


def _below(folder: Path, leave_out: Path, found: Walk) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        where = uri_of(Path(error.filename))
        found.unseen.append(where)
        reason = f"the folder cannot be read ({error.strerror}); its documents are kept"
        found.outcomes.append(Outcome(shown(where), "failed", reason))

    for where, folders, files in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if _is_looked_into(Path(where, name), leave_out, found))
        for name in sorted(files):
            path = Path(where, name)
            if name.startswith("."):
                continue
            if path.is_symlink():
                reason = "a symbolic link; name its target to index that"
                found.outcomes.append(Outcome(shown(uri_of(path)), "skipped", reason))
            else:
                yield path


def _is_looked_into(folder: Path, leave_out: Path, found: Walk) -> bool:
    if folder.resolve() == leave_out.resolve():
        found.unseen.append(uri_of(folder))
        return False
    if folder.is_symlink():
        reason = "a symbolic link to a folder; name its target to index that"
        found.outcomes.append(Outcome(shown(uri_of(folder)), "skipped", reason))
        return False
    return not folder.name.startswith(".")


def _is_below(uri: str, roots: Iterable[str]) -> bool:
    return any(uri == root or uri.startswith(root.rstrip("/") + "/") for root in roots)
