"""What a person wants left out: `.ragignore` in any folder of a tree, in the syntax of `.gitignore`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import LoadError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NAME = ".ragignore"


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
