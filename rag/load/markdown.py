"""Markdown: the text stays as it is written, the parser only tells where its blocks are."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rag.language.blocks import complete, front_matter, lines, strip
from rag.language.published import parse_date, publication_date
from rag.load.decode import decode
from rag.load.outline import Heading, headline, outline
from rag.records import Document, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FIELD = re.compile(r"(?P<name>title|date|published|pubdate)\s*:\s*(?P<value>\S.*)", re.IGNORECASE)
_LEAVES = frozenset({"heading_open", "paragraph_open", "fence", "code_block", "html_block", "hr", "tr_open"})
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")


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
    return Document(
        uri=uri,
        text=text,
        title=title,
        digest=hashlib.sha256(data).hexdigest(),
        media_type="text/markdown",
        date=next(filter(None, named), None) or publication_date(_running_text(text, start, headings)),
        sections=outline(text, headings),
        blocks=tuple(complete(text, [*(strip(text, row) for row in front if row.of(text).strip()), *blocks])),
    )


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


@cache
def _block_parser() -> MarkdownIt:
    """Return a parser that leaves the inside of blocks alone: only their places are wanted, and that is quicker."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable("inline")


def _structure(text: str, start: int) -> tuple[list[Heading], list[Span]]:
    """Return headings and blocks of the text from `start` on."""
    source = text[start:]
    rows = [start, *accumulate((len(row) for row in _LINE.findall(source)), initial=start)][1:]
    headings: list[Heading] = []
    blocks: list[Span] = []
    tokens = _block_parser().parse(source)
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
    children = _parser().parseInline(inline.content)[0].children or []
    return "".join(" " if child.type.endswith("break") else child.content for child in children)


def _running_text(text: str, start: int, headings: Sequence[Heading]) -> list[str]:
    """Return the lines that are not headings: a date in one of these says what is below, as in a timeline."""
    taken = {heading.span.start for heading in headings}
    rows = lines(text, start)
    return [row.of(text).lstrip("> ") for row in rows if strip(text, row).start not in taken]
