"""Whether one run is better than another, beyond chance: python benchmarks/compare.py BEFORE.jsonl AFTER.jsonl.

Both files are JSON lines of one question each: reports of `rag eval --report FILE.jsonl`, or objects with an `id` and
numbers (true counts as 1). Prints for each measure the means over the questions that both runs have, their difference,
its 95% interval by paired bootstrap (Efron and Tibshirani 1993; 10,000 draws of the questions, with replacement, from a
fixed seed), and whether the later run is worse or better beyond chance, which is when the interval leaves out 0.
Exits 1 when a measure is worse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

DRAWS = 10_000

Run = dict[str, dict[str, float]]


def read(file: Path) -> Run:
    """Return the scores of a run, by question and measure."""
    run = {}
    for line in filter(str.strip, file.read_text("utf-8").split("\n")):
        record = json.loads(line)
        scores = record.get("scores", record)
        run[str(record["id"])] = {n: float(v) for n, v in scores.items() if isinstance(v, int | float) and n != "id"}
    return run


def interval(differences: list[float]) -> tuple[float, float]:
    """Return the 95% interval of a mean of differences, by percentiles of the bootstrap."""
    random, values = np.random.default_rng(0), np.array(differences)
    means = [float(values[random.integers(len(values), size=len(values))].mean()) for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def main(before: Run, after: Run) -> int:
    """Print a line for each measure; return 1 when one is worse beyond chance."""
    shared = [question for question in before if question in after]
    print(f"{len(shared)} questions in both, {len(before)} before, {len(after)} after")
    print(f"{'':<16}{'before':>8}{'after':>8}{'difference':>12}{'95% interval':>20}{'questions':>11}")
    is_worse = False
    for measure in dict.fromkeys(measure for question in shared for measure in before[question]):
        asked = [question for question in shared if measure in before[question] and measure in after[question]]
        if not asked:
            continue
        old, new = ([run[question][measure] for question in asked] for run in (before, after))
        low, high = interval([b - a for a, b in zip(old, new, strict=True)])
        verdict = "worse" if high < 0 else "better" if low > 0 else ""
        is_worse = is_worse or high < 0
        means = f"{np.mean(old):>8.3f}{np.mean(new):>8.3f}{np.mean(new) - np.mean(old):>+12.3f}"
        print(f"{measure:<16}{means}{f'{low:+.3f} to {high:+.3f}':>20}{len(asked):>11}  {verdict}".rstrip())
    return int(is_worse)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*(read(Path(name)) for name in sys.argv[1:])))
