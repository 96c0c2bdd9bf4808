"""Web pages: the main text without navigation and advertising, as blocks with exact spans."""

from __future__ import annotations

import codecs
import logging
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from rag.language.published import publication_date
from rag.load.decode import decode, storable
from rag.load.outline import headline
from rag.load.package import whole
from rag.load.pieces import PARAGRAPH, Piece, assemble, raised
from rag.load.webtable import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.records import Document

    Element = Any  # lxml has no types

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

# Names of HTML, and of the tree that trafilatura makes of it.
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_NEVER_SEEN = (
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "math",
    "iframe",
    "object",
    "select",
    "button",
    "textarea",
)
_SITE = ("nav", "header", "footer", "aside", "form", "iframe", "script", "link")
_INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "hi", "i", "img"),
        *("ins", "kbd", "label", "mark", "q", "ref", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub"),
        *("sup", "time", "tt", "u", "var", "wbr"),
    )
)
_CELLS = frozenset({"cell", "td", "th"})
_ROWS = frozenset({"row", "tr"})
_ITEMS = frozenset({"item", "li"})
_SHORT_TEXT, _SHORT_PAGE = 250, 1000  # characters; trafilatura gives up structure below the first
_LONGEST_ROW = 1000  # characters; a longer one lays out a page and holds no data


# A page without main text is no news to a person: keep the extractor from writing to standard error.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def parse(data: bytes, uri: str) -> Document:
    """Read a web page; `Document.text` is its main text, or all that can be seen where there is none."""
    tree = _tree(decode(data, uri, _declared(data)))
    title, date = _metadata(tree) if tree is not None else (None, None)
    pieces = _shown(tree) if tree is not None else []
    if pieces and not pieces[0].level and pieces[0].text == title:
        pieces[0] = pieces[0]._replace(level=1)
    return assemble(
        pieces,
        data,
        uri,
        "text/html",
        title=title,
        date=date or publication_date(piece.text for piece in pieces if not piece.level),
    )


def visible(data: bytes, uri: str, charset: str | None = None) -> list[Piece]:
    """Return all that a reader of a page can see, for pages that have nothing beside their text."""
    tree = _tree(decode(data, uri, charset or _declared(data)))
    return _visible_text(tree) if tree is not None else []


def _declared(data: bytes) -> str | None:
    """Return the encoding that the page declares, as browsers understand it."""
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


def _metadata(tree: Element) -> tuple[str | None, str | None]:
    """Return the page's title and date of publication."""
    from trafilatura.metadata import extract_metadata

    found = extract_metadata(tree, date_config=_DATE_SEARCH, extensive=False)
    return headline(storable(found.title or "")), found.date


def _shown(tree: Element) -> list[Piece]:
    """Return the main text; all that can be seen where there is none, or the page is too short to tell the two.

    A page that has nothing of a site around its text is a document as programs export it: all of it counts.
    """
    if next(tree.iter(*_SITE), None) is None:
        return _visible_text(tree)
    main = _main_text(tree)
    if _length(main) >= _SHORT_TEXT:
        return main
    visible = _visible_text(tree)
    return visible if not main or _length(visible) < _SHORT_PAGE else main


def _length(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces)


def _main_text(tree: Element) -> list[Piece]:
    from trafilatura import bare_extraction

    found: Any = bare_extraction(deepcopy(tree), include_comments=False, include_tables=True)
    return _flatten(found.body) if found else []


def _visible_text(tree: Element) -> list[Piece]:
    """Return all that a reader of the page can see."""
    from lxml import etree

    for element in tree.xpath("//*[@hidden or contains(translate(@style, ' ', ''), 'display:none')]"):
        element.clear(keep_tail=True)
    etree.strip_elements(tree, *_NEVER_SEEN, with_tail=False)
    body = tree.find("body")
    return _flatten(tree if body is None else body)


