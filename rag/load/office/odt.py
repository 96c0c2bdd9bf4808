"""OpenDocument text: headings, paragraphs, lists, tables, notes and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.language.published import publication_date
from rag.load.package import Package, attribute, local, properties, whole
from rag.load.pieces import Piece, assemble, line, record, row
from rag.load.tables import heading_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Element = Any  # lxml has no types

_TYPE = "application/vnd.oasis.opendocument.text"
_HIDDEN = frozenset({"tracked-changes", "sequence-decls", "forms", "variable-decls", "table-of-content"})
_ASIDE = frozenset({"note", "annotation", "text-box", "title", "desc"})  # the last two describe pictures


def parse(data: bytes, uri: str) -> Document:
    """Read a text document; raises `LoadError` for a damaged or encrypted one."""
    package = Package(data, uri)
    content = package.xml("content.xml")
    body = next(content.iter("{*}body"), content)
    pieces = list(_blocks(body, [0]))
    title, made = properties(package.optional("meta.xml"))
    running = (piece.text for piece in pieces if not piece.level)
    pictures = sum(1 for _ in body.iter("{*}image"))
    notes = (f"{pictures} pictures were not read",) if pictures else ()
    return assemble(pieces, data, uri, _TYPE, title=title, date=publication_date(running) or made, notes=notes)


def _blocks(element: Element, tables: list[int], bullet: str = "") -> Iterator[Piece]:
    """Yield the blocks under an element; `tables` counts them."""
    for child in element:
        name = local(child)
        if name == "h":
            yield Piece(line("".join(_words(child))), min(whole(attribute(child, "outline-level") or "1"), 6) or None)
        elif name == "p":
            text = line("".join(_words(child)))
            yield Piece(f"{bullet}{text}" if text else "", None, "\n" if bullet else "\n\n")
            for box in (*child.iter("{*}note-body"), *child.iter("{*}text-box")):
                yield from _blocks(box, tables)
            for comment in child.iter("{*}annotation"):
                yield from _comment(comment)
        elif name == "table":
            tables[0] += 1
            yield from _table(child, tables[0])
        elif name not in _HIDDEN:
            yield from _blocks(child, tables, "- " if name == "list-item" else bullet)


def _table(element: Element, number: int) -> Iterator[Piece]:
    covered: dict[int, tuple[int, str]] = {}  # by column: rows that a cell still covers, and what stands in it
    laid: list[list[str]] = []
    for each in element.iter("{*}table-row"):
        cells: list[str] = []
        for column, cell in enumerate(each.iter("{*}table-cell", "{*}covered-table-cell")):
            if local(cell) == "table-cell":
                words = " ".join("".join(_words(part)) for part in cell.iter("{*}p"))
                covered[column] = whole(attribute(cell, "number-rows-spanned") or "1"), words
            rows, text = covered.get(column, (0, ""))
            covered[column] = rows - 1, text
            cells.append(text if rows > 0 else "")
        laid.append(cells)
    header = heading_row(laid)
    for index, cells in enumerate(laid):
        text = record(header, cells) if header and index else row(cells)
        yield Piece(text, None, "\n" if index else "\n\n", f"table {number}, row {index + 1}")


def _comment(element: Element) -> Iterator[Piece]:
    author = line(element.findtext("{*}creator") or "")
    words = line(" ".join("".join(_words(each)) for each in element.iter("{*}p")))
    yield Piece(words, mark=f"comment by {author}" if author else "comment")


def _words(element: Element) -> Iterator[str]:
    """Yield a paragraph's text without that of its notes and boxes, which are blocks of their own."""
    yield element.text or ""
    for child in element:
        name = local(child)
        if name in {"s", "tab", "line-break"}:
            yield " "
        elif name not in _ASIDE:
            yield from _words(child)
        yield child.tail or ""
