"""How a text is laid out: its blocks, and the looks of the words in them. Pure functions over offsets.

Nothing is changed or left out: the runs of all blocks, one after the other, are the text. Signs of Markdown (`**`, `#`,
the address of a link) are runs that the page hides, so that a citation stays the exact characters of the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal

from rag.app.ui.rows import PLAIN, TableRow, table_rows
from rag.language.blocks import complete, front_matter, is_item, lines, plain_blocks, strip
from rag.records import Span
from rag.records.rows import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from rag.records import Document

Kind = Literal["paragraph", "heading", "bullet", "number", "quote", "row", "code", "front", "rule"]
Look = Literal["", "sign", "gap", "cell", "strong", "em", "code", "link"]

MARKDOWN = "text/markdown"

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")
_NUMBER = re.compile(r"\d{1,9}[.)]\s+")
_CELL = re.compile(re.escape(SEPARATOR))
_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*")
_PIPE = re.compile(r"\s*(?<!\\)\|\s*")
_BULLET = re.compile(r"[•◦▪●*+–-]\s+")
_ALIGNED = re.compile(r"\S(?: {3,}|\t+)\S")
_KINDS: Mapping[str, Kind] = {"fence": "code", "code_block": "code", "html_block": "code", "hr": "rule"}
_LOOKS: Mapping[str, Look] = {"strong": "strong", "em": "em", "s": "em", "link": "link"}
_QUOTE = "> "


@dataclass(frozen=True, slots=True)
class StyledRun:
    """A stretch with one look. `gap` is white space between blocks; `cell` what separates two cells of a table row."""

    span: Span
    look: Look = ""


@dataclass(frozen=True, slots=True)
class TypesetBlock:
    """A paragraph, heading, list item, table row and so on; `tight` stands close to the next one.

    `row` says of a table's row how its cells stand under the names of the columns.
    """

    kind: Kind
    runs: tuple[StyledRun, ...]
    level: int = 0
    tight: bool = False
    row: TableRow = PLAIN

    @property
    def span(self) -> Span:
        """All of it, with the gap behind it."""
        return Span(self.runs[0].span.start, self.runs[-1].span.end)


def typeset(document: Document) -> list[TypesetBlock]:
    """Lay out a document: what its loader knows of blocks and headings, and Markdown's own signs."""
    if document.media_type == MARKDOWN:
        return typeset_text(document.text, MARKDOWN)
    headings = {section.heading.start: section.level for section in document.sections}
    return _with_gaps(document.text, _plain(document.text, complete(document.text, document.blocks), headings))


def typeset_text(text: str, media_type: str = "text/plain") -> list[TypesetBlock]:
    """Lay out a text by itself, such as a passage."""
    plain = media_type != MARKDOWN
    return _with_gaps(text, _plain(text, plain_blocks(text), {}) if plain else _markdown(text))


def _with_gaps(text: str, blocks: Iterable[TypesetBlock]) -> list[TypesetBlock]:
    found = list(blocks)
    if not found:
        return [TypesetBlock("paragraph", (StyledRun(Span(0, len(text)), "gap"),))] if text else []
    starts = [block.span.start for block in found]
    ends = [*starts[1:], len(text)]
    closed = []
    for block, end in zip(found, ends, strict=True):
        gap = Span(block.span.end, end)
        runs = (*block.runs, StyledRun(gap, "gap")) if len(gap) else block.runs
        closed.append(replace(block, runs=runs, tight=len(lines(text, gap.start, gap.end)) < 3))
    if starts[0]:
        closed[0] = replace(closed[0], runs=(StyledRun(Span(0, starts[0]), "gap"), *closed[0].runs))
    return closed


# plain text and all formats that become plain text


def _plain(text: str, spans: Sequence[Span], headings: Mapping[int, int]) -> Iterator[TypesetBlock]:
    rows = table_rows([span.of(text) for span in spans])
    for index, span in enumerate(spans):
        words = span.of(text)
        if span.start in headings:
            yield TypesetBlock("heading", (StyledRun(span),), headings[span.start])
        elif row := rows.get(index):
            yield TypesetBlock("row", tuple(_named_cells(text, span, row)), row=row)
        elif bullet := _BULLET.match(words) if is_item(words) else None:
            start = span.start + bullet.end()
            yield TypesetBlock("bullet", (StyledRun(Span(span.start, start), "sign"), StyledRun(Span(start, span.end))))
        else:
            yield TypesetBlock("code" if _ALIGNED.search(words) else "paragraph", (StyledRun(span),))


def _named_cells(text: str, span: Span, row: TableRow) -> Iterator[StyledRun]:
    """Yield the cells of a row, the names of their columns as signs."""
    named = iter(row.named)
    for run in _cells(text, span, _CELL):
        middle = run.span.start + (0 if run.look else next(named, 0))
        if middle > run.span.start:
            yield StyledRun(Span(run.span.start, middle), "sign")
        if run.span.end > middle:
            yield StyledRun(Span(middle, run.span.end), run.look)


def _cells(text: str, span: Span, separator: re.Pattern[str]) -> Iterator[StyledRun]:
    reached = span.start
    for match in separator.finditer(text, span.start, span.end):
        if match.start() > reached:
            yield StyledRun(Span(reached, match.start()))
        inner = span.start < match.start() and match.end() < span.end
        yield StyledRun(Span(match.start(), match.end()), "cell" if inner else "sign")
        reached = match.end()
    if reached < span.end:
        yield StyledRun(Span(reached, span.end))


