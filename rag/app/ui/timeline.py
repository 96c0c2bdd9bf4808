"""Documents over time: how many there are of each month, and of which months a question found some."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rag.records.index import DocumentInfo

MOST_BARS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time: its name (`March 2020`, `2020` or `2020s`), its documents, and those of them found."""

    name: str
    documents: int
    found: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars without gaps, in order, and the number of documents that have no date."""

    bars: tuple[Bar, ...]
    undated: int


def timeline(documents: Sequence[DocumentInfo], found: Collection[str] = ()) -> Timeline:
    """Count documents by month; where that would be over 60 bars by year, and then by decade.

    Args:
        documents: of the whole collection; a date that is no ISO date counts as none.
        found: URIs of those that a question found.
    """
    dated = [(day, info.uri in found) for info in documents if (day := _day(info.date))]
    undated = len(documents) - len(dated)
    if not dated:
        return Timeline((), undated)
    days = [day for day, _ in dated]
    number, name = next((s for s in _SCALES if s[0](max(days)) - s[0](min(days)) < MOST_BARS), _SCALES[-1])
    all_ = Counter(number(day) for day in days)
    some = Counter(number(day) for day, is_found in dated if is_found)
    steps = range(min(all_), max(all_) + 1)
    return Timeline(tuple(Bar(name(step), all_[step], some[step]) for step in steps), undated)


def describe(time: Timeline) -> str:
    """Say in words what the bars show."""
    dated = sum(bar.documents for bar in time.bars)
    without = f"{time.undated:,} without a date" if time.undated else ""
    if not time.bars:
        return f"No document has a date: {without}." if without else "There are no documents."
    first, last = time.bars[0].name, time.bars[-1].name
    most = max(time.bars, key=lambda bar: bar.documents)
    stretch = f"from {first} to {last}, most of them in {most.name} ({most.documents:,})" if first != last else first
    found = sum(bar.found for bar in time.bars)
    parts = (
        f"{dated:,} {'document' if dated == 1 else 'documents'}: {stretch}",
        without,
        f"{found:,} found" * bool(found),
    )
    return "; ".join(part for part in parts if part) + "."


def _day(iso: str | None) -> date | None:
    try:
        return date.fromisoformat(iso or "")
    except ValueError:
        return None


def _month_name(month: int) -> str:
    return f"{date(month // 12, month % 12 + 1, 1):%B} {month // 12}"


_SCALES: tuple[tuple[Callable[[date], int], Callable[[int], str]], ...] = (
    (lambda day: day.year * 12 + day.month - 1, _month_name),
    (lambda day: day.year, str),
    (lambda day: day.year // 10, "{}0s".format),
)
