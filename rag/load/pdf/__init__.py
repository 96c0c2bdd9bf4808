"""PDF: text in reading order, page numbers, headings, and where on the page each character stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError, Skipped
from rag.load.dates import parse_date, publication_date
from rag.load.pdf import ocr
from rag.load.pdf.flow import furniture, paragraphs
from rag.load.pdf.glyphs import page_runs
from rag.load.pdf.order import page_lines
from rag.load.pieces import Piece, assemble, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.pdf.flow import Paragraph
    from rag.load.pdf.order import Line
    from rag.records import Document

    Pdf = Any  # pypdfium2's document

MOST_PAGES = 5_000
_MADE_UP_TITLE = re.compile(
    r"untitled|microsoft word|^slide 1$|\.(?:docx?|pdf|indd|tex|dvi|pptx?|xlsx?)\b", re.IGNORECASE
)


def parse(data: bytes, uri: str) -> Document:
    """Read a PDF.

    Raises:
        LoadError: encrypted, damaged, or scanned with no program for character recognition at hand.
        Skipped: more pages than a document has.
    """
    pdf = open_pdf(data, uri)
    pages, heights, without = _pages(pdf)
    if not any(pages):
        return ocr.parse(data, uri, len(heights))
    decorations = furniture(pages, heights)
    blocks = paragraphs([[line for line in page if id(line) not in decorations] for page in pages])
    pieces = [Piece(block.text, block.level) for block in blocks]
    meta = pdf.get_metadata_dict()
    title = meta.get("Title", "").strip()
    head = (row.run.text for block in blocks[:15] for row in block.lines if not block.level)
    return assemble(
        pieces,
        data,
        uri,
        "application/pdf",
        title=None if _MADE_UP_TITLE.search(title) else title,
        date=publication_date(head) or _made(meta.get("CreationDate", "")),
        page_starts=_page_starts(blocks, pieces, len(heights)),
        notes=_notes(without, len(heights)),
    )


def open_pdf(data: bytes, uri: str) -> Pdf:
    """Open a PDF; raises `LoadError` with what is wrong."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise LoadError(f"{uri}: is encrypted; save it without a password") from error
        raise LoadError(f"{uri}: is damaged or no PDF; open it and save it anew") from error
    if len(pdf) > MOST_PAGES:
        raise Skipped(f"{uri}: has {len(pdf)} pages, more than {MOST_PAGES}; split it")
    return pdf


def lines_of(pdf: Pdf, number: int) -> tuple[list[Line], float]:
    """Return the lines of page `number` (from 1) in reading order, and the page's height; none of a damaged page."""
    import pypdfium2

    try:
        page = pdf[number - 1]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return [], 0.0
    try:
        return page_lines(page_runs(text), number), page.get_height()
    finally:
        text.close()
        page.close()


def _pages(pdf: Pdf) -> tuple[list[list[Line]], list[float], list[int]]:
    """Return lines and height of each page, and the numbers of those without text but with a picture."""
    pages: list[list[Line]] = []
    heights: list[float] = []
    without: list[int] = []
    for number in range(1, len(pdf) + 1):
        lines, height = lines_of(pdf, number)
        pages.append(lines)
        heights.append(height)
        if not lines:
            without.append(number)
    return pages, heights, without


def _page_starts(blocks: Sequence[Paragraph], pieces: Sequence[Piece], count: int) -> tuple[int, ...]:
    """Return the offset at which each page starts; a page without text starts where the next one does."""
    text, spans = join(pieces)
    starts = [len(text)] * count
    for block, span in zip(blocks, spans, strict=True):
        for page, offset in block.pages:
            starts[page - 1] = min(starts[page - 1], span.start + offset)
    for index in range(count - 2, -1, -1):
        starts[index] = min(starts[index], starts[index + 1])
    return (0, *starts[1:]) if starts else ()


def _notes(without: Sequence[int], count: int) -> tuple[str, ...]:
    if not without:
        return ()
    shown = ", ".join(map(str, without[:10])) + (", ..." if len(without) > 10 else "")
    return (f"{len(without)} of {count} pages hold no text, only pictures or nothing ({shown}); they need OCR",)


def _made(stamp: str) -> str | None:
    """Return the date of a stamp of PDF, as in `D:20240131120000Z`."""
    return parse_date(re.sub(r"^D:(\d{4})(\d\d)(\d\d).*", r"\1-\2-\3", stamp))
