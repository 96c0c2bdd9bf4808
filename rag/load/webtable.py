"""Tables of web pages: each row one line that says with every value what it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.load.pieces import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    Element = Any  # lxml has no types

_MOST_COVERED = 1000  # rows or columns, as browsers have it


@dataclass(slots=True)
class Table:
    """A table of which rows are read one after the other."""

    number: int
    rows: int = 0
    header: list[str] | None = None
    spans: dict[int, tuple[int, str]] = field(default_factory=dict)  # by column: rows that a cell above still covers

    def add(self, cells: Sequence[tuple[Element, str]]) -> str:
        """Return a row as one line: with the names of its columns, where the table has them and they fit."""
        row = self._laid_out(cells)
        self.rows += 1
        if self.rows == 1 and all(cell.tag == "th" or cell.get("role") == "head" for cell, _ in cells):
            self.header = row
        elif self.header is not None and len(row) == len(self.header):
            return record(self.header, row)
        return " | ".join(row)

    def _laid_out(self, cells: Sequence[tuple[Element, str]]) -> list[str]:
        """Return a text for each column: a cell that covers several rows or names several columns is in each."""
        row: list[str] = []
        above, self.spans = self.spans, {column: (left - 1, text) for column, (left, text) in self.spans.items()}
        for cell, text in [*cells, (None, "")]:
            while above.get(len(row), (0, ""))[0] > 0:
                row.append(above[len(row)][1])
            if cell is None:
                break
            for index in range(_covered(cell, "colspan")):
                self.spans[len(row)] = (_covered(cell, "rowspan") - 1, text)
                row.append(text if index == 0 or cell.tag == "th" else "")
        return row


def _covered(cell: Element, attribute: str) -> int:
    """Return how many rows or columns a cell covers."""
    value = cell.get(attribute, "")
    return min(max(1, int(value)), _MOST_COVERED) if value.isascii() and value.isdigit() and len(value) < 5 else 1
