"""What the page shows of the collection, as plain data: its documents, these over time, and what a change of it did."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, get_args

from rag.app.ui.examples import MOST_NAMED
from rag.app.ui.render import file_name, nice_date
from rag.records import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from rag.app.as_json import Json
    from rag.app.ui.examples import Named
    from rag.records import Hit, Outcome, SyncReport
    from rag.records.index import DocumentInfo
    from rag.records.runs import Run
    from rag.sync.leftovers import Leftovers

CHARACTERS_PER_WORD = 6  # of English text with its spaces
MOST_BARS = 60


def documents_view(documents: Sequence[DocumentInfo], lacks: str = "") -> Json:
    """List the documents by name; `lacks` says what of them is not searched in full."""
    return {
        "summary": " ".join([_count(len(documents), "document"), *([f"({lacks})"] if lacks else [])]),
        "rows": [document_row(document) for document in sorted(documents, key=lambda d: (d.name.casefold(), d.uri))],
    }


def document_row(document: DocumentInfo) -> Json:
    """Show one document: `date` and `words` are for sorting, `day` and `length` for reading.

    `added` is when it came (ISO 8601 in UTC), `trouble` what is wrong with it, if anything is.
    """
    path = Path(document.uri)
    words = max(1, round(document.characters / CHARACTERS_PER_WORD))
    return {
        "document": document.uri,
        "name": document.name,
        "date": document.date or "",
        "day": nice_date(document.date),
        "kind": _kind(document),
        "words": words,
        "length": _count(document.pages, "page") if document.pages else _count(words, "word"),
        "folder": str(path.parent),
        "added": document.added or "",
        "trouble": "No text to search" if not document.passages else "" if _is_there(path) else "The file is gone",
    }


def _is_there(path: Path) -> bool:
    """Tell whether a document's file is there, or the archive that it is in; what is no file of this machine is."""
    for file in (path, *path.parents) if path.is_absolute() else ():
        with suppress(OSError):
            is_file = S_ISREG(file.stat().st_mode)
            return file == path or is_file
    return not path.is_absolute()


def overview_view(documents: Sequence[DocumentInfo], hits: Sequence[Hit]) -> Json:
    """Show the documents over time, and where the passages stand that a question found (`found`, best first)."""
    passages = [hit.passage for hit in hits]
    return {
        **timeline(documents, {passage.uri for passage in passages}),
        "found": [{"document": p.uri, "title": p.name, "start": p.span.start, "end": p.span.end} for p in passages],
    }


def contents_view(documents: Sequence[DocumentInfo], named: Named) -> Json:
    """Show what there is: `kinds` of documents in words, and who and what is `named` most, with a question each."""
    kinds = Counter(map(_kind, documents)).most_common()
    people = [{"name": person, "question": f"What did {person} say?"} for person in named.people[:MOST_NAMED]]
    names = [{"name": name, "question": f"What is known about {name}?"} for name in named.names[:MOST_NAMED]]
    return {"kinds": ", ".join(f"{count:,} {kind}" for kind, count in kinds), "people": people, "names": names}


def _kind(document: DocumentInfo) -> str:
    return Path(document.uri).suffix.removeprefix(".").upper() or "text"


def timeline(documents: Sequence[DocumentInfo], found: Collection[str] = ()) -> Json:
    """Count documents by month; where that would be over 60 bars by year, and then by decade.

    Args:
        documents: of the whole collection; a date that is no ISO date counts as none.
        found: URIs of those that a question found.

    Returns:
        `bars` without gaps, in order: `name` (`March 2020`, `2020` or `2020s`), how many `documents` and how many of
        them `found`; how many documents are `undated`; and `time`, which says it in words.
    """
    dated = [(day, info.uri in found) for info in documents if (day := _day(info.date))]
    undated = len(documents) - len(dated)
    if not dated:
        return {"bars": [], "undated": undated, "time": _over_time([], undated)}
    days = [day for day, _ in dated]
    number, name = next((s for s in _SCALES if s[0](max(days)) - s[0](min(days)) < MOST_BARS), _SCALES[-1])
    all_ = Counter(number(day) for day in days)
    some = Counter(number(day) for day, is_found in dated if is_found)
    steps = range(min(all_), max(all_) + 1)
    bars = [{"name": name(step), "documents": all_[step], "found": some[step]} for step in steps]
    return {"bars": bars, "undated": undated, "time": _over_time(bars, undated)}


