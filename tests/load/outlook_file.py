"""Writes the messages of Outlook that the tests read: a compound file with streams of properties.

Compound files: [MS-CFB]; what stands in them: [MS-OXMSG]. Small streams only, so all are in the mini stream.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Tree = Mapping[str, "bytes | Tree"]

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NO = 0xFFFFFFFF  # no such entry
_STRING, _BINARY, _INTEGER = 0x001F, 0x0102, 0x0003


def outlook_message(
    texts: Mapping[int, str], recipients: Sequence[tuple[str, str]] = (), files: Mapping[str, bytes] | None = None
) -> bytes:
    """Return a message with these properties by their ids, those who get it, and what is attached."""
    tree: dict[str, Any] = dict(_properties(texts, b"\0" * 32))
    for number, (name, address) in enumerate(recipients):
        tree[f"__recip_version1.0_#{number:08X}"] = dict(_properties({0x3001: name, 0x39FE: address}, b"\0" * 8))
    for number, (name, data) in enumerate((files or {}).items()):
        inside = dict(_properties({0x3707: name}, b"\0" * 8, data))
        tree[f"__attach_version1.0_#{number:08X}"] = inside
    return compound_file(tree)


def _properties(texts: Mapping[int, str], header: bytes, data: bytes | None = None) -> Tree:
    streams = {f"__substg1.0_{number:04X}{_STRING:04X}": text.encode("utf-16-le") for number, text in texts.items()}
    rows = [(number, _STRING, 2 * len(text) + 2) for number, text in texts.items()]
    rows.append((0x340D, _INTEGER, 0x00040000))  # texts are Unicode
    if data is not None:
        streams[f"__substg1.0_3701{_BINARY:04X}"] = data
        rows.append((0x3701, _BINARY, len(data)))
    entries = b"".join(struct.pack("<HHIII", kind, number, 6, value, 0) for number, kind, value in rows)
    return {"__properties_version1.0": header + entries, **streams}


def compound_file(tree: Tree) -> bytes:
    """Return a compound file with these streams and, as mappings, storages."""
    mini, mini_fat = bytearray(), list[int]()
    entries: list[list[Any]] = [["Root Entry", 5, _NO, _NO, 0, 0]]  # name, kind, next, first inside, start, size

    def add(inside: Tree, parent: int) -> None:
        before = None
        for name in sorted(inside, key=lambda each: (len(each), each.upper())):
            at, value = len(entries), inside[name]
            entries.append([name, 2 if isinstance(value, bytes) else 1, _NO, _NO, 0, 0])
            entries[parent if before is None else before][3 if before is None else 2] = at
            before = at
            if isinstance(value, bytes):
                entries[at][4:] = [len(mini) // 64, len(value)]
                count = max(1, -(-len(value) // 64))
                mini_fat.extend([*range(len(mini_fat) + 1, len(mini_fat) + count), _END])
                mini.extend(value.ljust(64 * count, b"\0"))
            else:
                add(value, at)

    add(tree, 0)
    parts = [b"", b"", bytes(mini)]
    parts[0] = b"".join(map(_entry, entries))  # as long as it will be
    parts[1] = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    sizes = [-(-len(part) // 512) for part in parts]
    fats = -(-(sum(sizes) + 8) // 128)
    starts = [fats, fats + sizes[0], fats + sizes[0] + sizes[1]]
    entries[0][4:] = [starts[2], len(mini)]
    parts[0] = b"".join(map(_entry, entries))
    fat = [_FAT] * fats
    for start, size in zip(starts, sizes, strict=True):
        fat += [*range(start + 1, start + size), _END]
    fat += [_FREE] * (128 * fats - len(fat))
    header = struct.pack("<8s16sHHHHHHIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 62, 3, 0xFFFE, 9, 6, 0, 0,
                         0, fats, starts[0], 0, 4096, starts[1], sizes[1], _END, 0)  # fmt: skip
    header += struct.pack("<109I", *[*range(fats), *[_FREE] * (109 - fats)])
    padded = [part.ljust(512 * size, b"\0") for part, size in zip(parts, sizes, strict=True)]
    padded[1] = parts[1].ljust(512 * sizes[1], b"\xff")
    return b"".join([header, struct.pack(f"<{len(fat)}I", *fat), *padded])


def _entry(each: list[Any]) -> bytes:
    name, kind, following, inside, start, size = each
    written = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<64sHBBIII16sIQQIQ", written, len(written), kind, 1, _NO, following, inside, b"", 0, 0, 0,
                       start, size)  # fmt: skip
