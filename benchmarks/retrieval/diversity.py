"""Would results of more documents among the first ten passages find more? Orders of the same passages, compared.

python benchmarks/retrieval/diversity.py ../shared/eval [--limit N]

Of each question the first 30 passages, put in order in several ways; then of the first ten: how many documents they
come from, which share of the relevant documents is among these, and which share of the answers stands in them. MMR is
the maximal marginal relevance of Carbonell and Goldstein 1998: the score, scaled to 0..1, against the cosine of the
nearest passage chosen before.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from rag.app.cli.output import Bars
from rag.evaluate import opened, read_folder
from rag.models.encoder import DEFAULT_MODEL, embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rag.evaluate.dataset import LabelledQuestion
    from rag.models.encoder import Embedder
    from rag.records import Hit

SETS = "multihop_rag_facts500 ramdocs_A time cisi anthropic_docs_rag".split()
FIRST, SHOWN = 30, 10


def at_most(most: int) -> Callable[[Sequence[Hit], np.ndarray], list[Hit]]:
    """No more than so many passages of a document before all others have had their turn."""

    def order(hits: Sequence[Hit], _: np.ndarray) -> list[Hit]:
        taken: Counter[str] = Counter()
        early: list[Hit] = []
        late: list[Hit] = []
        for hit in hits:
            taken[hit.passage.uri] += 1
            (early if taken[hit.passage.uri] <= most else late).append(hit)
        return early + late

    return order


def marginal(share: float) -> Callable[[Sequence[Hit], np.ndarray], list[Hit]]:
    """Maximal marginal relevance: `share` of the score, the rest against the nearest passage that is already there."""

    def order(hits: Sequence[Hit], vectors: np.ndarray) -> list[Hit]:
        scores = np.array([hit.score for hit in hits])
        scores = (scores - scores.min()) / max(1e-9, scores.max() - scores.min())
        nearest, chosen = np.zeros(len(hits)), []
        left = set(range(len(hits)))
        while left:
            best = max(left, key=lambda n: (share * scores[n] - (1 - share) * nearest[n], -n))
            left.remove(best)
            chosen.append(hits[best])
            nearest = np.maximum(nearest, vectors @ vectors[best])
        return chosen

    return order


ORDERS = {
    "as found": lambda hits, _: list(hits),
    **{f"{most} of a document": at_most(most) for most in (3, 2, 1)},
    **{f"MMR {share}": marginal(share) for share in (0.9, 0.8, 0.7)},
}


def judged(question: LabelledQuestion, hits: Sequence[Hit]) -> tuple[float, float | None, float | None]:
    """Documents, the share of the relevant ones, and the share of the answers that stand in the passages."""
    documents = {hit.passage.uri for hit in hits}
    text = "\n".join(hit.passage.text for hit in hits).casefold()
    right = [name for name, grade in question.relevant.items() if grade > 0]
    found = fmean(name in documents for name in right) if right else None
    told = [answer.casefold() in text for answer in question.answers if len(answer) > 2]
    return len(documents), found, fmean(told) if told else None


def known_mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def measure(folder: Path, encoder: Embedder, limit: int) -> None:
    """Print the rows of one set."""
    dataset = read_folder(folder)
    kept = replace(dataset, questions=tuple(q for q in dataset.questions if q.relevant)).limited(limit)
    rows: dict[str, list[tuple[float, float | None, float | None]]] = {name: [] for name in ORDERS}
    with Bars() as bars, opened(kept, encoder, bars.show) as library:
        for done, question in enumerate(kept.questions):
            bars.show("asking", done, len(kept.questions))
            hits = library.retriever.fused(question.text, k=FIRST)
            vectors = encoder.embed([hit.passage.retrieval_text for hit in hits])
            for name, order in ORDERS.items():
                rows[name].append(judged(question, order(hits, vectors)[:SHOWN]))
    print(f"{folder.name}, {len(kept.questions)} questions: documents, share of the relevant ones, of the answers")
    for name, found in rows.items():
        means = map(known_mean, zip(*found, strict=True))
        print(f"  {name:16}", *("        -" if mean is None else f"{mean:9.3f}" for mean in means), flush=True)


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the public sets")
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--limit", type=int, default=80, help="questions of each set at most")
    options = parser.parse_args()
    encoder = embedder(DEFAULT_MODEL)
    for name in options.sets:
        measure(options.data / name, encoder, options.limit)


if __name__ == "__main__":
    main()
