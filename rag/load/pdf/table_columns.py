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

_MOST_HEADS = 3  # rows that name columns


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
        lines = [[cell for cell in block.lines[0].run.cells if cell.text] for block in part]
        columns = _columns(lines)
        if is_rtl(part[0].text):
            columns.reverse()
        rows = [_placed(line, columns) for line in lines]
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

    A name that goes over two rows shows that both name them: `2023` over `Plan` and `Done`. So does a row with gaps
    over one without: `Two or` over `more`. Above these, names may stand over several columns each.
    """
    top = next((number for number, row in enumerate(rows[:_MOST_HEADS]) if any(row)), None)
    if top is None:
        return 0, []
    head, heads = rows[top], top + 1
    if len(rows) > heads and (_is_title(head) or any(_over([*filter(None, head)], rows[heads]))):
        head, heads = rows[heads], heads + 1
    if len(rows) > heads and any(upper and upper == lower for upper, lower in zip(head, rows[heads], strict=False)):
        spread: Iterator[str] = accumulate(head, lambda last, name: name or last)  # also over columns without one
        head, heads = _below(list(spread), rows[heads]), heads + 1
    while heads < min(top + _MOST_HEADS, len(rows)) and _goes_down(head, rows[heads]):
        head, heads = _below(head, rows[heads]), heads + 1
    over = [cell.text for cell in part[heads - 2].lines[0].run.cells if cell.text] if heads > 1 else []
    head = _below(_over(over, head), head)
    below = [row for row in rows[heads:] if any(row)]
    counted = any(is_number(cell) for row in below for cell in row)
    names = heading_row([head, *below]) if counted or part[top].lines[0].run.bold else []
    return heads if names else 0, names


def _below(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Put names below others: what stands in both rows is one name."""
    return [above if above == name else f"{above} {name}".strip() for above, name in zip(upper, lower, strict=True)]


def _goes_down(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Tell whether names go on in the next row: it has one under each of these, no number, and gaps as these have."""
    pairs = list(zip(upper, lower, strict=False))
    covered = all(name or not above for above, name in pairs) and not any(map(is_number, lower))
    same = all(not name or above for above, name in pairs)  # a row of values would say of what they are
    return any(lower) and covered and not _is_title(upper) and upper.count("") > (0 if same else 1)


def _is_title(row: Sequence[str]) -> bool:
    return any(row[:1]) and not any(row[1:])


def _over(names: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Spread names over those that come once for each: `Public` and `Private` over twice `Boys` and `Girls`."""
    for label in (0, 1):
        rest, times = lower[label:], len(names)
        each = len(rest) // times if times else 0
        if each > 1 < times and list(rest) == [*rest[:each]] * times:
            return [*[""] * label, *(name for name in names for _ in range(each))]
    return [""] * len(lower)
