"""Where on its pages a span of a PDF's text stands.

Nothing is stored for this. The page is read again, and its lines are laid along the document's text: at each place the
longest line that fits is the one that stands there. So headers, which the text has not, are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rag.load.pdf import open_pdf, sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.pdf.glyphs import Run
    from rag.load.pdf.order import Line
    from rag.records import Document, Span

_SHOWN = re.compile(r"[^\s|]")


class Rectangle(NamedTuple):
    """A part of one line of a page: points from its top left corner, y downwards; `page` counts from 1."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class _Key:
    """The characters of a line that can be seen, and which they are in it."""

    line: Line
    text: str
    places: list[int]


def rectangles(data: bytes, document: Document, span: Span) -> list[Rectangle]:
    """Return one rectangle for each line that the span touches, in reading order.

    Args:
        data: the bytes of the PDF.
        document: what `rag.load` made of them.
        span: of `document.text`.
    """
    first, last = document.page_at(span.start), document.page_at(max(span.start, span.end - 1))
    if first is None or last is None or not len(span):
        return []
    pdf = open_pdf(data, document.uri)
    return [
        found for page in range(first, last + 1) for found in _on_page(sheet_of(pdf, page).lines, page, document, span)
    ]


def _on_page(lines: Sequence[Line], page: int, document: Document, span: Span) -> list[Rectangle]:
    starts = document.page_starts
    start, end = starts[page - 1], starts[page] if page < len(starts) else len(document.text)
    offsets = [start + match.start() for match in _SHOWN.finditer(document.text[start:end])]
    shown = "".join(document.text[offset] for offset in offsets)
    found: list[Rectangle] = []
    for cursor, key in _laid_along(shown, lines):
        inside = [
            place
            for place, offset in zip(key.places, offsets[cursor : cursor + len(key.places)], strict=False)
            if span.start <= offset < span.end
        ]
        if inside:
            found.append(_rectangle(key.line.run, inside, page))
    return found


def _laid_along(shown: str, lines: Sequence[Line]) -> list[tuple[int, _Key]]:
    """Return the lines with the place in `shown` where each of them starts."""
    left = [_key(line) for line in lines]
    laid: list[tuple[int, _Key]] = []
    cursor = 0
    while cursor < len(shown):
        fits = [(length, -index) for index, key in enumerate(left) if (length := _fit(key, shown, cursor))]
        if not fits:
            cursor += 1
            continue
        length, index = max(fits)
        laid.append((cursor, left.pop(-index)))
        cursor += length
    return laid


def _key(line: Line) -> _Key:
    places = [match.start() for match in _SHOWN.finditer(line.run.text)]
    return _Key(line, "".join(line.run.text[place] for place in places), places)


def _fit(key: _Key, shown: str, cursor: int) -> int:
    """Return how many characters of the line stand at `cursor`: all, or all but a hyphen at its end."""
    if key.text and shown.startswith(key.text, cursor):
        return len(key.text)
    if key.text.endswith("-") and len(key.text) > 1 and shown.startswith(key.text[:-1], cursor):
        return len(key.text) - 1
    return 0


def _rectangle(run: Run, places: Sequence[int], page: int) -> Rectangle:
    if not run.upright:
        return Rectangle(page, *run.box)
    edges = [run.edges[place] for place in places]
    return Rectangle(page, min(left for left, _ in edges), run.box[1], max(right for _, right in edges), run.box[3])
