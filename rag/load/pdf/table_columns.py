"""Columns of tables, also over several pages: which cells stand in one, and what it is called."""

from __future__ import annotations

from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from rag.load.pdf.characters import is_rtl
from rag.load.tables import heading_row, is_number, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.load.pdf.characters import CharacterRun
    from rag.load.pdf.paragraphs import Paragraph

    Column = tuple[float, float]  # from, to, in points


def name_cells(blocks: Sequence[Paragraph]) -> None:
    """Let each row of a table say with every value what it is, where the table's first row looks like names."""
    is_row = [False, *(len(block.lines[0].run.cells) > 1 for block in blocks), False]
    around = zip(is_row, is_row[1:], is_row[2:], blocks, strict=False)
    # A line between two rows names those below it; the columns stay.
    inside = iter([here or (above and below and len(block.lines) == 1) for above, here, below, block in around])
    for is_table, group in groupby(blocks, lambda _: next(inside)):
        if not is_table:
            continue
        part = list(group)
        columns = _columns([block.lines[0].run.cells for block in part])
        if is_rtl(part[0].text):
            columns.reverse()
        rows = [_placed(block.lines[0].run.cells, columns) for block in part]
        heads, names = _names(part, rows)
        for block, row in zip(part[heads:], rows[heads:], strict=True):
            if names and any(row):
                block.text = record(names, row)


def _columns(lines: Sequence[Sequence[CharacterRun]]) -> list[Column]:
    most = max(map(len, lines))
    columns: list[Column] = []
    for start, _, end, _ in sorted(cell.box for line in lines for cell in line if len(line) == most):
        if columns and start < columns[-1][1] - 1:
            columns[-1] = columns[-1][0], max(end, columns[-1][1])
        else:
            columns.append((start, end))
    return columns if len(columns) == most else []


def _placed(line: Sequence[CharacterRun], columns: Sequence[Column]) -> list[str]:
    texts = [""] * len(columns)
    for cell in line:
        x0, _, x1, _ = cell.box
        under = [index for index, (start, end) in enumerate(columns) if min(x1, end) - max(x0, start) > 1]
        if len(under) != 1 or (texts[under[0]] and cell.text):
            return []
        texts[under[0]] += cell.text
    return texts


def _names(part: Sequence[Paragraph], rows: Sequence[list[str]]) -> tuple[int, list[str]]:
    """Return how many rows name the columns, and the names: in bold, or without numbers over columns with numbers.

    A name that goes over two rows shows that both name them: `2023` over `Plan` and `Done`.
    """
    if not rows[0]:
        return 0, []
    head, heads = rows[0], 1
    if len(rows) > 1 and any(upper and upper == lower for upper, lower in zip(head, rows[1], strict=False)):
        spread: Iterator[str] = accumulate(head, lambda last, name: name or last)  # also over columns without one
        pairs = zip(spread, rows[1], strict=True)
        head, heads = [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs], 2
    below = [row for row in rows[heads:] if any(row)]
    counted = any(is_number(cell) for row in below for cell in row)
    names = heading_row([head, *below]) if counted or part[0].lines[0].run.bold else []
    return heads if names else 0, names
