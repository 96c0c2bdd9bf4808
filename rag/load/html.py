"""Web pages: the main text without navigation and advertising, as blocks with exact spans. Books made of such pages."""

from __future__ import annotations

import codecs
import logging
import re
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rag.errors import LoadError
from rag.language.published import publication_date
from rag.load.blocks import PARAGRAPH, Block, assemble, counted, headline, join, line, raised
from rag.load.container import Container, integer, properties, resolve
from rag.load.decode import decode, storable
from rag.load.tables import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.container import Element
    from rag.records import Document

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]{2,30})|<\?xml[^>]{0,100}?encoding=[\"']([\w:.-]{2,30})",
    re.IGNORECASE,
)
# Browsers read the left names as the right encodings, so pages are written that way.
_BROWSER_ENCODINGS = {
    **dict.fromkeys(("ascii", "iso8859-1"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk"), "gb18030"),
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
_DATE_SEARCH = {"original_date": True, "extensive_search": False, "max_date": "2099-12-31"}

_NEVER_SEEN = "script style noscript template svg math iframe object select button textarea".split()
_SITE = "nav header footer aside form iframe script link".split()
_BESIDE = "//nav|//footer|//aside|//form|//dialog|//menu|//header[not(.//h1)]"
_SHORT_PAGE, _SHORT_LINE = 850, 20  # characters; trafilatura loses much of the structure of the first
_MOST = 0.8  # of the main text; where less is left, it is named like what is beside a text
_GONE = re.compile(r"\b(?:display:none|visibility:hidden|opacity:[0.%]+(?:;|$))")
_FAINT = re.compile(r"\bfont-size:(?:0?\.[01]\d*(?:r?em)?|0[a-z%]*|[01](?:\.\d+)?(?:px|pt))(?:;|$)")
_WHITE, _ON_WHITE = (
    re.compile(rf"(?:^|;){name}:(?:white|#fff(?:fff)?|rgb\(255,255,255\))(?:;|$)")
    for name in ("color", "background(?:-color)?")
)

# Names of HTML, and of the tree that trafilatura makes of it.
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_APART = frozenset(  # all others are inline, also those that HTML does not know
    "address article aside blockquote body caption cell center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html item legend li list main menu nav ol option p "
    "pre quote row search section summary table tbody td tfoot th thead tr ul".split()
)
_CELLS = frozenset({"cell", "td", "th"})
_ROWS = frozenset({"row", "tr"})
_ITEMS = frozenset({"item", "li"})
_LONGEST_ROW = 1000  # characters; a longer one lays out a page and holds no data
_MOST_COVERED = 1000  # rows or columns of a cell, as browsers have it

# A page without main text is no news to a person: keep the extractor from writing to standard error.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def parse(data: bytes, uri: str) -> Document:
    """Read a web page; `Document.text` is its main text, or all that can be seen where there is none."""
    from trafilatura.metadata import extract_metadata

    tree = _tree(decode(data, uri, _declared(data)))
    if tree is None:
        return assemble([], data, uri, "text/html")
    found = extract_metadata(tree, date_config=_DATE_SEARCH, extensive=False)
    title = headline(storable(found.title or ""))
    hidden = _hide(tree)
    blocks = _page_blocks(tree)
    if blocks and not blocks[0].level and blocks[0].text == title:
        blocks[0] = blocks[0]._replace(level=1)
    date = found.date or publication_date(block.text for block in blocks if not block.level)
    notes = counted((hidden, "pieces of hidden text were not read"))
    return assemble(blocks, data, uri, "text/html", title, date=date, notes=notes)


def parse_epub(data: bytes, uri: str) -> Document:
    """Read the chapters of a book in their order; raises `LoadError` for a damaged or encrypted one."""
    container = Container(data, uri)
    root = container.xml("META-INF/container.xml")
    named = next((each.get("full-path") for each in root.iter("{*}rootfile")), None)
    if not named:
        raise LoadError(f"{uri}: names no book in it; save it anew")
    book, folder = container.xml(named), named.rpartition("/")[0]
    items = {item.get("id"): item.get("href", "") for item in book.iter("{*}item")}
    spine = (each.get("idref") for each in book.iter("{*}itemref") if each.get("linear") != "no")
    blocks: list[Block] = []
    missing: list[str] = []
    for chapter in dict.fromkeys(resolve(folder, unquote(items[key])) for key in spine if key in items):  # each once
        try:
            blocks += visible(container.read(chapter), uri)
        except LoadError:
            missing.append(chapter)
    title, date = properties(book)
    notes = counted((len(missing), f"chapters are missing or damaged: {', '.join(missing[:5])}"))
    return assemble(blocks, data, uri, "application/epub+zip", title, date=date, notes=notes)


def visible(data: bytes, uri: str, charset: str | None = None) -> list[Block]:
    """Return all that a reader of a page can see, for pages that have nothing beside their text."""
    tree = _tree(decode(data, uri, charset or _declared(data)))
    return _visible_text(tree) if tree is not None else []


def _declared(data: bytes) -> str | None:
    match = _CHARSET.search(data[:4096])
    if not match:
        return None
    try:
        name = codecs.lookup((match[1] or match[2]).decode("ascii")).name
    except LookupError:
        return None
    return _BROWSER_ENCODINGS.get(name, name)


def _tree(source: str) -> Element | None:
    from lxml import etree, html

    # As bytes, since lxml refuses a str that declares another encoding.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(source.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    for sup in tree.iter("sup"):
        words = "".join(sup.itertext())
        if words != raised(words):
            sup[:] = []
            sup.text = raised(words)
    return tree


def _page_blocks(tree: Element) -> list[Block]:
    """Return the main text; of a short page, all that can be seen but what is beside the text.

    A page that has nothing of a site around its text is a document as programs export it: all of it counts.
    """
    from trafilatura import bare_extraction
    from trafilatura.xpaths import OVERALL_DISCARD_XPATH, REMOVE_COMMENTS_XPATH

    if next(tree.iter(*_SITE), None) is None:
        return _visible_text(tree)
    extracted: Any = bare_extraction(deepcopy(tree), include_comments=False, include_tables=True)
    main = _cut(extracted.body) if extracted else []
    seen = _visible_text(tree)
    named = (path(tree) for path in (*OVERALL_DISCARD_XPATH, *REMOVE_COMMENTS_XPATH))
    for beside in chain(tree.xpath(_BESIDE), *named):
        beside.clear(keep_tail=True)
    for element in list(tree.iter("ul", "ol", "p")):
        links = element.xpath(".//a[not(starts-with(@href, '#'))]")
        if 2 * sum(len(line("".join(each.itertext()))) for each in links) > len(line("".join(element.itertext()))):
            element.clear(keep_tail=True)
    plain = _visible_text(tree)
    if not main or _MOST * len(join(main)[0]) <= len(join(plain)[0]) < _SHORT_PAGE:
        return plain or seen
    below = {above.text: block.text for above, block in pairwise(seen)}
    lost = {above.text for above, block in pairwise(main) if below.get(above.text, block.text) != block.text}
    return [block for block in main if block.text not in lost or len(block.text) > _SHORT_LINE or block.text[-1] != ":"]


def _hide(tree: Element) -> int:
    """Take away what nobody sees, tiny or white on white as well; return in how many elements there was some."""
    paints = "//link[contains(@rel, 'stylesheet')]|//*[@bgcolor]|//*[contains(@style, 'background')]"
    white = not tree.xpath(f"{paints}|//style[contains(., 'background')]")
    hidden = []
    for element in tree.xpath("//*[@hidden or @style]"):
        style = "".join(element.get("style", "").lower().replace("!important", "").split())
        faint = _FAINT.search(style) or (_WHITE.search(style) and (white or _ON_WHITE.search(style)))
        if faint and element.xpath(".//*[contains(@style, 'font-size') or contains(@style, 'color')]"):
            continue  # what it holds may look otherwise
        if faint or "hidden" in element.attrib or _GONE.search(style):
            hidden.append("".join(element.itertext()).strip())
            element.clear(keep_tail=True)
    return sum(map(bool, hidden))


def _visible_text(tree: Element) -> list[Block]:
    from lxml import etree

    _hide(tree)
    etree.strip_elements(tree, *_NEVER_SEEN, with_tail=False)
    body = tree.find("body")
    return _cut(tree if body is None else body)


def _cut(root: Element) -> list[Block]:
    """Cut a tree of HTML, or of trafilatura, into blocks: each element that is not inline starts and ends one."""
    from lxml import etree

    builder = _Builder()
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            builder.leave(element)
            builder.add(element.tail if element is not root else None)
        elif element is not root and element.tag in _ROWS and builder.add_row(element):
            walker.skip_subtree()
        else:
            builder.enter(element)
            builder.add(element.text)
    builder.close()
    return builder.blocks


@dataclass(slots=True)
class _Table:
    number: int
    rows: int = 0
    header: list[str] | None = None
    spans: dict[int, tuple[int, str]] = field(default_factory=dict)  # by column: rows that a cell above still covers

    def add(self, cells: Sequence[tuple[Element, str]]) -> str:
        """Return a row as one line: with the names of its columns, where the table has them and they fit."""
        row = self._laid_out(cells)
        self.rows += 1
        if self.rows == 1 and all(cell.tag == "th" or cell.get("role") == "head" for cell, _ in cells):
            self.header = row
        elif self.header is not None and len(row) == len(self.header):
            return record(self.header, row)
        return " | ".join(row)

    def _laid_out(self, cells: Sequence[tuple[Element, str]]) -> list[str]:
        """Return a text for each column: a cell that covers several rows or names several columns is in each."""
        row: list[str] = []
        above, self.spans = self.spans, {column: (left - 1, text) for column, (left, text) in self.spans.items()}
        for cell, text in [*cells, (None, "")]:
            while above.get(len(row), (0, ""))[0] > 0:
                row.append(above[len(row)][1])
            if cell is None:
                break
            for index in range(_covered(cell, "colspan")):
                self.spans[len(row)] = (_covered(cell, "rowspan") - 1, text)
                row.append(text if index == 0 or cell.tag == "th" else "")
        return row


class _Builder:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._tables: dict[Element, _Table] = {}
        self._level: int | None = None
        self._number = ""  # of the list's item that begins
        self._verbatim = 0  # depth of elements whose line breaks count
        self._quoted = 0  # depth of quotations
        self._words: list[str] = []
        self._gap = PARAGRAPH
        self._counts: dict[Element, int] = {}  # by list

    def enter(self, element: Element) -> None:
        """Begin an element; an item of an ordered list has its number in front of its first block."""
        if element.tag in {"br", "lb"}:
            if self._level:
                self.add(" ")
            else:
                self.close("\n")
            return
        self._pass(element, 1)
        around = element.getparent()
        if element.tag in _ITEMS and around is not None and "ol" in {around.tag, around.get("rend")}:
            given = element.get("value") or ("" if around in self._counts else around.get("start"))
            self._counts[around] = integer(given) if given else self._counts.get(around, 0) + 1
            self._number = f"{self._counts[around]}. "
        self._level = _level(element) or self._level

    def leave(self, element: Element) -> None:
        """End an element."""
        self._pass(element, -1)
        if _level(element):
            self._level = None
        if element.tag in _ITEMS:
            self._number = ""  # nothing was in it

    def _pass(self, element: Element, step: int) -> None:
        verbatim = element.tag == "pre" or (element.tag == "code" and "\n" in (element.text or ""))
        if element.tag in _APART or verbatim:
            self.close()
        self._verbatim += step * verbatim
        self._quoted += step * (element.tag == "blockquote")

    def add(self, text: str | None) -> None:
        """Add running text."""
        first, *others = (text or "").split("\n") if self._verbatim else [text or ""]
        self._words.append(first)
        for other in others:
            self.close("\n")
            self._words.append(other)

    def add_row(self, element: Element) -> bool:
        """Add a row of a table as one block that says with each value what it is; False for one that only lays out."""
        cells = _cells(element)
        if cells is None:
            return False
        self.close()
        around = next(element.iterancestors("table"), None)
        table = self._tables.setdefault(around, _Table(len(self._tables) + 1))
        self._words.append(table.add(cells))
        self.close(mark=f"table {table.number}, row {table.rows}")
        return True

    def close(self, gap: str = PARAGRAPH, mark: str | None = None) -> None:
        """End the block, if there is one; `gap` is put before the next, `mark` names its place."""
        text = line("".join(self._words))
        self._words.clear()
        if text:
            self.blocks.append(Block(f"{self._number}{text}", self._level, self._gap, mark, quoted=self._quoted))
            self._number = ""
        self._gap = gap if text else PARAGRAPH


def _level(element: Element) -> int | None:
    """Return the level of a heading; trafilatura names all `head` and keeps the HTML name beside."""
    if element.tag == "head":
        return _HEADINGS.get(element.get("rend", ""), 2)
    return _HEADINGS.get(element.tag)


def _cells(row: Element) -> list[tuple[Element, str]] | None:
    """Return a row's cells with their texts; None for a row that only lays out a page."""
    cells = [cell for cell in row if cell.tag in _CELLS]
    alone = len(cells) == 1 and cells[0].get("rowspan", "1") == "1"  # the others of its row may begin above
    if not cells or alone or next(row.iterdescendants("row", "tr"), None) is not None:
        return None
    texts = [" ".join(block.text for block in _cut(cell)) for cell in cells]
    return list(zip(cells, texts, strict=True)) if any(texts) and sum(map(len, texts)) <= _LONGEST_ROW else None


def _covered(cell: Element, attribute: str) -> int:
    value = cell.get(attribute, "")
    return min(integer(value) or 1, _MOST_COVERED) if len(value) < 5 else 1
