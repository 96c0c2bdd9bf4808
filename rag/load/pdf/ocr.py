"""Scanned pages: drawn and read by `tesseract`, where it is installed (`ocrmypdf` brings it along)."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from rag.load.decode import storable
from rag.load.pdf.glyphs import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Page = Any  # pypdfium2's
    Row = dict[str, str]  # of tesseract's table

_SCALE = 300 / 72  # dots in a point, what tesseract reads best
_MOST_DOTS = 10_000  # on the longer side of a page
SECONDS = 180  # for a page, which takes ten where the machine has nothing else to do
_WORD = "5"  # the level of words in tesseract's table


def _nobody() -> None:
    pass


before_page: Callable[[], None] = _nobody
"""Called before each page, which takes seconds: whoever waits for a document should know that it goes on."""


def is_there() -> bool:
    """Tell whether scanned pages can be read."""
    return shutil.which("tesseract") is not None


def page_runs(page: Page) -> list[Run]:
    """Return the lines of a scanned page with the place of each character; nothing where they cannot be read."""
    program = shutil.which("tesseract")
    if program is None or next(page.get_objects(), None) is None:
        return []
    before_page()
    scale = min(_SCALE, _MOST_DOTS / max(1.0, *page.get_size()))
    picture = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(picture, "PNG")
    command = [program, "stdin", "stdout", "tsv"]
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user's own PATH
            command, input=picture.getvalue(), check=True, capture_output=True, timeout=SECONDS
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return list(_lines(done.stdout.decode("utf-8", "replace"), scale))


def _lines(table: str, scale: float) -> Iterator[Run]:
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if row["level"] == _WORD and row["text"].strip())
    for _, line in groupby(words, lambda row: (row["block_num"], row["par_num"], row["line_num"])):
        first, *others = [_run(word, scale) for word in line]
        for word in others:
            first.extend(word)
        yield first


def _run(word: Row, scale: float) -> Run:
    """Return a word with its characters side by side, each as wide as the other."""
    text = storable(word["text"].strip())
    left, top, width, height = (int(word[name]) / scale for name in ("left", "top", "width", "height"))
    edges = [left + width * index / len(text) for index in range(len(text) + 1)]
    return Run(text, (left, top, left + width, top + height), list(pairwise(edges)))
