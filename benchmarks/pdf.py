"""How much of what outside programs read in PDFs stands in the text of their documents.

    python benchmarks/pdf.py SHARED [FOLDER...]

Reads the PDFs of SHARED/eval/docparse_docling, SHARED/eval/people_A and SHARED/seeds, and of each FOLDER, such as the
test files of other parsers. The oracles are pdftotext (of poppler-utils, where it is installed) and pdfium's raw text.
A word counts as read where the document's text has it, as often, however it is parted by spaces or hyphens at line
ends; the rest counts as named where a note of the document says what was left out. Exits 1 where a file has less.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2

from rag.errors import RagError
from rag.load import load_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("eval/docparse_docling", "eval/people_A", "seeds")
ENOUGH = 0.998
_WORD = re.compile(r"[^\W_]+")
_ARABIC = re.compile("[\u0600-\u06ff]")
_LEFT_OUT = re.compile(r"left out|need OCR|nobody sees")


def words(text: str) -> Counter[str]:
    """Return the words of a text, those broken at a line's end as one, in one spelling of ligatures and accents."""
    plain = unicodedata.normalize("NFKC", text).translate({0xAD: "-", 0xFFFE: "-", 2: "-"})
    whole = re.sub(r"(?<=[^\W\d_])[-‐]\s*\n\s*(?=[^\W\d_])", "", plain)
    # Both oracles turn the two letters of Arabic's lam-alef around, so its words are compared by the letters in them.
    return Counter("".join(sorted(word)) if _ARABIC.match(word) else word for word in _WORD.findall(whole.casefold()))


def oracles(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what each oracle reads, with its name."""
    if shutil.which("pdftotext"):
        made = subprocess.run(["pdftotext", "-q", file, "-"], capture_output=True, check=False)
        yield "pdftotext", made.stdout.decode("utf-8", "replace")
    try:
        pdf = pypdfium2.PdfDocument(file)
        yield "pdfium", "\n".join(page.get_textpage().get_text_range() for page in pdf)
    except pypdfium2.PdfiumError:
        return


def missing(expected: str, found: str) -> Counter[str]:
    """Return the words that are not found as often as expected; those parted otherwise are looked for as letters."""
    wanted, have = words(expected), words(found)
    rest = wanted - have
    letters = "".join(_WORD.findall(unicodedata.normalize("NFKC", found).casefold()))
    return Counter({word: count for word, count in rest.items() if letters.count(word) < wanted[word]})


def main() -> int:
    """Print a line for each file and oracle; return 1 where words are missing that no note names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--all", action="store_true", help="print the files that are whole as well")
    options = parser.parse_args()
    folders = [*(options.shared / name for name in FOLDERS), *options.folders]
    below, total, lost_words = 0, 0, Counter[str]()
    for file in sorted(file for folder in folders for file in folder.rglob("*.pdf")):
        try:
            document = load_bytes(file.read_bytes(), str(file))
            text, notes = document.text, "\n".join(document.notes)
        except RagError as error:
            print(f"        refused    {file.name}: {error}")
            continue
        for name, expected in oracles(file):
            lost = missing(expected, f"{text}\n{notes}")
            count = max(1, words(expected).total())
            share = 1 - lost.total() / count
            named = bool(_LEFT_OUT.search(notes))
            total, lost_words[name] = total + 1, lost_words[name] + (0 if named else lost.total())
            below += share < ENOUGH and not named
            if share < ENOUGH or options.all:
                said = f" ({notes})" if named else ""
                print(f"{share:7.4f} {name:10} {file.name}: {' '.join(list(lost)[:12])}{said}", flush=True)
    print(f"{total - below} of {total} files and oracles have at least {ENOUGH} of the words, or a note on the rest")
    return int(bool(below))


if __name__ == "__main__":
    sys.exit(main())
