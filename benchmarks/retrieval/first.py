"""How often the first passage holds the answer, without the reader and with it, by the weight of what the reader says.

python benchmarks/retrieval/first.py STORE QUESTIONS...

QUESTIONS are files as `rag eval` takes them; those count that have answers other than yes and no. A passage holds an
answer when its words stand there in order, whatever is between words. Passages are the first twelve as fused.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from rag.app.cli.output import Bars
from rag.evaluate import read_questions
from rag.library import Library

PASSAGES = 12
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)


def words(text: str) -> str:
    """Return the words of a text, one space around each."""
    return " ".join(["", *re.findall(r"\w+", text.casefold()), ""])


def reciprocal_ranks(library: Library, question: str, answers: tuple[str, ...]) -> list[float]:
    """Return, for each weight, one over the rank of the first passage that holds an answer; 0 where none does."""
    fused = library.retriever.fused(question, PASSAGES)
    likely = {hit.passage.id: hit.reranker_score or 0.0 for hit in library.search(question, PASSAGES)}
    holds = {hit.passage.id: any(words(answer) in words(hit.passage.text) for answer in answers) for hit in fused}
    found = []
    for weight in WEIGHTS:
        ranked = sorted(fused, key=lambda hit: -hit.score - weight * likely.get(hit.passage.id, 0.0))
        found.append(next((1 / rank for rank, hit in enumerate(ranked, 1) if holds[hit.passage.id]), 0.0))
    return found


def main() -> None:
    """Print one line for each file and weight."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("questions", nargs="+", type=Path)
    options = parser.parse_args()
    with Library.open(options.store) as library:
        library.retriever.fusion = replace(library.retriever.fusion, reranked=PASSAGES)
        for file in options.questions:
            asked = [q for q in read_questions(file, library).questions if q.answers]
            asked = [q for q in asked if not any(answer.casefold() in {"yes", "no"} for answer in q.answers)]
            ranks = []
            with Bars() as bars:
                for done, question in enumerate(asked):
                    bars.show("asking", done, len(asked))
                    ranks.append(reciprocal_ranks(library, question.text, question.answers))
            for weight, column in zip(WEIGHTS, zip(*ranks, strict=True), strict=True):
                first = fmean(rank == 1 for rank in column)
                print(f"{file.stem:8} {len(asked):4} weight {weight:.1f}: first {first:.3f}, MRR {fmean(column):.3f}")


if __name__ == "__main__":
    main()
