"""What the latest runs did, and what they were given: a short list that the index keeps of itself.

The names of removed files stay in it until later runs take their place.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Self

from rag.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rag.records import State, SyncReport

MOST_RUNS = 30
MOST_OUTCOMES = 50  # with which a run is remembered


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did.

    Attributes:
        ended: UTC, ISO 8601 to the second.
        counts: how many files ended in each state, without those that stayed as they were.
        outcomes: of these files, or the first of them where they are many; what failed comes first.
    """

    ended: str
    counts: Mapping[State, int]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """What the latest runs did, the last one first; and the files and folders that were indexed, none in another."""

    runs: tuple[Run, ...] = ()
    roots: tuple[str, ...] = ()

    def noted(self, report: SyncReport, roots: Collection[str] = ()) -> Journal:
        """Return the journal after a run; one that did what the run before did takes its place."""
        news = report.news
        run = Run(
            datetime.now(UTC).isoformat(timespec="seconds"),
            dict(Counter(outcome.state for outcome in news)),
            tuple(news[:MOST_OUTCOMES]),
        )
        runs = self.runs
        if news:
            again = bool(runs) and (runs[0].counts, runs[0].outcomes) == (run.counts, run.outcomes)
            runs = (run, *runs[again:])[:MOST_RUNS]
        return Journal(runs, _outermost({*self.roots, *roots}))

    def to_json(self) -> str:
        """Return the form in which it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the stored form; raises `ValueError`, `LookupError` or `TypeError` for any other."""
        stored = json.loads(text)
        runs = (Run(r["ended"], r["counts"], tuple(Outcome(**each) for each in r["outcomes"])) for r in stored["runs"])
        return cls(tuple(runs), tuple(stored["roots"]))


def _outermost(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(path for path in sorted(paths) if not any(str(above) in paths for above in PurePath(path).parents))
