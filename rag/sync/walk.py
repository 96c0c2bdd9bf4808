"""Which files there are below some paths, and which documents are there no more.

Symbolic links are not followed, so a loop of them ends nowhere; the tree is walked folder by folder, at any depth.
What an ignore file leaves out counts as gone. A path that is named itself is looked at, whatever ignores it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError, LoadError
from rag.records import Outcome
from rag.sync.ignore import NAME, Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence


@dataclass(slots=True)
class Walk:
    """Everything below some paths.

    Attributes:
        roots: the URIs that were looked at: documents below them that are not found are gone.
        files: what there is to read, each once, in order.
        outcomes: what is not read, and why. Hidden files and folders are passed over in silence.
        unseen: folders that were not looked into: their documents are neither there nor gone.
        ignored: files and folders that are left out, each with the ignore file that says so.
    """

    roots: list[str]
    files: list[Path] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)

    def vanished(self, known: Iterable[str], seen: Collection[str]) -> list[str]:
        """Return the known documents below the paths that were looked for and not seen."""
        roots, unseen = set(self.roots), set(self.unseen)
        gone = (uri for uri in known if uri not in seen and _is_below(uri, roots))
        return [uri for uri in gone if uri in roots or not _is_below(uri, unseen)]

    def ignoring(self, uri: str) -> str | None:
        """Return the ignore file that leaves a document out, by itself or with a folder around it."""
        return next((self.ignored[path] for path in _around(uri) if path in self.ignored), None)


def walk(paths: Sequence[Path], known: Collection[str], leave_out: Path) -> Walk:
    """Look below these paths.

    Args:
        paths: files and folders; one that is gone may be named when the index knows documents below it.
        known: the URIs of the index.
        leave_out: a folder that is passed over (the index itself), unless a path names something in it.

    Raises:
        InputError: a path does not exist and never was in the index.
    """
    walker = _Walker(leave_out)
    walker.found.roots = [uri_of(path) for path in paths]
    for path, root in zip(paths, walker.found.roots, strict=True):
        if path.is_dir():
            walker.look_below(root, Rules())
        elif path.exists():
            walker.found.files.append(path)
        elif not any(_is_below(uri, {root}) for uri in known):
            raise InputError(f"{path} does not exist; check the path")
    return walker.done()


def walk_changed(paths: Sequence[Path], changed: Iterable[str | Path], leave_out: Path) -> Walk:
    """Look only at what changed below these paths, as `walk` would see it there.

    Args:
        paths: files and folders.
        changed: files and folders below them that came, changed or went; of an ignore file, all of its folder counts.
        leave_out: a folder that is passed over (the index itself).
    """
    walker = _Walker(leave_out)
    roots = {uri_of(path) for path in paths}
    concerned = {_concerned(uri_of(Path(path))) for path in changed}
    for uri in sorted(concerned):
        root = next((path for path in _around(uri) if path in roots), None)
        if root is not None and not any(path in concerned for path in _around(uri) if path != uri):
            walker.found.roots.append(uri)
            walker.look_at(uri, root)
    return walker.done()


def uri_of(path: Path) -> str:
    """Return the URI of a file: its absolute path, with symbolic links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links


def escaped(uri: str) -> str:
    """Return a URI that can be printed and stored: a name that is no text in escaped form."""
    return uri.encode("utf-8", "backslashreplace").decode()


class _Walker:
    """Collects what is found."""

    def __init__(self, leave_out: Path) -> None:
        self.found = Walk([])
        self._leave_out = os.path.realpath(leave_out)
        self._own_name = os.path.basename(self._leave_out)  # noqa: PTH119

    def done(self) -> Walk:
        self.found.files = list({uri_of(file): file for file in self.found.files}.values())
        return self.found

    def look_below(self, folder: str, rules: Rules) -> None:
        """Find everything in a folder; files come before the folders beside them."""
        waiting = [(folder, rules)]
        while waiting:
            where, outer = waiting.pop()
            try:
                inner = outer.inside(where)
                with os.scandir(where) as entries:
                    listed = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
            except (OSError, LoadError) as error:
                self._could_not_look(where, error)
                continue
            paths = [(os.path.join(where, name), is_folder) for name, is_folder in listed]  # noqa: PTH118
            kept = [entry for entry in paths if self._is_looked_at(*entry, inner)]
            self.found.files += [Path(path) for path, is_folder in kept if not is_folder]
            waiting += [(path, inner) for path, is_folder in reversed(kept) if is_folder]

    def look_at(self, uri: str, root: str) -> None:
        """Find one file or folder below a root, unless something on the way to it is passed over."""
        rules = Rules()
        for folder, path in pairwise(_way(root, uri)):
            try:
                rules = rules.inside(folder)
            except LoadError as error:
                self._could_not_look(folder, error)
                return
            if not os.path.lexists(path) or not self._is_looked_at(path, os.path.isdir(path), rules):  # noqa: PTH112
                return
        if os.path.isdir(uri):  # noqa: PTH112 - URIs are strings
            self.look_below(uri, rules)
        elif os.path.exists(uri):  # noqa: PTH110
            self.found.files.append(Path(uri))

    def _is_looked_at(self, path: str, is_folder: bool, rules: Rules) -> bool:
        if os.path.basename(path).startswith("."):  # noqa: PTH119
            return False
        if is_folder and path.endswith(self._own_name) and os.path.realpath(path) == self._leave_out:
            self.found.unseen.append(path)
            return False
        ignoring = rules.ignoring(path, is_folder=is_folder)
        if ignoring is not None:
            self.found.ignored[escaped(path)] = ignoring
            return False
        if os.path.islink(path):  # noqa: PTH114
            reason = "a symbolic link; name its target to index that"
            self.found.outcomes.append(Outcome(escaped(path), "skipped", reason))
            return False
        return True

    def _could_not_look(self, folder: str, error: OSError | LoadError) -> None:
        self.found.unseen.append(folder)
        why = error.strerror if isinstance(error, OSError) else str(error).removeprefix(f"{folder}/")
        reason = f"the folder cannot be read ({why}); its documents are kept"
        self.found.outcomes.append(Outcome(escaped(folder), "failed", reason))


def _concerned(uri: str) -> str:
    """Return what a change concerns: that of an ignore file, the folder that it is in."""
    folder, _, name = uri.rpartition("/")
    return folder if name == NAME else uri


def _way(root: str, uri: str) -> list[str]:
    """Return the paths from a root down to a file or folder in it, both included."""
    parts = uri.removeprefix(root).strip("/").split("/")
    return [root, *("/".join([root.rstrip("/"), *parts[: count + 1]]) for count in range(len(parts)) if parts[0])]


def _around(uri: str) -> Iterator[str]:
    """Yield a path and the folders around it, the innermost first."""
    while uri:
        yield uri
        uri = uri.rpartition("/")[0]
    yield "/"


def _is_below(uri: str, roots: Collection[str]) -> bool:
    return any(path in roots for path in _around(uri))
