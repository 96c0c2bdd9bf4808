"""Questions that take something false for granted: how often they are refused or corrected, never agreed with.

Run: python benchmarks/premises.py. Asks about `data/`: first the questions of tests/data/premises.json, where corrected
means that a cited sentence has the truth; then those of tests/data/swapped_questions.jsonl as they are, and with one
thing swapped. Prints the shares, what was agreed with, and what of the swapped ones was answered.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from rag.library import Library

ROOT = Path(__file__).parent.parent


def premises(library: Library) -> None:
    """Print how many false premises are refused or corrected, and the rest."""
    questions = json.loads((ROOT / "tests/data/premises.json").read_text("utf-8"))
    refused = corrected = 0
    for entry in questions:
        answer = library.ask(entry["question"])
        quotes = " ".join(" ".join(citation.quote.split()) for citation in answer.citations)
        is_corrected = any(truth in quotes for truth in entry["truth"])
        refused, corrected = refused + (not answer.is_plain), corrected + is_corrected
        if answer.is_plain and not is_corrected:
            print(f"agreed with: {entry['question']}\n  {answer.text}")
    print(f"{len(questions)} false premises: {refused} refused, {corrected} corrected")


def swapped(library: Library) -> None:
    """Print how many questions are answered as they are, and how many are refused with one thing swapped."""
    lines = (ROOT / "tests/data/swapped_questions.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    as_it_is = [library.ask(row["question"]) for row in rows]
    for answer in as_it_is:
        if not answer.is_plain:
            print(f"refused as it is: {answer.question}")
    changed = [library.ask(row["swapped"]) for row in rows]
    for answer in changed:
        if answer.is_plain:
            print(f"answered when swapped: {answer.question}\n  {answer.text}")
    answered, refused = sum(a.is_plain for a in as_it_is), sum(not a.is_plain for a in changed)
    print(f"{len(rows)} questions: {answered} answered as they are; with one thing swapped {refused} refused")


def main() -> None:
    """Print the shares and the rest."""
    with tempfile.TemporaryDirectory() as name, Library.open(name) as library:
        library.index(ROOT / "data")
        premises(library)
        swapped(library)


if __name__ == "__main__":
    main()
