"""Questions as people type them: how many are answered well, by kind.

Run: python benchmarks/people.py ../shared/eval/people_A [--store STORE] [--only REGEX] [--out FILE]. Indexes the set's
documents, asks its questions with its own script and prints its table. Figures: benchmarks/people.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from rag import Library
from rag.app.cli.output import Bars


def main() -> int:
    """Index where there is no index yet, and score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", type=Path, help="an index of the documents, and perhaps of others beside them")
    parser.add_argument("--only", help="a regular expression on the ids of the questions")
    parser.add_argument("--out", type=Path, help="what was shown for each question, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = options.store or Path(temporary) / "index"
        if options.store is None:
            with Library.open(store) as library, Bars() as bars:
                print(library.index(options.folder / "docs", progress=bars.show), file=sys.stderr)
        out = options.out or Path(temporary) / "score.json"
        command = [sys.executable, options.folder / "score.py", store, options.folder / "questions.jsonl", "--out", out]
        only = ["--only", options.only] if options.only else []
        return subprocess.run([*map(str, command), *only], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
