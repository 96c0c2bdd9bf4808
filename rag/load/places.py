"""For the page: finds the PDF of a document again, and where a span stands in it, in a process of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rag.errors import InputError
from rag.load import original
from rag.load.pool import Pool

if TYPE_CHECKING:
    from rag.load.pdf.rectangles import Rectangle
    from rag.records import Document, Span

_PDF = "application/pdf"


def rectangles(document: Document, span: Span) -> list[Rectangle]:
    """Return where on the pages of a PDF a span of its text stands; nothing for other formats.

    Raises `LoadError` where the file is gone or has changed since it was indexed.
    """
    return _places(document, span, None)[0] if document.media_type == _PDF else []


def page_picture(document: Document, span: Span, page: int | None = None) -> tuple[bytes, float | None]:
    """Return a page of a PDF as PNG with a span of its text marked, and how far down the mark begins.

    That is a share of the page's height, None where nothing of the span is on it.
    Pages count from 1; without `page` it is the one on which the span starts. Raises `InputError` where there is no PDF
    or no such page, `LoadError` where the file is gone or has changed since it was indexed.
    """
    number = page or document.page_at(span.start)
    if document.media_type != _PDF or number is None:
        raise InputError(f"{document.uri} is no PDF; rag show marks the span in its text")
    found, picture = _places(document, span, number)
    top = min((rectangle.y0 for rectangle in found if rectangle.page == number), default=None)
    return picture, None if top is None else top / _points_high(picture)


def _points_high(picture: bytes) -> float:
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as png:
        return float(png.height / png.info["dpi"][1] * 72)


def _places(document: Document, span: Span, page: int | None) -> tuple[list[Rectangle], bytes]:
    with Pool(workers=1) as pool:
        return pool.places(original(document), document, span, page)
