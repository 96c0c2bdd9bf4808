"""Scanned pages: drawn and read by `tesseract`, where it is installed (`ocrmypdf` brings it along)."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from rag.load.decode import storable
from rag.load.pdf.characters import CharacterRun
from rag.load.pdf.reading_order import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Page = Any  # pypdfium2's
    Row = dict[str, str]  # of tesseract's table

_SCALE = 300 / 72  # dots in a point, what tesseract reads best
_MOST_DOTS = 10_000  # on the longer side of a page
SECONDS = 180  # for a page, which takes ten where the machine has nothing else to do
_LANGUAGE = re.compile(r"[a-z]{3}(?:_[a-z]+)?")
_NO_LANGUAGE = frozenset({"osd", "equ"})  # models of the page's direction, and of formulas
_MOST_LANGUAGES = 4  # each takes its time
_STAMPED, _FEW, _PICTURED = 0.12, 3, 0.7  # shares of the height and of the page; words
_WORD = "5"  # the level of words in tesseract's table


@cache
def languages(program: str) -> list[str]:
    """Return the options that name the languages of scanned pages: of RAG_OCR_LANGUAGES, as in `eng+deu`.

    Without it, all that are installed; where these are too many to have been chosen, the program's, English.
    """
    named = os.environ.get("RAG_OCR_LANGUAGES", "")
    if not named:
        listed = subprocess.run([program, "--list-langs"], check=False, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
        found = [line for line in listed.stdout.splitlines() if _LANGUAGE.fullmatch(line) and line not in _NO_LANGUAGE]
        named = "+".join(found) if len(found) <= _MOST_LANGUAGES else ""
    return ["-l", named] if named else []


def is_scan(page: Page, words: Sequence[CharacterRun]) -> bool:
    """Tell whether a page is a picture with hardly any `words` on it but those that were stamped into its margin."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    stamped = sum(run.box[3] < _STAMPED * height or run.box[1] > (1 - _STAMPED) * height for run in words)
    if len(words) - stamped > _FEW:
        return False
    pictures = (each.get_bounds() for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]))
    return any((x1 - x0) * (y1 - y0) > _PICTURED * width * height for x0, y0, x1, y1 in pictures)


def page_runs(page: Page, before_page: Callable[[], None]) -> list[CharacterRun] | None:
    """Return the lines of a scanned page with the place of each character; None where it takes too long, or fails.

    `before_page` is called before: whoever waits for a document should know that it goes on.
    """
    program = shutil.which("tesseract")
    if program is None or next(page.get_objects(), None) is None:
        return []
    before_page()
    scale = min(_SCALE, _MOST_DOTS / max(1.0, *page.get_size()))
    picture = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(picture, "PNG")
    try:
        command = [program, "stdin", "stdout", *languages(program), "tsv"]
        done = subprocess.run(  # noqa: S603 - a program of the user's own PATH
            command, input=picture.getvalue(), check=True, capture_output=True, timeout=SECONDS
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return list(_lines(done.stdout.decode("utf-8", "replace"), scale))


def _lines(table: str, scale: float) -> Iterator[CharacterRun]:
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if row["level"] == _WORD and row["text"].strip())
    for _, line in groupby(words, lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        yield beside([_run(word, scale) for word in line])


def _run(word: Row, scale: float) -> CharacterRun:
    text = storable(word["text"].strip())
    left, top, width, height = (int(word[name]) / scale for name in ("left", "top", "width", "height"))
    edges = [left + width * index / len(text) for index in range(len(text) + 1)]
    return CharacterRun(text, (left, top, left + width, top + height), list(pairwise(edges)))
