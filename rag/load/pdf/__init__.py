"""PDF: text in reading order, page numbers, headings, and where on the page each character stands."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.errors import LoadError, Skipped
from rag.language.published import parse_date, publication_date
from rag.load.pdf import ocr
from rag.load.pdf.flow import furniture, paragraphs
from rag.load.pdf.glyphs import joined, page_words
from rag.load.pdf.grid import rows
from rag.load.pdf.order import page_lines
from rag.load.pieces import PARAGRAPH, Piece, assemble, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.load.pdf.order import Line
    from rag.load.pdf.paragraph import Paragraph
    from rag.records import Document

    Pdf = Any  # pypdfium2's document

MOST_PAGES = 5_000
_SCANNED = "has only pictures of text and needs OCR; install tesseract or ocrmypdf"
_UNREADABLE = "has no text, and in its pictures none is recognised; open it and save it with text"
_MADE_UP_TITLE = re.compile(
    r"untitled|^\(?anonymous\)?$|microsoft word|^slide 1$|\.(?:docx?|pdf|indd|tex|dvi|pptx?|xlsx?)\b", re.IGNORECASE
)


def parse(data: bytes, uri: str) -> Document:
    """Read a PDF.

    Raises:
        LoadError: encrypted, damaged, or scanned with no program for character recognition at hand.
        Skipped: more pages than a document has.
    """
    pdf = open_pdf(data, uri)
    sheets = [sheet_of(pdf, number) for number in range(1, len(pdf) + 1)]
    pages, heights = [sheet.lines for sheet in sheets], [sheet.height for sheet in sheets]
    if not any(pages):
        raise LoadError(f"{uri}: {_UNREADABLE if ocr.is_there() else _SCANNED}")
    decorations = furniture(pages, heights)
    blocks = paragraphs([[line for line in page if id(line) not in decorations] for page in pages])
    in_table = [bool(block.lines[0].cells) for block in blocks]
    gaps = ["\n" if both == (True, True) else PARAGRAPH for both in pairwise([False, *in_table])]
    pieces = [Piece(block.text, block.level, gap) for block, gap in zip(blocks, gaps, strict=True)]
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
        notes=_notes(sheets),
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


class Sheet(NamedTuple):
    """What stands on a page: its lines in reading order, its height, whether they were recognised, or could not be."""

    lines: list[Line]
    height: float
    scanned: bool = False
    failed: bool = False


def sheet_of(pdf: Pdf, number: int) -> Sheet:
    """Read page `number` (from 1); of a damaged one, nothing."""
    import pypdfium2

    try:
        page = pdf[number - 1]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return Sheet([], 0.0)
    try:
        table, words = rows(page, page_words(text))
        runs = [*table, *joined(words)]
        scanned = [] if runs else ocr.page_runs(page)
        lines = page_lines(runs or scanned or [], number)
        return Sheet(lines, page.get_height(), scanned=bool(scanned), failed=scanned is None)
    finally:
        text.close()
        page.close()


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


def _notes(sheets: Sequence[Sheet]) -> tuple[str, ...]:
    """Say which pages were not read, and which with mistakes."""
    failed = [number for number, sheet in enumerate(sheets, 1) if sheet.failed]
    without = [number for number, sheet in enumerate(sheets, 1) if not sheet.lines and not sheet.failed]
    scanned = [number for number, sheet in enumerate(sheets, 1) if sheet.scanned]
    notes = (
        (without, "hold no text, only pictures or nothing", "and need OCR"),
        (failed, "were not read", "since tesseract failed or took too long"),
        (scanned, "were read by character recognition", "which makes mistakes"),
    )
    return tuple(
        f"{len(found)} of {len(sheets)} pages {what} ({_shown(found)}), {meaning}"
        for found, what, meaning in notes
        if found
    )


def _shown(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _made(stamp: str) -> str | None:
    """Return the date of a stamp of PDF, as in `D:20240131120000Z`."""
    return parse_date(re.sub(r"^D:(\d{4})(\d\d)(\d\d).*", r"\1-\2-\3", stamp))
