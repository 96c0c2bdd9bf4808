"""What each hand-written rule is worth: the same questions asked with it and without it.

Run: python benchmarks/rules.py SETS [--limit N] [--only REGEX]. SETS is a folder with `people_A` and the BEIR folders
`squad20_A` and `xquad_en_A`; N takes so many questions of each of these. What the reader finds in a text is kept, so
that only what a rule changes is read again. Prints for each rule and set how many answers it changes, how many of the
changed ones are good only with it and only without it, and the sign test's p. Figures: benchmarks/rules.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from math import comb
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rag import Library
from rag.app.cli.output import Bars
from rag.evaluate import opened, read_folder
from rag.evaluate.measures import answer_scores
from rag.models.encoder import embedder
from rag.models.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.evaluate.dataset import LabelledQuestion
    from rag.records import Answer


@dataclass(frozen=True, slots=True)
class Rule:
    """A function that holds a rule, where it is used, and what stands in for it when the rule is off."""

    name: str
    place: str
    without: Callable[[Callable[..., Any]], Callable[..., Any]]


def other_kind(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what makes questions of a kind questions for anything."""
    return lambda found: lambda text: "other" if found(text) == kind else found(text)


RULES = [
    Rule("follow-ups resolved", "rag.library.readings", lambda _: lambda question, _: [question]),
    Rule("broad questions", "rag.answer.question._kind", other_kind("broad")),
    Rule("yes or no", "rag.answer.question._kind", other_kind("yes_no")),
    Rule("words of a speaker", "rag.answer.scorer.weighed_by_speaker", lambda _: lambda _q, found, _w: found),
    Rule("speaker asked for", "rag.answer.question._asked_speaker", lambda _: lambda _: frozenset()),
    Rule("rows looked up", "rag.answer.scorer.looked_up", lambda _: lambda _q, found, *_, **__: found),
    Rule("taken for granted", "rag.answer.extractive.missing", lambda _: lambda *_: None),
    Rule("numbers taken for granted", "rag.answer.question._numbers", lambda _: lambda _: []),
    Rule("sides of a disagreement", "rag.answer.extractive.sides", lambda _: lambda *_: []),
    Rule("items of a list", "rag.answer.extractive.with_items", lambda _: lambda _, chosen, *__: chosen),
    Rule("marks widened", "rag.answer.extractive.widened", lambda _: lambda _, candidate: candidate.short),
    Rule("leaning sentences", "rag.answer.quotation._understood", lambda _: lambda _, sentence: sentence),
    Rule("date lines", "rag.answer.scorer._is_date_line", lambda _: lambda *_: False),
    Rule("questions in the text", "rag.answer.scorer.is_question", lambda _: lambda _: False),
    Rule("question before a reply", "rag.answer.reading.asked_before", lambda _: lambda *_: ""),
    Rule("kind of the short answer", "rag.answer.reading.is_of_kind", lambda _: lambda *_: True),
    Rule("spelling", "rag.answer.respelled", lambda _: lambda *_: None),
]


class KeptReader(Reader):
    """A reader that reads nothing twice."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[tuple[str, str, str], Any] = {}

    def read(self, question: str, passages: Sequence[str], contexts: Sequence[str] | None = None) -> list[Any]:
        """Return what is kept, and read the rest."""
        keys = [
            (question, text, context) for text, context in zip(passages, contexts or [""] * len(passages), strict=True)
        ]
        new = list(dict.fromkeys(key for key in keys if key not in self._kept))
        if new:
            found = self._reader.read(question, [key[1] for key in new], [key[2] for key in new])
            self._kept.update(zip(new, found, strict=True))
        return [self._kept[key] for key in keys]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown for a question, and whether that is good."""

    shown: tuple[object, ...]
    is_good: bool


def shown(answer: Answer) -> tuple[object, ...]:
    """Return what a person sees of an answer."""
    sentences = tuple((sentence.text, sentence.marks) for sentence in answer.sentences)
    return sentences, answer.abstained, answer.closest, answer.conflicts, answer.short_answer


def people(folder: Path, library: Library) -> Iterator[Asked]:
    """Ask the questions of people_A, each judged by the set's own script."""
    specification = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    for line in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        question = json.loads(line)
        before = [library.ask(question["after"])] if question["after"] else []
        answer = library.ask(question["question"], history=before)
        yield Asked(shown(answer), script.judge(question, answer)["cls"] == "good")


def labelled(questions: Sequence[LabelledQuestion], library: Library) -> Iterator[Asked]:
    """Ask questions: good is a first sentence with the answer, or none plainly given where there is none."""
    for question in questions:
        answer = library.ask(question.text)
        good = (
            answer_scores(question, answer)["sentence_hit@1"] > 0
            if question.answerable is not False
            else not answer.is_plain
        )
        yield Asked(shown(answer), good)


@contextmanager
def asking(folder: Path, limit: int, bars: Bars) -> Iterator[Callable[[], list[Asked]]]:
    """Open a set, and yield what asks all its questions."""
    reader = KeptReader(Reader.shipped())
    if (folder / "score.py").exists():
        with tempfile.TemporaryDirectory() as name, Library.open(name, reader=reader) as library:
            library.index(folder / "docs", progress=bars.show)
            yield lambda: list(people(folder, library))
        return
    dataset = read_folder(folder).limited(limit)
    with opened(dataset, embedder(), bars.show) as own, Library.open(own.store.root, reader=reader) as library:
        yield lambda: list(labelled(dataset.questions, library))


def sign_test(one: int, other: int) -> float:
    """Return the two-sided p of so many for and against."""
    total = one + other
    return min(1.0, 2 * sum(comb(total, k) for k in range(min(one, other) + 1)) / float(2**total))


def line(name: str, before: Sequence[Asked], after: Sequence[Asked]) -> str:
    """Say what a rule changes: answers with it `before`, without it `after`."""
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a.shown != b.shown]
    worth = sum(a.is_good > b.is_good for a, b in changed), sum(a.is_good < b.is_good for a, b in changed)
    return f"| {name} | {len(changed)} of {len(before)} | {worth[0]} | {worth[1]} | {sign_test(*worth):.2f} |"


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--limit", type=int, default=300, help="questions of a BEIR folder")
    parser.add_argument("--only", default="", help="a regular expression on the names of the sets")
    options = parser.parse_args()
    for name in filter(re.compile(options.only).search, ("people_A", "squad20_A", "xquad_en_A")):
        with Bars() as bars, asking(options.sets / name, options.limit, bars) as ask:
            whole = ask()
            print(f"\n{name}: {sum(one.is_good for one in whole)} of {len(whole)} good\n")
            print("| rule | answers changed | good only with it | good only without it | p |\n|---|--:|--:|--:|--:|")
            for rule in RULES:
                with patch(rule.place, rule.without(resolve_name(rule.place))):
                    print(line(rule.name, whole, ask()), flush=True)


if __name__ == "__main__":
    main()
