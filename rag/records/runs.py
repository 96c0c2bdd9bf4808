"""What a run over files reports: the outcome of each file, how far it is, and what the index keeps of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Literal, Self, get_args

MOST_RUNS = 30  # that an index keeps of itself; the names of removed files stay in it until later runs take their place
MOST_OUTCOMES = 50  # with which a run is remembered

State = Literal["added", "updated", "removed", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file; `reason` says why for `skipped` and `failed`, and what was lost for all others.

    `aside` has the number of pieces of it that are not in its document's text, by reason (see `Omission`).
    """

    path: str
    state: State
    reason: str = ""
    aside: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run of `Library.index` did: one outcome per file, also for files that vanished.

    `renamed` pairs (old, new) of the same content, which are also counted as removed and added; `passages` is the
    number in the whole index afterwards, of which `waiting` have no vector yet where the run was to end before that;
    `embedded` is the number of texts that the encoder had to read.
    """

    outcomes: tuple[Outcome, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    passages: int = 0
    waiting: int = 0
    embedded: int = 0
    seconds: float = 0.0

    def count(self, state: State) -> int:
        """Return how many files ended in `state`."""
        return Counter(outcome.state for outcome in self.outcomes)[state]

    def of(self, state: State) -> list[Outcome]:
        """Return the outcomes of that state, in the order of the run."""
        return [outcome for outcome in self.outcomes if outcome.state == state]

    @property
    def news(self) -> list[Outcome]:
        """The files that did not just stay as they were, the ones to look at first."""
        order = ("failed", "skipped", *get_args(State))
        outcomes = sorted(self.outcomes, key=lambda outcome: order.index(outcome.state))
        return [outcome for outcome in outcomes if outcome.state != "unchanged" or outcome.reason]

    @property
    def incomplete(self) -> list[Outcome]:
        """The files that were read, but not all that is in them."""
        return [o for o in self.outcomes if o.reason and o.state not in {"skipped", "failed"}]

    def __str__(self) -> str:
        """Read as `3 added, 1 updated, 0 removed, 212 unchanged`; skipped and failed only where there are some."""
        always: tuple[State, ...] = ("added", "updated", "removed", "unchanged")
        sometimes: tuple[State, ...] = ("skipped", "failed")
        shown = [*always, *(state for state in sometimes if self.count(state))]
        return ", ".join(f"{self.count(state)} {state}" for state in shown)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did, ended at a time in UTC, ISO 8601 to the second.

    `counts` says how many files ended in each state, without those that stayed as they were; `outcomes` are of these
    files, or the first of them where they are many; what failed comes first.
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
        given = {*self.roots, *roots}
        outermost = (path for path in sorted(given) if not any(str(above) in given for above in PurePath(path).parents))
        return Journal(runs, tuple(outermost))

    def to_json(self) -> str:
        """Return the form in which it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the stored form; raises `ValueError`, `LookupError` or `TypeError` for any other."""
        stored = json.loads(text)
        runs = (Run(r["ended"], r["counts"], tuple(Outcome(**each) for each in r["outcomes"])) for r in stored["runs"])
        return cls(tuple(runs), tuple(stored["roots"]))


Progress = Callable[[str, int, int], None]
"""Called with a stage (`reading` files, `embedding` passages, `asking` questions), how many are done and the total."""


def never() -> bool:
    """Go on to the end."""
    return False


def silent(_stage: str, _done: int, _total: int) -> None:
    """Show no progress."""
