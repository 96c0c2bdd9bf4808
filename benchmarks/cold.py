"""Processor seconds from the start of a process to its first answer, beside what any rival in Python pays.

Run: python benchmarks/cold.py [STORE]. STORE is an index (made of `data/` where none is named). Each command runs in a
process of its own, in turns; medians of user and system time of one thread. The rivals' share is what LangChain,
LlamaIndex, Haystack, txtai and Chroma have in common on their documented way: sentence-transformers imported, the same
encoder loaded, one question encoded; their own search comes on top.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from rag.library import Library
from rag.models import bert

QUESTION = "How many civilians live in Idlib?"
ROUNDS = 5
RIVAL = """
import sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True).encode([sys.argv[2]])
"""


def seconds(command: list[str]) -> float:
    """Return the processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Run all in turns and print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        store = sys.argv[1] if len(sys.argv) > 1 else f"{folder}/index"
        if len(sys.argv) == 1:
            with Library.open(store) as library:
                library.index(Path(__file__).parents[1] / "data")
        rag = [sys.executable, "-m", "rag", "--store", store]
        ways = {
            "rag ask": [*rag, "ask", QUESTION],
            "rag search": [*rag, "search", QUESTION],
            "rag status": [*rag, "status"],
            "sentence-transformers, one question": [sys.executable, "-c", RIVAL, str(bert.folder()), QUESTION],
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, command in ways.items():
                found[name].append(seconds(command))
    rival = median(found["sentence-transformers, one question"])
    for name, times in found.items():
        print(f"{name:36} {median(times):6.2f} CPU s  {median(times) / rival:.2f} of the last line's")


if __name__ == "__main__":
    main()
