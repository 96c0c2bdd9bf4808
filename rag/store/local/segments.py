"""The files of a tantivy folder, checked without tantivy, which panics over many a damaged one.

meta.json names the segments of the last commit. A segment's files never change, and each ends in a footer with the
CRC32 of what is before it: JSON, its length, and a magic number. Files that meta.json does not name are what a killed
commit left behind, and do no harm.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EAGER = 256_000_000
"""Bytes up to which a reader checks everything before it opens a folder: a fraction of a second."""

_MAGIC = 1337
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as meta.json has it."""

    name: str
    deletions: str | None
    deleted: int

    @property
    def files(self) -> list[str]:
        """The names of the files that it is made of."""
        files = [f"{self.name}.{ending}" for ending in ("idx", "pos", "term", "store", "fast", "fieldnorm")]
        return files if self.deletions is None else [*files, self.deletions]


def segments(folder: Path) -> list[Segment]:
    """Return the segments of the last commit; raises ValueError or OSError when meta.json cannot be read."""
    try:
        return [_segment(entry) for entry in json.loads((folder / "meta.json").read_bytes())["segments"]]
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no such entry: {error}") from error


def _segment(entry: dict[str, object]) -> Segment:
    name, deletes = str(entry["segment_id"]).replace("-", ""), entry["deletes"]
    if isinstance(deletes, dict):
        return Segment(name, f"{name}.{deletes['opstamp']}.del", int(deletes["num_deleted_docs"]))
    return Segment(name, None, 0)


def deleted(folder: Path) -> int:
    """Return how many removed entries the files still hold."""
    return sum(segment.deleted for segment in segments(folder))


def damages(folder: Path, eager: int | None = None) -> list[str]:
    """Return one line for each file that is missing or not what was written.

    Args:
        folder: of tantivy.
        eager: bytes; when the files have more together, only their presence and their footers are checked.
    """
    try:
        paths = [folder / file for segment in segments(folder) for file in segment.files]
    except (ValueError, OSError) as error:
        return [f"{folder / 'meta.json'} is missing or damaged ({error})"]
    size = sum(path.stat().st_size for path in paths if path.exists())
    whole = eager is None or size <= eager
    found = ((path, _damage(path, whole=whole)) for path in paths)
    return [f"{path} {damage}" for path, damage in found if damage]


def _damage(path: Path, *, whole: bool) -> str | None:
    try:
        with path.open("rb") as file:
            file.seek(-8, 2)
            end = file.read()
            length, magic = int.from_bytes(end[:4], "little"), int.from_bytes(end[4:], "little")
            start = file.seek(-8 - length, 2)
            crc = json.loads(file.read(length))["crc"]
            if magic != _MAGIC or (whole and _crc(path, start) != crc):
                return "is damaged (its checksum is another one)"
    except FileNotFoundError:
        return "is missing"
    except (OSError, ValueError, LookupError, TypeError):
        return "is damaged (it does not end as it should)"
    return None


def _crc(path: Path, length: int) -> int:
    crc = 0
    with path.open("rb") as file:
        while length and (block := file.read(min(_BLOCK, length))):
            crc = zlib.crc32(block, crc)
            length -= len(block)
    return crc


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed commit left behind.

    tantivy 0.27 names a file of deletions by a counter that starts again after a crash, and then refuses for ever to
    write over the one that is left.
    """
    named = {segment.deletions for segment in segments(folder)}
    leftovers = [path for path in folder.glob("*.del") if path.name not in named]
    for path in (*leftovers, *folder.glob(".tmp*")):
        path.unlink(missing_ok=True)
