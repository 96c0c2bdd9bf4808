"""What one broken file among many does: it is reported, and all others are indexed.

Run: python benchmarks/broken.py [FILES]. Makes a folder of that many small files of ten formats (default: 1,000) with
the stand-in encoder, one of them broken in turn at the first, the middle and the last place, each time as another
format, and prints the report of each run.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from rag.library import Library
from rag.models.encoder import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable


def _zipped(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in members.items():
            made.writestr(name, text)
    return out.getvalue()


def _pdf(words: str) -> bytes:
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawString(60, 700, words)
    page.save()
    return out.getvalue()


def _mail(words: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = "Report"
    message.set_content(words)
    return message.as_bytes()


KINDS: dict[str, Callable[[str], bytes]] = {
    "txt": str.encode,
    "md": lambda words: f"# Report\n\n{words}".encode(),
    "html": lambda words: f"<p>{words}</p>".encode(),
    "pdf": _pdf,
    "docx": lambda words: _zipped({"word/document.xml": f"<d><p><r><t>{words}</t></r></p></d>"}),
    "csv": lambda words: f"id,text\n1,{words}".encode(),
    "json": lambda words: json.dumps({"text": words}).encode(),
    "eml": _mail,
    "srt": lambda words: f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n".encode(),
    "odt": lambda words: _zipped({"content.xml": f"<c><p>{words}</p></c>"}),
}
BROKEN = {"first": ("pdf", b"%PDF-1.7 broken"), "middle": ("docx", b"PK\x03\x04 broken"), "last": ("json", b'{"a": ')}


def main() -> None:
    """Make the files, break one, index them; three times."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    places = {"first": 0, "middle": count // 2, "last": count - 1}
    for place, (suffix, data) in BROKEN.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "documents")
            folder.mkdir()
            for number in range(count):
                kind = list(KINDS)[number % len(KINDS)]
                words = f"The crane numbered {number} fell into the river."
                path = folder / f"{number:05}.{suffix if number == places[place] else kind}"
                path.write_bytes(data if number == places[place] else KINDS[kind](words))
            with Library.open(Path(name, "index"), embedder=HashEmbedder()) as library:
                report = library.index(folder)
                again = library.index(folder)
            reasons = "; ".join(f"{Path(o.path).name}: {o.reason}" for o in report.of("failed"))
            print(f"{place:6} {report} in {report.seconds:.0f} s; again {again}; {reasons}", flush=True)


if __name__ == "__main__":
    main()
