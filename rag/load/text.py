"""What stays as the file holds it: plain text, Markdown with its markup, source code line by line.

Only the numbers that a transcript or a pleading has in front of its lines give way to spaces.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rag.language.blocks import complete, front_matter, is_item, is_turn, lines, plain_blocks, strip
from rag.language.published import parse_date, publication_date
from rag.load.blocks import Heading, counted, document, first_title, headline
from rag.load.decode import decode
from rag.records import Mark, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt

    from rag.records import Document

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
_DATED = ("date", "datepublished", "publish", "pubdate")  # the first before all others
_LONGEST_FRONT = 20_000  # characters
_LINE_NUMBER = re.compile(r"[ \t]*(?P<number>[1-9]\d?)(?=[ \t]+\S|[ \t]*$)", re.MULTILINE)
_FULL, _FEWEST_SENTENCES, _FEWEST_NUMBERED = 30, 3, 8  # characters of a line; that go on and end; lines of a page
_LEAVES = frozenset({"heading_open", "paragraph_open", "fence", "code_block", "html_block", "hr", "tr_open"})


def parse(data: bytes, uri: str) -> Document:
    """Read plain text: blocks by line breaks, headings by their looks."""
    text, numbered = _without_line_numbers(decode(data, uri))
    blocks = plain_blocks(text)
    title, place = _title(text, blocks)
    headings = [Heading(block, block.of(text), 2) for block in _headings(text, blocks) if block != place]
    if place:
        headings = [Heading(place, title or "", 1), *(heading for heading in headings if heading.span > place)]
    date = publication_date(row.of(text) for row in lines(text))
    notes = counted((numbered, "line[s] have numbers, which are left out"))
    return document(text, data, uri, "text/plain", title, headings, date=date, blocks=tuple(blocks), notes=notes)


def parse_code(data: bytes, uri: str) -> Document:
    """Read code: each line that is not blank is a block, with its number as its name."""
    text = decode(data, uri)
    rows = [(number, strip(text, row)) for number, row in enumerate(lines(text), 1)]
    marks = tuple(Mark(row, f"line {number}") for number, row in rows if len(row))
    return document(text, data, uri, "text/x-source", blocks=tuple(mark.span for mark in marks), marks=marks)


def parse_markdown(data: bytes, uri: str) -> Document:
    """Read Markdown; the parser only tells where its blocks are."""
    text = decode(data, uri)
    start = front_matter(text)
    front = lines(text, 0, start) if start else []
    headings, blocks = _structure(text, start)
    fields = _fields(text[:start])
    title = headline(fields.get("title", "")) or first_title(headings)
    dated = sorted((name for name in fields if name == _DATED[0] or name.startswith(_DATED[1:])), key=_DATED[0].__ne__)
    named = (parse_date(fields[name]) for name in dated)
    # The date in a heading says what is below, as in a timeline.
    taken = {heading.span.start for heading in headings}
    running = (row.of(text).lstrip("> ") for row in lines(text, start) if strip(text, row).start not in taken)
    date = next(filter(None, named), None) or publication_date(running)
    spans = tuple(complete(text, [*filter(len, (strip(text, row) for row in front)), *blocks]))
    read = tuple(span for span in spans if not _is_remark(span.of(text)))
    notes = counted((len(spans) - len(read), "hidden remark[s] not read"))
    return document(text, data, uri, "text/markdown", title, headings, date=date, blocks=read, notes=notes)


def _is_remark(words: str) -> bool:
    """Tell whether a block is but a comment: behind one, in the same block, may stand what is read."""
    return words.startswith("<!--") and words.find("-->") in {-1, len(words) - 3}


def _fields(front: str) -> dict[str, str]:
    """Return the fields of front matter by their names in lower case; line by line where it is no YAML."""
    import yaml

    found = dict(row.partition(":")[::2] for row in front.splitlines() if ":" in row)
    if len(front) <= _LONGEST_FRONT:
        with suppress(yaml.YAMLError, ValueError, RecursionError):  # ValueError: a day or a number that is none
            read = yaml.safe_load(front.strip().strip("-."))
            if isinstance(read, dict):
                plain = {name: value for name, value in read.items() if not isinstance(value, (dict, list, type(None)))}
                found = {str(name): str(value) for name, value in plain.items()}
    return {name.strip().lower(): value.strip(" \"'") for name, value in found.items()}


def _without_line_numbers(text: str) -> tuple[str, int]:
    """Return a text with spaces for the numbers of its lines, and how many there were.

    On each page they begin with 1, and the sentences go on from full line to line: rows and items do not.
    """
    pages: list[list[Span]] = []
    going_on, ended, above = 0, 0, Span(0, 0)
    for row in lines(text):
        match = _LINE_NUMBER.match(text, row.start, row.end)
        if match and (match["number"] == "1" or (pages and int(match["number"]) == len(pages[-1]) + 1)):
            number, line = Span(*match.span("number")), strip(text, Span(match.end(), row.end))
            pages += [[]] if match["number"] == "1" else []
            pages[-1].append(number)
            full = len(above) >= _FULL and not above.of(text).endswith(_SENTENCE_END) and "  " not in line.of(text)
            going_on += full and line.of(text)[:1].islower() and len(pages[-1]) > 1
            ended += line.of(text).endswith((".", "?"))
            above = line
        elif len(strip(text, row)):
            above = Span(0, 0)
    numbers = [number for page in pages if len(page) > 1 for number in page]
    if min(going_on, ended) < _FEWEST_SENTENCES or max(map(len, pages)) < _FEWEST_NUMBERED:
        return text, 0
    letters = list(text)
    for number in numbers:
        letters[number.start : number.end] = " " * len(number)
    return "".join(letters), len(numbers)


def _title(text: str, blocks: Sequence[Span]) -> tuple[str | None, Span | None]:
    for index, block in enumerate(blocks[:_TITLE_AMONG]):
        line = block.of(text)
        if named := _NAMED_TITLE.fullmatch(line):
            return headline(named["title"]), None
        if index + 1 < len(blocks) and _looks_like_title(line, blocks[index + 1].of(text)):
            return headline(line), block
        remark = is_turn(line) or line.startswith(("[", "(")) or index == 0
        if not remark or len(line) > _LONGEST_REMARK:
            break
    return None, None


def _looks_like_title(line: str, following: str) -> bool:
    """Tell a title from a turn of speech or a label, which may also have a colon: `Syria: what comes next`."""
    if following[:1].islower():  # it goes on
        return False
    topic, colon, rest = line.partition(": ")
    if colon and is_turn(line):
        if topic.lower() in _LABELS or is_turn(following):
            return False
        line = f"{topic} {rest}"
    return _looks_like_heading(line, longest=150)


def _headings(text: str, blocks: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    prose_below = False
    for index, block in reversed(list(enumerate(blocks))):
        line = block.of(text)
        if not _looks_like_heading(line):
            prose_below = not (is_item(line) or "|" in line) and len(line) > 40
        elif prose_below:
            before = text[blocks[index - 1].end : block.start] if index else "\n\n"
            after = text[block.end : blocks[index + 1].start]
            goes_on = index + 1 < len(blocks) and text[blocks[index + 1].start].islower()
            if not goes_on and all(len(lines(gap)) > 2 for gap in (before, after)):
                found.append(block)
    return found[::-1]


def _looks_like_heading(line: str, longest: int = _LONGEST_HEADING) -> bool:
    if len(line) > longest or len(lines(line)) > 1 or is_turn(line) or is_item(line) or line.startswith(("[", "(")):
        return False
    first = next((char for char in line if char.isalnum()), "")
    return first != "" and not first.islower() and not line.endswith(_SENTENCE_END) and parse_date(line) is None


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    return parser if inline else parser.disable("inline")


def _structure(text: str, start: int) -> tuple[list[Heading], list[Span]]:
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
        if token.type == "heading_open":
            words = _parser(inline=True).parseInline(tokens[index + 1].content)[0].children or []
            title = "".join(" " if word.type.endswith("break") else word.content for word in words).strip()
            headings += [Heading(span, title, int(token.tag[1]))] if title else []
    return headings, blocks
