"""Fits and measures `rag.score.Evidence`: the weights of the reader's and retrieval's signals, and the threshold.

Run: python benchmarks/reader/combine.py SETS [QUESTIONS]. SETS is a folder with `squad20_A` and `nq_open_oracle` in
BEIR form. All passages of squad20_A are one collection; asked are its answerable questions, its misleading ones, and as
questions about something else those of nq_open_oracle. Prints the logistic regression's weights and, for a range of
thresholds, the share of each kind that is answered with the shipped weights.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rag.embed import BertEmbedder
from rag.library import Library
from rag.read import Reader
from rag.records import Document
from rag.score import Evidence, asked_terms, coverage
from rag.sync import Sync

if TYPE_CHECKING:
    from rag.records import Hit

THRESHOLDS = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Row:
    """A passage read for a question: its signals, how much of the answer one sentence has, whether it answers."""

    question: str
    kind: str
    signals: tuple[float, float, float, float]
    share: float
    answers: bool


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def chosen(sets: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return (kind, query): `count` of each kind, the same ones each time."""
    queries = lines(sets / "squad20_A" / "queries.jsonl")
    random.Random(5).shuffle(queries)
    answerable = [("answerable", q) for q in queries if q["answerable"]]
    misleading = [("misleading", q) for q in queries if not q["answerable"]]
    elsewhere = [("elsewhere", q) for q in lines(sets / "nq_open_oracle" / "queries.jsonl")]
    return answerable[:count] + misleading[:count] + elsewhere[: count // 2]


def holds(query: dict[str, Any], hit: Hit) -> bool:
    """Tell whether the passage holds an answer of the question."""
    if not query.get("answerable") or hit.passage.uri != query.get("doc_id"):
        return False
    span = hit.passage.span
    return any(span.start <= at and at + len(text) <= span.end for at, text in query["answer_starts"])


def rows(library: Library, reader: Reader, kind: str, query: dict[str, Any]) -> list[Row]:
    """Read the best eight passages for one question."""
    question = query["text"]
    hits = [hit for hit in library.search(question, 8) if hit.passage.sentences]
    weights = asked_terms(library.retriever.term_weights(question))
    passages = [hit.passage for hit in hits]
    readings = reader.read(question, [p.text for p in passages], [p.context for p in passages])
    found = []
    for hit, reading in zip(hits, readings, strict=True):
        passage, offset = hit.passage, hit.passage.span.start
        covered = max(coverage(weights, passage.quote(span), passage.context) for span in passage.sentences)
        share = max(reading.share(span.start - offset, span.end - offset) for span in passage.sentences)
        signals = (reading.answer_logit, reading.span_score, covered, hit.dense_score or 0.0)
        found.append(Row(query["_id"], kind, signals, share, kind == "answerable" and holds(query, hit)))
    return found


def read_all(sets: Path, count: int) -> list[Row]:
    """Index the collection and read for every question."""
    corpus = lines(sets / "squad20_A" / "corpus.jsonl")
    documents = [Document(entry["_id"], entry["text"], entry["title"], entry["_id"]) for entry in corpus]
    encoder, reader = BertEmbedder(), Reader.shipped()
    with tempfile.TemporaryDirectory() as name, Library.open(name, embedder=encoder) as library:
        with library.store.writer() as writer:
            Sync(writer, encoder, Path(name)).documents(documents)
        return [row for kind, query in chosen(sets, count) for row in rows(library, reader, kind, query)]


def main() -> None:
    """Print the fit and what each threshold does."""
    found = read_all(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
    signals, answers = np.array([row.signals for row in found]), np.array([row.answers for row in found])
    fit = LogisticRegression(C=10).fit(signals, answers)
    print("fitted: answerable {:.2f}, margin {:.2f}, coverage {:.2f}, cosine {:.2f}, bias {:.2f}".format(
        *fit.coef_[0], fit.intercept_[0]))  # fmt: skip
    e = Evidence()
    logits = signals @ np.array([e.answerable, e.margin, e.coverage, e.cosine]) + e.bias
    scores = np.array([row.share for row in found]) / (1 + np.exp(-logits))
    best: dict[str, dict[str, float]] = {"answerable": {}, "misleading": {}, "elsewhere": {}}
    for row, score in zip(found, scores, strict=True):
        best[row.kind][row.question] = max(score, best[row.kind].get(row.question, 0.0))
    kinds = {kind: np.array(list(values.values())) for kind, values in best.items()}
    for other in ("misleading", "elsewhere"):
        labels = [1] * len(kinds["answerable"]) + [0] * len(kinds[other])
        print(f"AUROC answerable against {other}: {roc_auc_score(labels, [*kinds['answerable'], *kinds[other]]):.3f}")
    for threshold in THRESHOLDS:
        shares = ", ".join(f"{kind} {np.mean(values >= threshold):.3f}" for kind, values in kinds.items())
        print(f"answered at {threshold:.2f}: {shares}{'   <- shipped' if threshold == e.threshold else ''}")


if __name__ == "__main__":
    main()
