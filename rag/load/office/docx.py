"""Word: paragraphs, headings, lists, tables, text boxes, charts, diagrams, footnotes, comments, headers and footers.

Read from its XML, which holds more than the libraries for writing such files show.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, counted, line, raised
from rag.load.container import Container, attribute, integer, local_name, properties, value_of
from rag.load.office.drawings import charts, diagrams
from rag.load.office.numbering import Numbering
from rag.load.tables import heading_row, text_table
from rag.records import Omission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.container import Element
    from rag.records import Document

_MAIN = "word/document.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING = re.compile(r"heading\s*(\d)", re.IGNORECASE)
_HIDDEN = frozenset({"del", "moveFrom", "instrText", "Fallback", "delText"})
_NOTE_PARTS = (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment"))
_MARGIN = re.compile(r"word/(header|footer)\d*\.xml")
_PAGE_NUMBER = re.compile(r"(?:page|seite|of|von|[\W\d])*", re.IGNORECASE)
_SIGNS = {**dict.fromkeys(("tab", "br", "cr", "ptab"), " "), "noBreakHyphen": "-"}
_COLOURED = (  # a run that is shaded, or in a paragraph, table or shape that may be
    "(.|..)/*/*[local-name()='shd' or local-name()='highlight']"
    "|ancestor::*[local-name()='tbl' or local-name()='txbxContent']"
)
_OFF = frozenset({"0", "false", "off"})


class _Style(NamedTuple):
    level: int | None = None  # of a heading
    numbers: tuple[str, int] | None = None  # a list's id and the level in it
    contents: bool = False  # a line of a table of contents, which repeats a heading


@dataclass(slots=True)
class _Reader:
    styles: dict[str, _Style]
    numbering: Numbering
    blocks: list[Block] = field(default_factory=list)
    tables: int = 0

    def block(self, element: Element) -> None:
        """Read paragraphs and tables wherever they are; what only wraps them is passed through."""
        for child in element:
            name = local_name(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name not in _HIDDEN:
                self.block(child)

    def _paragraph(self, element: Element) -> None:
        style = self.styles.get(value_of(element, "pPr/pStyle"), _Style())
        text = "" if style.contents else line("".join(_words(element)))
        level = _outline_level(element) or style.level
        listed = _numbers(element) or style.numbers
        label = self.numbering.label(*listed) if listed and listed[0] != "0" and text else ""
        if level and label == "-":
            label = ""
        self.blocks.append(Block(f"{label} {text}".strip(), level, "\n" if label and not level else "\n\n"))
        for box in _boxes(element):
            self.block(box)

    def _table(self, element: Element) -> None:
        """Read a table row by row; one with a single cell only frames its text."""
        rows = list(_children(element, "tr"))
        if all(len(list(_children(each, "tc"))) <= 1 for each in rows):
            self.block(element)
            return
        self.tables += 1
        name = f"table {self.tables}"
        above: dict[int, str] = {}  # by column: a cell that spans several rows is in each of them
        laid = [self._cells(each, above) for each in rows]
        heads = {index for index, each in enumerate(rows) if each.find("{*}trPr/{*}tblHeader") is not None}
        self.blocks += text_table(laid, name, () if heads else heading_row(laid), heads)

    def _cells(self, element: Element, above: dict[int, str]) -> list[str]:
        """Return the texts of a row's cells; `above` has those of the row before, and then of this one."""
        texts: list[str] = []
        column = 0
        for cell in _children(element, "tc"):
            merge = cell.find("{*}tcPr/{*}vMerge")
            if merge is None or attribute(merge, "val") == "restart":  # not the lower part of one
                above[column] = " ".join(block.text for block in self.inside(cell))
            texts.append(above.get(column, ""))
            column += max(1, integer(value_of(cell, "tcPr/gridSpan", "1")))
        return texts

    def inside(self, element: Element, mark: str | None = None) -> list[Block]:
        """Return the blocks with words in an element that stands apart, headings like the others, named by `mark`."""
        inner = _Reader(self.styles, self.numbering)
        inner.block(element)
        return [block._replace(mark=mark, level=None) for block in inner.blocks if block.text]


def parse(data: bytes, uri: str) -> Document:
    """Read a Word file; raises `LoadError` for a damaged or encrypted one."""
    container = Container(data, uri)
    reader = _Reader(_styles(container), Numbering(container.optional("word/numbering.xml")))
    root = container.xml(_MAIN)
    reader.block(root)
    reader.blocks += [*charts(container, _MAIN), *diagrams(container, _MAIN)]
    for part, kind in _NOTE_PARTS:
        for element in _children(container.optional(f"word/{part}.xml"), kind):
            author = line(attribute(element, "author"))
            reader.blocks += reader.inside(element, f"{kind} by {author}" if author else kind)
    _read_margins(container, reader)
    title, made = properties(container.optional("docProps/core.xml"))
    date = publication_date(block.text for block in reader.blocks if not block.level) or made
    hidden = [run for run in root.iterfind(".//{*}r") if _is_hidden(run)]
    aside = [Omission("invisible", words) for run in hidden if (words := line("".join(run.itertext("{*}t"))))]
    notes = counted((_pictures(root), "picture[s] not read"), (len(aside), "piece[s] of hidden text not read"))
    return assemble(reader.blocks, data, uri, _TYPE, title, date=date, notes=notes, set_aside=tuple(aside))


