"""Follow-up questions: how often the right passage is among the best five, against their stand-alone forms.

Run: python benchmarks/followups.py [FOLDER ...]. The pairs are those of tests/data/followups.json whose documents are
in `data/` or in the given folders. Prints hit@5 of the follow-ups as they are typed, as they are understood (with the
answer before as history), and of their stand-alone forms; then what was not found.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from rag.library import Library

ROOT = Path(__file__).parent.parent


def found(library: Library, question: str, pair: dict[str, str]) -> bool:
    """Whether one of the best five passages is from the pair's document and holds its words."""
    hits = (hit.passage for hit in library.retriever.fused(question, 5))
    return any(p.uri.endswith("/" + pair["document"]) and pair["holds"] in " ".join(p.text.split()) for p in hits)


def main() -> None:
    """Print the three figures and the misses."""
    pairs = json.loads((ROOT / "tests/data/followups.json").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name, Library.open(name) as library:
        library.index(ROOT / "data", *sys.argv[1:])
        names = {Path(info.uri).name for info in library.documents()}
        pairs = [pair for pair in pairs if pair["document"] in names]
        asked = [library.ask(pair["follow_up"], history=[library.ask(pair["before"])]) for pair in pairs]
        meant = [answer.searched_for or answer.question for answer in asked]
        typed = [found(library, pair["follow_up"], pair) for pair in pairs]
        understood = [found(library, question, pair) for question, pair in zip(meant, pairs, strict=True)]
        alone = [found(library, pair["alone"], pair) for pair in pairs]
    for title, hits in (("as typed", typed), ("as understood", understood), ("stand-alone", alone)):
        print(f"hit@5 {title}: {sum(hits) / len(hits):.3f} ({sum(hits)} of {len(hits)})")
    for pair, question, hit, wanted in zip(pairs, meant, understood, alone, strict=True):
        if not hit:
            print(f"missed{'' if wanted else ', stand-alone too'}: {pair['follow_up']} -> {question}")


if __name__ == "__main__":
    main()
