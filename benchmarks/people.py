"""Questions as people type them: how many are answered well, by kind.

Run: python benchmarks/people.py ../shared/eval/people_A [--store STORE] [--only REGEX] [--out FILE]. Indexes the set's
documents, asks its questions with its own script and prints its table. Figures: benchmarks/people.md.

With --answerer llm: python -m benchmarks.people FOLDER --answerer llm [--llm-url URL] [--every 3] --out FILE. One run
judges the quotations, which come first, and what the LLM writes in their place. FILE gets a line for each question as
soon as it is answered, and a run that was cut short goes on behind them. Figures: benchmarks/llm.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import Library
from rag.app.cli.output import Bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from rag.records import Answer


def main() -> int:
    """Index where there is no index yet, and score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", type=Path, help="an index of the documents, and perhaps of others beside them")
    parser.add_argument("--only", help="a regular expression on the ids of the questions")
    parser.add_argument("--out", type=Path, help="what was shown for each question, as JSON; of an LLM, as JSON lines")
    parser.add_argument("--answerer", choices=["extractive", "llm"], default="extractive")
    parser.add_argument("--llm-url", help="of the server; without it, as for rag ask --answerer llm")
    parser.add_argument("--every", type=int, default=1, help="ask every so-many-th question of the LLM only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = options.store or Path(temporary) / "index"
        if options.store is None:
            with Library.open(store) as library, Bars() as bars:
                print(library.index(options.folder / "docs", progress=bars.show), file=sys.stderr)
        out = options.out or Path(temporary) / "score.json"
        if options.answerer == "llm":
            return with_llm(options, store, out)
        command = [sys.executable, options.folder / "score.py", store, options.folder / "questions.jsonl", "--out", out]
        only = ["--only", options.only] if options.only else []
        return subprocess.run([*map(str, command), *only], check=False).returncode


def with_llm(options: argparse.Namespace, store: Path, out: Path) -> int:
    """Ask every so-many-th question, judge the quotations and what is written, and print both tables."""
    from rag.answer.write import llm_answerer
    from rag.answer.write.choice import chosen

    script = _script(options.folder / "score.py")
    lines = (options.folder / "questions.jsonl").read_text("utf-8").splitlines()
    asked = [json.loads(line) for line in lines if line.strip()]
    asked = [question for question in asked if re.search(options.only or "", question["id"])][:: options.every]
    asked = sorted(asked, key=lambda question: (int(question["id"].rpartition("-")[2]), question["kind"]))
    done = {json.loads(line)["id"] for line in out.read_text("utf-8").splitlines()} if out.exists() else set()
    with Library.open(store) as library, out.open("a", encoding="utf-8") as file:
        library.answerer = llm_answerer(library.retriever, chosen(options.llm_url))
        for question in asked:
            if question["id"] not in done:
                print(json.dumps(_row(script, library, question), ensure_ascii=False), file=file, flush=True)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    for which in ("quoted", "written"):
        print(f"\n{which}\n{script.table([row[which] for row in rows])}")
    print(_counted(rows))
    return 0


def _row(script: ModuleType, library: Library, question: dict[str, Any]) -> dict[str, Any]:
    """Ask one question; the first answer that comes is the quoted one."""
    started = time.perf_counter()
    history: Sequence[Answer | str] = [question["after"]] if question["after"] else []
    quoted, *_, written = library.ask_stream(question["question"], history=history)
    return {
        "id": question["id"],
        "question": question["question"],
        "seconds": round(time.perf_counter() - started, 1),
        "quoted": script.judge(question, quoted),
        "written": script.judge(question, written),
        "reason": written.reason,
        "searched_for": written.searched_for,
        "searches": written.searches,
        "sentences": [
            {
                "text": sentence.text,
                "speaker": sentence.speaker,
                "support": sentence.support,
                "fault": sentence.fault,
                "sources": [c.quote for c in written.citations if c.number in sentence.citations],
            }
            for sentence in written.sentences
            if sentence.writer
        ],
    }


def _counted(rows: Iterable[dict[str, Any]]) -> str:
    support = Counter(sentence["support"] for row in rows for sentence in row["sentences"])
    kinds = Counter("refused" if r["written"]["refused"] else "written" if r["sentences"] else "quoted" for r in rows)
    seconds = sorted(row["seconds"] for row in rows)
    won = [row["id"] for row in rows if row["quoted"]["refused"] and row["written"]["cls"] == "good"]
    return (
        f"\nanswers: {dict(kinds)}; written sentences: {dict(support)}; seconds, median: {seconds[len(seconds) // 2]}\n"
        f"refused by the reader, answered well by the LLM: {', '.join(won) or 'none'}"
    )


def _script(path: Path) -> ModuleType:
    """Load the set's own script, which judges."""
    spec = importlib.util.spec_from_file_location("score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
