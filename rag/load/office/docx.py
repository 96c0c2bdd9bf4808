"""Word: paragraphs, headings, lists, tables, text boxes, charts, footnotes and comments.

Read from its XML, which holds more than the libraries for writing such files show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.load.dates import publication_date
from rag.load.office.chart import charts
from rag.load.package import Package, attribute, local, properties
from rag.load.pieces import Piece, assemble, line, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Element = Any  # lxml has no types

_MAIN = "word/document.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING = re.compile(r"heading\s*(\d)", re.IGNORECASE)
_HIDDEN = frozenset({"del", "moveFrom", "instrText", "Fallback", "delText"})
_ASIDE = (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment"))


@dataclass(slots=True)
class _Reader:
    levels: dict[str, int]  # of headings, by the style's id
    pieces: list[Piece] = field(default_factory=list)
    tables: int = 0

    def block(self, element: Element) -> None:
        """Read paragraphs and tables wherever they are; what only wraps them is passed through."""
        for child in element:
            name = local(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name not in _HIDDEN:
                self.block(child)

    def _paragraph(self, element: Element) -> None:
        text = line("".join(_words(element)))
        level = self._level(element)
        listed = level is None and element.find("{*}pPr/{*}numPr") is not None
        self.pieces.append(Piece(f"- {text}" if listed and text else text, level, "\n" if listed else "\n\n"))
        for box in _boxes(element):
            self.block(box)

    def _level(self, element: Element) -> int | None:
        properties_ = element.find("{*}pPr")
        if properties_ is None:
            return None
        outline, style = properties_.find("{*}outlineLvl"), properties_.find("{*}pStyle")
        level = int(attribute(outline, "val") or 9) + 1 if outline is not None else 0
        if 1 <= level <= 6:
            return level
        return self.levels.get(attribute(style, "val") or "") if style is not None else None

    def _table(self, element: Element) -> None:
        """Read a table row by row; one with a single cell only frames its text."""
        rows = list(_children(element, "tr"))
        if all(len(list(_children(each, "tc"))) <= 1 for each in rows):
            self.block(element)
            return
        self.tables += 1
        number = self.tables
        for index, each in enumerate(rows, 1):
            text = row([self._cell(cell) for cell in _children(each, "tc")])
            self.pieces.append(Piece(text, None, "\n" if index > 1 else "\n\n", f"table {number}, row {index}"))

    def _cell(self, element: Element) -> str:
        """Return the words of a cell in one line, those of tables in it too."""
        if _continues_above(element):
            return ""
        inner = _Reader({})
        inner.block(element)
        return " ".join(piece.text for piece in inner.pieces if piece.text)


def parse(data: bytes, uri: str) -> Document:
    """Read a Word file; raises `LoadError` for a damaged or encrypted one."""
    package = Package(data, uri)
    reader = _Reader(_levels(package))
    root = package.xml(_MAIN)
    reader.block(root)
    reader.pieces += charts(package, _MAIN)
    for part, kind in _ASIDE:
        _read_aside(package.optional(f"word/{part}.xml"), kind, reader)
    title, made = properties(package.optional("docProps/core.xml"))
    running = (piece.text for piece in reader.pieces if not piece.level)
    return assemble(
        reader.pieces, data, uri, _TYPE, title=title, date=publication_date(running) or made, notes=_notes(root)
    )


def _levels(package: Package) -> dict[str, int]:
    """Return the level of each heading style; the title's is 1."""
    styles = package.optional("word/styles.xml")
    levels: dict[str, int] = {}
    for style in () if styles is None else styles.iter("{*}style"):
        name, outline = style.find("{*}name"), style.find("{*}pPr/{*}outlineLvl")
        named = attribute(name, "val") or "" if name is not None else ""
        match = _HEADING.search(named)
        key = attribute(style, "styleId") or ""
        if match or named.lower() == "title":
            levels[key] = min(max(int(match[1]), 1), 6) if match else 1
        elif outline is not None and int(attribute(outline, "val") or 9) < 6:
            levels[key] = int(attribute(outline, "val") or 0) + 1
    return levels


def _read_aside(root: Element | None, kind: str, reader: _Reader) -> None:
    """Read footnotes, endnotes or comments; separators have a type and no words."""
    for element in () if root is None else _children(root, kind):
        before = len(reader.pieces)
        reader.block(element)
        reader.pieces[before:] = [piece._replace(mark=kind) for piece in reader.pieces[before:] if piece.text]


def _children(element: Element, name: str) -> Iterator[Element]:
    """Yield the nearest descendants of a name, also those inside of content controls."""
    for child in element:
        if local(child) == name:
            yield child
        elif local(child) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _children(child, name)


def _words(element: Element) -> Iterator[str]:
    """Yield the text of a paragraph, formulas too, without that of text boxes and deleted words."""
    for child in element:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in {"tab", "br", "cr", "ptab"}:
            yield " "
        elif name == "noBreakHyphen":
            yield "-"
        elif name == "sym":
            yield _symbol(child)
        elif name not in {*_HIDDEN, "txbxContent", "pPr", "rPr"}:
            yield from _words(child)


def _symbol(element: Element) -> str:
    """Return a character of a symbol font; most of those for bullets and ticks have no meaning outside of it."""
    code = int(attribute(element, "char") or "0", 16)
    return chr(code) if code and not 0xE000 <= code <= 0xF8FF else ""


def _boxes(element: Element) -> Iterator[Element]:
    """Yield the text boxes of a paragraph once: each is written for new and for old programs."""
    for child in element:
        name = local(child)
        if name == "txbxContent":
            yield child
        elif name not in _HIDDEN:
            yield from _boxes(child)


def _continues_above(cell: Element) -> bool:
    """Tell whether a cell is the lower part of one that spans several rows."""
    merge = cell.find("{*}tcPr/{*}vMerge")
    return merge is not None and attribute(merge, "val") != "restart"


def _notes(root: Element) -> tuple[str, ...]:
    pictures = sum(1 for _ in root.iter("{*}blip", "{*}imagedata"))
    return (f"{pictures} pictures were not read",) if pictures else ()
