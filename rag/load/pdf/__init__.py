"""PDF: text in reading order, page numbers, headings, and where on the page each character stands."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.errors import LoadError, Skipped
from rag.language.published import parse_date, publication_date
from rag.load.blocks import PARAGRAPH, Block, assemble, is_made_up, join, line, page_starts
from rag.load.pdf import ocr
from rag.load.pdf.characters import joined, page_words, seen
from rag.load.pdf.forms import values
from rag.load.pdf.numbered_lines import with_speakers, without_line_numbers
from rag.load.pdf.paragraphs import headers_and_footers, joined_lines
from rag.load.pdf.reading_order import page_lines
from rag.load.pdf.ruled_tables import rows
from rag.load.pdf.table_columns import name_cells
from rag.load.pdf.turned_heads import with_level_heads

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from rag.load.pdf.reading_order import Line
    from rag.records import Document

    Pdf = Any  # pypdfium2's document

MOST_PAGES = 5_000
_SCANNED = "has only pictures of text and needs OCR; install tesseract or ocrmypdf"
_UNREADABLE = "has no text, and in its pictures none is recognised; open it and save it with text"
_MOST_NAMED, _LONGEST_NAMED = 20, 120  # headers and footers in a note, and characters of each
_FILED = re.compile(r"\bFiled:? (\d\d)/(\d\d)/(?:20)?(\d\d)\b")  # month, day and year


def parse(data: bytes, uri: str, before_page: Callable[[], None] = lambda: None) -> Document:
    """Read a PDF; `before_page` is called before each scanned page, which takes seconds.

    Raises `LoadError` (encrypted, damaged, or scanned with no program for recognition) and `Skipped` (too long).
    """
    pdf = open_pdf(data, uri)
    pages = [read_page(pdf, number, before_page) for number in range(1, len(pdf) + 1)]
    if not any(page.lines and not page.unread for page in pages):
        raise LoadError(f"{uri}: {_UNREADABLE if shutil.which('tesseract') else _SCANNED}")
    running = headers_and_footers([page.lines for page in pages], [page.size for page in pages])
    paragraphs = joined_lines([[line for line in page.lines if id(line) not in running] for page in pages])
    name_cells(paragraphs)
    in_table = [bool(each.lines[0].run.cells) for each in paragraphs]
    gaps = ["\n" if both == (True, True) else PARAGRAPH for both in pairwise([False, *in_table])]
    blocks = [Block(each.text, each.level, gap) for each, gap in zip(paragraphs, gaps, strict=True)]
    text, spans = join(blocks)
    places = [(page, span.start + at) for each, span in zip(paragraphs, spans, strict=True) for page, at in each.pages]
    meta = pdf.get_metadata_dict()
    title = meta.get("Title", "").strip()
    head = (line.run.text for each in paragraphs[:15] for line in each.lines if not each.level)
    return assemble(
        blocks,
        data,
        uri,
        "application/pdf",
        None if is_made_up(title) else title,
        date=publication_date(head) or _running_date(pages, running) or _made(meta.get("CreationDate", "")),
        page_starts=(0, *page_starts(places, len(pages), len(text))[1:]),
        notes=(*_notes(pages), *_running_note(pages, running)),
    )


def open_pdf(data: bytes, uri: str) -> Pdf:
    """Open a PDF; raises `LoadError` with what is wrong."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
        pdf.init_forms()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise LoadError(f"{uri}: is encrypted; save it without a password") from error
        raise LoadError(f"{uri}: is damaged or no PDF; open it and save it anew") from error
    if len(pdf) > MOST_PAGES:
        raise Skipped(f"{uri}: has {len(pdf)} pages, more than {MOST_PAGES}; split it")
    return pdf


class PageContent(NamedTuple):
    """What stands on a page: its lines in reading order, its size, how they were read, what is left out."""

    lines: list[Line]
    size: tuple[float, float]  # width and height in points
    scanned: bool = False
    failed: bool = False
    unread: bool = False  # a picture but for what is stamped on it, and not recognised
    hidden: bool = False  # some of its words
    numbered: bool = False  # its lines