def _styles(container: Container) -> dict[str, _Style]:
    found: dict[str, _Style] = {}
    for style in container.optional("word/styles.xml").iter("{*}style"):
        name = value_of(style, "name").lower()
        base = found.get(value_of(style, "basedOn"), _Style())
        heading = _HEADING.search(name)
        level = min(max(int(heading[1]), 1), 6) if heading else 1 if name == "title" else _outline_level(style)
        contents = name.startswith("toc ") and name[4:].isdigit()
        found[attribute(style, "styleId")] = _Style(level, _numbers(style) or base.numbers, contents)
    return found


def _outline_level(element: Element) -> int | None:
    level = integer(value_of(element, "pPr/outlineLvl", "9"))
    return level + 1 if level < 6 else None


def _numbers(element: Element) -> tuple[str, int] | None:
    key = value_of(element, "pPr/numPr/numId")
    return (key, integer(value_of(element, "pPr/numPr/ilvl"))) if key else None


def _read_margins(container: Container, reader: _Reader) -> None:
    """Read headers and footers once each, without page numbers: a letter has its sender there."""
    seen: set[str] = set()
    for name in sorted(container.names):
        if match := _MARGIN.fullmatch(name):
            found = reader.inside(container.xml(name), match[1])
            fresh = {block.text: block for block in found if block.text not in seen}
            reader.blocks += [block for text, block in fresh.items() if not _PAGE_NUMBER.fullmatch(text)]
            seen |= fresh.keys()


def _children(element: Element, name: str) -> Iterator[Element]:
    for child in element:
        if local_name(child) == name:
            yield child
        elif local_name(child) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _children(child, name)


def _words(element: Element) -> Iterator[str]:
    """Yield the text of a paragraph, formulas too, without that of text boxes and deleted or hidden words."""
    for child in element:
        name = local_name(child)
        if name == "r":
            yield from _run(child)
        elif name == "t":
            yield child.text or ""
        elif name == "oMath":
            yield _formula(child)
        elif name in _SIGNS:
            yield _SIGNS[name]
        elif name == "sym":
            yield _symbol(child)
        elif name not in {*_HIDDEN, "txbxContent", "pPr", "rPr"}:
            yield from _words(child)


def _run(element: Element) -> Iterator[str]:
    """Yield the words of a run of one look: nothing of hidden ones."""
    if _is_hidden(element):
        return
    words = "".join(_words(element))
    yield raised(words) if value_of(element, "rPr/vertAlign") == "superscript" else words


def _is_hidden(run: Element) -> bool:
    """Tell whether nobody sees a run: hidden, of one point or less, or white where nothing may have a colour behind."""
    vanish = run.find("{*}rPr/{*}vanish")
    if (vanish is not None and attribute(vanish, "val") not in _OFF) or 0 < integer(value_of(run, "rPr/sz")) <= 2:
        return True
    return value_of(run, "rPr/color").upper() == "FFFFFF" and not run.xpath(_COLOURED)


def _symbol(element: Element) -> str:
    """Return a character of a symbol font; most of those for bullets and ticks have no meaning outside of it."""
    code = int(attribute(element, "char", "0"), 16)
    return chr(code) if code and not 0xE000 <= code <= 0xF8FF else ""


def _formula(element: Element) -> str:
    """Return a formula (OMML), or a part of it, in one line, as it is typed: `x^2`, `(a+b)/2`, `√(x)`."""
    name = local_name(element)
    if name == "t":
        return element.text or ""
    parts = [(local_name(child), _formula(child)) for child in element if not local_name(child).endswith("Pr")]
    part = defaultdict(str, parts)
    grouped = {key: text if len(text) < 2 or text.isdecimal() else f"({text})" for key, text in parts}
    scripts = "".join(sign + grouped[key] for sign, key in (("_", "sub"), ("^", "sup")) if part[key])
    if name == "f":
        return f"{grouped.get('num', '')}/{grouped.get('den', '')}"
    if name == "d":
        inner = ", ".join(text for kind, text in parts if kind == "e")
        return f"{_sign(element, 'begChr', '(')}{inner}{_sign(element, 'endChr', ')')}"
    whole = {
        "rad": f"{part['deg']}√{grouped.get('e', '')}",
        "nary": f"{_sign(element, 'chr', '∫')}{scripts} {part['e']}",
        **dict.fromkeys(("sSup", "sSub", "sSubSup"), part["e"] + scripts),
    }
    return whole.get(name) or "".join(text for _, text in parts)


def _sign(element: Element, name: str, usual: str) -> str:
    found = element.find(f"*/{{*}}{name}")
    return usual if found is None else attribute(found, "val")


def _boxes(element: Element) -> Iterator[Element]:
    """Yield the text boxes of a paragraph once: each is written for new and for old programs."""
    for child in element:
        name = local_name(child)
        if name == "txbxContent":
            yield child
        elif name not in _HIDDEN:
            yield from _boxes(child)


def _pictures(root: Element) -> int:
    return sum(1 for _ in root.iter("{*}blip", "{*}imagedata"))
