"""Plain text: blocks by line breaks, headings by their looks. Source code: each line a block with its number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.language.blocks import is_item, is_turn, lines, plain_blocks, strip
from rag.language.published import parse_date, publication_date
from rag.load.blocks import Heading, document, headline
from rag.load.decode import decode
from rag.records import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Document, Span

CODE = frozenset(
    ".py .pyi .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .lua .r .jl .swift .scala "
    ".sh .bash .zsh .ps1 .bat .sql .css .scss .xml .yaml .yml .toml .ini .cfg .conf .properties .env .tex .bib .rst "
    ".adoc .org .log .diff .patch .vue .svelte .dart .ex .exs .erl .hs .ml .clj .lisp .el .vim .cmake .gradle "
    ".proto".split()
)
"""The suffixes of source code, and of other text whose lines have a meaning."""

_LONGEST_HEADING = 100
_SENTENCE_END = (".", ";", ":", ",", "…", "。", "؟", "।", "”", '"', "|")
_NAMED_TITLE = re.compile(r"(?:title|headline|subject)\s*:\s*(?P<title>\S.*)", re.IGNORECASE)
_LABELS = frozenset({"author", "by", "cc", "contact", "from", "location", "note", "place", "present", "source", "to"})
_TITLE_AMONG = 4  # blocks
_LONGEST_REMARK = 200  # characters, in front of the title


def parse(data: bytes, uri: str) -> Document:
    """Read plain text; `Document.text` is exactly what the file holds."""
    text = decode(data, uri)
    blocks = plain_blocks(text)
    title, place = _title(text, blocks)
    headings = [Heading(block, block.of(text), 2) for block in _headings(text, blocks) if block != place]
    if place:
        headings = [Heading(place, title or "", 1), *(heading for heading in headings if heading.span > place)]
    date = publication_date(row.of(text) for row in lines(text))
    return document(text, data, uri, "text/plain", title, headings, date=date, blocks=tuple(blocks))


def parse_code(data: bytes, uri: str) -> Document:
    """Read code; `Document.text` is exactly what the file holds, and each line has its number as its name."""
    text = decode(data, uri)
    rows = [(number, strip(text, row)) for number, row in enumerate(lines(text), 1)]
    marks = tuple(Mark(row, f"line {number}") for number, row in rows if len(row))
    return document(text, data, uri, "text/x-source", blocks=tuple(mark.span for mark in marks), marks=marks)


def _title(text: str, blocks: Sequence[Span]) -> tuple[str | None, Span | None]:
    """Return the title and its place: the first line, after labels, remarks in brackets or a remark of one sentence."""
    for index, block in enumerate(blocks[:_TITLE_AMONG]):
        line = block.of(text)
        named = _NAMED_TITLE.fullmatch(line)
        if named:
            return headline(named["title"]), None
        following = blocks[index + 1].of(text) if index + 1 < len(blocks) else ""
        if following and _looks_like_title(line, following):
            return headline(line), block
        remark = is_turn(line) or line.startswith(("[", "(")) or index == 0
        if not remark or len(line) > _LONGEST_REMARK:
            break
    return None, None


def _looks_like_title(line: str, following: str) -> bool:
    """Tell a title from a turn of speech or a label, which may also have a colon: `Syria: what comes next`."""
    if line.startswith(("[", "(")):
        return False
    topic, colon, rest = line.partition(": ")
    if colon and is_turn(line):
        if topic.lower() in _LABELS or is_turn(following):
            return False
        line = f"{topic} {rest}"
    return _looks_like_heading(line, longest=150)


def _headings(text: str, blocks: Sequence[Span]) -> list[Span]:
    """Return headline-like lines with white space around them and a paragraph somewhere below."""
    found: list[Span] = []
    prose_below = False
    for index in range(len(blocks) - 1, -1, -1):
        block = blocks[index]
        line = block.of(text)
        if not _looks_like_heading(line):
            prose_below = not (is_item(line) or "|" in line) and len(line) > 40
        elif prose_below and _stands_alone(text, blocks, index):
            found.append(block)
    return found[::-1]


def _looks_like_heading(line: str, longest: int = _LONGEST_HEADING) -> bool:
    if len(line) > longest or len(lines(line)) > 1 or is_turn(line) or is_item(line):
        return False
    first = next((char for char in line if char.isalnum()), "")
    return first != "" and not first.islower() and not line.endswith(_SENTENCE_END) and parse_date(line) is None


def _stands_alone(text: str, blocks: Sequence[Span], index: int) -> bool:
    """Tell whether there are blank lines before and after a block."""
    before = text[blocks[index - 1].end : blocks[index].start] if index else "\n\n"
    after = text[blocks[index].end : blocks[index + 1].start] if index + 1 < len(blocks) else ""
    return all(len(lines(gap)) > 2 for gap in (before, after))
