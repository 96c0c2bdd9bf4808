"""Where on its pages a span of a PDF's text stands, and a picture of a page with the span marked.

Nothing is stored for this. The page is read again, and its lines are laid along the document's text: at each place the
longest line that fits is the one that stands there. So headers, which the text has not, are passed over. `_PEN` is the
colour of the mark in the picture; in text, it is `--rag-mark` of the page's style.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import InputError, LoadError
from rag.load.pdf import open_pdf, read_page
from rag.load.pdf.characters import turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.load.pdf.characters import CharacterRun
    from rag.load.pdf.reading_order import Line
    from rag.records import Document, Span

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


def rectangles(
    data: bytes, document: Document, span: Span, before_page: Callable[[], None] = lambda: None
) -> list[Rectangle]:
    """Return one rectangle for each line that a span of the text touches, in reading order.

    `data` are the bytes of the PDF, `document` is what `rag.load` made of them; `before_page` is called before each
    scanned page, which takes seconds.
    """
    first, last = document.page_at(span.start), document.page_at(max(span.start, span.end - 1))
    if first is None or last is None or not len(span):
        return []
    pdf = open_pdf(data, document.uri)
    pages = {page: read_page(pdf, page, before_page).lines for page in range(first, last + 1)}
    return [found for page, lines in pages.items() for found in _on_page(lines, page, document, span)]


def picture(data: bytes, uri: str, page: int, marked: Sequence[Rectangle]) -> bytes:
    """Draw a page (from 1) and return it as PNG, with those of the rectangles marked that are on it.

    Raises `InputError` where there is no such page, and `LoadError` where the PDF, or this page of it, is damaged.
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
    ImageChops.multiply(drawn, pen).save(out, "PNG", dpi=(72 * scale, 72 * scale))
    return out.getvalue()


def _on_page(lines: Sequence[Line], page: int, document: Document, span: Span) -> list[Rectangle]:
    starts = (*document.page_starts, len(document.text))
    offsets = [offset for offset in range(*starts[page - 1 : page + 1]) if not document.text[offset].isspace()]
    shown = "".join(document.text[offset] for offset in offsets)
    found: list[Rectangle] = []
    for runs, match in _laid_along(shown, lines):
        for run, (start, end) in zip(runs, match.regs[1:], strict=True):
            seen = (edge for char, edge in zip(run.text, run.edges, strict=True) if not char.isspace())
            pairs = zip(seen, offsets[start:end], strict=False)  # the text may have lost a hyphen
            edges = [edge for edge, offset in pairs if span.start <= offset < span.end]
            if edges:
                left, right = zip(*edges, strict=True)
                found.append(Rectangle(page, *turned((min(left), run.box[1], max(right), run.box[3]), run.angle)))
    return found


def _laid_along(shown: str, lines: Sequence[Line]) -> Iterator[tuple[Sequence[CharacterRun], re.Match[str]]]:
    """Yield the runs of each line that stands in `shown`, and the match that has a group for each of them."""
    left = [_pattern(line) for line in lines]
    cursor = 0
    while cursor < len(shown):
        matches = ((index, pattern.match(shown, cursor)) for index, (_, pattern) in enumerate(left))
        fits = [(index, match) for index, match in matches if match and match.end() > cursor]
        if not fits:
            cursor += 1
            continue
        index, match = max(fits, key=lambda fit: fit[1].end())
        yield left.pop(index)[0], match
        cursor = match.end()


def _pattern(line: Line) -> tuple[Sequence[CharacterRun], re.Pattern[str]]:
    """Return the line, or the cells of a row, and how they are written: maybe with names, and without a last hyphen.

    A cell may be higher or lower than the one beside it, and go over several rows: it has a rectangle of its own.
    """
    runs = [cell for cell in line.run.cells if cell.text] or [line.run]
    parts = [re.escape("".join(run.text.split())) for run in runs]
    if parts[-1].endswith("-"):
        parts[-1] += "?"
    name = _NAME if line.run.cells else ""
    return runs, re.compile(r"\|".join(f"{name}({part})" for part in parts))
