"""A tree of HTML cut into blocks: paragraphs, headings, list items with their numbers, rows of tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.load.blocks import PARAGRAPH, Block, line
from rag.load.container import integer
from rag.load.tables import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.container import Element

# Names of HTML, and of the tree that trafilatura makes of it.
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font hi i img ins kbd label mark q ref ruby s samp small span "
    "strike strong sub sup time tt u var wbr".split()
)
_CELLS = frozenset({"cell", "td", "th"})
_ROWS = frozenset({"row", "tr"})
_ITEMS = frozenset({"item", "li"})
_LONGEST_ROW = 1000  # characters; a longer one lays out a page and holds no data
_MOST_COVERED = 1000  # rows or columns of a cell, as browsers have it


def cut(root: Element) -> list[Block]:
    """Cut a tree of HTML, or of trafilatura, into blocks: each element that is not inline starts and ends one."""
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
    return builder.blocks


@dataclass(slots=True)
class _Table:
    """A table of which rows are read one after the other."""

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
    """Collects words until a block ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.tables: dict[Element, _Table] = {}
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
        self._counts[ordered] = integer(given) if given else self._counts.get(ordered, 0) + 1
        self.number = f"{self._counts[ordered]}. "

    def add(self, text: str | None) -> None:
        """Add running text."""
        first, *others = (text or "").split("\n") if self.verbatim else [text or ""]
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
        table = self.tables.setdefault(around, _Table(len(self.tables) + 1))
        self._words.append(table.add(cells))
        self.close(mark=f"table {table.number}, row {table.rows}")
        return True

    def close(self, gap: str = PARAGRAPH, mark: str | None = None) -> None:
        """End the block, if there is one; `gap` is put before the next, `mark` names its place."""
        text = line("".join(self._words))
        self._words.clear()
        if text:
            self.blocks.append(Block(f"{self.number}{text}", self.level, self._gap, mark, quoted=self.quoted))
            self.number = ""
        self._gap = gap if text else PARAGRAPH


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
    texts = [" ".join(block.text for block in cut(cell)) for cell in cells]
    return list(zip(cells, texts, strict=True)) if any(texts) and sum(map(len, texts)) <= _LONGEST_ROW else None


def _covered(cell: Element, attribute: str) -> int:
    """Return how many rows or columns a cell covers."""
    value = cell.get(attribute, "")
    return min(integer(value) or 1, _MOST_COVERED) if len(value) < 5 else 1
