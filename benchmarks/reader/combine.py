"""Fits and measures `settings.Evidence`: the weights of the reader's and retrieval's signals, and the threshold.

Run: python benchmarks/reader/combine.py ../shared/eval [--weights FILE] [--sample N]. All passages of squad20_A are one
collection; asked are N of its answerable questions, N misleading ones, and as questions about something else N / 2 of
nq_open_oracle. The reader looks twice at every passage, also where the product does not. Prints the constants of a
logistic regression (the shipped ones were chosen by hand over more sets, see README.md), and with the shipped and the
fitted ones (these cross-fitted on five parts of the questions) the AUROC, a reliability table, and what each threshold
answers.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from answers import PASSAGES
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from rag.answer import Question
from rag.answer.reading import judged
from rag.answer.scorer import asked_terms
from rag.answer.settings import Evidence
from rag.evaluate import opened, read_folder
from rag.evaluate.dataset import Dataset, LabelledQuestion
from rag.evaluate.measures import abstention, normal
from rag.models.encoder import embedder
from rag.models.reader import Reader, load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rag.library import Library
    from rag.records import Passage

THRESHOLDS = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
SIGNALS = ("answerable", "margin", "coverage", "cosine", "unlike")


@dataclass(frozen=True, slots=True)
class Row:
    """A passage read for a question: its signals, how much of the answer begins in a sentence, whether it answers."""

    question: int
    kind: str
    signals: tuple[float, ...]
    share: float
    answers: bool


# --- reading ---------------------------------------------------------------------------------------------------------


def chosen(data: Path, count: int) -> list[tuple[str, LabelledQuestion]]:
    """Return (kind, question), the same ones each time."""
    squad, other = read_folder(data / "squad20_A"), read_folder(data / "nq_open_oracle")
    kinds = {
        "answerable": Dataset("", tuple(q for q in squad.questions if q.answerable)).limited(count),
        "misleading": Dataset("", tuple(q for q in squad.questions if not q.answerable)).limited(count),
        "elsewhere": other.limited(count // 2),
    }
    return [(kind, question) for kind, some in kinds.items() for question in some.questions]


def rows(library: Library, reader: Reader, number: int, kind: str, question: LabelledQuestion) -> list[Row]:
    """Read the best passages for one question."""
    hits = [hit for hit in library.retriever.fused(question.text, PASSAGES) if hit.passage.sentences]
    weights = asked_terms(library.retriever.rarity(question.text))
    everything = replace(Evidence(), first=PASSAGES, again=0.0)  # reads all of them, and all twice
    found = []
    for one in judged(reader, everything, Question.parse(question.text), hits, weights):
        answers = kind == "answerable" and holds(question, one.hit.passage)
        found.append(Row(number, kind, one.signals, min(1.0, sum(one.shares)), answers))
    return found


def holds(question: LabelledQuestion, passage: Passage) -> bool:
    """Tell whether a passage of the right document holds one of the answers."""
    text = f" {normal(passage.text)} "
    return passage.uri in question.relevant and any(f" {normal(answer)} " in text for answer in question.answers)


def read_all(data: Path, reader: Reader, count: int) -> list[Row]:
    """Index the collection and read for every question."""
    with opened(read_folder(data / "squad20_A"), embedder()) as library:
        asked = enumerate(chosen(data, count))
        return [row for number, (kind, question) in asked for row in rows(library, reader, number, kind, question)]


# --- fitting and reporting -------------------------------------------------------------------------------------------


def fit(found: Sequence[Row]) -> Evidence:
    """Fit the weights of the signals; the threshold stays as it is."""
    model = LogisticRegression(C=10, max_iter=1000).fit([row.signals for row in found], [row.answers for row in found])
    weights: dict[str, Any] = dict(zip(SIGNALS, (round(float(w), 2) for w in model.coef_[0]), strict=True))
    return replace(Evidence(), **weights, bias=round(float(model.intercept_[0]), 2))


def chances(found: Sequence[Row], evidence: Evidence) -> NDArray[np.float64]:
    """The probability that each passage answers."""
    return np.array([evidence.probability(row.signals) for row in found], np.float64)


def cross_fitted(found: Sequence[Row]) -> NDArray[np.float64]:
    """The probabilities with weights fitted on the other questions."""
    result = np.zeros(len(found))
    for rest, part in GroupKFold(5).split(found, groups=[row.question for row in found]):
        result[part] = chances([found[i] for i in part], fit([found[i] for i in rest]))
    return result


def report(found: Sequence[Row], probable: NDArray[np.float64], shipped: float) -> None:
    """Print AUROC, reliability and thresholds."""
    best: dict[str, dict[int, float]] = {"answerable": {}, "misleading": {}, "elsewhere": {}}
    for row, chance in zip(found, probable, strict=True):
        best[row.kind][row.question] = max(chance * row.share, best[row.kind].get(row.question, 0.0))
    kinds = {kind: list(values.values()) for kind, values in best.items()}
    for other in ("misleading", "elsewhere"):
        values = [*kinds["answerable"], *kinds[other]]
        can = [index < len(kinds["answerable"]) for index in range(len(values))]
        print(f"AUROC answerable against {other}: {abstention([False] * len(can), can, values)['auroc']:.3f}")
    print("reliability of passages (probability, share that answers, count):", end="")
    answers = np.array([row.answers for row in found])
    for low in np.arange(0, 1, 0.1):
        inside = (probable >= low) & (probable < low + 0.1)
        if inside.any():
            print(f" ({probable[inside].mean():.2f}, {answers[inside].mean():.2f}, {inside.sum()})", end="")
    print()
    for threshold in THRESHOLDS:
        shares = ", ".join(f"{kind} {np.mean(np.array(v) >= threshold):.3f}" for kind, v in kinds.items())
        print(f"answered at {threshold:.2f}: {shares}{'   <- shipped' if threshold == shipped else ''}")


def main() -> None:
    """Print the fit and what each threshold does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the evaluation sets")
    parser.add_argument("--weights", type=Path, help="trained weights (default: the shipped ones)")
    parser.add_argument("--sample", type=int, default=60, help="answerable questions (default: 60)")
    options = parser.parse_args()
    reader = Reader(*load_network(options.weights)) if options.weights else Reader.shipped()
    found = read_all(options.data, reader, options.sample)
    shipped, fitted = Evidence(), fit(found)
    print("--- the shipped constants")
    report(found, chances(found, shipped), shipped.threshold)
    print("\n--- fitted, each question by constants fitted on others")
    report(found, cross_fitted(found), shipped.threshold)
    print("\nfitted on all of them, for rag/answer/settings.py (choose the threshold from the table above):")
    for name in (*SIGNALS, "bias"):
        print(f"    {name}: float = {getattr(fitted, name)}")


if __name__ == "__main__":
    main()
