"""Files that hold documents: zip archives and mailboxes. Each member becomes a document of its own.

A member's URI is that of the archive, a slash and its name; its digest is the archive's, so that one look at the file
tells whether anything in it has changed.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import Skipped
from rag.load.container import Container
from rag.load.decode import check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zipfile import ZipInfo

SUFFIXES = frozenset({".zip", ".mbox"})
_FROM = re.compile(rb"(?:\A|(?<=\n))From [^\r\n]*\d\d:\d\d[^\r\n]*\r?\n")  # with a time: text may begin so as well
_QUOTED = re.compile(rb"(?m)^>(?=>*From )")
_MOST_MESSAGES = 50_000


class Member(NamedTuple):
    """One file of an archive; `read` raises `LoadError` for a damaged or encrypted one."""

    uri: str
    read: Callable[[], bytes]


def is_archive(uri: str) -> bool:
    """Tell by its suffix whether a file holds documents."""
    return PurePath(uri).suffix.lower() in SUFFIXES


def members(data: bytes, uri: str) -> Iterator[Member]:
    """Yield the files in an archive, without hidden ones.

    Raises `LoadError` for a damaged one, `Skipped` for one that is empty or beyond the limits of size and number.
    """
    empty = True
    for member in (_messages if uri.lower().endswith(".mbox") else _files)(data, uri):
        empty = False
        yield member
    if empty:
        raise Skipped(f"{uri}: holds no files; nothing to index")


def _files(data: bytes, uri: str) -> Iterator[Member]:
    container = Container(data, uri)
    listed = {(file.header_offset, file.filename): file for file in container.files}  # once, however often it is listed
    paths = {key: path for key, file in listed.items() if (path := _path(file.filename))}
    for key, path in zip(paths, _told_apart([*paths.values()]), strict=True):
        yield Member(f"{uri}/{path}", partial(_unpacked, container, listed[key], f"{uri}/{path}"))


def _path(name: str) -> str:
    """Return a member's name as a path below the archive; empty for what is hidden."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return "" if any(part.startswith((".", "__MACOSX")) for part in parts) else "/".join(parts)


def _told_apart(paths: Sequence[str]) -> Iterator[str]:
    """Yield the paths in their order, all but the first of the same ones with a number that makes them unique."""
    plain, given, number = set(paths), set[str](), Counter[str]()
    for path in paths:
        free, whole = path, PurePath(path)
        while free in given or (number[path] and free in plain):
            number[path] += 1
            free = str(whole.with_name(f"{whole.stem} ({number[path] + 1}){whole.suffix}"))
        given.add(free)
        yield free


def _unpacked(container: Container, file: ZipInfo, uri: str) -> bytes:
    check_size(uri, file.file_size)
    return container.read(file)


def _messages(data: bytes, uri: str) -> Iterator[Member]:
    starts = [match.span() for match in _FROM.finditer(data)]
    if len(starts) > _MOST_MESSAGES:
        raise Skipped(f"{uri}: holds {len(starts)} messages, more than {_MOST_MESSAGES}; split it")
    for number, ((_, start), (end, _)) in enumerate(pairwise([*starts, (len(data), 0)]), 1):
        yield Member(f"{uri}/{number:05}.eml", partial(_QUOTED.sub, b"", data[start:end]))
