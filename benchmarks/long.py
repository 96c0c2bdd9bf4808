"""Processor time and memory for long files, against the plain text of the same file.

    python benchmarks/long.py [pdf|csv|text ...]

Makes a PDF of 250, 500 and 1,000 pages with running heads, notes and tables, a CSV of 7,500, 15,000 and 30,000 rows,
and texts of 12, 25 and 50 MB. Each is read and cut into passages in a process of its own; the plain text is that of
pypdfium2, of the csv module, or what the bytes decode to. Tokens are those that the encoder has to read, which takes
most of the time of indexing. Seconds are those of the processor; memory is the highest of the process, less what it
had before it read anything.
"""

from __future__ import annotations

import csv
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pdf_pages import Writer, split, tables
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

SIZES = {"pdf": (250, 500, 1000), "csv": (7_500, 15_000, 30_000), "text": (12, 25, 50)}
SUFFIXES = {"pdf": "pdf", "csv": "csv", "text": "txt"}
COLUMNS = "shipment number,port of loading,port of discharge,gross weight in tonnes,name of the master,date of arrival"
PORTS = "Velm Osk Rill Soth Lund Brennick Karlow Pellow Harrow Dorwell Hagwell Sorrel".split()


def write(kind: str, file: Path, size: int) -> None:
    """Make a file of so many pages, rows or megabytes."""
    draw = random.Random(size)
    if kind == "pdf":
        write_pdf(file, size)
    elif kind == "csv":
        rows = (
            f"{number},{draw.choice(PORTS)},{draw.choice(PORTS)},{draw.randint(10, 900)},"
            f"{draw.choice(PORTS)} {draw.choice(PORTS)},20{draw.randint(10, 24)}-0{draw.randint(1, 9)}-15"
            for number in range(size)
        )
        file.write_text("\n".join([COLUMNS, *rows]))
    else:
        sentences = [
            f"In {here} the keeper counted {draw.randint(2, 900)} barrels, and sent word to {draw.choice(PORTS)}."
            for here in draw.choices(PORTS, k=5_000)
        ]
        paragraphs = [" ".join(draw.sample(sentences, 6)) for _ in range(2_000)]
        with file.open("w") as out:
            while out.tell() < size * 1_000_000 - 1_000:
                out.write(draw.choice(paragraphs) + "\n\n")


def write_pdf(file: Path, pages: int) -> None:
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


def plain(kind: str, data: bytes) -> str:
    """Return the text of a file as simply as can be."""
    import pypdfium2

    if kind == "pdf":
        return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))
    text = data.decode()
    return "\n".join(map(" ".join, csv.reader(io.StringIO(text)))) if kind == "csv" else text


def read(system: str, kind: str, file: Path) -> None:
    """Read a file and print what it took."""
    from rag.chunk import Chunker
    from rag.load import load
    from rag.models.encoder import BertEmbedder

    encoder = BertEmbedder()
    encoder.count_tokens([""])
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    if system == "plain":
        text = plain(kind, file.read_bytes())
        reading, texts = time.process_time() - started, text.split("\n")
        cut = count = ""
    else:
        document = load(file)
        text, reading = document.text, time.process_time() - started
        passages = Chunker(encoder.count_tokens).passages(document)
        cut, count = f"{time.process_time() - started - reading:.1f}", f"{len(passages):,}"
        texts = [passage.retrieval_text for passage in passages]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    tokens = sum(sum(encoder.count_tokens(texts[i : i + 1000])) for i in range(0, len(texts), 1000))
    print(f"{len(text):,} | {reading:.1f} | {cut} | {grown:.0f} | {count} | {tokens:,}")


def main() -> None:
    """Print a row for each size and system."""
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        return
    print("| file | size | system | characters | read, s | cut, s | MB | passages | tokens |")
    print("|---|--:|---|--:|--:|--:|--:|--:|--:|")
    for kind in sys.argv[1:] or SIZES:
        for size in SIZES[kind]:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"long.{SUFFIXES[kind]}"
                write(kind, file, size)
                for system in ("rag", "plain"):
                    command = [sys.executable, __file__, "--read", system, kind, str(file)]
                    done = subprocess.run(command, capture_output=True, text=True, check=False)
                    result = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]
                    print(f"| {kind} | {size:,} | {system} | {result} |", flush=True)


if __name__ == "__main__":
    main()
