"""A disk that loses power: what was not synced is there, is not there, or is there in part.

Much weaker than real file systems, on purpose: a name lasts only once its folder was synced, data only once its file
was, whatever else was synced in between; and of what was not synced, any part may have reached the disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random

    from tests.store.system_calls import Call


@dataclass(slots=True)
class File:
    """The bytes as a reader sees them, those that last, and the changes between: (offset, bytes), or (size, None)."""

    now: bytearray = field(default_factory=bytearray)
    lasting: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, at: int, data: bytes | None) -> None:
        _change(self.now, at, data)
        self.waiting.append((at, data))

    def sync(self) -> None:
        self.lasting, self.waiting = bytearray(self.now), []


@dataclass(slots=True)
class Folder:
    """The names as a reader sees them, those that last, and the changes between; None for a name that went."""

    now: dict[str, File | Folder] = field(default_factory=dict)
    lasting: dict[str, File | Folder] = field(default_factory=dict)
    waiting: list[dict[str, File | Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, File | Folder | None]) -> None:
        _rename(self.now, names)
        self.waiting.append(names)

    def sync(self) -> None:
        self.lasting, self.waiting = dict(self.now), []


def _change(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
    content.extend(bytes(max(0, at - len(content))))
    if data is not None:
        content[at : at + len(data)] = data


def _rename(names: dict[str, File | Folder], changes: dict[str, File | Folder | None]) -> None:
    for name, entry in changes.items():
        if entry is None:
            names.pop(name, None)
        else:
            names[name] = entry


def _read(path: Path) -> Folder:
    entries: dict[str, File | Folder] = {}
    for each in path.iterdir():
        data = b"" if each.is_dir() else each.read_bytes()
        entries[each.name] = _read(each) if each.is_dir() else File(bytearray(data), bytearray(data))
    return Folder(dict(entries), dict(entries))


class Disk:
    """What is below a folder; what is there at the beginning lasts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = _read(root)

    def do(self, call: Call) -> None:
        """Take a call of a program; one that fails in the model has failed for the program as well."""
        folder, name = self._place(call.path)
        if folder is None:
            return
        entry = folder.now.get(name) if name else folder
        if call.kind == "open":
            self._open(folder, name, call.flags)
        elif call.kind == "mkdir" and entry is None:
            folder.change({name: Folder()})
        elif entry is None:
            return
        elif call.kind == "sync":
            entry.sync()
        elif call.kind in {"unlink", "rmdir"}:
            folder.change({name: None})
        elif call.kind in {"rename", "link"}:
            self._rename(folder, name, call)
        elif isinstance(entry, File) and call.kind in {"write", "truncate"}:
            entry.change(call.at, call.data if call.kind == "write" else None)

    def _open(self, folder: Folder, name: str, flags: int) -> None:
        file = folder.now.get(name)
        if file is None and flags & os.O_CREAT:
            folder.change({name: File()})
        elif isinstance(file, File) and flags & os.O_TRUNC and not flags & os.O_EXCL:
            file.change(0, None)

    def _rename(self, folder: Folder, name: str, call: Call) -> None:
        target, new = self._place(call.other)
        if target is None or (call.kind == "link" and new in target.now):
            return
        gone: dict[str, File | Folder | None] = {name: None} if call.kind == "rename" else {}
        if target is folder:
            folder.change(gone | {new: folder.now[name]})
        else:
            target.change({new: folder.now[name]})
            folder.change(gone)

    def _place(self, path: str) -> tuple[Folder | None, str]:
        """Return the folder of a path, None where there is none, and its name there; the top itself has no name."""
        folder: Folder | File | None = self.top
        *parents, name = Path(path).relative_to(self.root).parts or ("",)
        for parent in parents:
            folder = folder.now.get(parent) if isinstance(folder, Folder) else None
        return (folder if isinstance(folder, Folder) else None), name

    def write(self, root: Path, luck: Luck | None = None) -> None:
        """Write to an empty folder what is there after a loss of power, or without luck what a reader sees now."""
        _write(self.top, root, luck)


class Luck(Protocol):
    """Says which changes that nothing has synced a loss of power lets through."""

    def lets_through(self) -> bool:
        """Whether the next change reached the disk."""

    def parts(self, at: int, data: bytes) -> list[tuple[int, bytes]]:
        """Return a write, or those of its sectors that reached the disk."""


class Chance:
    """None of the changes, all, all but a few, only a few, or any."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._share = chance.choice([0.0, 1.0, 0.9, 0.1, 0.5])
        self._torn = chance.choice([0.0, 0.3])

    def lets_through(self) -> bool:
        return self._chance.random() < self._share

    def parts(self, at: int, data: bytes) -> list[tuple[int, bytes]]:
        if self._chance.random() >= self._torn:
            return [(at, data)]
        size = self._chance.choice([512, 4096])
        starts = [0, *range(size - at % size, len(data), size)]
        sectors = [(at + start, data[start:end]) for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
        return [sector for sector in sectors if self._chance.random() < 0.5]


class OneOfThem:
    """One change alone, by its place, or all but this one; `place` is below 0 once a change stood there."""

    def __init__(self, place: int, *, alone: bool) -> None:
        self.place, self._alone = place, alone

    def lets_through(self) -> bool:
        self.place -= 1
        return (self.place == -1) == self._alone

    def parts(self, at: int, data: bytes) -> list[tuple[int, bytes]]:
        return [(at, data)]


def _write(folder: Folder, path: Path, luck: Luck | None) -> None:
    names = dict(folder.lasting if luck else folder.now)
    for change in folder.waiting:
        if luck and luck.lets_through():
            _rename(names, change)
    for name, entry in names.items():
        if isinstance(entry, Folder):
            (path / name).mkdir()
            _write(entry, path / name, luck)
        else:
            (path / name).write_bytes(_content(entry, luck))


def _content(file: File, luck: Luck | None) -> bytes:
    if luck is None:
        return bytes(file.now)
    content = bytearray(file.lasting)
    for at, data in file.waiting:
        if not luck.lets_through():
            continue
        for start, part in [(at, data)] if data is None else luck.parts(at, data):
            _change(content, start, part)
    return bytes(content)
