"""Which files there are below some paths, and which documents are there no more.

Symbolic links are not followed, so a loop of them ends nowhere; the tree is walked folder by folder, at any depth.
What an ignore file leaves out counts as gone. A path that is named itself is looked at, whatever ignores it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import InputError, LoadError
from rag.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pathspec import GitIgnoreSpec

NAME = ".ragignore"
"""What a person wants left out, in any folder of a tree, in the syntax of `.gitignore`."""


@dataclass(slots=True)
class Walk:
    """Everything below some paths.

    Attributes:
        leave_out: the real path of a folder that is passed over (the index itself).
        roots: the URIs that were looked at: documents below them that are not found are gone.
        files: what there is to read, each once, in order.
        outcomes: what is not read, and why. Hidden files and folders are passed over in silence.
        unseen: folders that were not looked into: their documents are neither there nor gone.
        ignored: files and folders that are left out, each with the ignore file that says so.
    """

    leave_out: str
    roots: list[str] = field(default_factory=list)
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
            self.files += [Path(path) for path, is_folder in kept if not is_folder]
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
            self.files.append(Path(uri))

    def _is_looked_at(self, path: str, is_folder: bool, rules: Rules) -> bool:
        if os.path.basename(path).startswith("."):  # noqa: PTH119
            return False
        if is_folder and os.path.realpath(path) == self.leave_out:
            self.unseen.append(path)
            return False
        ignoring = rules.ignoring(path, is_folder=is_folder)
        if ignoring is not None:
            self.ignored[escaped(path)] = ignoring
            return False
        if os.path.islink(path):  # noqa: PTH114
            reason = "a symbolic link; name its target to index that"
            self.outcomes.append(Outcome(escaped(path), "skipped", reason))
            return False
        return True

    def _could_not_look(self, folder: str, error: OSError | LoadError) -> None:
        self.unseen.append(folder)
        why = error.strerror if isinstance(error, OSError) else str(error).removeprefix(f"{folder}/")
        reason = f"the folder cannot be read ({why}); its documents are kept"
        self.outcomes.append(Outcome(escaped(folder), "failed", reason))


def walk(paths: Sequence[Path], known: Collection[str], leave_out: Path) -> Walk:
    """Look below these files and folders; whatever is gone must have been in the index, whose URIs are `known`.

    A folder `leave_out` (the index itself) is passed over, unless a path names something in it.

    Raises:
        InputError: a path does not exist and never was in the index.
    """
    for path in paths:
        if not path.exists() and not any(_is_below(uri, {uri_of(path)}) for uri in known):
            raise InputError(f"{path} does not exist; check the path")
    return walk_changed(paths, paths, leave_out)


def walk_changed(paths: Sequence[Path], changed: Iterable[str | Path], leave_out: Path) -> Walk:
    """Look only at what came, changed or went below these paths, as `walk` would see it there.

    Of an ignore file that changed, all of its folder counts.
    """
    found = Walk(os.path.realpath(leave_out))
    roots = {uri_of(path) for path in paths}
    concerned = dict.fromkeys(_concerned(uri_of(Path(path)), roots) for path in changed)
    for uri in concerned:
        root = next((path for path in _around(uri) if path in roots), None)
        if root is not None and (uri in roots or not any(path in concerned for path in _around(uri) if path != uri)):
            found.roots.append(uri)
            found.look_at(uri, root)
    found.files = list(dict.fromkeys(found.files))
    return found


def uri_of(path: Path) -> str:
    """Return the URI of a file: its absolute path, with symbolic links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links


def escaped(uri: str) -> str:
    """Return a URI that can be printed and stored: a name that is no text in escaped form."""
    return uri.encode("utf-8", "backslashreplace").decode()


def _concerned(uri: str, roots: Collection[str]) -> str:
    """Return what a change concerns: that of an ignore file, the folder that it is in."""
    folder, _, name = uri.rpartition("/")
    return folder if name == NAME and uri not in roots else uri


def _way(root: str, uri: str) -> list[str]:
    parts = uri.removeprefix(root).strip("/").split("/")
    return [root, *("/".join([root.rstrip("/"), *parts[: count + 1]]) for count in range(len(parts)) if parts[0])]


def _around(uri: str) -> Iterator[str]:
    while uri:
        yield uri
        uri = uri.rpartition("/")[0]
    yield "/"


def _is_below(uri: str, roots: Collection[str]) -> bool:
    return any(path in roots for path in _around(uri))


class _Layer(NamedTuple):
    folder: str
    spec: GitIgnoreSpec
    prunes: bool  # without a pattern that takes something back in, an ignored folder need not be looked into


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore files on the way down to a folder, the innermost last: it has the last word."""

    layers: tuple[_Layer, ...] = ()

    def inside(self, folder: str) -> Rules:
        """Return the rules within `folder`, its own file added where it has one.

        Raises:
            LoadError: the file cannot be read, or a line of it is no pattern.
        """
        path = os.path.join(folder, NAME)  # noqa: PTH118 - called for every folder of a tree
        if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - a pipe would be waited for
            raise LoadError(f"{path} is no file; remove or rename it")
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
                lines = file.read().splitlines()
        except FileNotFoundError:
            return self
        except OSError as error:
            raise LoadError(f"{path} cannot be read ({error.strerror}); make it readable or remove it") from error
        spec = _spec(lines, path)
        prunes = all(pattern.include is not False for pattern in spec.patterns)
        return Rules((*self.layers, _Layer(folder, spec, prunes)))

    def ignoring(self, path: str, *, is_folder: bool) -> str | None:
        """Return the ignore file that leaves a path out, None when none does; for a folder, all that is below it."""
        for layer in reversed(self.layers):
            inside = os.path.relpath(path, layer.folder) + "/" * is_folder
            ignored = layer.spec.check_file(inside).include
            if ignored is not None:
                return os.path.join(layer.folder, NAME) if ignored and (layer.prunes or not is_folder) else None  # noqa: PTH118
        return None


def _spec(lines: list[str], path: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error) as error:
            raise LoadError(f"{path}: line {number} is no pattern ({line.strip()}); correct it") from error
    return GitIgnoreSpec.from_lines(lines)
