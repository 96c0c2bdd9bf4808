"""Where on its pages a span of a PDF's text stands, and a picture of a page with the span marked.

Nothing is stored for this. The page is read again, and its lines are laid along the document's text: at each place the
longest line that fits is the one that stands there. So headers, which the text has not, are passed over. `_PEN` is the
colour of the mark in the picture; in text, it is `--rag-mark` of the page's style.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import InputError, LoadError
from rag.load.pdf import open_pdf, read_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.load.pdf.characters import CharacterRun
    from rag.load.pdf.reading_order import Line
    from rag.records import Document, Span

    Edge = tuple[float, float]  # left and right side of a character
    Places = list[int | None]  # of characters of a line; None for one that it has not

_DOTS = 2.0  # pixels in a point: 144 in an inch, sharp on today's screens
_MOST_PIXELS = 3_000  # on the longer side: a poster is drawn smaller
_PEN = (255, 233, 92)
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


def rectangles(
    data: bytes, document: Document, span: Span, before_page: Callable[[], None] = lambda: None
) -> list[Rectangle]:
    """Return one rectangle for each line that the span touches, in reading order.

    Args:
        data: the bytes of the PDF.
        document: what `rag.load` made of them.
        span: of `document.text`.
        before_page: called before each scanned page, which takes seconds.
    """
    first, last = document.page_at(span.start), document.page_at(max(span.start, span.end - 1))
    if first is None or last is None or not len(span):
        return []
    pdf = open_pdf(data, document.uri)
    pages = {page: read_page(pdf, page, before_page).lines for page in range(first, last + 1)}
    return [found for page, lines in pages.items() for found in _on_page(lines, page, document, span)]


def picture(data: bytes, uri: str, page: int, marked: Sequence[Rectangle]) -> bytes:
    """Draw a page and return it as PNG.

    Args:
        data: the bytes of the PDF.
        uri: names the file in an error.
        page: its number, from 1.
        marked: rectangles to mark; those of other pages are passed over.

    Raises:
        InputError: there is no such page.
        LoadError: the PDF, or this page of it, is damaged.
    """
    import pypdfium2
    from PIL import Image, ImageChops, ImageDraw

    pdf = open_pdf(data, uri)
    if not 1 <= page <= len(pdf):
        raise InputError(f"{uri} has {len(pdf)} pages; there is no page {page}")
    try:
        sheet = pdf[page - 1]
        scale = min(_DOTS, _MOST_PIXELS / max(1.0, *sheet.get_size()))
        drawn = sheet.render(scale=scale).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise LoadError(f"{uri}: page {page} is damaged ({error}); open it and save it anew") from error
    pen = Image.new("RGB", drawn.size, "white")
    draw = ImageDraw.Draw(pen)
    for _, *box in (rectangle for rectangle in marked if rectangle.page == page):
        draw.rectangle([round(edge * scale) for edge in box], fill=_PEN)
    out = io.BytesIO()
    ImageChops.multiply(drawn, pen).save(out, "PNG")
    return out.getvalue()


def _on_page(lines: Sequence[Line], page: int, document: Document, span: Span) -> list[Rectangle]:
    starts = document.page_starts
    start, end = starts[page - 1], starts[page] if page < len(starts) else len(document.text)
    offsets = [offset for offset in range(start, end) if not document.text[offset].isspace()]
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
    places = [place for place, char in enumerate(line.run.text) if not char.isspace()]
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


def _divided(line: Line, places: Sequence[int]) -> list[tuple[CharacterRun, list[Edge]]]:
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


def _rectangle(run: CharacterRun, edges: Sequence[Edge], page: int) -> Rectangle:
    if not run.upright:
        return Rectangle(page, *run.box)
    return Rectangle(page, min(left for left, _ in edges), run.box[1], max(right for _, right in edges), run.box[3])
