"""Scanned PDFs: read through `ocrmypdf` or `tesseract` where one of them is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from rag.records import Document

_NOTE = "read by character recognition, which makes mistakes"
_SCALE = 300 / 72  # dots in a point, what tesseract reads best


def parse(data: bytes, uri: str, pages: int) -> Document:
    """Read a PDF without text; raises `LoadError` when there is no program for it, or it fails."""
    if not pages:
        raise LoadError(f"{uri}: has no pages; open it and save it anew")
    program = shutil.which("ocrmypdf") or shutil.which("tesseract")
    if program is None:
        raise LoadError(f"{uri}: has only pictures of text and needs OCR; install ocrmypdf or tesseract")
    with tempfile.TemporaryDirectory() as folder:
        try:
            texts = (_ocrmypdf if program.endswith("ocrmypdf") else _tesseract)(program, data, Path(folder))
        except (subprocess.CalledProcessError, OSError) as error:
            raise LoadError(f"{uri}: needs OCR, and {Path(program).name} failed ({error})") from error
    pieces = [Piece(line(block), page=page) for page, text in enumerate(texts, 1) for block in text.split("\n\n")]
    return assemble(pieces, data, uri, "application/pdf", notes=(_NOTE,))


def _ocrmypdf(program: str, data: bytes, folder: Path) -> list[str]:
    """Return the text of each page, which the program parts with form feeds."""
    source, text = folder / "in.pdf", folder / "out.txt"
    source.write_bytes(data)
    command = [program, "--quiet", "--force-ocr", "--sidecar", str(text), str(source), str(folder / "out.pdf")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a program of the user's own PATH
    return text.read_text("utf-8").split("\f")


def _tesseract(program: str, data: bytes, folder: Path) -> list[str]:
    """Return the text of each page, drawn as a picture first."""
    import pypdfium2

    texts = []
    for page in pypdfium2.PdfDocument(data):
        picture = folder / "page.png"
        page.render(scale=_SCALE, grayscale=True).to_pil().save(picture)
        command = [program, str(picture), "-"]
        done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a program of the user's own PATH
        texts.append(done.stdout.decode("utf-8", "replace"))
    return texts