def _over_time(bars: Sequence[Json], undated: int) -> str:
    without = f"{undated:,} without a date" if undated else ""
    if not bars:
        return f"No document has a date: {without}." if without else "There are no documents."
    first, last = bars[0]["name"], bars[-1]["name"]
    most = max(bars, key=lambda bar: bar["documents"])
    stretch = f"from {first} to {last}, most of them in {most['name']} ({most['documents']:,})"
    found = sum(bar["found"] for bar in bars)
    parts = (
        f"{_count(sum(bar['documents'] for bar in bars), 'document')}: {stretch if first != last else first}",
        without,
        f"{found:,} found" if found else "",
    )
    return "; ".join(part for part in parts if part) + "."


def _day(iso: str | None) -> date | None:
    try:
        return date.fromisoformat(iso or "")
    except ValueError:
        return None


_SCALES: tuple[tuple[Callable[[date], int], Callable[[int], str]], ...] = (
    (
        lambda day: day.year * 12 + day.month - 1,
        lambda month: f"{date(month // 12, month % 12 + 1, 1):%B} {month // 12}",
    ),
    (lambda day: day.year, str),
    (lambda day: day.year // 10, "{}0s".format),
)


def report_view(report: SyncReport) -> Json:
    """Show what became of each file, the ones to look at first."""
    counts = Counter(outcome.state for outcome in report.outcomes)
    return {"kind": "done", "summary": _counted(counts), "rows": [_report_row(outcome) for outcome in report.news]}


def run_view(run: Run) -> Json:
    """Show what an earlier run did, and when it `ended` (ISO 8601 in UTC); `more` files are not named."""
    return {
        "ended": run.ended,
        "summary": _counted(run.counts),
        "rows": [_report_row(outcome) for outcome in run.outcomes],
        "more": sum(run.counts.values()) - len(run.outcomes),
    }


def _counted(counts: Mapping[State, int]) -> str:
    return ", ".join(f"{counts[state]:,} {state}" for state in get_args(State) if counts.get(state)) or "Nothing to do"


def _report_row(outcome: Outcome) -> Json:
    return {"file": file_name(outcome.path), "state": outcome.state, "reason": outcome.reason}


def remains_line(left: Leftovers) -> str:
    """Say what stays of a removed document; nothing when nothing does."""
    kept = _count(len(left.conversations), "kept conversation")
    quoted = f"Still quoted in {kept}, to be forgotten under Conversations." if left.conversations else ""
    again = "Its file is still there, and taken in again when its folder is indexed again."
    return " ".join(filter(None, (quoted, again if left.file else "")))


def failure_view(message: str) -> Json:
    """Show that a change of the collection did not happen."""
    return {"kind": "error", "summary": message, "rows": []}


def progress_view(stage: str, done: int, total: int, seconds: float) -> Json:
    """Show how far a change is; `share` is how much of the present stage is done, 0 to 1."""
    summary = progress_line(stage, done, total, seconds)
    return {"kind": "progress", "summary": summary, "share": done / total if total else 0.0}


def progress_line(stage: str, done: int, total: int, seconds: float) -> str:
    """Say how far indexing is: `Found by words; by meaning, too: 120 of 400, 35 a second, 8 s left`."""
    things = {"reading": "Reading files", "embedding": "Found by words; by meaning, too"}.get(stage, stage.capitalize())
    line = f"{things}: {done:,} of {total:,}"
    if not done or seconds < 1:  # too early to tell
        return line
    rate = done / seconds
    left = (total - done) / rate
    wait = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    return f"{line}, {rate:,.0f} a second, {wait} left" if rate >= 1 else f"{line}, {wait} left"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
