"""How much of a file arrives: main text of news pages, text of the documents of a parsing benchmark.

Run: python benchmarks/formats.py [SHARED [PAGES]]. SHARED/eval holds `article_extraction_html_A` and
`docparse_docling`. PAGES is test/test-pages of github.com/mozilla/readability: alone it is measured, by element: which
share of the words of its reference texts arrives, and how many elements do letter by letter.

The first figure is that of the article extraction benchmark: mean precision and recall of word 4-grams over the pages,
F1 of both, beside plain trafilatura. The second is the share of the expected words that the text has, for each format
(the expectation is another program's output, not the truth), and how many of 300 random sentences of each format
`rag show --at` prints from a stored index as they were in the file. Where the files of a format have fewer sentences,
cells of their rows are drawn as well; where there are fewer of those, all are tried. Of a PDF, also how many are shown
by rectangles that hold exactly their letters, by pdfium's own reading of them. Their order is left aside:
pdfium gives Arabic ligatures in the order of sight, and cells as the file has them.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import sys
import tempfile
import unicodedata
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from rag.app.cli import main as main_of_rag
from rag.chunk import Chunker
from rag.errors import LoadError
from rag.library import Library
from rag.load import load, load_bytes
from rag.load.pdf import open_pdf
from rag.load.pdf.rectangles import rectangles
from rag.models.encoder import HashEmbedder
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.records import Document

_DRAWS = 300
_ELEMENTS = ("p", "li", "h2", "h3", "td", "dd", "figcaption", "pre")
_ENDED = re.compile(r"[.!?。\"”)]\s*$")
_WORD = re.compile(r"\w+")
_NAMES = re.compile(r"(^| \| )[^|:]+: ")  # of columns, which stand above on the page
_MARKUP = re.compile(r"<!--.*?-->|[\\*_`#|]", re.DOTALL)


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Return the word 4-grams of a text; a shorter text is one."""
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3)))


def scores(pairs: Iterable[tuple[str, str]]) -> tuple[float, float, float]:
    """Return F1, precision and recall of (found, true) texts."""
    precisions, recalls = [], []
    for found, true in pairs:
        a, b = shingles(found), shingles(true)
        both = sum((a & b).values())
        precisions.append(both / sum(a.values()))
        recalls.append(both / sum(b.values()))
    p, r = mean(precisions), mean(recalls)
    return 2 * p * r / (p + r), p, r


def pages(folder: Path) -> None:
    """Print the figures of news pages, ours and trafilatura's."""
    from trafilatura import extract

    ours, plain = [], []
    for row in map(json.loads, (folder / "ground_truth.jsonl").read_text("utf-8").splitlines()):
        key, true = row["id"], row["text"]
        data = gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes())
        ours.append((_text(data, f"/{key}.html"), true))
        plain.append((extract(data.decode("utf-8", "replace")) or "", true))
    for name, pairs in (("rag", ours), ("trafilatura", plain)):
        f1, precision, recall = scores(pairs)
        print(f"{name:12} F1 {f1:.3f}  precision {precision:.3f}  recall {recall:.3f}  pages {len(pairs)}")
        prose = scores((_sentences(found) or found, true) for found, true in pairs)[1]
        print(f"{'':12} precision of lines that end as sentences do, without titles, captions and rows: {prose:.3f}")


def _sentences(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if _ENDED.search(line) and " | " not in line)


def elements(folder: Path) -> None:
    """Print how much of the reference text of web pages arrives, by element: of its words, and whole elements."""
    from lxml import html

    found: dict[str, list[tuple[int, int, bool]]] = {tag: [] for tag in _ELEMENTS}
    for page in sorted(folder.iterdir()):
        text = _text((page / "source.html").read_bytes(), f"/{page.name}.html").lower()
        have, plain = Counter(_WORD.findall(text)), "".join(_WORD.findall(text))
        reference = html.document_fromstring((page / "expected.html").read_bytes().decode())
        for element in reference.iter(*_ELEMENTS):
            want = _WORD.findall(element.text_content().lower())
            if want:
                both = sum((Counter(want) & have).values())
                found[element.tag].append((both, len(want), "".join(want) in plain))
    for tag, rows in found.items():
        share = sum(both for both, _, _ in rows) / sum(want for _, want, _ in rows)
        print(f"{tag:10} {len(rows):5} elements  words {share:.3f}  whole {mean(whole for _, _, whole in rows):.3f}")


