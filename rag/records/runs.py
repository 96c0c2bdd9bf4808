"""What a run over files reports: the outcome of each file, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

State = Literal["added", "updated", "removed", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file; `reason` says why for `skipped` and `failed`, and what was lost for all others."""

    path: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run of `Library.index` did: one outcome per file, also for files that vanished.

    `renamed` pairs (old, new) of the same content, which are also counted as removed and added; `passages` is the
    number in the whole index afterwards, `embedded` the number of texts that the encoder had to read.
    """

    outcomes: tuple[Outcome, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    passages: int = 0
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


Progress = Callable[[str, int, int], None]
"""Called with a stage (`reading` files, `embedding` passages, `asking` questions), how many are done and the total."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Show no progress."""
