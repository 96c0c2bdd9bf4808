"""Scores of all systems on public question sets, and what each signal is worth.

python benchmarks/retrieval/table.py [FOLDER...] [--limit N] [--signals]

`fused` is ours without the reader, which `ours` has read the best passages once more.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from rag.app.cli.output import Bars
from rag.evaluate import SYSTEMS, evaluate, opened, read_folder
from rag.models.encoder import DEFAULT_MODEL, embedder
from rag.retrieve.fusion import Fusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.evaluate import Result
    from rag.evaluate.dataset import Dataset
    from rag.library import Library
    from rag.models.encoder import Embedder

MEASURES = ("ndcg@10", "hit@5", "recall@10")
SETS = "time cranfield cisi scifact_train multihop_rag_facts500 anthropic_docs_rag squad20_A xquad_en_A".split()
WITHOUT = {
    "without dense": replace(Fusion(), dense=0.0),
    "without document": replace(Fusion(), document=0.0),
    "without words": replace(Fusion(), words=0.0),
    "without terms": replace(Fusion(), terms=0.0),
    "without grams": replace(Fusion(), grams=0.0),
}
"""Fused without one of its signals."""


def measure(folder: Path, encoder: Embedder, limit: int | None, fusions: Mapping[str, Fusion]) -> dict[str, Result]:
    """Return what each system reaches on one set, and `fused` with other weights, by their names."""
    dataset = read_folder(folder)
    judged = replace(dataset, questions=tuple(q for q in dataset.questions if q.relevant)).limited(limit)
    with Bars() as bars, opened(judged, encoder, bars.show) as library:
        library.search("warm up")
        found = {system: _run(judged, library, system, bars) for system in SYSTEMS}
        for name, fusion in fusions.items():
            library.retriever.fusion = fusion
            found[name] = _run(judged, library, "fused", bars)
    return found


def _run(dataset: Dataset, library: Library, system: str, bars: Bars) -> Result:
    return evaluate(dataset, library, system=system, answers=False, progress=bars.show)


def scores(result: Result, name: str) -> list[float]:
    """Return one measure of every question."""
    return [case.scores[name] for case in result.cases]


def randomisation(old: Sequence[float], new: Sequence[float]) -> float:
    """Return the two-sided p-value of Fisher's paired randomisation test (Smucker, Allan, Carterette 2007).

    Under the null hypothesis the runs are interchangeable, so each question's difference may have either sign.
    """
    difference = np.subtract(new, old)
    difference = difference[difference != 0]
    observed = abs(difference.sum())
    random = np.random.default_rng(0)
    as_large = 0
    for _ in range(10):
        signs = random.choice([-1.0, 1.0], size=(1000, len(difference)))
        as_large += int((abs(signs @ difference) >= observed - 1e-12).sum())
    return (as_large + 1) / 10_001


def milliseconds(result: Result) -> float:
    """Return the time of a question."""
    return 1000 * result.seconds / len(result.cases)


def show(name: str, values: Iterable[float], digits: int = 3, end: str = "\n") -> None:
    """Print one row."""
    print(name.ljust(24), *(f"{value:9.{digits}f}" for value in values), end=end, flush=True)


def show_set(name: str, found: dict[str, Result]) -> None:
    """Print the systems of one set, and how likely chance alone makes ours differ so much from `convex`."""
    print(f"{name:24}", *(f"{system:>9}" for system in SYSTEMS))
    for measured in MEASURES:
        show(f"  {measured}", (fmean(scores(found[system], measured)) for system in SYSTEMS), end="")
        print(f"   p = {randomisation(*(scores(found[system], measured) for system in ('convex', 'ours'))):.4f}")
    show("  ms", (milliseconds(found[system]) for system in SYSTEMS), 1)


def show_signals(sets: Sequence[dict[str, Result]]) -> None:
    """Print what the mean nDCG@10 and the time of a question lose without each signal."""
    print(f"{'fused':24}   ndcg@10       ms")
    fused = [found["fused"] for found in sets]
    for signal in WITHOUT:
        others = [found[signal] for found in sets]
        lost = fmean(map(_mean, others)) - fmean(map(_mean, fused))
        show(f"  {signal}", [lost, fmean(map(milliseconds, others)) - fmean(map(milliseconds, fused))], 4)


def _mean(result: Result) -> float:
    return fmean(scores(result, "ndcg@10"))


def main() -> None:
    """Print a table of each set, then the means over sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="BEIR folders, or one folder of them")
    parser.add_argument("--limit", type=int, help="questions of each set at most")
    parser.add_argument("--signals", action="store_true", help="measure fused without each of its signals as well")
    options = parser.parse_args()
    folders = options.folders or [Path(__file__).parents[3] / "shared" / "eval"]
    if not (folders[0] / "corpus.jsonl").exists():
        folders = [folders[0] / name for name in SETS]
    encoder = embedder(DEFAULT_MODEL)
    sets = []
    for folder in folders:
        sets.append(measure(folder, encoder, options.limit, WITHOUT if options.signals else {}))
        show_set(folder.name, sets[-1])
    print("mean")
    for name in MEASURES:
        show(f"  {name}", (fmean(fmean(scores(found[system], name)) for found in sets) for system in SYSTEMS))
    if options.signals:
        show_signals(sets)


if __name__ == "__main__":
    main()