class _Builder:
    """Collects words until a block ends."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.tables: dict[Element, Table] = {}
        self.level: int | None = None
        self.number = ""  # of the list's item that begins
        self.verbatim = 0  # depth of elements whose line breaks count
        self.quoted = 0  # depth of quotations
        self._words: list[str] = []
        self._gap = PARAGRAPH
        self._counts: dict[Element, int] = {}  # by list

    def count(self, item: Element, ordered: Element) -> None:
        """Count an item of an ordered list; its first block has the number in front."""
        given = item.get("value") or (ordered.get("start", "") if ordered not in self._counts else "")
        self._counts[ordered] = whole(given) if given else self._counts.get(ordered, 0) + 1
        self.number = f"{self._counts[ordered]}. "

    def add(self, text: str | None) -> None:
        """Add running text."""
        first, *others = (text or "").split("\n") if self.verbatim else [text or ""]
        self._words.append(first)
        for line in others:
            self.close("\n")
            self._words.append(line)

    def add_row(self, element: Element) -> bool:
        """Add a row of a table as one block that says with each value what it is; False for one that only lays out."""
        cells = _cells(element)
        if cells is None:
            return False
        self.close()
        around = next(element.iterancestors("table"), None)
        table = self.tables.setdefault(around, Table(len(self.tables) + 1))
        self._words.append(table.add(cells))
        self.close(mark=f"table {table.number}, row {table.rows}")
        return True

    def close(self, gap: str = PARAGRAPH, mark: str | None = None) -> None:
        """End the block, if there is one; `gap` is put before the next, `mark` names its place."""
        text = " ".join(storable("".join(self._words)).split())
        self._words.clear()
        if text:
            self.pieces.append(Piece(f"{self.number}{text}", self.level, self._gap, mark, quoted=self.quoted))
            self.number = ""
        self._gap = gap if text else PARAGRAPH


def _flatten(root: Element) -> list[Piece]:
    """Cut a tree into blocks: each element that is not inline starts and ends one."""
    from lxml import etree

    builder = _Builder()
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            _leave(builder, element)
            builder.add(element.tail if element is not root else None)
        elif element is not root and element.tag in _ROWS and builder.add_row(element):
            walker.skip_subtree()
        else:
            _enter(builder, element)
            builder.add(element.text)
    builder.close()
    return builder.pieces


def _enter(builder: _Builder, element: Element) -> None:
    if element.tag in {"br", "lb"}:
        if builder.level:
            builder.add(" ")
        else:
            builder.close("\n")
        return
    verbatim = _is_verbatim(element)
    if element.tag not in _INLINE or verbatim:
        builder.close()
    around = element.getparent()
    if element.tag in _ITEMS and around is not None and (around.tag == "ol" or around.get("rend") == "ol"):
        builder.count(element, around)
    builder.level = _level(element) or builder.level
    builder.verbatim += verbatim
    builder.quoted += element.tag == "blockquote"


def _leave(builder: _Builder, element: Element) -> None:
    verbatim = _is_verbatim(element)
    if (element.tag not in _INLINE and element.tag not in {"br", "lb"}) or verbatim:
        builder.close()
    if _level(element):
        builder.level = None
    if element.tag in _ITEMS:
        builder.number = ""  # nothing was in it
    builder.verbatim -= verbatim
    builder.quoted -= element.tag == "blockquote"


def _level(element: Element) -> int | None:
    """Return the level of a heading; trafilatura names all `head` and keeps the HTML name beside."""
    if element.tag == "head":
        return _HEADINGS.get(element.get("rend", ""), 2)
    return _HEADINGS.get(element.tag)


def _is_verbatim(element: Element) -> bool:
    return element.tag == "pre" or (element.tag == "code" and "\n" in (element.text or ""))


def _cells(row: Element) -> list[tuple[Element, str]] | None:
    """Return a row's cells with their texts; None for a row that only lays out a page."""
    cells = [cell for cell in row if cell.tag in _CELLS]
    alone = len(cells) == 1 and cells[0].get("rowspan", "1") == "1"  # the others of its row may begin above
    if not cells or alone or next(row.iterdescendants("row", "tr"), None) is not None:
        return None
    texts = [" ".join(piece.text for piece in _flatten(cell)) for cell in cells]
    return list(zip(cells, texts, strict=True)) if any(texts) and sum(map(len, texts)) <= _LONGEST_ROW else None