# Markdown


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # without text_join, an escape or an entity stays a token of its own that knows how it is written
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")


def _markdown(text: str) -> Iterator[TypesetBlock]:
    start = front_matter(text)
    for row in lines(text, 0, start) if start else []:
        if row.of(text).strip():
            yield TypesetBlock("front", (StyledRun(row),))
    source = text[start:]
    rows = [start, *accumulate((len(row) for row in _LINE.findall(source)), initial=start)][1:]
    reached = start
    tokens = _parser().parse(source)
    for index, token in enumerate(tokens):
        if not token.map or token.type not in {*_KINDS, "heading_open", "paragraph_open", "tr_open"}:
            continue
        first, last = (rows[min(row, len(rows) - 1)] for row in token.map)
        span = strip(text, Span(min(max(first, reached), last), last))
        if not len(span):
            continue
        yield from _unclaimed(text, reached, span.start)
        if token.type == "paragraph_open" and all(
            row.of(text).lstrip().startswith("|") for row in lines(text, span.start, span.end)
        ):
            yield from _unclaimed(text, span.start, span.end)
        else:
            yield _markdown_block(text, span, tokens, index)
        reached = span.end
    yield from _unclaimed(text, reached, len(text))


def _unclaimed(text: str, start: int, end: int) -> Iterator[TypesetBlock]:
    """Lay out what no token owns: definitions of links, the line under a table's head, rows of a table without it."""
    for span in plain_blocks(text, start, end):
        if _RULE.fullmatch(span.of(text)):
            yield TypesetBlock("rule", (StyledRun(span, "sign"),))
        elif span.of(text).startswith("|"):
            yield from (_table_row(text, strip(text, row)) for row in lines(text, span.start, span.end))
        else:
            yield TypesetBlock("paragraph", (StyledRun(span),))


def _markdown_block(text: str, span: Span, tokens: Sequence[Token], index: int) -> TypesetBlock:
    token = tokens[index]
    if token.type == "tr_open":
        return _table_row(text, span)
    if token.type in _KINDS:
        return TypesetBlock(
            _KINDS[token.type], tuple(_fenced(text, span)) if token.type == "fence" else (StyledRun(span),)
        )
    runs = tuple(_inline(text, span, tokens[index + 1].children or []))
    if token.type == "heading_open":
        return TypesetBlock("heading", runs, int(token.tag[1]))
    words = span.of(text)
    if number := _NUMBER.match(words):  # of a list: shown, unlike a bullet
        behind = span.start + number.end()
        rest = (
            StyledRun(Span(max(run.span.start, behind), run.span.end), run.look)
            for run in runs
            if run.span.end > behind
        )
        return TypesetBlock("number", (StyledRun(Span(span.start, behind)), *rest))
    kind: Kind = "bullet" if _BULLET.match(words) else "quote" if words.startswith(_QUOTE) else "paragraph"
    return TypesetBlock(kind, runs)


def _table_row(text: str, span: Span) -> TypesetBlock:
    return TypesetBlock("row", tuple(run for cell in _cells(text, span, _PIPE) for run in _cell(text, cell)))


def _cell(text: str, run: StyledRun) -> Iterator[StyledRun]:
    if run.look:
        yield run
    else:
        yield from _inline(text, run.span, _parser().parseInline(run.span.of(text))[0].children or [])


def _inline(text: str, span: Span, tokens: Iterable[Token]) -> Iterator[StyledRun]:
    """Find the words of a block one after the other; what is passed over are signs.

    Where the words cannot be found as they are written, all of the block is plain.
    """
    looks: list[Look] = []
    found: list[StyledRun] = []
    reached = span.start
    for token in tokens:
        name = token.type.partition("_")[0]
        if name in _LOOKS:
            looks.append(_LOOKS[name]) if token.nesting > 0 else looks.pop()
        written = (token.markup if token.info in {"escape", "entity"} else token.content) or ""
        if token.nesting or not written or token.type == "image":
            continue
        start = text.find(written, reached, span.end)
        if start < 0:
            return iter((StyledRun(span),))
        if start > reached:
            found.append(StyledRun(Span(reached, start), "gap" if text[reached:start].isspace() else "sign"))
        found.append(StyledRun(Span(start, start + len(written)), "code" if name == "code" else (looks or [""])[-1]))
        reached = start + len(written)
    if reached < span.end:
        found.append(StyledRun(Span(reached, span.end), "sign" if found else ""))
    return iter(_softened(text, found))


def _softened(text: str, runs: Sequence[StyledRun]) -> Iterator[StyledRun]:
    for run in runs:
        words = run.span.of(text)
        breaks = run.look in {"gap", "sign"} and re.match(r"[ \t]*[\r\n]\s*", words)
        if not breaks:
            yield run
            continue
        middle = run.span.start + breaks.end()
        yield StyledRun(Span(run.span.start, middle))
        if middle < run.span.end:
            yield StyledRun(Span(middle, run.span.end), "sign")


def _fenced(text: str, span: Span) -> Iterator[StyledRun]:
    rows = lines(text, span.start, span.end)
    starts = [row.start for row in rows] + [span.end]
    closed = len(rows) > 1 and rows[-1].of(text).strip()[:3] in {"```", "~~~"}
    for number, (start, end) in enumerate(pairwise(starts)):
        fence = number == 0 or (closed and number == len(rows) - 1)
        yield StyledRun(Span(start, end), "sign" if fence else "")
