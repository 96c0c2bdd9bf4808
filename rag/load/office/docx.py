"""Word: paragraphs, headings, lists, tables, text boxes, charts, diagrams, footnotes, comments, headers and footers.

Read from its XML, which holds more than the libraries for writing such files show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.language.published import publication_date
from rag.load.office.chart import charts, diagrams
from rag.load.office.formula import formula
from rag.load.office.numbering import Numbering, value_of
from rag.load.package import Package, attribute, local, properties, whole
from rag.load.pieces import Piece, assemble, line, raised, record, row
from rag.load.tables import heading_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Element = Any  # lxml has no types

_MAIN = "word/document.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING = re.compile(r"heading\s*(\d)", re.IGNORECASE)
_HIDDEN = frozenset({"del", "moveFrom", "instrText", "Fallback", "delText"})
_ASIDE = (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment"))
_MARGIN = re.compile(r"word/(header|footer)\d*\.xml")
_FOLIO = re.compile(r"(?:page|seite|of|von|[\W\d])*", re.IGNORECASE)
_SIGNS = {**dict.fromkeys(("tab", "br", "cr", "ptab"), " "), "noBreakHyphen": "-"}
_OFF = frozenset({"0", "false", "off"})


class _Style(NamedTuple):
    """What a paragraph's style says of it."""

    level: int | None = None  # of a heading
    numbers: tuple[str, int] | None = None  # a list's id and the level in it
    contents: bool = False  # a line of a table of contents, which repeats a heading


@dataclass(slots=True)
class _Reader:
    styles: dict[str, _Style]
    numbering: Numbering
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
        style = self.styles.get(_style(element), _Style())
        text = "" if style.contents else line("".join(_words(element)))
        level = _outline_level(element) or style.level
        listed = _numbers(element) or style.numbers
        label = self.numbering.label(*listed) if listed and listed[0] != "0" and text else ""
        if level and label == "-":
            label = ""
        gap = "\n" if label and not level else "\n\n"
        self.pieces.append(Piece(f"{label} {text}".strip(), level, gap))
        for box in _boxes(element):
            self.block(box)

    def _table(self, element: Element) -> None:
        """Read a table row by row; one with a single cell only frames its text."""
        rows = list(_children(element, "tr"))
        if all(len(list(_children(each, "tc"))) <= 1 for each in rows):
            self.block(element)
            return
        self.tables += 1
        number = self.tables
        above: dict[int, str] = {}  # by column: a cell that spans several rows is in each of them
        laid = [self._cells(each, above) for each in rows]
        heads = {index for index, each in enumerate(rows) if each.find("{*}trPr/{*}tblHeader") is not None}
        header: list[str] = [] if heads else heading_row(laid)
        for index, cells in enumerate(laid):
            named = len(header) == len(cells) and index not in heads and (index > 0 or cells != header)
            text = record(header, cells) if named else row(cells)
            header = cells if index in heads else header
            self.pieces.append(Piece(text, None, "\n" if index else "\n\n", f"table {number}, row {index + 1}"))

    def _cells(self, element: Element, above: dict[int, str]) -> list[str]:
        """Return the texts of a row's cells; `above` has those of the row before, and then of this one."""
        texts: list[str] = []
        column = 0
        for cell in _children(element, "tc"):
            if not _continues_above(cell):
                above[column] = self._cell(cell)
            texts.append(above.get(column, ""))
            looks = cell.find("{*}tcPr")
            column += 1 if looks is None else max(1, whole(value_of(looks, "gridSpan") or "1"))
        return texts

    def _cell(self, element: Element) -> str:
        """Return the words of a cell in one line, those of tables in it too."""
        inner = _Reader(self.styles, self.numbering)
        inner.block(element)
        return " ".join(piece.text for piece in inner.pieces if piece.text)


def parse(data: bytes, uri: str) -> Document:
    """Read a Word file; raises `LoadError` for a damaged or encrypted one."""
    package = Package(data, uri)
    reader = _Reader(_styles(package), Numbering.of(package.optional("word/numbering.xml")))
    root = package.xml(_MAIN)
    reader.block(root)
    reader.pieces += [*charts(package, _MAIN), *diagrams(package, _MAIN)]
    for part, kind in _ASIDE:
        _read_aside(package.optional(f"word/{part}.xml"), kind, reader)
    _read_margins(package, reader)
    title, made = properties(package.optional("docProps/core.xml"))
    running = (piece.text for piece in reader.pieces if not piece.level)
    return assemble(
        reader.pieces, data, uri, _TYPE, title=title, date=publication_date(running) or made, notes=_notes(root)
    )


