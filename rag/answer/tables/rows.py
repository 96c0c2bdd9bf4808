"""Rows of tables, and what one has of a question: `Town: Kelby | County: Lowland | Population 2021: 26,393`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rag.answer.question import Question
from rag.answer.values import is_of_kind, value
from rag.language.dates import FULL_MONTHS, WEEKDAYS, without_dates, written
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from rag.language.dates import Parts
    from rag.records import Candidate


@dataclass(frozen=True, slots=True)
class TableSettings:
    """Numbers of the lookup, set by hand on the tables of `tests/answer/test_tables.py`.

    `benchmarks/tables.py` measures them on others: 38 of 44 cells were right in its first run, 43 and 44 since. Cosines
    of all-MiniLM-L6-v2: `people lived` and `Population` 0.48, `leader` and `Mayor` 0.56; `unemployment rate` and
    `Population` 0.23, `temperature` and `ph` 0.19.
    """

    named_score: float = 0.9  # of a row whose cell has the asked name
    meant_score: float = 0.8  # of a row whose cell has a name that means much the same, or that has the most of all
    only_score: float = 0.7  # of a row with the only value of the asked kind
    near_score: float = 0.2  # of the row that is asked about, where none of its cells is: it only comes closest
    alike: float = 0.45  # the cosine from which on a column's name means much the same as what is asked
    explained: float = 0.6  # the share of the question, by rarity, that a row has to explain; others are read
    date_weight: float = 4.0  # what a date in common counts, as the rarity of a word
    longest_value: int = 12  # words of a value up to which a table is one of data; others are prose, to be read
    longest_table: int = 50_000  # characters above a row in which the names of its columns are looked for


SETTINGS = TableSettings()
_SEPARATOR = " | "
_PART = re.compile(r"[^\s|](?: ?[^\s|])*")
_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*")
_CELL = re.compile(r"\|\s*([^|\n]*?)\s*(?=\|)")
_CALENDAR = (*WEEKDAYS, *(f"in {month.capitalize()}" for month in FULL_MONTHS))
_NO_DIGITS = re.compile(r"\W*(?:by |to |with |for |from |in )?(?:who(?:m|se)?|where)\b", re.IGNORECASE)


@dataclass(frozen=True)
class TableCell:
    """A value of a row, the name of its column, and where it starts in the text of the row (code points)."""

    name: str
    value: str
    start: int

    @cached_property
    def name_terms(self) -> frozenset[str]:
        """The terms of the name; `lead_ug_l` has three."""
        return frozenset(terms(spaced(self.name)))

    @cached_property
    def terms(self) -> frozenset[str]:
        """The terms of the value."""
        return frozenset(terms(spaced(self.value)))

    @cached_property
    def dates(self) -> list[Parts]:
        """The dates in the value."""
        return dates_in(spaced(self.value))

    @cached_property
    def name_dates(self) -> list[Parts]:
        """The dates in the name, as the year of `Population 2021`."""
        return dates_in(spaced(self.name))


def columns_above(text: str) -> list[str]:
    """Return the names of the columns of a Markdown table whose next row comes behind a text; none without a table."""
    rows = text.rstrip("\r\n").splitlines()
    while rows and rows[-1].lstrip().startswith("|"):
        if _RULE.fullmatch(rows.pop()):
            return [part.strip(" *_`") for part in rows[-1].strip().strip("|").split("|")] if rows else []
    return []


def cells(text: str, columns: Sequence[str] = ()) -> list[TableCell]:
    """Return the cells of a table row that names most of its values, or whose `columns` stand above it; else none."""
    if columns:
        values = list(_CELL.finditer(text))
        fits = len(values) == len(columns)
        return [TableCell(n, v[1], v.start(1)) for n, v in zip(columns, values, strict=True)] if fits else []
    parts = text.split(_SEPARATOR)
    if len(parts) < 2 or "\n" in text:
        return []
    found, start = list[TableCell](), 0
    for part in parts:
        name, colon, value = part.partition(": ")
        named = bool(colon and value)
        found.append(TableCell(name, value, start + len(name) + 2) if named else TableCell("", part, start))
        start += len(part) + len(_SEPARATOR)
    return found if 2 * sum(bool(cell.name) for cell in found) >= len(found) else []


def are_data(row: Sequence[TableCell]) -> bool:
    """Tell whether the values of a row are looked up; a row with a long one is prose, to be read, and so is none."""
    return bool(row) and all(len(cell.value.split()) <= SETTINGS.longest_value for cell in row)


def pairs(text: str) -> list[TableCell]:
    """Return the values of a line of a form, `Make | Ostra | Color | Green`, named by their labels; else none.

    Text that goes on in an indented line is prose.
    """
    parts = [TableCell("", match[0], match.start()) for match in _PART.finditer(text)]
    labels, values = parts[::2], parts[1::2]
    lettered = all(any(map(str.isalpha, label.value)) for label in labels[1:])
    if "\n" in text or len(labels) != len(values) or not lettered or text.startswith("|") or cells(text):
        return []
    return [replace(value, name=label.value.rstrip(" :：")) for label, value in zip(labels, values, strict=True)]


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """What a question asks of a table."""

    question: Question  # without dates
    text: str
    weights: Mapping[str, float]  # its terms with their rarity, without those of dates
    dates: Sequence[Parts]

    @classmethod
    def of(cls, question: Question, weights: Mapping[str, float]) -> TableQuestion:
        """Take the dates out of a question; `weights` are its terms with their rarity."""
        rest = without_dates(question.text)
        kept = set(terms(rest))
        dates = [parts for _, parts in question.dates]
        least = {term: SETTINGS.date_weight for day in WEEKDAYS for term in terms(day)}
        own = {term: max(weight, least.get(term, 0.0)) for term, weight in weights.items() if term in kept}
        return cls(Question.parse(rest), rest, own, dates)

    def has_date(self, dates: Iterable[Parts]) -> bool:
        """Tell whether one of these dates can be one of the question."""
        return any(date.agrees(other) for other in dates for date in self.dates)

    def weight(self, known: AbstractSet[str]) -> float:
        """Return how much of the question these terms are."""
        return math.fsum(weight for term, weight in self.weights.items() if term in known)


@dataclass(frozen=True, slots=True)
class Row:
    """A row beside a question."""

    candidate: Candidate
    cells: Sequence[TableCell]
    asked: TableQuestion

    @property
    def is_data(self) -> bool:
        """Whether its values are looked up."""
        return are_data(self.cells)

    @property
    def overlap(self) -> tuple[float, float]:
        """How much of the question is in values, and in values that it has whole: this tells which row is asked about.

        `Who runs Ripwell?` is asked about the town, not about a mayor called Ann Ripwell. A column of the year that is
        asked about counts as a date of each row that has something else of the question.
        """
        inside = self.asked.weight({term for cell in self.cells for term in cell.terms})
        whole = self.asked.weight({term for cell in self.cells if self.is_given(cell) for term in cell.terms})
        had = [other for cell in self.cells for other in cell.dates]
        dates = [date for date in self.asked.dates if any(map(date.agrees, had))]
        columns = [date for date in self.asked.dates if date not in dates and any(map(self.is_of_year, self.cells))]
        dates += columns if inside or dates else []
        return round(inside + SETTINGS.date_weight * len(dates), 6), round(whole, 6)

    def explains(self, further: Iterable[str]) -> float:
        """Return the share of the question that its values, its names, its surroundings and `further` terms have."""
        dates = SETTINGS.date_weight * len(self.asked.dates)
        total = math.fsum(self.asked.weights.values()) + dates
        return (self.asked.weight(self._known().union(further)) + dates) / total if total else 0.0

    def has_any(self, wanted: Iterable[str]) -> bool:
        """Tell whether any of these terms is in its values, their names or what its passage is part of."""
        return not self._known().isdisjoint(wanted)

    @property
    def lacks(self) -> bool:
        """Whether a date of the question is neither in it nor in what its passage is part of."""
        around = dates_in(self.candidate.hit.passage.context)
        around += (date for cell in self.cells for date in (*cell.dates, *cell.name_dates))
        return any(not any(map(date.agrees, around)) for date in self.asked.dates)

    def is_given(self, cell: TableCell) -> bool:
        """Tell whether the question itself has the value of a cell."""
        return self.asked.has_date(cell.dates) or (bool(cell.terms) and cell.terms <= self.asked.weights.keys())

    def is_of_year(self, cell: TableCell) -> bool:
        """Tell whether a cell is that of a year of the question: its name is this year and nothing else."""
        return not terms(without_dates(spaced(cell.name))) and self.asked.has_date(cell.name_dates)

    def is_of_kind(self, cell: TableCell) -> bool:
        """Tell whether a value may be what is asked for."""
        question, digits = self.asked.question, any(map(str.isdigit, cell.value))
        if question.kind == "date":
            found = value(question, cell.value)
            return bool(cell.dates) or (found is not None and found.kind == "time")
        if digits and _NO_DIGITS.match(question.text):
            return False
        return (digits and question.kind == "number") or is_of_kind(question, cell.value)  # 1894 may be one of pupils

    def _known(self) -> frozenset[str]:
        passage = self.candidate.hit.passage
        near = frozenset(terms(f"{passage.context} {spaced(passage.title or '')}"))
        return near.union(*(cell.terms | cell.name_terms for cell in self.cells))


def spaced(text: str) -> str:
    """Return a name or value in words: `lead_ug_l` as `lead ug l`, one that is only `Sun` or `Jan.` as a whole date."""
    short = text.strip(" .").lower()
    whole = (name for name in _CALENDAR if len(short) > 2 and name.split()[-1].lower().startswith(short))
    return next(whole, text.replace("_", " "))


def dates_in(text: str) -> list[Parts]:
    """Return the dates that are written in a text."""
    return [parts for _, parts in written(text)]
