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

    Edge = tuple[float, float]  # left and right side of a character
    Places = list[int | None]  # of characters of a line; None for one that it has not

_SHOWN = re.compile(r"\S")
_NAME = r"(?:[^|]{1,80}:)?"  # of a column, which the text has and the page has elsewhere


class Rectangle(NamedTuple):
    """A part of one line of a page: points from its top left corner, y downwards; `page` counts from 1."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class _Key:
    """The characters of a line that can be seen, and which they are in it; how a row of a table is written."""

    line: Line
    text: str
    places: list[int]
    row: re.Pattern[str] | None = None


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
    for cursor, key, places in _laid_along(shown, lines):
        inside = [
            place
            for place, offset in zip(places, offsets[cursor : cursor + len(places)], strict=True)
            if place is not None and span.start <= offset < span.end
        ]
        found += [_rectangle(run, edges, page) for run, edges in _divided(key.line, inside)]
    return found


def _laid_along(shown: str, lines: Sequence[Line]) -> list[tuple[int, _Key, Places]]:
    """Return the lines with the place in `shown` where each of them starts, and which of its characters stand there."""
    left = [_key(line) for line in lines]
    laid: list[tuple[int, _Key, Places]] = []
    cursor = 0
    while cursor < len(shown):
        fits = [(len(places), -index, places) for index, key in enumerate(left) if (places := _fit(key, shown, cursor))]
        if not fits:
            cursor += 1
            continue
        length, index, places = max(fits, key=lambda fit: fit[:2])
        laid.append((cursor, left.pop(-index), places))
        cursor += length
    return laid


def _key(line: Line) -> _Key:
    places = [match.start() for match in _SHOWN.finditer(line.run.text)]
    text = "".join(line.run.text[place] for place in places)
    parts = (re.escape(part) for part in text.split("|"))
    row = re.compile(r"\|".join(f"{_NAME}({part})" for part in parts)) if line.cells else None
    return _Key(line, text, places, row)


def _fit(key: _Key, shown: str, cursor: int) -> Places:
    """Return which characters of the line stand at `cursor`: all, or all but a hyphen at its end.

    A row may have the names of its columns in it, which are none of its characters.
    """
    if key.text and shown.startswith(key.text, cursor):
        return [*key.places]
    if key.text.endswith("-") and len(key.text) > 1 and shown.startswith(key.text[:-1], cursor):
        return [*key.places[:-1]]
    row = key.row.match(shown, cursor) if key.row else None
    if not row:
        return []
    places: Places = [None] * (row.end() - cursor)
    at = 0
    for start, end in row.regs[1:]:
        places[start - cursor : end - cursor] = key.places[at : at + end - start]
        at += end - start + 1  # and the bar
    return places


def _divided(line: Line, places: Sequence[int]) -> list[tuple[Run, list[Edge]]]:
    """Return what stands at these places of a line with the sides of its characters, of a row of a table by its cells.

    A cell may be higher or lower than the one beside it, and go over several rows.
    """
    run, cells = line.run, [cell for cell in line.cells if cell.text]
    if run.text.count("|") + 1 != len(cells):
        return [(run, [run.edges[place] for place in places])] if places else []
    divided: list[list[Edge]] = [[] for _ in cells]
    for place in places:
        divided[run.text.count("|", 0, place)].append(run.edges[place])
    return [(cell, edges) for cell, edges in zip(cells, divided, strict=True) if edges]


def _rectangle(run: Run, edges: Sequence[Edge], page: int) -> Rectangle:
    if not run.upright:
        return Rectangle(page, *run.box)
    return Rectangle(page, min(left for left, _ in edges), run.box[1], max(right for _, right in edges), run.box[3])
