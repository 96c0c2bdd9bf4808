"""Choices of what is searched that somebody keeps under a name, in a private file beside the index."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from rag.errors import InputError, StoreError
from rag.records import Filter

if TYPE_CHECKING:
    from pathlib import Path

MOST = 100
LONGEST_NAME = 60  # characters


class Selections:
    """The choices in a file, which need not exist yet; each is a list of conditions that `Filter.parse` reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def kept_selections(self) -> dict[str, list[str]]:
        """Return all choices by name, in order; raises `StoreError` when the file cannot be read."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return {str(name): [str(each) for each in found[name]] for name in sorted(found)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, LookupError) as error:
            raise StoreError(f"{self._file}: cannot be read ({error}); delete it to begin anew") from error

    def keep_selection(self, name: str, conditions: list[str]) -> dict[str, list[str]]:
        """Keep a choice, in place of one of the same name, and return all; raises `InputError`."""
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME:
            raise InputError(f"Give it a name of up to {LONGEST_NAME} characters.")
        if not Filter.parse(conditions):
            raise InputError("Tick a document or a folder first.")
        with self._lock:
            kept = {**self.kept_selections(), name: list(conditions)}
            if len(kept) > MOST:
                raise InputError(f"{MOST} are kept already: forget one first.")
            return self._written(kept)

    def forget_selection(self, name: str) -> dict[str, list[str]]:
        """Forget a choice, and return the others."""
        with self._lock:
            return self._written({other: each for other, each in self.kept_selections().items() if other != name})

    def _written(self, kept: dict[str, list[str]]) -> dict[str, list[str]]:
        new = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(kept, file)
            new.replace(self._file)
        except OSError as error:
            raise StoreError(f"{self._file}: cannot be written ({error}); check the disk") from error
        return self.kept_selections()
