"""Processor time and memory for long PDFs, against the plain text extraction of pypdfium2.

    python benchmarks/pdf_speed.py [PAGES...]

Makes PDFs of so many pages (250, 500, 1000) with running heads, notes and tables, and reads each in a process of its
own, once by this program and once by pypdfium2. Seconds are those of the processor; memory is the process's highest,
less what it had before it read anything.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pdf_pages import Writer, split, tables
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

SIZES = (250, 500, 1000)


def write(file: Path, pages: int) -> None:
    """Make a PDF: pages of text in two columns, each fifth with a table."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    writer = Writer(page, pages)
    table = tables("ruled")
    for number in range(1, pages + 1):
        writer.lines(f"Harbour office of Velm, page {number}", 60, 40, 400, size=8)
        if number % 5:
            for x in (50, 310):
                y = 80.0
                while y < 700:
                    for line in split(writer.text(4), 235, "Times-Roman", 10):
                        y = writer.lines(line, x, y, 250, size=10)
                    y += 8
            writer.lines(f"{number} {writer.sentence()}", 50, 780, 480, size=7.5)
        else:
            table(writer)
        page.showPage()
    page.save()
    file.write_bytes(out.getvalue())


def read(system: str, file: Path) -> None:
    """Read a file and print the characters, the seconds and the megabytes that it took."""
    import pypdfium2

    from rag.load.pdf import parse

    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    data = file.read_bytes()
    if system == "rag":
        length = len(parse(data, str(file)).text)
    else:
        length = sum(len(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(data))
    seconds = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{length:,} | {seconds:.1f} | {grown:.0f}")


def main() -> None:
    """Print a row for each size and system."""
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2], Path(sys.argv[3]))
        return
    print("| pages | system | characters | seconds | MB |\n|--:|---|--:|--:|--:|")
    for pages in [int(size) for size in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "long.pdf"
            write(file, pages)
            for system in ("rag", "pypdfium2"):
                command = [sys.executable, __file__, "--read", system, str(file)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"| {pages} | {system} | {done.stdout.strip()} |", flush=True)


if __name__ == "__main__":
    main()
