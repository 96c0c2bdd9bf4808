"""Milliseconds a question at 10,000 passages: retrieval, and reading the nearest of the best 3 to 12 passages.

Run: python benchmarks/reader/timing.py ../shared/eval STORE. STORE is a folder for the index, made in the first run
(five minutes) of news, encyclopedia articles and abstracts. Half of the questions are about some of these (squad20_A),
half about something else (nq_open_oracle). Processor time is what a machine with idle cores would take with one thread;
wall time shows how busy this one is.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from rag.answer import Question
from rag.answer.scorer import ReaderScorer
from rag.app.cli.output import Bars
from rag.evaluate import read_folder
from rag.library import Library
from rag.models.encoder import embedder
from rag.models.reader import Reader
from rag.sync import Sync

SETS = ("squad20_A", "bbc_news", "cisi", "cranfield")
QUESTIONS = 12  # of each kind
READ = (3, 5, 8, 12)


def fill(library: Library, data: Path) -> int:
    """Index the sets, unless that was done before; returns how many passages there are."""
    with library.store.writer() as writer, Bars() as bars:
        if not writer.passage_count():
            sets = {name: read_folder(data / name).documents() for name in SETS}
            documents = [replace(d, uri=f"{name}/{d.uri}") for name, some in sets.items() for d in some]
            Sync(writer, embedder(), library.store.root, bars.show).documents(documents)
        return writer.passage_count()


def main() -> None:
    """Print medians for each number of passages read."""
    data, store = Path(sys.argv[1]), Path(sys.argv[2])
    known, other = read_folder(data / "squad20_A"), read_folder(data / "nq_open_oracle")
    sets = (replace(known, questions=tuple(q for q in known.questions if q.answerable)), other)
    questions = [question.text for some in sets for question in some.limited(QUESTIONS).questions]
    with Library.open(store) as library:
        print(f"{fill(library, data)} passages")
        scorer = ReaderScorer(library.retriever, Reader.shipped())
        scorer.score(Question.parse(questions[0]), library.retriever.fused(questions[0], READ[-1]))  # loads the models
        for count in READ:
            found = [_times(library, scorer, question, count) for question in questions]
            wall, processor, searching = (median(column) for column in zip(*found, strict=True))
            line = f"{count:3} read: {processor:.0f} ms of processor time, {searching:.0f} of them searching"
            print(f"{line}; {wall:.0f} ms wall", flush=True)


def _times(library: Library, scorer: ReaderScorer, question: str, count: int) -> tuple[float, float, float]:
    """Wall, processor and searching milliseconds of one question."""
    wall, processor = time.perf_counter(), time.process_time()
    hits = library.retriever.fused(question, count)
    searching = time.process_time() - processor
    scorer.score(Question.parse(question), hits)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor), 1000 * searching


if __name__ == "__main__":
    main()
