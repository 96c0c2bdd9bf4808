"""How long it takes to bring an index up to date.

Run: python benchmarks/indexing.py [FILES]. Prints seconds of whole `rag index` processes (start of Python included) on
made-up files, with the stand-in encoder, so that what is measured is everything but the encoder.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = "harbour crane bridge river mayor flood council budget school report ceasefire highway".split()


def index(folder: Path, store: Path) -> dict[str, float]:
    """Run `rag index` and return its report with the seconds of the whole process."""
    arguments = ["index", str(folder), "--store", str(store), "--model", "hash", "--json"]
    start = time.perf_counter()
    output = subprocess.run(
        [sys.executable, "-m", "rag", *arguments], check=True, capture_output=True, text=True
    ).stdout
    return {**json.loads(output), "process": time.perf_counter() - start}


def main() -> None:
    """Make the files, index them, index them again, change one, index again."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder, store = Path(name, "documents"), Path(name, "index")
        folder.mkdir()
        for number in range(count):
            sentences = (f"The {' '.join(chance.choices(WORDS, k=12))} of {number}." for _ in range(20))
            (folder / f"{number:05d}.txt").write_text(" ".join(sentences))
        for run in ("first", "unchanged", "one file changed"):
            if run == "one file changed":
                (folder / "00000.txt").write_text("Something else entirely.")
            report = index(folder, store)
            print(f"{run:18} {report['process']:6.2f} s   {report['passages']} passages, {report['embedded']} embedded")


if __name__ == "__main__":
    main()
