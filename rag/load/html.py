"""Web pages: the main text without navigation and advertising, as blocks with exact spans. Books made of such pages."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left, bisect_right
from itertools import accumulate, compress, pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rag.errors import LoadError
from rag.language.blocks import plain_blocks
from rag.language.published import publication_date
from rag.language.terms import words
from rag.load.blocks import PARAGRAPH, Block, assemble, counted, headline, is_made_up, line, raised
from rag.load.container import Container, integer, properties, resolve
from rag.load.decode import decode, storable
from rag.load.hidden import background, hide
from rag.load.html_tables import table_rows
from rag.load.main_text import PlacedBlock, main_text
from rag.records import Omission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.load.container import Element
    from rag.load.html_tables import HtmlRow
    from rag.records import Document

_SITE_NAME = re.compile(r"\s+[|–—·-]\s+")  # parts the name of the site from that of the page
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
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# All others are inline, also those that HTML does not know.
_APART = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol option p pre search section "
    "summary table tbody td tfoot th thead tr ul".split()
)
_WRAPPED = re.compile(r"^.{30,}[^\W_]-?,?\n(?!https?:|www\.)[^\W\dA-Z_]")
"""A long line, and the next one within its sentence."""
_TORN = 0.3  # of the line breaks are within a sentence, where lines were printed ones
_IN_PAGE = re.compile("#.")  # what leads nowhere else; `#` alone is a button


def parse(data: bytes, uri: str) -> Document:
    """Read a web page; `Document.text` is its main text, or all that can be seen where there is none."""
    from trafilatura.metadata import extract_metadata

    tree = _tree(decode(data, uri, _declared(data)))
    if tree is None:
        return assemble([], data, uri, "text/html")
    found = extract_metadata(tree, date_config=_DATE_SEARCH, extensive=False)
    title = _title(tree, storable(found.title or ""))
    blocks, aside, notes = _page_blocks(tree)
    blocks, aside = _headed(blocks, aside, title, storable(found.description or "").strip())
    date = found.date or publication_date(block.text for block in blocks if not block.level)
    return assemble(blocks, data, uri, "text/html", title, date=date, notes=notes, set_aside=aside)


def _title(tree: Element, found: str) -> str | None:
    """Return the title that was found, or that of the window where it says more and both have no word in common.

    What was found may be the name of a menu or of the site.
    """
    window = storable(" ".join((tree.findtext(".//title") or "").split()))
    page = max(_SITE_NAME.split(window), key=len)
    is_other = {*words(found.casefold())}.isdisjoint(words(window.casefold()))
    title = headline(page if is_other and len(words(page)) > len(words(found)) else found)
    heads = [line("".join(each.itertext())) for each in tree.iter("h1", "h2")]
    return None if title and is_made_up(title) and title not in heads else title


def _headed(
    blocks: Sequence[Block], aside: Sequence[Omission], title: str | None, standfirst: str
) -> tuple[list[Block], tuple[Omission, ...]]:
    """Put title and standfirst first where they stand apart from the main text, and return what is still set aside.

    The standfirst sums the article up, as its title does, and is no sentence to quote from it.
    """
    apart = {first for first in (title, standfirst) if first and any(each.text == first for each in aside)}
    body = [block for block in blocks if block.text not in apart]
    head = [Block(title, 1)] if title and title in apart else []
    if title and not head and body and body[0].text == title:
        head = [body[0]._replace(level=body[0].level or 1)]
        body = body[1:]
    if standfirst in apart - {title}:
        head.append(Block(standfirst, subtitle=bool(head)))
    return [*head, *body], tuple(each for each in aside if each.text not in apart)


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
    return [place.as_read for place in _cut(_seen(tree)[0])] if tree is not None else []


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


def _page_blocks(tree: Element) -> tuple[list[Block], tuple[Omission, ...], tuple[str, ...]]:
    """Return the main text, what is set aside, and notes on words that are hidden beside what is read.

    A page that has nothing of a site around its text is a document as programs export it: all of it counts.
    """
    is_site = next(tree.iter(*_SITE), None) is not None
    body, hidden = _seen(tree)
    places = _cut(body)
    kept = main_text(body, places) if is_site else [True] * len(places)
    near = {near for place in compress(places, kept) for near in (place.element, place.element.getparent())} | {body}
    count = sum(element in near or element.getparent() in near for element in hidden)
    aside = [Omission("invisible", words) for words in hidden.values()]
    aside += [Omission("furniture", place.as_read.text) for place, keep in zip(places, kept, strict=True) if not keep]
    notes = counted((count, "piece[s] of hidden text not read"))
    return [place.as_read for place in compress(places, kept)], tuple(aside), notes


def _seen(tree: Element) -> tuple[Element, dict[Element, str]]:
    """Take away what nobody sees; return the body, and hidden words by the element that had them."""
    from lxml import etree

    paper = background(tree)
    etree.strip_elements(tree, *_NEVER_SEEN, with_tail=False)
    body = tree.find("body")
    body = tree if body is None else body
    return body, hide(body, paper)


def _cut(root: Element) -> list[PlacedBlock]:
    """Cut a tree into blocks: each element that is not inline starts and ends one."""
    from lxml import etree

    builder = _Builder(root)
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            builder.leave(element)
            builder.add(element.tail if element is not root else None)
        elif element is not root and element.tag == "tr" and builder.add_row(element):
            walker.skip_subtree()
        else:
            builder.enter(element)
            builder.add(element.text)
    builder.close()
    return [place for lines in _broken_lines(builder.places) for place in _unwrapped(lines)]


def _broken_lines(places: Sequence[PlacedBlock]) -> Iterator[list[PlacedBlock]]:
    """Yield the places, those together that only `br` parts."""
    group: list[PlacedBlock] = []
    for place in places:
        follows = group and place.block.gap == "\n" and not place.block.mark
        if not follows or next(place.element.iterancestors("pre"), place.element).tag == "pre":
            yield group
            group = []
        group.append(place)
    yield group


def _unwrapped(lines: Sequence[PlacedBlock]) -> Iterator[PlacedBlock]:
    """Join lines that break in the midst of a paragraph, as programs write them that make web pages of print."""
    texts = [place.block.text for place in lines]
    torn = sum(bool(_WRAPPED.search(f"{above}\n{below}")) for above, below in pairwise(texts))
    if not torn or torn < _TORN * (len(lines) - 1):
        yield from lines
        return
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    text = "\n".join(texts)
    for span in plain_blocks(text):
        first, end = bisect_right(starts, span.start) - 1, bisect_left(starts, span.end)
        linked = sum(place.linked for place in lines[first:end])
        yield lines[first]._replace(block=lines[first].block._replace(text=line(span.of(text))), linked=linked)


def _words_of(element: Element) -> str:
    """Return all that an element says, on one line."""
    return " ".join(place.as_read.text for place in _cut(element))


class _Builder:
    """Collects words until a block ends."""

    def __init__(self, root: Element) -> None:
        self.places: list[PlacedBlock] = []
        self._at = root
        self._links = 0  # depth of links to other pages
        self._linked = 0  # characters in them
        self._tables: dict[Element, tuple[int, dict[Element, HtmlRow]]] = {}  # their numbers and rows
        self._numbered = 0  # tables that hold data
        self._level: int | None = None
        self._number = ""  # of the list's item that begins
        self._verbatim = 0  # depth of elements whose line breaks count
        self._quoted = 0  # depth of quotations
        self._words: list[str] = []
        self._gap = PARAGRAPH
        self._counts: dict[Element, int] = {}  # by list

    def enter(self, element: Element) -> None:
        """Begin an element; an item of an ordered list has its number in front of its first block."""
        if element.tag == "br":
            if self._level:
                self.add(" ")
            else:
                self.close("\n")
            return
        self._pass(element, 1)
        around = element.getparent()
        if element.tag == "li" and around is not None and around.tag == "ol":
            given = element.get("value") or ("" if around in self._counts else around.get("start"))
            self._counts[around] = integer(given) if given else self._counts.get(around, 0) + 1
            self._number = f"{self._counts[around]}. "
        self._at = element
        self._level = _HEADINGS.get(element.tag, self._level)

    def leave(self, element: Element) -> None:
        """End an element."""
        self._pass(element, -1)
        self._at = element.getparent()
        if element.tag in _HEADINGS:
            self._level = None
        if element.tag == "li":
            self._number = ""  # nothing was in it

    def _pass(self, element: Element, step: int) -> None:
        verbatim = element.tag == "pre" or (element.tag == "code" and "\n" in (element.text or ""))
        if element.tag in _APART or verbatim:
            self.close()
        self._verbatim += step * verbatim
        self._quoted += step * (element.tag == "blockquote")
        self._links += step * (element.tag == "a" and not _IN_PAGE.match(element.get("href", "#-")))

    def add(self, text: str | None) -> None:
        """Add running text."""
        first, *others = (text or "").split("\n") if self._verbatim else [text or ""]
        self._words.append(first)
        self._linked += len(line(text or "")) if self._links else 0
        for other in others:
            self.close("\n")
            self._words.append(other)

    def add_row(self, element: Element) -> bool:
        """Add a row of a table as one block that says with each value what it is; False for one that only lays out."""
        around = next(element.iterancestors("table"), None)
        if around is None:
            return False
        if around not in self._tables:
            rows = table_rows(around, _words_of)
            self._numbered += bool(rows)
            self._tables[around] = (self._numbered, rows)
        number, rows = self._tables[around]
        if element not in rows:
            return False
        row = rows[element]
        self.close()
        self._at = element
        self._words.append(row.plain)
        self.close(mark=f"table {number}, row {row.number}", named=row.named)
        self._at = element.getparent()
        return True

    def close(self, gap: str = PARAGRAPH, mark: str | None = None, named: str = "") -> None:
        """End the block, if there is one: `gap` is put before the next, `mark` names its place, `named` is its row."""
        text = line("".join(self._words))
        self._words.clear()
        if text:
            block = Block(f"{self._number}{text}", self._level, self._gap, mark, quoted=self._quoted)
            self.places.append(PlacedBlock(block, self._at, self._linked, line(named)))
            self._number, self._linked = "", 0
        self._gap = gap if text else PARAGRAPH
