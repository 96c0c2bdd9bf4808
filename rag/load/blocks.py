"""Blocks of text laid out one after the other: how what a format holds becomes a document with titles and sections."""

from __future__ import annotations

import hashlib
import re
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from rag.language.dates import is_date
from rag.load.decode import storable
from rag.records import Document, Mark, Omission, Section, Span, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PARAGRAPH = "\n\n"
_RAISED = re.compile(r"\s*[-+−]?\d[\d,;–-]{0,11}\s*")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_MADE_UP = re.compile(
    r"untitled|^\(?anonymous\)?$|microsoft word|^slide 1$|^(?:document|home|index|page)\W*\d*$"
    r"|\.(?:docx?|pdf|indd|tex|dvi|pptx?|xls[xmb]?)\b|^\S+\.\w{2,4}$|^\w+-\d{6,8}$",
    re.IGNORECASE,
)
_LONGEST_TITLE = 200  # characters: it stands in front of each passage for the encoder, whose window is small


class Block(NamedTuple):
    """A paragraph, heading, list item or table row."""

    text: str  # without white space at its ends
    level: int | None = None  # of a heading, 1 for the highest; None for all else
    gap: str = PARAGRAPH  # white space in front of it
    mark: str | None = None  # name of the place, as in `Costs!A5:D5`
    page: int | None = None  # its page or slide, from 1
    quoted: int = 0  # how deep it is quoted, as earlier messages are in mail
    ends: bool = False  # it ends sections, but for that of the highest level, without being a heading
    subtitle: bool = False  # it is part of the heading right above it, as the standfirst of an article


class Heading(NamedTuple):
    """A heading's place in the text; level 1 is the highest."""

    span: Span
    title: str
    level: int


class Known(TypedDict, total=False):
    """Fields of a document that a loader may know."""

    date: str | None
    page_starts: tuple[int, ...]
    blocks: tuple[Span, ...]
    speakers: tuple[Statement, ...]
    marks: tuple[Mark, ...]
    notes: tuple[str, ...]
    set_aside: tuple[Omission, ...]


def line(text: str) -> str:
    """Return text that SQLite can keep, in one line, without white space at its ends and hyphens that are not seen."""
    return " ".join(storable(text).replace("\xad", "").split())


def raised(text: str) -> str:
    """Return raised figures as signs of their own: neither `10⁶` nor the note in `2019³` may become another number."""
    return text.translate(_SUPERSCRIPTS) if _RAISED.fullmatch(text) else text


def counted(*notes: tuple[int, str]) -> tuple[str, ...]:
    """Return what there was, with its number; nothing of what there was not. `[s]` and the like are for several."""
    return tuple(f"{count} {_number(what, count)}" for count, what in notes if count)


def _number(what: str, count: int) -> str:
    return re.sub(r"(\w*)\[(\w+)\]", r"\1" if count == 1 else r"\1\2", what)


def headline(text: str) -> str | None:
    """Return a title as one line of bounded length; None for nothing."""
    title = " ".join(text.split())
    cut = title[:_LONGEST_TITLE]
    return (title if title == cut else f"{cut.rpartition(' ')[0]}…" if " " in cut else cut) or None


def is_made_up(title: str) -> bool:
    """Tell whether a program has put in a title of its own, or the name of a file: `Document1`, `Report v2.docx`."""
    return bool(_MADE_UP.search(title))


def join(blocks: Iterable[Block]) -> tuple[str, list[Span]]:
    """Lay the blocks out one after the other; return the text and the span of each."""
    parts: list[str] = []
    spans: list[Span] = []
    length = 0
    for block in blocks:
        gap = block.gap if parts else ""
        parts += [gap, block.text]
        spans.append(Span(length + len(gap), length + len(gap) + len(block.text)))
        length = spans[-1].end
    return "".join(parts), spans


def assemble(
    blocks: Iterable[Block], /, data: bytes, uri: str, media_type: str, title: str | None = None, **known: Unpack[Known]
) -> Document:
    """Make a document of its blocks. Without a `title`, the first heading of the highest level is one."""
    kept = [block for block in blocks if block.text]
    text, spans = join(kept)
    placed = list(zip(kept, spans, strict=True))
    headings = _headings(placed)
    pages = [(block.page, span.start) for block, span in placed if block.page]
    known.setdefault("page_starts", page_starts(pages, max((page for page, _ in pages), default=0), len(text)))
    known["blocks"], known["marks"] = tuple(spans), tuple(Mark(span, b.mark) for b, span in placed if b.mark)
    return document(
        text, data, uri, media_type, headline(storable(title or "")) or first_title(headings), headings, **known
    )


def _headings(placed: Iterable[tuple[Block, Span]]) -> list[Heading]:
    """Return the headings in order, each with its subtitles in its span; the ends of sections have no words."""
    found: list[Heading] = []
    for block, span in placed:
        if block.subtitle:
            found[-1] = found[-1]._replace(span=Span(found[-1].span.start, span.end))
        elif block.level or block.ends:
            found.append(Heading(span, "" if block.ends else block.text, block.level or 2))
    return found


def first_title(headings: Iterable[Heading]) -> str | None:
    """Return the first heading of the highest level as a title; None for a date, which is one of several entries."""
    title = next((headline(heading.title) for heading in headings if heading.level == 1), None)
    return None if title and is_date(title) else title


def document(
    text: str,
    data: bytes,
    uri: str,
    media_type: str,
    title: str | None = None,
    headings: Sequence[Heading] = (),
    **known: Unpack[Known],
) -> Document:
    """Make the record of a document from its text and `data`, the bytes that it was read from."""
    digest = hashlib.sha256(data).hexdigest()
    return Document(uri, text, title, digest, media_type, sections=_sections(text, headings), **known)


def page_starts(places: Iterable[tuple[int, int]], count: int, end: int) -> tuple[int, ...]:
    """Return where each of `count` pages starts; one without text starts where the next one does, the last at `end`.

    `places` are pages, from 1, and offsets in them.
    """
    first = dict(sorted(places, reverse=True))  # the smallest offset of each page
    return tuple(accumulate((first.get(page, end) for page in range(count, 0, -1)), min))[::-1]


def _sections(text: str, headings: Sequence[Heading]) -> tuple[Section, ...]:
    ends: list[int] = []
    below: list[Heading] = []  # the headings that follow and are not below another one, nearest last
    for heading in reversed(headings):
        while below and below[-1].level > heading.level:
            below.pop()
        ends.append(below[-1].span.start if below else len(text))
        below.append(heading)
    return tuple(
        Section(Span(heading.span.start, end), heading.span, headline(heading.title) or "", heading.level)
        for heading, end in zip(headings, reversed(ends), strict=True)
        if heading.title
    )
