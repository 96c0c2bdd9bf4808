"""Files into documents: one loader for each format, chosen by the suffix of the name.

A new format is a function `parse(data, uri) -> Document` and a line in `_LOADERS`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from rag.errors import LoadError, Skipped
from rag.language.blocks import complete
from rag.language.published import date_in_name
from rag.language.speakers.statements import statements
from rag.load import archive, data, html, mail, outlook, pdf, subtitles, text
from rag.load.decode import LARGEST, check_size, check_text
from rag.load.office import docx, odt, pptx, rtf, workbooks, xlsx

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.records import Document

__all__ = ["LARGEST", "SUFFIXES", "load", "load_bytes", "original", "read"]

_LONGEST_TOLD = 5_000_000  # characters, of eight novels; what is longer are data, read without asking who speaks
_ATTEMPTS = 3  # to read a file that is being written at the same time

_LOADERS: dict[str, Callable[..., Document]] = {
    **dict.fromkeys((".txt", ".text"), text.parse),
    **dict.fromkeys((".md", ".markdown"), text.parse_markdown),
    **dict.fromkeys(sorted(text.CODE), text.parse_code),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html.parse),
    **dict.fromkeys((".mhtml", ".mht"), mail.parse_page),
    ".epub": html.parse_epub,
    ".pdf": pdf.parse,
    **dict.fromkeys((".docx", ".docm"), docx.parse),
    **dict.fromkeys((".pptx", ".pptm"), pptx.parse),
    **dict.fromkeys((".xlsx", ".xlsm"), xlsx.parse),
    **dict.fromkeys(workbooks.TYPES, workbooks.parse),
    ".odt": odt.parse,
    ".rtf": rtf.parse,
    ".eml": mail.parse,
    ".msg": outlook.parse,
    **dict.fromkeys((".srt", ".vtt"), subtitles.parse),
    ".json": data.parse_json,
    **dict.fromkeys((".jsonl", ".ndjson"), data.parse_json_lines),
    **dict.fromkeys((".csv", ".tsv"), data.parse_csv),
}

SUFFIXES: frozenset[str] = frozenset(_LOADERS) | archive.SUFFIXES
"""What `load` reads, in lower case; the case of a name does not matter."""


def load(path: Path) -> Document:
    """Read one file into a document; raises what `read` and `load_bytes` raise."""
    uri, content = read(path)
    return load_bytes(content, uri)


def read(path: Path) -> tuple[str, bytes]:
    """Return the URI and the bytes of one file. Its URI is its absolute path, with symbolic links as they are.

    Raises `Skipped` for an unknown suffix or too large a file, `LoadError` where it cannot be read.
    """
    uri = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links
    shown = uri.encode("utf-8", "backslashreplace").decode()
    if shown != uri:
        raise LoadError(f"{shown}: the name of the file is not valid text; rename it")
    if not archive.is_archive(uri):
        _loader(uri)
    return uri, _read(uri)


def load_bytes(content: bytes, uri: str, before_page: Callable[[], None] = lambda: None) -> Document:
    """Make a document of bytes that came from anywhere; the suffix of `uri` tells their format.

    `before_page` is called before each scanned page of a PDF, which takes seconds. Raises `Skipped` for an unknown
    suffix, for what is binary, empty or too large, and `LoadError` for what is damaged.
    """
    loader = _loader(uri)
    check_size(uri, len(content))
    if loader is pdf.parse:
        document = pdf.parse(content, uri, before_page)
    elif loader in {mail.parse, outlook.parse}:  # attachments may be PDFs
        document = loader(content, uri, partial(load_bytes, before_page=before_page))
    else:
        document = loader(content, uri)
    check_text(document)
    if document.date is None:
        document = replace(document, date=date_in_name(uri))
    if len(document.text) > _LONGEST_TOLD:
        document = replace(document, notes=(*document.notes, "too long to find out who says what in it"))
    elif not document.speakers:  # the format itself does not say who speaks
        headings = [section.heading for section in document.sections]
        said = statements(document.text, complete(document.text, document.blocks), headings)
        document = replace(document, speakers=said)
    return document


def original(document: Document) -> bytes:
    """Return the bytes of a document's file, also of one in an archive: to show a citation where it stands.

    Raises `LoadError` where the file is gone, or is another one by now.
    """
    path = Path(document.uri)
    folder = next((above for above in path.parents if archive.is_archive(str(above)) and above.is_file()), None)
    _, content = read(folder or path)
    if hashlib.sha256(content).hexdigest() != document.digest:
        raise LoadError(f"{document.uri}: has changed since it was indexed; index it again")
    if folder is None:
        return content
    return next(member.read() for member in archive.members(content, str(folder)) if member.uri == document.uri)


_NEWER = {".doc": ".docx", ".dot": ".docx", ".ppt": ".pptx", ".pps": ".pptx"}
_NEWER |= {".odp": ".pptx", ".pages": ".docx", ".numbers": ".xlsx", ".key": ".pptx"}
"""What a program that opens a file of a kind that is not read can save it as."""


def _loader(uri: str) -> Callable[..., Document]:
    suffix = PurePath(uri).suffix.lower()
    if suffix in archive.SUFFIXES:
        raise Skipped(f"{uri}: an archive inside of an archive; unpack it")
    if newer := _NEWER.get(suffix):
        raise Skipped(f"{uri}: {suffix} is not read; open it in the program that made it and save it as {newer}")
    if suffix not in _LOADERS:
        what = suffix or "a name without suffix"
        raise Skipped(f"{uri}: {what} is not a type that is read; save it as one that is: .pdf, .docx, .html or .txt")
    return _LOADERS[suffix]


def _read(uri: str) -> bytes:
    """Read a regular file, and never wait for anything that only looks like one."""
    try:
        _check(uri, os.stat(uri))  # noqa: PTH116 - opening a device can already do something, so look first
        # Not to block, should a pipe have taken the file's place since.
        with open(os.open(uri, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:  # noqa: PTH123
            for _ in range(_ATTEMPTS):
                before = os.fstat(file.fileno())
                _check(uri, before)
                data = file.read(LARGEST + 1)
                after = os.fstat(file.fileno())
                if before.st_mtime_ns == after.st_mtime_ns and before.st_size == after.st_size == len(data):
                    return data
                file.seek(0)
        raise LoadError(f"{uri}: is being written; index it again when that is done")
    except FileNotFoundError as error:
        raise LoadError(f"{uri}: there is no such file; it may just have been moved or deleted") from error
    except PermissionError as error:
        raise LoadError(f"{uri}: no permission to read this file; change its permissions") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{uri}: cannot be read ({reason}); check the disk and the name") from error


def _check(uri: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise LoadError(f"{uri}: not a regular file; name a file of text")
    check_size(uri, status.st_size)
