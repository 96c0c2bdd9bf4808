"""EPUB: the chapters of a book in their order, each read as a web page without navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from rag.errors import LoadError
from rag.load import html
from rag.load.package import Package, properties, resolve
from rag.load.pieces import Piece, assemble

if TYPE_CHECKING:
    from rag.records import Document


def parse(data: bytes, uri: str) -> Document:
    """Read a book; raises `LoadError` for a damaged or encrypted one."""
    package = Package(data, uri)
    root = package.xml("META-INF/container.xml")
    named = next((each.get("full-path") for each in root.iter("{*}rootfile")), None)
    if not named:
        raise LoadError(f"{uri}: names no book in it; save it anew")
    book = package.xml(named)
    pieces: list[Piece] = []
    missing: list[str] = []
    for chapter in _chapters(book, named.rpartition("/")[0]):
        try:
            pieces += html.visible(package.read(chapter), uri)
        except LoadError:
            missing.append(chapter)
    title, date = properties(next(book.iter("{*}metadata"), None))
    notes = (f"{len(missing)} chapters are missing or damaged: {', '.join(missing[:5])}",) if missing else ()
    return assemble(pieces, data, uri, "application/epub+zip", title=title, date=date, notes=notes)


def _chapters(book: object, folder: str) -> list[str]:
    """Return the members that hold the chapters, as the book's spine orders them."""
    from typing import Any

    root: Any = book
    items = {item.get("id"): item.get("href", "") for item in root.iter("{*}item")}
    kept = (each.get("idref") for each in root.iter("{*}itemref") if each.get("linear") != "no")
    return list(dict.fromkeys(resolve(folder, unquote(items[key])) for key in kept if key in items))  # each once
