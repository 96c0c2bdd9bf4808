"""Scores of all systems on public question sets: python benchmarks/retrieval/table.py FOLDER... [--limit N]."""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from rag.embed import DEFAULT_MODEL, embedder
from rag.evaluate import SYSTEMS, evaluate, opened, read_folder
from rag.progress import Bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed import Embedder

MEASURES = ("ndcg@10", "hit@5", "recall@10")
SETS = "time cranfield cisi scifact_train multihop_rag_facts500 anthropic_docs_rag squad20_A xquad_en_A".split()


def measure(folder: Path, encoder: Embedder, limit: int | None) -> dict[str, dict[str, float]]:
    """Return the scores of each system on one set, by system and measure, and milliseconds per question."""
    dataset = read_folder(folder)
    scores = {}
    with Bars() as bars, opened(dataset, encoder, bars.show) as library:
        for system in SYSTEMS:
            result = evaluate(dataset.limited(limit), library, system=system, answers=False, progress=bars.show)
            asked = sum(1 for case in result.cases if case.question.relevant)
            scores[system] = {**result.summary(), "ms": 1000 * result.seconds / asked}
    return scores


def show(name: str, values: Sequence[float], digits: int = 3) -> None:
    """Print one row."""
    print(name.ljust(24), *(f"{value:9.{digits}f}" for value in values), flush=True)


def main() -> None:
    """Print a row per set and measure, the means last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="BEIR folders, or one folder of them")
    parser.add_argument("--limit", type=int, help="questions of each set at most")
    options = parser.parse_args()
    folders = options.folders or [Path(__file__).parents[3] / "shared" / "eval"]
    if not (folders[0] / "corpus.jsonl").exists():
        folders = [folders[0] / name for name in SETS]
    encoder = embedder(DEFAULT_MODEL)
    found = {}
    for folder in folders:
        print(f"{folder.name:24}", *(f"{system:>9}" for system in SYSTEMS))
        found[folder.name] = scores = measure(folder, encoder, options.limit)
        for name in (*MEASURES, "ms"):
            show(f"  {name}", [scores[system][name] for system in SYSTEMS], 1 if name == "ms" else 3)
    print("mean")
    for name in MEASURES:
        show(f"  {name}", [fmean(scores[system][name] for scores in found.values()) for system in SYSTEMS])


if __name__ == "__main__":
    main()
