"""The bytes that a document was made of, read again to show a citation where it stands."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load import read
from rag.load.archive import is_archive, members

if TYPE_CHECKING:
    from rag.records import Document


def original(document: Document) -> bytes:
    """Return the bytes of a document's file, also of one in an archive.

    Raises:
        LoadError: the file is gone, or is another one by now.
    """
    path = Path(document.uri)
    archive = next((folder for folder in path.parents if is_archive(str(folder)) and folder.is_file()), None)
    _, data = read(archive or path)
    if hashlib.sha256(data).hexdigest() != document.digest:
        raise LoadError(f"{document.uri}: has changed since it was indexed; index it again")
    if archive is None:
        return data
    return next(member.read() for member in members(data, str(archive)) if member.uri == document.uri)
