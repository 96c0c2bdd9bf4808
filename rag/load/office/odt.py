"""OpenDocument text: headings, paragraphs, lists, tables, notes and comments."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, counted, line
from rag.load.container import Container, attribute, integer, local_name, properties
from rag.load.tables import heading_row, text_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.container import Element
    from rag.records import Document

_TYPE = "application/vnd.oasis.opendocument.text"
_HIDDEN = frozenset({"tracked-changes", "sequence-decls", "forms", "variable-decls", "table-of-content"})
_ROWS = frozenset({"table-header-rows", "table-rows", "table-row-group"})
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_SEPARATE = frozenset({"note", "annotation", "text-box", "title", "desc"})  # the last two describe pictures


def parse(data: bytes, uri: str) -> Document:
    """Read a text document; raises `LoadError` for a damaged or encrypted one."""
    container = Container(data, uri)
    content = container.xml("content.xml")
    body = next(content.iter("{*}body"), content)
    blocks = list(_blocks(body, count(1)))
    title, made = properties(container.optional("meta.xml"))
    date = publication_date(block.text for block in blocks if not block.level) or made
    notes = counted((sum(1 for _ in body.iter("{*}image")), "picture[s] not read"))
    return assemble(blocks, data, uri, _TYPE, title, date=date, notes=notes)


def _blocks(element: Element, tables: Iterator[int], bullet: str = "") -> Iterator[Block]:
    for child in element:
        name = local_name(child)
        if name == "h":
            level = min(integer(attribute(child, "outline-level", "1")), 6) or None
            yield Block(line("".join(_words(child))), level)
        elif name == "p":
            text = line("".join(_words(child)))
            yield Block(f"{bullet}{text}" if text else "", None, "\n" if bullet else "\n\n")
            for box in (*child.iter("{*}note-body"), *child.iter("{*}text-box")):
                yield from _blocks(box, tables)
            yield from map(_comment, child.iter("{*}annotation"))
        elif name == "table":
            yield from _table(child, next(tables))
        elif name not in _HIDDEN:
            yield from _blocks(child, tables, "- " if name == "list-item" else bullet)


def _table(element: Element, number: int) -> Iterator[Block]:
    covered: dict[int, tuple[int, str]] = {}  # by column: rows that a cell still covers, and what stands in it
    laid: list[list[str]] = []
    for each in _rows(element):
        cells: list[str] = []
        for column, cell in enumerate(cell for cell in each if local_name(cell) in _CELLS):
            if local_name(cell) == "table-cell":
                words = " ".join("".join(_words(part)) for part in cell.iter("{*}p"))
                covered[column] = integer(attribute(cell, "number-rows-spanned", "1")), words
            rows, text = covered.get(column, (0, ""))
            covered[column] = rows - 1, text
            cells.append(text if rows > 0 else "")
        laid.append(cells)
    return text_table(laid, f"table {number}", heading_row(laid))


def _rows(element: Element) -> Iterator[Element]:
    """Yield the rows of a table, not those of one in its cells: they are words of the cell."""
    for child in element:
        name = local_name(child)
        if name == "table-row":
            yield child
        elif name in _ROWS:
            yield from _rows(child)


def _comment(element: Element) -> Block:
    author = line(element.findtext("{*}creator") or "")
    words = line(" ".join("".join(_words(each)) for each in element.iter("{*}p")))
    return Block(words, mark=f"comment by {author}" if author else "comment")


def _words(element: Element) -> Iterator[str]:
    """Yield a paragraph's text without that of its notes and boxes, which are blocks of their own."""
    yield element.text or ""
    for child in element:
        name = local_name(child)
        if name in {"s", "tab", "line-break"}:
            yield " "
        elif name not in _SEPARATE:
            yield from _words(child)
        yield child.tail or ""
