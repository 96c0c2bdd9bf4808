"""Questions that take something false for granted: how often they are refused or corrected, never agreed with.

Run: python benchmarks/premises.py. Asks the questions of tests/premises.json about `data/`. Corrected means that a
cited sentence has the truth. Prints the shares, and what was agreed with.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from rag.library import Library

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Print the shares and the rest."""
    questions = json.loads((ROOT / "tests" / "premises.json").read_text("utf-8"))
    refused = corrected = 0
    with tempfile.TemporaryDirectory() as name, Library.open(name) as library:
        library.index(ROOT / "data")
        for entry in questions:
            answer = library.ask(entry["question"])
            quotes = " ".join(" ".join(citation.quote.split()) for citation in answer.citations)
            is_corrected = any(truth in quotes for truth in entry["truth"])
            refused, corrected = refused + answer.abstained, corrected + is_corrected
            if not answer.abstained and not is_corrected:
                print(f"agreed with: {entry['question']}\n  {answer.text}")
    print(f"{len(questions)} questions: {refused} refused, {corrected} corrected")


if __name__ == "__main__":
    main()
