"""CSV and TSV: a block for each row, with the names of its columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.decode import decode
from rag.load.limits import MOST_TEXT
from rag.load.pieces import assemble
from rag.load.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

_SAMPLE = 20_000  # characters
_DELIMITERS = ",;\t|"
_NAMED = re.compile(r"sep=(.)\r?\n")  # how Excel may be told


def parse(data: bytes, uri: str) -> Document:
    """Read a table of text; raises `LoadError` where its quotation marks or cells make no sense."""
    text = decode(data, uri)
    pieces = list(table(_rows(text, uri)))
    return assemble(pieces, data, uri, "text/csv")


def _rows(text: str, uri: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row. A row in which a cell has line ends counts once, as in spreadsheets."""
    csv.field_size_limit(MOST_TEXT)
    named = _NAMED.match(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=named[1] if named else delimiter(text))
    try:
        yield from islice(enumerate(reader, 1), 1 if named else 0, None)
    except csv.Error as error:
        raise LoadError(f"{uri}: row {reader.line_num} is no row of a table ({error}); save it anew as CSV") from error


def delimiter(text: str) -> str:
    """Return the sign that parts the cells: the one that most rows have equally often, and of two a comma last.

    It may stand in numbers.
    """
    sample = text[:_SAMPLE]
    return max(_DELIMITERS, key=lambda mark: _agreement(sample, mark))


def _agreement(sample: str, mark: str) -> tuple[float, bool, int]:
    rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=mark) if row]
    widths = Counter(map(len, rows))
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (0.0, False, 1) if width == 1 else (count / len(rows), mark != ",", width)
