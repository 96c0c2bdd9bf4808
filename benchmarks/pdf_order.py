"""Reading order, paragraphs and rows of this program and of others, on the pages of pdf_pages.py.

    python benchmarks/pdf_order.py [--seed N] [--wrong KIND] [--docling FOLDER]

What is not installed is left out: pdfplumber, pdfminer.six, pypdfium2, pdftext, docling-parse, pdftotext. For each
system the share of the words that it read, of neighbouring texts in order, of paragraphs that are one of its blocks,
neither torn nor joined, of rows whose cells stand on one line, and its processor time. `--seed` makes other texts,
`--wrong` prints what this program gets wrong of a kind of page, and with `--docling` the paragraphs of the PDFs in a
folder are those of the Markdown beside each: FILE.pdf.expected.md, as in SHARED/eval/docparse_docling/pdf.
"""

from __future__ import annotations

import argparse
import html
import importlib
import importlib.util
import io
import re
import shutil
import subprocess
import time
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pypdfium2
from pdf_pages import PAGES, Loose, made

from rag.load import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pdf_pages import Unit

_WORD = re.compile(r"[^\W_]+")
_EDGE = 60  # letters by which the ends of a text are found


class Score(NamedTuple):
    """What was right, of how many: words, neighbours in order, paragraphs, rows."""

    words: tuple[int, int]
    order: tuple[int, int]
    paragraphs: tuple[int, int]
    rows: tuple[int, int]


def letters(text: str) -> str:
    """Return the letters and figures of a text alone, raised figures (`¹`) as plain ones."""
    return "".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def rag_text(data: bytes) -> str:
    """Read with this program."""
    return load_bytes(data, "/a.pdf").text


def pdfplumber_text(data: bytes) -> str:
    """Read with pdfplumber, as its page shows it."""
    pdfplumber = importlib.import_module("pdfplumber")
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        return "\n\n".join(page.extract_text() for page in pdf.pages)


def pdfminer_text(data: bytes) -> str:
    """Read with the layout analysis of pdfminer.six."""
    return str(importlib.import_module("pdfminer.high_level").extract_text(io.BytesIO(data)))


def pdfium_text(data: bytes) -> str:
    """Read with pdfium in the order of the file."""
    return "\n\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)).replace("\r", "")


def pdftext_text(data: bytes) -> str:
    """Read with pdftext, a block a paragraph."""
    pages = importlib.import_module("pdftext.extraction").dictionary_output(data, sort=True, disable_links=True)
    blocks = [block for page in pages for block in page["blocks"]]
    lines = [["".join(span["text"] for span in line["spans"]) for line in block["lines"]] for block in blocks]
    return "\n\n".join("\n".join(line.strip() for line in block) for block in lines)


def docling_text(data: bytes) -> str:
    """Read the lines of docling-parse, which knows no paragraphs."""
    line = importlib.import_module("docling_core.types.doc.page").TextCellUnit.LINE
    pdf = importlib.import_module("docling_parse.pdf_parser").DoclingPdfParser(loglevel="fatal").load(io.BytesIO(data))
    return "\n\n".join("\n".join(cell.text for cell in page.iterate_cells(line)) for _, page in pdf.iterate_pages())


def pdftotext_text(data: bytes, *options: str) -> str:
    """Read with pdftotext of poppler."""
    command = ["pdftotext", "-q", *options, "-", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()


SYSTEMS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "rag": ("rag", rag_text),
    "pdfplumber": ("pdfplumber", pdfplumber_text),
    "pdfminer.six": ("pdfminer", pdfminer_text),
    "pdfium": ("pypdfium2", pdfium_text),
    "pdftext": ("pdftext", pdftext_text),
    "docling-parse": ("docling_parse", docling_text),
    "pdftotext": ("", pdftotext_text),
    "pdftotext -layout": ("", lambda data: pdftotext_text(data, "-layout")),
}


