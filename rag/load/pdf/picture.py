"""A page of a PDF as a picture, with the rectangles of a span marked as with a yellow pen."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rag.errors import InputError, LoadError
from rag.load.pdf import open_pdf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.pdf.rectangles import Rectangle

DOTS = 2.0
"""Pixels in a point: 144 in an inch, sharp on today's screens."""

_MOST_PIXELS = 3_000  # on the longer side: a poster is drawn smaller
_PEN = (255, 233, 92)


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
        scale = min(DOTS, _MOST_PIXELS / max(1.0, *sheet.get_size()))
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