def read_page(pdf: Pdf, number: int, before_page: Callable[[], None]) -> PageContent:
    """Read page `number` (from 1); of a damaged one, nothing."""
    import pypdfium2

    try:
        page = pdf[number - 1]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return PageContent([], (0.0, 0.0))
    try:
        drawn = list(page_words(text))
        printed = seen(page, drawn)
        is_scan = not printed or ocr.is_scan(page, printed)
        scanned = ocr.page_runs(page, before_page) if is_scan else []  # which reads what is filled in as well
        unnumbered = without_line_numbers(printed)
        table, words = rows(page, [*with_level_heads(unnumbered), *values(page)])
        lines = page_lines(scanned or [*table, *with_speakers(joined(words))], number)
        return PageContent(
            lines,
            page.get_size(),
            scanned=bool(scanned),
            failed=scanned is None,
            unread=scanned == [] and is_scan and bool(printed),
            hidden=len(printed) < len(drawn),
            numbered=len(unnumbered) < len(printed),
        )
    finally:
        text.close()
        page.close()


def _notes(pages: Sequence[PageContent]) -> tuple[str, ...]:
    empty = [page.unread or (not page.lines and not page.failed) for page in pages]
    failed, scanned = [page.failed for page in pages], [page.scanned for page in pages]
    hidden, numbered = [page.hidden for page in pages], [page.numbered for page in pages]
    kinds = (
        (hidden, "hold text that nobody sees", "which is left out"),
        (numbered, "have numbered lines", "whose numbers are left out"),
        (empty, "hold no text, only pictures or nothing", "and need OCR"),
        (failed, "were not read", "since tesseract failed or took too long"),
        (scanned, "were read by character recognition", "which makes mistakes"),
    )
    notes = []
    for flags, what, meaning in kinds:
        numbers = [str(number) for number, flag in enumerate(flags, 1) if flag]
        listed = ", ".join(numbers[:10]) + (", ..." if len(numbers) > 10 else "")
        if numbers:
            notes.append(f"{len(numbers)} of {len(pages)} pages {what} ({listed}), {meaning}")
    return tuple(notes)


def _running_note(pages: Sequence[PageContent], running: Container[int]) -> Iterator[str]:
    """Name the headers, footers and page numbers that are left out: each once, the numbers in it those of its first."""
    found = [[each.run.text for each in page.lines if id(each) in running] for page in pages]
    alike = {re.sub(r"\d+", "#", text): text for page in reversed(found) for text in reversed(page)}
    if alike:
        named = [f"“{line(text)[:_LONGEST_NAMED]}”" for text in reversed(alike.values())]
        more = f" and {len(named) - _MOST_NAMED} others" if len(named) > _MOST_NAMED else ""
        listed, count = ", ".join(named[:_MOST_NAMED]), sum(map(bool, found))
        yield f"headers and footers of {count} of {len(pages)} pages are left out: {listed}{more}"


def _running_date(pages: Sequence[PageContent], running: Container[int]) -> str | None:
    """Return the date in headers and footers, as journals have it; None where they have none, or several.

    Courts of the United States stamp the day on which a paper was filed; the last counts, as of an order on a motion.
    """
    heads = [each.run.text for page in pages for each in page.lines if id(each) in running]
    filed = ["20{2}-{0}-{1}".format(*match.groups()) for head in heads for match in _FILED.finditer(head)]
    dates = {date for head in filed or heads if (date := parse_date(head))}
    return max(dates, default=None) if filed or len(dates) == 1 else None


def _made(stamp: str) -> str | None:
    """Return the date of a stamp of PDF, as in `D:20240131120000Z`."""
    day = re.match(r"D:(\d{4})(\d\d)(\d\d)", stamp)
    return parse_date("-".join(day.groups()) if day else stamp)
