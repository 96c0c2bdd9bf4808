"""Blocks of text laid out one after the other: how every format that is not plain text becomes a document."""

from __future__ import annotations

import hashlib
import re
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from rag.load.decode import storable
from rag.load.outline import Heading, headline, outline
from rag.records import Document, Mark, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PARAGRAPH = "\n\n"
_RAISED = re.compile(r"\s*[-+−]?\d[\d,;–-]{0,11}\s*")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")


class Piece(NamedTuple):
    """One block: a paragraph, heading, list item or table row.

    Attributes:
        text: without white space at its ends.
        level: of a heading, 1 for the highest; None for all else.
        gap: white space in front of it.
        mark: name of the place, as in `Costs!A5:D5`.
        page: its page or slide, from 1.
        quoted: how deep it is quoted, as earlier messages are in mail.
    """

    text: str
    level: int | None = None
    gap: str = PARAGRAPH
    mark: str | None = None
    page: int | None = None
    quoted: int = 0


class Known(TypedDict, total=False):
    """Further fields of a document that a loader may know."""

    title: str | None
    date: str | None
    page_starts: tuple[int, ...]
    notes: tuple[str, ...]


def line(text: str) -> str:
    """Return text that SQLite can keep, in one line, without white space at its ends."""
    return " ".join(storable(text).split())


def raised(text: str) -> str:
    """Return raised figures as signs of their own: neither `10⁶` nor the note in `2019³` may become another number."""
    return text.translate(_SUPERSCRIPTS) if _RAISED.fullmatch(text) else text


def row(cells: Sequence[str]) -> str:
    """Return a table row as one line; nothing for empty cells only."""
    filled = [line(cell) for cell in cells]
    return " | ".join(filled).strip() if any(filled) else ""


def record(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return a table row that says with each value what it is: `Name: Ada | Year: 1843`. Empty cells are left out."""
    names = [*header, *[""] * (len(cells) - len(header))]
    pairs = ((line(name), line(cell)) for name, cell in zip(names, cells, strict=False))
    return " | ".join(f"{name}: {cell}" if name and name != cell else cell for name, cell in pairs if cell)


def join(pieces: Iterable[Piece]) -> tuple[str, list[Span]]:
    """Lay the blocks out one after the other."""
    parts: list[str] = []
    spans: list[Span] = []
    length = 0
    for piece in pieces:
        gap = piece.gap if parts else ""
        parts += [gap, piece.text]
        spans.append(Span(length + len(gap), length + len(gap) + len(piece.text)))
        length = spans[-1].end
    return "".join(parts), spans


def assemble(pieces: Iterable[Piece], data: bytes, uri: str, media_type: str, **known: Unpack[Known]) -> Document:
    """Make a document of its blocks; `known` are further fields of the record.

    Without a title among them, the first heading of the highest level is one.
    """
    kept = [piece for piece in pieces if piece.text]
    text, spans = join(kept)
    placed = list(zip(kept, spans, strict=True))
    headings = [Heading(span, piece.text, piece.level) for piece, span in placed if piece.level]
    titles = (headline(heading.title) for heading in headings if heading.level == 1)
    title = headline(storable(known.get("title") or "")) or next(titles, None)
    return Document(
        uri=uri,
        text=text,
        title=title,
        digest=hashlib.sha256(data).hexdigest(),
        media_type=media_type,
        date=known.get("date"),
        page_starts=known.get("page_starts") or _page_starts(placed, len(text)),
        sections=outline(text, headings),
        blocks=tuple(spans),
        marks=tuple(Mark(span, piece.mark) for piece, span in placed if piece.mark),
        notes=known.get("notes", ()),
    )


def _page_starts(placed: Sequence[tuple[Piece, Span]], end: int) -> tuple[int, ...]:
    """Return where each page starts; one without text starts where the next one does."""
    starts: dict[int, int] = {}
    for piece, span in placed:
        if piece.page:
            starts.setdefault(piece.page, span.start)
    last = max(starts, default=0)
    backwards = accumulate((starts.get(page, end) for page in range(last, 0, -1)), min)
    return tuple(backwards)[::-1] if last else ()
