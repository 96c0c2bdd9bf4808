"""Web pages: the main text without navigation and advertising, as blocks with exact spans. Books made of such pages."""

from __future__ import annotations

import codecs
import logging
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rag.errors import LoadError
from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, headline, raised
from rag.load.container import Container, properties, resolve
from rag.load.decode import decode, storable
from rag.load.html_blocks import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_SHORT_TEXT, _SHORT_PAGE = 250, 1000  # characters; trafilatura gives up structure below the first


# A page without main text is no news to a person: keep the extractor from writing to standard error.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def parse(data: bytes, uri: str) -> Document:
    """Read a web page; `Document.text` is its main text, or all that can be seen where there is none."""
    tree = _tree(decode(data, uri, _declared(data)))
    title, date = _metadata(tree) if tree is not None else (None, None)
    blocks = _page_blocks(tree) if tree is not None else []
    if blocks and not blocks[0].level and blocks[0].text == title:
        blocks[0] = blocks[0]._replace(level=1)
    date = date or publication_date(block.text for block in blocks if not block.level)
    return assemble(blocks, data, uri, "text/html", title, date=date)


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
    title, date = properties(next(book.iter("{*}metadata"), None))
    notes = (f"{len(missing)} chapters are missing or damaged: {', '.join(missing[:5])}",) if missing else ()
    return assemble(blocks, data, uri, "application/epub+zip", title, date=date, notes=notes)


def visible(data: bytes, uri: str, charset: str | None = None) -> list[Block]:
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


def _page_blocks(tree: Element) -> list[Block]:
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


def _length(blocks: Iterable[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _main_text(tree: Element) -> list[Block]:
    from trafilatura import bare_extraction

    found: Any = bare_extraction(deepcopy(tree), include_comments=False, include_tables=True)
    return cut(found.body) if found else []


def _visible_text(tree: Element) -> list[Block]:
    """Return all that a reader of the page can see."""
    from lxml import etree

    for element in tree.xpath("//*[@hidden or contains(translate(@style, ' ', ''), 'display:none')]"):
        element.clear(keep_tail=True)
    etree.strip_elements(tree, *_NEVER_SEEN, with_tail=False)
    body = tree.find("body")
    return cut(tree if body is None else body)
