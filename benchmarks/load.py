"""One process under load: python benchmarks/load.py FOLDER [--seconds 60] [--threads 8] [--answers 1000] [--search].

FOLDER is a question set in BEIR form, whose documents are indexed first (once, as by `rag eval`). Its questions are
asked in turn by one thread, then by several, for so many seconds each: answers a second, processor seconds an answer,
median and 99th percentile by the clock. Then one thread asks on until there were so many `--answers`: memory after 50
answers, and after the last.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.evaluate import opened, read_folder
from rag.models.encoder import embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUESTIONS = 200
WARM = 50  # answers after which memory is to stay as it is


class Asked:
    """Asks the same questions over and over, from any thread."""

    def __init__(self, ask: Callable[[str], object], questions: Sequence[str]) -> None:
        self._ask, self._questions, self._number = ask, questions, count()

    def next(self) -> float:
        """Ask the next question and return the seconds that it took."""
        question = self._questions[next(self._number) % len(self._questions)]
        began = time.perf_counter()
        self._ask(question)
        return time.perf_counter() - began

    def during(self, seconds: float, threads: int) -> str:
        """Ask for so long in so many threads, and say how that went; an error in a thread is printed by Python."""
        end, times = time.perf_counter() + seconds, list[float]()

        def work() -> None:
            while time.perf_counter() < end:
                times.append(self.next())

        began, spent = time.perf_counter(), time.process_time()
        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        wall, spent = time.perf_counter() - began, time.process_time() - spent
        half, most = np.percentile(times, [50, 99])
        return (
            f"{threads} threads: {len(times)} answers, {len(times) / wall:.2f} a second, {spent / len(times):.3f} "
            f"CPU s each, median {half:.2f} s, p99 {most:.2f} s ({most / half:.1f} times)"
        )


def resident() -> float:
    """Return the megabytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Index, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--search", action="store_true", help="passages without a second look, not answers")
    options = parser.parse_args()
    dataset = read_folder(options.folder)
    questions = [each.text for each in dataset.limited(QUESTIONS).questions]
    with opened(dataset, embedder()) as library:
        asked = Asked(library.retriever.fused if options.search else library.ask, questions)
        for _ in range(WARM):
            asked.next()
        before = resident()
        for threads in (1, options.threads):
            print(asked.during(options.seconds, threads), flush=True)
        for _ in range(options.answers - WARM):
            asked.next()
        print(f"memory after {WARM} answers {before:.0f} MB, after {options.answers} more {resident():.0f} MB")


if __name__ == "__main__":
    main()
