"""Markdown: the text stays as it is written, the parser only tells where its blocks are."""

from __future__ import annotations

import io
import re
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rag.language.blocks import complete, front_matter, lines, strip
from rag.language.published import parse_date, publication_date
from rag.load.blocks import Heading, document, headline
from rag.load.decode import decode
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from rag.records import Document

_FIELD = re.compile(r"(?P<name>title|date|published|pubdate)\s*:\s*(?P<value>\S.*)", re.IGNORECASE)
_LEAVES = frozenset({"heading_open", "paragraph_open", "fence", "code_block", "html_block", "hr", "tr_open"})


def parse(data: bytes, uri: str) -> Document:
    """Read Markdown; `Document.text` is exactly what the file holds, markup and all."""
    text = decode(data, uri)
    start = front_matter(text)
    front = lines(text, 0, start) if start else []
    headings, blocks = _structure(text, start)
    fields = {
        field["name"].lower(): field["value"].strip(" \"'") for row in front if (field := _FIELD.match(row.of(text)))
    }
    title = headline(fields.get("title", "")) or next((headline(h.title) for h in headings if h.level == 1), None)
    named = (parse_date(fields[name]) for name in ("date", "published", "pubdate") if name in fields)
    date = next(filter(None, named), None) or publication_date(_running_text(text, start, headings))
    spans = tuple(complete(text, [*(strip(text, row) for row in front if row.of(text).strip()), *blocks]))
    return document(text, data, uri, "text/markdown", title, headings, date=date, blocks=spans)


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    """Return a parser; without `inline` it only tells where the blocks are, which is quicker."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    return parser if inline else parser.disable("inline")


def _structure(text: str, start: int) -> tuple[list[Heading], list[Span]]:
    """Return headings and blocks of the text from `start` on."""
    source = text[start:]
    rows = list(accumulate((len(row) for row in io.StringIO(source, newline="")), initial=start))
    headings: list[Heading] = []
    blocks: list[Span] = []
    tokens = _parser(inline=False).parse(source)
    for index, token in enumerate(tokens):
        if token.type not in _LEAVES or not token.map:
            continue
        first, last = (rows[min(row, len(rows) - 1)] for row in token.map)
        span = strip(text, Span(first, last))
        if not len(span) or (blocks and span.start < blocks[-1].end):
            continue
        blocks.append(span)
        if token.type == "heading_open" and (title := _plain(tokens[index + 1]).strip()):
            headings.append(Heading(span, title, int(token.tag[1])))
    return headings, blocks


def _plain(inline: Token) -> str:
    """Return a heading's words without emphasis, links and code marks."""
    children = _parser(inline=True).parseInline(inline.content)[0].children or []
    return "".join(" " if child.type.endswith("break") else child.content for child in children)


def _running_text(text: str, start: int, headings: Sequence[Heading]) -> list[str]:
    """Return the lines that are not headings: a date in one of these says what is below, as in a timeline."""
    taken = {heading.span.start for heading in headings}
    rows = lines(text, start)
    return [row.of(text).lstrip("> ") for row in rows if strip(text, row).start not in taken]
