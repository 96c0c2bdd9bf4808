"""Scanned PDFs: each page drawn and read by `tesseract`, where it is installed (`ocrmypdf` brings it along)."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.records import Document

    Page = Any  # pypdfium2's

_NOTE = "read by character recognition, which makes mistakes"
_SCALE = 300 / 72  # dots in a point, what tesseract reads best
_MOST_DOTS = 10_000  # on the longer side of a page
_SECONDS = 60  # for a page


def _nobody() -> None:
    pass


before_page: Callable[[], None] = _nobody
"""Called before each page, which takes seconds: whoever waits for a document should know that it goes on."""


def parse(data: bytes, uri: str, pages: int) -> Document:
    """Read a PDF without text; raises `LoadError` when there is no program for it, or it fails."""
    import pypdfium2

    if not pages:
        raise LoadError(f"{uri}: has no pages; open it and save it anew")
    program = shutil.which("tesseract")
    if program is None:
        raise LoadError(f"{uri}: has only pictures of text and needs OCR; install tesseract or ocrmypdf")
    try:
        texts = [_read(program, page) for page in pypdfium2.PdfDocument(data)]
    except pypdfium2.PdfiumError as error:
        raise LoadError(f"{uri}: is damaged ({error}); open it and save it anew") from error
    except (subprocess.SubprocessError, OSError) as error:
        raise LoadError(f"{uri}: needs OCR, and tesseract failed ({error})") from error
    pieces = [Piece(line(block), page=page) for page, text in enumerate(texts, 1) for block in text.split("\n\n")]
    return assemble(pieces, data, uri, "application/pdf", notes=(_NOTE,))


def _read(program: str, sheet: Page) -> str:
    """Return the text of one page."""
    before_page()
    scale = min(_SCALE, _MOST_DOTS / max(1.0, *sheet.get_size()))
    picture = io.BytesIO()
    sheet.render(scale=scale, grayscale=True).to_pil().save(picture, "PNG")
    done = subprocess.run(  # noqa: S603 - a program of the user's own PATH
        [program, "stdin", "stdout"], input=picture.getvalue(), check=True, capture_output=True, timeout=_SECONDS
    )
    return done.stdout.decode("utf-8", "replace")
