"""Rows of tables, and what one has of a question: `Town: Kelby | County: Lowland | Population 2021: 26,393`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rag.answer.question import Question
from rag.answer.values import counts_otherwise, is_of_kind
from rag.language.dates import without_dates, written
from rag.language.speakers.titles import TITLES
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from rag.language.dates import Parts
    from rag.records import Candidate

DATE = 4.0
"""What a date in common counts, as the rarity of a word."""

LONGEST_VALUE = 12
"""Words of a value up to which a table is one of data, to be looked up; others are prose, to be read."""

_SEPARATOR = " | "
_CAPITAL = re.compile(r"(?<=\s)(?:[A-Z]|\d)[\w’'&.,-]*")
_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*")
_CELL = re.compile(r"\|\s*([^|\n]*?)\s*(?=\|)")
_QUANTITY = re.compile(r"(?<![\w-])[-+]?\d")
"""A number that is no part of a code: not that of `BW-1180`."""
_NO_DIGITS = re.compile(r"\W*(?:by |to |with |for |from |in )?(?:who(?:m|se)?|where)\b", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:more|less|fewer|higher|lower|greater|over|under|above|below|at (?:least|most))(?: than)? \S+"
)


@dataclass(frozen=True)
class Cell:
    """A value of a row, its name, and where it starts in the text of the row (code points)."""

    name: str
    value: str
    start: int

    @cached_property
    def name_terms(self) -> frozenset[str]:
        """Return the terms of the name; `lead_ug_l` has three."""
        return frozenset(terms(spaced(self.name)))

    @cached_property
    def terms(self) -> frozenset[str]:
        """Return the terms of the value."""
        return frozenset(terms(spaced(self.value)))

    @cached_property
    def dates(self) -> list[Parts]:
        """Return the dates in the value."""
        return _dates(self.value)

    @cached_property
    def name_dates(self) -> list[Parts]:
        """Return the dates in the name, as the year of `Population 2021`."""
        return _dates(spaced(self.name))


def columns_above(text: str) -> list[str]:
    """Return the names of the columns of a Markdown table whose next row comes behind a text; none without a table."""
    rows = text.rstrip("\r\n").splitlines()
    while rows and rows[-1].lstrip().startswith("|"):
        if _RULE.fullmatch(rows.pop()):
            return [part.strip(" *_`") for part in rows[-1].strip().strip("|").split("|")] if rows else []
    return []


def cells(text: str, columns: Sequence[str] = ()) -> list[Cell]:
    """Return the cells of a table row that names most of its values; none of any other text.

    Args:
        text: the row.
        columns: the names of its columns, where they stand above it.
    """
    if columns:
        values = list(_CELL.finditer(text))
        fits = len(values) == len(columns)
        return [Cell(n, v[1], v.start(1)) for n, v in zip(columns, values, strict=True)] if fits else []
    parts = text.split(_SEPARATOR)
    if len(parts) < 2 or "\n" in text:
        return []
    found, start = [], 0
    for part in parts:
        name, colon, value = part.partition(": ")
        found.append(Cell(name, value, start + len(name) + 2) if colon and value else Cell("", part, start))
        start += len(part) + len(_SEPARATOR)
    named = sum(bool(cell.name) for cell in found)
    return found if 2 * named >= len(found) and all(len(c.value.split()) <= LONGEST_VALUE for c in found) else []


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks of a table.

    Attributes:
        question: its text, without dates.
        parsed: the question without dates.
        weights: its terms with their rarity, without those of dates.
        dates: the dates in it.
        fixed: terms of what is written like a name or a number.
    """

    question: str
    parsed: Question
    weights: Mapping[str, float]
    dates: Sequence[Parts]
    fixed: frozenset[str]

    @classmethod
    def of(cls, question: Question, weights: Mapping[str, float]) -> Asked:
        """Return what a question asks; `weights` are its terms with their rarity."""
        rest = without_dates(question.text)
        kept = set(terms(rest))
        names = (word for word in _CAPITAL.findall(_BOUND.sub("", rest)) if word.lower() not in TITLES)
        fixed = frozenset(term for name in names for term in terms(name))
        return cls(
            rest,
            Question.parse(rest),
            {t: w for t, w in weights.items() if t in kept},
            [parts for _, parts in question.dates],
            fixed,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A row beside a question."""

    candidate: Candidate
    cells: Sequence[Cell]
    asked: Asked

    @property
    def told(self) -> tuple[float, float]:
        """How much of the question is in values, and in values that it has whole: this tells which row is asked about.

        `Who runs Ripwell?` is asked about the town, not about a mayor called Ann Ripwell. A column of the year that is
        asked about counts as a date of each row that has something else of the question.
        """
        inside = self._weight({term for cell in self.cells for term in cell.terms})
        whole = self._weight({term for cell in self.cells if self.gives(cell) for term in cell.terms})
        dates = self._dated()
        columns = [d for d in self.asked.dates if d not in dates and any(map(self.is_of, self.cells))]
        dates += columns if inside or dates else []
        return round(inside + DATE * len(dates), 6), round(whole, 6)

    def explains(self, further: Iterable[str]) -> float:
        """Return the share of the question that its values, its names, its surroundings and `further` terms have."""
        total = math.fsum(self.asked.weights.values()) + DATE * len(self.asked.dates)
        known = self._weight(self._known().union(further)) + DATE * len(self.asked.dates)
        return known / total if total else 0.0

    def has_any(self, wanted: Iterable[str]) -> bool:
        """Tell whether any of these terms is in its values, their names or what its passage is part of."""
        return not self._known().isdisjoint(wanted)

    def lacks(self, others: Iterable[Row]) -> bool:
        """Tell whether something of the question is surely not about this row.

        That is a name, number or date which is neither in it nor in what its passage is part of, and a value which
        another row has in the place of this one's: `chair` where this one's role is `director`.
        """
        known = self._known()
        around = [
            *_dates(self.candidate.hit.passage.context),
            *(parts for cell in self.cells for parts in cell.name_dates),
        ]
        undated = [date for date in self.asked.dates if date not in self._dated()]
        missing = any(not any(date.agrees(parts) for parts in around) for date in undated)
        return missing or not self.asked.fixed <= known or any(other.has_instead(self, known) for other in others)

    def has_instead(self, row: Row, known: frozenset[str]) -> bool:
        """Tell whether the question has a value of this row in place of which `row`, that has `known`, has another."""
        values = {cell.name: cell.terms for cell in row.cells if cell.name}
        given = [cell for cell in self.cells if cell.terms and cell.terms <= self.asked.weights.keys()]
        return any(values.get(cell.name, cell.terms) != cell.terms and not cell.terms <= known for cell in given)

    def gives(self, cell: Cell) -> bool:
        """Tell whether the question itself has the value of a cell."""
        dated = any(date.agrees(parts) for date in self.asked.dates for parts in cell.dates)
        return dated or (bool(cell.terms) and cell.terms <= self.asked.weights.keys())

    def is_of(self, cell: Cell) -> bool:
        """Tell whether a cell is that of a year of the question: its name is this year and nothing else."""
        dates = cell.name_dates if not terms(without_dates(spaced(cell.name))) else []
        return any(date.agrees(parts) for date in self.asked.dates for parts in dates)

    def is_of_kind(self, cell: Cell) -> bool:
        """Tell whether a value may be what is asked for."""
        if self.asked.parsed.kind == "date":
            return bool(cell.dates)
        if _NO_DIGITS.match(self.asked.question) and any(map(str.isdigit, cell.value)):
            return False
        if self.asked.parsed.kind == "number" and any(map(str.isdigit, cell.value)):  # 1894 may be a number of pupils
            dated = any(parts.month for parts in cell.dates)
            return (
                not dated and bool(_QUANTITY.search(cell.value)) and not counts_otherwise(self.asked.parsed, cell.name)
            )
        return is_of_kind(self.asked.parsed, cell.value)

    def _known(self) -> frozenset[str]:
        """Return the terms of its values, of their names, and of what its passage is part of."""
        passage = self.candidate.hit.passage
        near = frozenset(terms(f"{passage.context} {spaced(passage.title or '')}"))
        return near.union(*(cell.terms | cell.name_terms for cell in self.cells))

    def _weight(self, known: AbstractSet[str]) -> float:
        return math.fsum(weight for term, weight in self.asked.weights.items() if term in known)

    def _dated(self) -> list[Parts]:
        """Return the dates of the question that a value has."""
        said = [parts for cell in self.cells for parts in cell.dates]
        return [date for date in self.asked.dates if any(date.agrees(parts) for parts in said)]


def spaced(text: str) -> str:
    """Return a name of a column in words: `lead_ug_l` as `lead ug l`."""
    return text.replace("_", " ")


def _dates(text: str) -> list[Parts]:
    return [parts for _, parts in written(text)]
