"""How much of a file arrives: main text of news pages, text of the documents of a parsing benchmark.

Run: python benchmarks/formats.py [SHARED]. SHARED/eval holds `article_extraction_html_A` and `docparse_docling`.

The first figure is that of the article extraction benchmark: mean precision and recall of word 4-grams over the pages,
F1 of both, beside plain trafilatura. The second is the share of the expected words that the text has, for each format
(the expectation is another program's output, not the truth), and how many of 300 random sentences of each format are
found at their place through a stored index, as `rag show --at` does it.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from rag.chunk import Chunker
from rag.embed import HashEmbedder
from rag.errors import LoadError
from rag.library import Library
from rag.load import load_bytes
from rag.records import Citation

if TYPE_CHECKING:
    from collections.abc import Iterable

_SENTENCES = 300
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
            found, tried = citations(library)
        bad = "; ".join(f"{Path(o.path).name}: {o.reason}" for o in (*report.of("failed"), *report.of("skipped")))
        print(f"{kind:5} {len(shares)}/{len(paths)} read  words {mean(shares):.3f}  sentences {found}/{tried}  {bad}")


def _share(library: Library, path: Path, expected: Path) -> float:
    """Return the share of the expected words that a document has."""
    have, want = words(library.document(str(path)).text), words(expected.read_text("utf-8"))
    return sum((have & want).values()) / max(1, sum(want.values()))


def citations(library: Library) -> tuple[int, int]:
    """Return how many of the sentences drawn are at their place in the stored document, and how many were drawn."""
    stored = {info.uri: library.document(info.uri) for info in library.documents()}
    chunker = Chunker(HashEmbedder().count_tokens)
    passages = [passage for document in stored.values() for passage in chunker.passages(document)]
    drawn = [(passage, sentence) for passage in passages for sentence in passage.sentences]
    drawn = random.Random(0).sample(drawn, min(_SENTENCES, len(drawn)))
    exact = (stored[p.uri].text[s.start : s.end] == Citation.of(p, s).quote != "" for p, s in drawn)
    return sum(exact), len(drawn)


def main() -> None:
    """Measure both sets."""
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared"
    pages(shared / "eval" / "article_extraction_html_A")
    documents(shared / "eval" / "docparse_docling")


if __name__ == "__main__":
    main()