def _styles(package: Package) -> dict[str, _Style]:
    """Return what each style says, by its id; a style has the numbers of the one that it is based on."""
    root = package.optional("word/styles.xml")
    found: dict[str, _Style] = {}
    for style in () if root is None else root.iter("{*}style"):
        name = (value_of(style, "name") or "").lower()
        base = found.get(value_of(style, "basedOn") or "", _Style())
        heading = _HEADING.search(name)
        level = min(max(int(heading[1]), 1), 6) if heading else 1 if name == "title" else _outline_level(style)
        key = attribute(style, "styleId") or ""
        found[key] = _Style(level, _numbers(style) or base.numbers, name.startswith("toc ") and name[4:].isdigit())
    return found


def _outline_level(element: Element) -> int | None:
    """Return the level of a heading that a paragraph, or a style, names itself."""
    outline = element.find("{*}pPr/{*}outlineLvl")
    level = 9 if outline is None else whole(attribute(outline, "val") or "9")
    return level + 1 if level < 6 else None


def _style(element: Element) -> str:
    properties_ = element.find("{*}pPr")
    return "" if properties_ is None else value_of(properties_, "pStyle") or ""


def _numbers(element: Element) -> tuple[str, int] | None:
    """Return the list that a paragraph, or a style, belongs to, and the level in it."""
    found = element.find("{*}pPr/{*}numPr")
    key = None if found is None else value_of(found, "numId")
    return None if found is None or key is None else (key, whole(value_of(found, "ilvl") or "0"))


def _read_aside(root: Element | None, kind: str, reader: _Reader) -> None:
    """Read footnotes, endnotes or comments; separators have a type and no words."""
    for element in () if root is None else _children(root, kind):
        author = line(attribute(element, "author") or "")
        _marked(reader, element, f"{kind} by {author}" if author else kind)


def _read_margins(package: Package, reader: _Reader) -> None:
    """Read headers and footers once each, without page numbers: a letter has its sender there."""
    seen: set[str] = set()
    for name in sorted(package.names):
        if match := _MARGIN.fullmatch(name):
            before = len(reader.pieces)
            _marked(reader, package.xml(name), match[1])
            fresh = {piece.text: piece for piece in reader.pieces[before:] if piece.text not in seen}
            reader.pieces[before:] = [piece for text, piece in fresh.items() if not _FOLIO.fullmatch(text)]
            seen |= fresh.keys()


def _marked(reader: _Reader, element: Element, mark: str) -> None:
    """Read blocks and name their place."""
    before = len(reader.pieces)
    reader.block(element)
    kept = (piece for piece in reader.pieces[before:] if piece.text)
    reader.pieces[before:] = [piece._replace(mark=mark, level=None) for piece in kept]


def _children(element: Element, name: str) -> Iterator[Element]:
    """Yield the nearest descendants of a name, also those inside of content controls."""
    for child in element:
        if local(child) == name:
            yield child
        elif local(child) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _children(child, name)


def _words(element: Element) -> Iterator[str]:
    """Yield the text of a paragraph, formulas too, without that of text boxes and deleted or hidden words."""
    for child in element:
        name = local(child)
        if name == "r" and (looks := child.find("{*}rPr")) is not None:
            yield from _run(child, looks)
        elif name == "t":
            yield child.text or ""
        elif name == "oMath":
            yield formula(child)
        elif name in _SIGNS:
            yield _SIGNS[name]
        elif name == "sym":
            yield _symbol(child)
        elif name not in {*_HIDDEN, "txbxContent", "pPr", "rPr"}:
            yield from _words(child)


def _run(element: Element, looks: Element) -> Iterator[str]:
    """Yield the words of a run of one look: nothing of hidden ones."""
    hidden = looks.find("{*}vanish")
    if hidden is not None and attribute(hidden, "val") not in _OFF:
        return
    words = "".join(_words(element))
    yield raised(words) if value_of(looks, "vertAlign") == "superscript" else words


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
    hidden = sum(attribute(each, "val") not in _OFF for each in root.iterfind(".//{*}r/{*}rPr/{*}vanish"))
    notes = ((pictures, "pictures were not read"), (hidden, "pieces of hidden text were not read"))
    return tuple(f"{count} {what}" for count, what in notes if count)