def score(units: list[Unit], text: str, wrong: list[str]) -> Score:
    """Compare what a system reads with what stands on the pages; `wrong` is told what is not as it should be."""
    whole = letters(text)
    plain = [" ".join(unit) if isinstance(unit, tuple) else unit for unit in units]
    wanted = Counter(word for unit in plain for word in _WORD.findall(unit.casefold()))
    words = wanted.total() - (wanted - Counter(_WORD.findall(text.casefold()))).total(), wanted.total()
    parts = [letters(unit if isinstance(unit, str) else unit[0]) for unit in units]
    ends = [letters(unit if isinstance(unit, str) else unit[-1])[-_EDGE:] for unit in units]
    starts = [whole.find(part[:_EDGE]) for part in parts]
    stops = [whole.find(end, max(0, start)) for end, start in zip(ends, starts, strict=True)]
    ends_at = [stop + len(end) if stop >= 0 else len(whole) + 1 for stop, end in zip(stops, ends, strict=True)]
    ordered = [-1 < a < stop <= b for (a, b), stop in zip(pairwise(starts), ends_at, strict=False)]
    wrong += [f"order: {a} || {b}" for (a, b), right in zip(pairwise(plain), ordered, strict=True) if not right]
    blocks = {letters(block) for block in re.split(r"\n\s*\n|\f", text)}
    blocks |= {letters(line) for line in text.split("\n")}
    paragraphs = [letters(unit) in blocks for unit in units if isinstance(unit, str) and not isinstance(unit, Loose)]
    wrong += [f"torn or joined: {unit}" for unit in units if isinstance(unit, str) and letters(unit) not in blocks]
    lines = [letters(line) for line in text.split("\n")]
    rows = [
        any(_has(line, [letters(cell) for cell in unit]) for line in lines) for unit in units if isinstance(unit, tuple)
    ]
    return Score(words, (sum(ordered), len(ordered)), (sum(paragraphs), len(paragraphs)), (sum(rows), len(rows)))


def _has(line: str, cells: list[str]) -> bool:
    """Tell whether cells stand in a line in order, each once."""
    at = 0
    for cell in cells:
        at = line.find(cell, at)
        if at < 0:
            return False
        at += len(cell)
    return True


def expected(folder: Path) -> Iterator[tuple[str, bytes, list[Unit]]]:
    """Yield PDFs with their paragraphs; tables and pictures are left aside."""
    for file in sorted(folder.glob("*.pdf")):
        written = re.split(r"\n\s*\n", file.with_name(f"{file.name}.expected.md").read_text("utf-8"))
        plain = [html.unescape(re.sub(r"^#+ |[*`]|\\\\(?=_)", "", part.strip())) for part in written]
        yield file.name, file.read_bytes(), [part for part in plain if part and part[0] not in "|<!$"]


def main() -> None:
    """Print a table of all systems, and one of this program by kind of page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", help="a kind of page, or a file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--docling", type=Path, help="a folder of PDFs and Markdown")
    options = parser.parse_args()
    documents = [
        (kind, *made(draw, options.seed + seed)) for kind, draws in PAGES.items() for seed, draw in enumerate(draws, 1)
    ]
    documents = [*expected(options.docling)] if options.docling else documents
    print(f"{len(documents)} documents, {sum(len(pypdfium2.PdfDocument(data)) for _, data, _ in documents)} pages\n")
    kinds: defaultdict[str, list[Score]] = defaultdict(list)
    print("| system | words read | in order | paragraphs whole | rows whole | seconds |\n|---|--:|--:|--:|--:|--:|")
    for name, (module, read) in SYSTEMS.items():
        if (module and not importlib.util.find_spec(module)) or (not module and not shutil.which("pdftotext")):
            continue
        read(documents[0][1])  # once without the time of imports
        scores, started = [], time.process_time()
        texts = [read(data) for _, data, _ in documents]
        seconds = time.process_time() - started
        for (kind, _, units), text in zip(documents, texts, strict=True):
            wrong: list[str] = []
            scores.append(score(units, text, wrong))
            if name == "rag":
                kinds[kind].append(scores[-1])
                if wrong and options.wrong == kind:
                    print(text, "\n ".join(["", *wrong]), sep="\n")
        print(row(name, scores), f" {seconds:.2f} |" if module else " - |", sep="")
    for kind, scores in kinds.items():
        print(row(f"rag, {kind}", scores), " |", sep="")


def row(name: str, scores: list[Score]) -> str:
    """Return a row of the table, without what was not on the pages."""
    sums = [
        (sum(right), sum(count)) for right, count in (zip(*part, strict=True) for part in zip(*scores, strict=True))
    ]
    return f"| {name} |" + "|".join(f" {right / count:.3f} " if count else " " for right, count in sums) + "|"


if __name__ == "__main__":
    main()
