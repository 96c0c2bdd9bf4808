"""Milliseconds a question at 10,000 passages: retrieval, and reading the best 3 to 12 passages.

Run: python benchmarks/reader/timing.py ../shared/eval STORE. STORE is a folder for the index, made of bbc_news in the
first run. Its vectors are random: time does not depend on what they say, and encoding them takes minutes. Questions are
those of nq_open_oracle, encoded by the real encoder. Processor time is what a machine with idle cores would take with
one thread; wall time shows how busy this one is.
"""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import BertEmbedder
from rag.evaluate import read_folder
from rag.library import Library
from rag.read import Reader
from rag.score import ReaderScorer
from rag.sync import Sync

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.store import Vectors

PASSAGES = 10_000
QUESTIONS = 24
READ = (3, 5, 8, 12)


class RandomPassages(BertEmbedder):
    """The default encoder for questions, random directions for passages."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 unit vectors, shape (len(texts), dimension)."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) for text in texts]
        rows = [np.random.default_rng(seed).standard_normal(self.dimension) for seed in seeds]
        vectors = np.array(rows, np.float32).reshape(len(texts), self.dimension)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def fill(library: Library, data: Path) -> int:
    """Index articles until there are enough passages; returns how many there are."""
    with library.store.writer() as writer:
        sync = Sync(writer, RandomPassages(), library.store.root)
        articles = list(read_folder(data / "bbc_news").documents())
        for part in ("", "again/", "once more/"):
            if writer.passage_count() < PASSAGES:
                sync.documents([replace(a, uri=part + a.uri, title=f"{part}{a.title}") for a in articles])
        return writer.passage_count()


def main() -> None:
    """Print medians for each number of passages read."""
    data, store = Path(sys.argv[1]), Path(sys.argv[2])
    questions = [question.text for question in read_folder(data / "nq_open_oracle").questions[:QUESTIONS]]
    with Library.open(store, embedder=RandomPassages()) as library:
        print(f"{fill(library, data)} passages")
        scorer = ReaderScorer(library.retriever, Reader.shipped())
        scorer.score(questions[0], library.search(questions[0], READ[-1]))  # loads the models
        for count in READ:
            found = [_times(library, scorer, question, count) for question in questions]
            wall, processor, searching = (median(column) for column in zip(*found, strict=True))
            line = f"{count:3} read: {processor:.0f} ms of processor time, {searching:.0f} of them searching"
            print(f"{line}; {wall:.0f} ms wall", flush=True)


def _times(library: Library, scorer: ReaderScorer, question: str, count: int) -> tuple[float, float, float]:
    """Wall, processor and searching milliseconds of one question."""
    wall, processor = time.perf_counter(), time.process_time()
    hits = library.search(question, count)
    searching = time.process_time() - processor
    scorer.score(question, hits)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor), 1000 * searching


if __name__ == "__main__":
    main()
