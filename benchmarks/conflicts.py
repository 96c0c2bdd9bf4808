"""Disagreement: how often the sides of a question are shown, and how often sides are shown where there are none.

Run: python benchmarks/conflicts.py SETS [LIMIT]. First the questions of sides.json are asked about `data/`. SETS is a
folder with `ramdocs_A`, `rgb_en_fact_A`, `xquad_en_A` and `squad20_A` in BEIR form, each asked as one collection; LIMIT
takes so many questions of each. Figures and what they mean: benchmarks/conflicts.md.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answer.question import Question
from rag.evaluate import opened, read_folder
from rag.evaluate.dataset import Dataset
from rag.library import Library
from rag.models.encoder import embedder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.records import Answer, Hit

ROOT = Path(__file__).parent.parent

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set, its answer, and the best passage."""

    query: Query
    answer: Answer
    top: Hit | None


def asked(folder: Path, limit: int | None) -> Iterator[Asked]:
    """Ask the answerable questions of a set; all its documents are one collection."""
    dataset = read_folder(folder)
    lines = (folder / "queries.jsonl").read_text("utf-8").splitlines()
    queries = {query["_id"]: query for query in map(json.loads, lines)}
    questions = tuple(question for question in dataset.questions if question.answerable is not False)
    chosen = Dataset(dataset.name, questions, dataset.corpus).limited(limit)
    with opened(dataset, embedder()) as library:
        for question in chosen.questions:
            hits = library.retriever.fused(question.text, 8)
            answer = library.answerer.answer(Question.parse(question.text), hits)
            yield Asked(queries[question.id], answer, hits[0] if hits else None)


def holds(text: str, answer: str | Sequence[str]) -> bool:
    """Whether a text has an answer, or one of the forms of one, in it; case and punctuation do not matter."""
    forms = [answer] if isinstance(answer, str) else answer
    return any(f" {_plain(form)} " in f" {_plain(text)} " for form in forms)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def cited(answer: Answer) -> str:
    """Return the sentences of an answer as one text."""
    return " | ".join(citation.quote for citation in answer.citations)


def sides(answer: Answer) -> list[str]:
    """Return the sentences of the sides of an answer."""
    numbers = {number for conflict in answer.conflicts for number in conflict.sides}
    return [citation.quote for citation in answer.citations if citation.number in numbers]


def share(flags: Iterable[bool]) -> str:
    """Return `0.512 (21 of 41)`."""
    found = list(flags)
    return f"{sum(found) / max(1, len(found)):.3f} ({sum(found)} of {len(found)})"


def several_answers(rows: Sequence[Asked]) -> None:
    """Print how often at least two right answers are shown, for questions that have them."""
    several = [row for row in rows if len(row.query["answers"]) > 1]

    def count(text: str, row: Asked) -> int:
        return sum(holds(text, answer) for answer in row.query["answers"])

    print("  two right answers or more among the cited sentences:",
          share(count(cited(row.answer), row) > 1 for row in several))  # fmt: skip
    print("  the same in the best passage alone:",
          share(count(row.top.passage.text if row.top else "", row) > 1 for row in several))  # fmt: skip
    print("  sides shown:", share(bool(row.answer.conflicts) for row in several))
    shown = [row for row in rows if row.answer.conflicts]
    known = [
        sum(holds(" | ".join(sides(row.answer)), a) for a in (*row.query["answers"], *row.query["wrong_answers"])) > 1
        for row in shown
    ]
    print("  of all sides shown, those with two known answers, right or planted:", share(known))


def planted(rows: Sequence[Asked]) -> None:
    """Print how answers fare against passages in which the answer was replaced."""
    right = [any(holds(cited(row.answer), a) for a in row.query["answers"]) for row in rows]
    short = [
        any(holds(row.answer.short_answer.text, a) for a in row.query["answers"]) if row.answer.short_answer else False
        for row in rows
    ]
    both = [
        any(holds(" | ".join(sides(row.answer)), a) for a in row.query["answers"])
        and holds(" | ".join(sides(row.answer)), row.query["fake_answer"])
        for row in rows
    ]
    print("  right answer among the cited sentences:", share(right))
    print("  short answer right:", share(short))
    print("  sides shown:", share(bool(row.answer.conflicts) for row in rows))
    print("  right and planted answer side by side:", share(both))


def one_truth(rows: Sequence[Asked]) -> None:
    """Print how often sides are shown where the collection has one answer."""
    answered = [row for row in rows if row.answer.is_plain]
    print("  sides shown:", share(bool(row.answer.conflicts) for row in answered))
    for row in answered:
        if row.answer.conflicts:
            print(f"    {row.query['text']} -> {' / '.join(' '.join(side.split())[:90] for side in sides(row.answer))}")


def sample() -> None:
    """Print how often sides are shown for questions about `data/`: where its documents differ, and where not."""
    with tempfile.TemporaryDirectory() as name, Library.open(name) as library:
        library.index(ROOT / "data")
        entries = json.loads((ROOT / "benchmarks" / "sides.json").read_text("utf-8"))
        shown = [(entry["differ"], bool(library.ask(entry["question"]).conflicts)) for entry in entries]
    print("data/, sides shown where documents or speakers differ:", share(sides for differ, sides in shown if differ))
    print("data/, sides shown where there is one answer:", share(sides for differ, sides in shown if not differ))


REPORTS = {"ramdocs_A": several_answers, "rgb_en_fact_A": planted, "xquad_en_A": one_truth, "squad20_A": one_truth}


def main() -> None:
    """Print the figures of every set and of the sample."""
    sample()
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for name, report in REPORTS.items():
        rows = list(asked(Path(sys.argv[1]) / name, limit))
        print(f"{name}: {len(rows)} questions")
        report(rows)


if __name__ == "__main__":
    main()
