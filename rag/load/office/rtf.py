"""RTF: its paragraphs, without looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.dates import publication_date
from rag.load.pieces import Piece, assemble, line

if TYPE_CHECKING:
    from rag.records import Document


def parse(data: bytes, uri: str) -> Document:
    """Read rich text; raises `LoadError` for what is none."""
    from striprtf.striprtf import rtf_to_text

    if not data.lstrip().startswith(b"{\\rtf"):
        raise LoadError(f"{uri}: is no RTF; save it anew")
    try:
        text = rtf_to_text(data.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError, LookupError) as error:
        raise LoadError(f"{uri}: is damaged RTF ({error}); open it and save it anew") from error
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # it gives halves of pairs
    pieces = [Piece(_cells(each)) for each in text.split("\n")]
    notes = ("its pictures were not read",) if b"\\pict" in data else ()
    date = publication_date(piece.text for piece in pieces)
    return assemble(pieces, data, uri, "application/rtf", date=date, notes=notes)


def _cells(text: str) -> str:
    """Return a paragraph, or the cells of a table row, in one line."""
    return line(text.strip("| ").replace("|", " | "))
