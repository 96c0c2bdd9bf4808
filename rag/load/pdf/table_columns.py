"""Columns of tables, also over several pages: which cells stand in one, and what it is called."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rag.load.pdf.characters import is_rtl
from rag.load.tables import heading_row, is_number, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.load.pdf.paragraphs import Paragraph

    Column = tuple[float, float]  # from, to, in points

_CAPTION = ("table", "figure", "fig.", "tab.", "annex", "appendix")
_LONGEST_GROUP = 60  # characters of a line that names a group of rows


class PdfCell(NamedTuple):
    """What stands in a cell, and from where to where, in points."""

    start: float
    end: float
    text: str


def name_cells(blocks: Sequence[Paragraph]) -> None:
    """Let each row of a table say with every value what it is, where the table's first row looks like names.

    A line between two parts of a table (`East coast`) is the name of a group: the columns below it are the same.
    """
    names: list[str] = []
    known: list[Column] = []
    between: list[Paragraph] = []
    for is_table, group in groupby(blocks, lambda block: bool(block.lines[0].cells)):
        part = list(group)
        if not is_table:
            between = part
            continue
        lines = _laid_out(part)
        columns = _columns(lines)
        if not columns:  # the table may go on in the next column of the text
            lines = [[PdfCell(c.start - line[0].start, c.end - line[0].start, c.text) for c in line] for line in lines]
            columns = _columns(lines)
        if is_rtl(part[0].text):
            columns.reverse()
        rows = [_placed(line, columns) for line in lines]
        heads, own = _names(part, rows)
        if own or not (_name_group(between) and _alike(columns, known)):
            names, known = own, columns
        for block, row in zip(part[heads:], rows[heads:], strict=True):
            if names and row != names and any(row):
                block.text = record(names, row)


def _laid_out(part: Sequence[Paragraph]) -> list[list[PdfCell]]:
    return [[PdfCell(cell.box[0], cell.box[2], cell.text) for cell in block.lines[0].cells] for block in part]


def _columns(lines: Sequence[Sequence[PdfCell]]) -> list[Column]:
    """Return the columns of the rows that have the most cells; nothing where these overlap."""
    most = max(map(len, lines))
    columns: list[Column] = []
    for start, end in sorted((cell.start, cell.end) for line in lines for cell in line if len(line) == most):
        if columns and start < columns[-1][1] - 1:
            columns[-1] = columns[-1][0], max(end, columns[-1][1])
        else:
            columns.append((start, end))
    return columns if len(columns) == most else []


def _placed(line: Sequence[PdfCell], columns: Sequence[Column]) -> list[str]:
    """Return the text in each column; nothing where two cells stand in one."""
    texts = [""] * len(columns)
    for cell in line:
        shared = [min(cell.end, end) - max(cell.start, start) for start, end in columns]
        best = max(range(len(columns)), key=shared.__getitem__, default=None)
        if best is None or shared[best] <= 0 or (texts[best] and cell.text):
            return []
        texts[best] += cell.text
    return texts


def _names(part: Sequence[Paragraph], rows: Sequence[list[str]]) -> tuple[int, list[str]]:
    """Return how many rows name the columns, and the names: in bold, or without numbers over columns with numbers.

    A name that goes over two rows shows that both name them: `2023` over `Plan` and `Done`.
    """
    if not all(rows):
        return 0, []
    head, heads = rows[0], 1
    if len(rows) > heads and any(upper and upper == lower for upper, lower in zip(head, rows[1], strict=True)):
        pairs = zip(_spread(head), rows[1], strict=True)
        head, heads = [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs], 2
    counted = any(is_number(cell) for row in rows[heads:] for cell in row)
    names = heading_row([head, *rows[heads:]]) if counted or part[0].lines[0].run.bold else []
    return heads if names else 0, names


def _spread(names: Sequence[str]) -> Iterator[str]:
    """Yield a name again for each column without one behind it: it goes over these as well."""
    last = ""
    for name in names:
        last = name or last
        yield last


def _name_group(between: Sequence[Paragraph]) -> bool:
    """Tell whether what stands between two parts names a group of rows: no heading or caption, which opens a table."""
    if len(between) != 1 or between[0].level is not None:
        return False
    text = between[0].text
    caption = text.lower().startswith(_CAPTION) or text[:1].isdecimal()
    return not caption and len(text) <= _LONGEST_GROUP and not text.endswith((".", ":"))


def _alike(columns: Sequence[Column], others: Sequence[Column]) -> bool:
    pairs = zip(columns, others, strict=False)
    return len(columns) == len(others) > 0 and all(a[0] < b[1] and b[0] < a[1] for a, b in pairs)
