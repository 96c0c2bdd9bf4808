"""The seal: the SHA-256 of the files that say everything else, as the last writer left them.

SQLite notices damage to its own structure only: a flipped bit in a text, an offset or a name is just another value.
A writer breaks the seal before it writes, and seals again when it is done. While one is writing, and after one that was
killed, there is no seal; then the checksum of each text (encoding.checked_text) is what speaks for it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import StoreError
from rag.store.local.files import kept_open, sync, writing

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FILE = "catalog.seal"
CATALOG = ("catalog.db", "catalog.db-wal")
"""The truth; a log is there only if readers kept it from being brought into the catalog."""
DERIVED = ("lexical/meta.json", "lexical/.managed.json")
"""What tantivy writes without a checksum of its own."""

END = "#end"
"""Marks an entry that is only of a file's footer: the content before it has a checksum of tantivy's own."""
_END_BYTES = 200

MOST_BYTES = 256_000_000
"""Up to which an index is sealed: a reader checks it all, 0.2 to 0.5 s for that much (SHA-256, 0.5 to 1.2 GB/s)."""


def stamp(root: Path) -> tuple[int, int] | None:
    """Return what tells one seal of an index from the next; None where there is none."""
    try:
        found = (root / FILE).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def put_on(root: Path) -> None:
    """Seal an index whose lock is held, once all of it is on the disk; raises `StoreError`."""
    if _size(root) > MOST_BYTES:
        return
    with writing(root):  # SQLite has emptied its log, and perhaps deleted it, and leaves both to the system
        with suppress(FileNotFoundError):
            sync(root / CATALOG[1])
        sync(root)  # or the log comes back beside a seal that knows it as empty
    ends = [f"lexical/{path.name}{END}" for path in sorted((root / "lexical").glob("[0-9a-f]*.*"))]
    lines = "".join(f"{_sha256(root, name)}  {name}\n" for name in (*CATALOG, *DERIVED, *ends))
    new = root / f"{FILE}.tmp"
    with writing(new):
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{lines}{_of(lines)}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(root / FILE)
        sync(root)


def take_off(root: Path) -> None:
    """Break the seal of an index whose lock is held: what is sealed is about to change."""
    with writing(root):
        if (root / FILE).exists():
            (root / FILE).unlink()
            sync(root)


def broken(root: Path, among: Collection[str] | None = None) -> list[str]:
    """Return the names of files that are not as they were sealed: `FILE` itself where it says nothing any more.

    Without `among`, of all of them. None where there is no seal, or a writer is at work. Raises `StoreError` for one
    that is there and cannot be read.
    """
    while (before := _read(root)) is not None:
        lines, own = before.rpartition(b"\n")[0].rsplit(b"\n", 1) if before.count(b"\n") > 1 else (b"", b"")
        text = lines.decode("ascii", "replace") + "\n"
        if own.decode("ascii", "replace") != _of(text) or not before.endswith(b"\n"):
            found = [FILE]
        else:
            sealed = [line.split("  ", 1) for line in text.splitlines()]
            asked = [(sha256, name) for sha256, name in sealed if among is None or name in among]
            found = [name.removesuffix(END) for sha256, name in asked if _sha256(root, name) != sha256]
        if not found or _read(root) == before:  # else somebody wrote meanwhile: look again
            return found
    return []


def _read(root: Path) -> bytes | None:
    try:
        return (root / FILE).read_bytes()
    except OSError:
        return None


def _size(root: Path) -> int:
    return sum(path.stat().st_size for name in CATALOG if (path := root / name).exists())


def _of(text: str) -> str:
    return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()


def _sha256(root: Path, name: str) -> str:
    """Return the hash of a file; a missing one is as good as an empty one: SQLite makes and deletes such a log."""
    path = root / name.removesuffix(END)
    try:
        if name == CATALOG[0]:
            return _sha256_of_catalog(path)
        with path.open("rb") as file:
            if name.endswith(END):
                file.seek(max(0, file.seek(0, os.SEEK_END) - _END_BYTES))
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return hashlib.sha256().hexdigest()
    except IsADirectoryError:
        return "of no file"
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); run it again") from error


def _sha256_of_catalog(path: Path) -> str:
    sha256, at = hashlib.sha256(), 0
    with kept_open(path) as descriptor:
        while block := os.pread(descriptor, 1 << 20, at):
            sha256.update(block)
            at += len(block)
    return sha256.hexdigest()