def _text(data: bytes, uri: str) -> str:
    try:
        return load_bytes(data, uri).text
    except LoadError:
        return ""


def words(text: str) -> Counter[str]:
    """Return the words of Markdown without its marks."""
    plain = _MARKUP.sub(" ", text).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    return Counter(re.findall(r"\w+", plain.lower()))


def documents(folder: Path) -> None:
    """Print coverage and citations for each format."""
    rows = [json.loads(row) for row in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    for kind in sorted({row["file"].partition("/")[0] for row in rows}):
        paths = [(folder / row["file"], folder / row["expected"]) for row in rows if row["file"].startswith(f"{kind}/")]
        with tempfile.TemporaryDirectory() as name, Library.open(name, embedder=HashEmbedder()) as library:
            report = library.index(*(path for path, _ in paths))
            known = {info.uri for info in library.documents()}
            shares = [_share(library, path, expected) for path, expected in paths if str(path) in known]
            found = citations([path for path, _ in paths if str(path) in known], name)
        bad = "; ".join(f"{Path(o.path).name}: {o.reason}" for o in (*report.of("failed"), *report.of("skipped")))
        print(f"{kind:5} {len(shares)}/{len(paths)} read  words {mean(shares):.3f}  found {found}  {bad}")


def _share(library: Library, path: Path, expected: Path) -> float:
    """Return the share of the expected words that a document has."""
    have, want = words(library.document(str(path)).text), words(expected.read_text("utf-8"))
    return sum((have & want).values()) / max(1, sum(want.values()))


def citations(paths: list[Path], store: str) -> str:
    """Say how many of the units drawn are printed from the store, how many there are, and of what kind."""
    chunker = Chunker(HashEmbedder().count_tokens)
    documents = [load(path) for path in paths]
    sentences = [(d, span) for d in documents for passage in chunker.passages(d) for span in passage.sentences]
    kind, units = "sentences", sentences
    if len(sentences) < _DRAWS:
        kind, units = "sentences and cells", [(d, cell) for d, span in sentences for cell in cells(d.text, span)]
    drawn = random.Random(0).sample(units, min(_DRAWS, len(units)))
    found = sum(f">>>{span.of(d.text)}<<<" in shown(d.uri, span, store) for d, span in drawn)
    pages = [(d, span) for d, span in drawn if d.media_type == "application/pdf"]
    exact = f", {sum(is_marked(d, span) for d, span in pages)} by exact rectangles" if pages else ""
    return f"{found}/{len(drawn)} of {len(units)} {kind}{exact}"


def is_marked(document: Document, span: Span) -> bool:
    """Tell whether the letters in the rectangles of a span are those of the span."""
    data = Path(document.uri).read_bytes()
    pdf = open_pdf(data, document.uri)
    inside = ""
    for page, x0, y0, x1, y1 in rectangles(data, document, span):
        sheet = pdf[page - 1]
        height = sheet.get_height()
        inside += sheet.get_textpage().get_text_bounded(left=x0, right=x1, top=height - y0, bottom=height - y1)
    text = span.of(document.text)
    return letters(inside) in (letters(text), letters(_NAMES.sub(r"\1", text)))


def letters(text: str) -> Counter[str]:
    """Count letters and figures, however they are written."""
    return Counter(char for char in unicodedata.normalize("NFKC", text) if char.isalnum())


def cells(text: str, row: Span) -> list[Span]:
    """Return the cells of a row; of anything else, all of it."""
    bars = [match.span() for match in re.finditer(re.escape(" | "), row.of(text))]
    edges = [0, *(edge for bar in bars for edge in bar), len(row)]
    return [Span(row.start + a, row.start + b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def shown(uri: str, span: Span, store: str) -> str:
    """Return what the command prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert main_of_rag(["show", uri, "--at", f"{span.start}:{span.end}", "--store", store]) == 0
    return out.getvalue()


def main() -> None:
    """Measure both sets."""
    shared = (Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared").resolve()
    if len(sys.argv) > 2:
        elements(Path(sys.argv[2]))
        return
    pages(shared / "eval" / "article_extraction_html_A")
    documents(shared / "eval" / "docparse_docling")


if __name__ == "__main__":
    main()
