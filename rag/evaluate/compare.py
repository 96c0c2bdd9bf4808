"""Whether one run is better than another, or was lucky: a paired randomisation test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.evaluate.measures import Scores

TRIALS = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """How one measure differs over the questions that both runs have.

    Attributes:
        measure: its name.
        before: mean of the earlier run.
        after: mean of the later run.
        p: how often chance alone gives a difference at least as large.
        questions: how many there are in both runs.
    """

    measure: str
    before: float
    after: float
    p: float
    questions: int


def differences(before: Mapping[str, Scores], after: Mapping[str, Scores], measures: Sequence[str]) -> list[Difference]:
    """Compare two runs, scores by question and measure; measures that they do not share are left out."""
    found = []
    for measure in measures:
        ids = [id_ for id_ in after if measure in after[id_] and measure in before.get(id_, {})]
        if ids:
            old, new = ([run[id_][measure] for id_ in ids] for run in (before, after))
            found.append(Difference(measure, _mean(old), _mean(new), randomisation(old, new), len(ids)))
    return found


def randomisation(old: Sequence[float], new: Sequence[float]) -> float:
    """Return the two-sided p-value of Fisher's paired randomisation test (Smucker, Allan, Carterette 2007).

    Under the null hypothesis the runs are interchangeable, so each question's difference may have either sign.
    """
    import numpy as np

    difference = np.subtract(new, old)
    difference = difference[difference != 0]
    observed = abs(difference.sum())
    random = np.random.default_rng(0)
    as_large = 0
    for _ in range(10):
        signs = random.choice([-1.0, 1.0], size=(TRIALS // 10, len(difference)))
        as_large += int((abs(signs @ difference) >= observed - 1e-12).sum())
    return (as_large + 1) / (TRIALS + 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
