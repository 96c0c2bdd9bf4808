"""Measures retrieval and answers on a set of questions: somebody's own, or a public one with its own documents."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.evaluate.dataset import Dataset, LabelledQuestion, read_folder, read_questions
from rag.evaluate.measures import ANSWER, RANKING, Scores, abstention, answer_scores, ranking_scores
from rag.evaluate.systems import SYSTEMS, ranked_documents
from rag.records import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.library import Library
    from rag.models.encoder import Embedder
    from rag.models.reranker import Reranker
    from rag.records import Answer

__all__ = ["SYSTEMS", "Case", "Result", "evaluate", "kept_at", "opened", "read_folder", "read_questions"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what came: documents best first, the answer when one was asked for, and its scores."""

    question: LabelledQuestion
    found: Sequence[str]
    answer: Answer | None = None
    scores: Scores = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The scores of one system on one set."""

    name: str
    system: str
    cases: Sequence[Case]
    seconds: float

    def summary(self) -> dict[str, Any]:
        """Return the form of `rag eval --json`: means over the questions that a measure is defined for."""
        means: dict[str, Any] = {
            name: fmean(values)
            for name in (*RANKING, *ANSWER)
            if (values := [case.scores[name] for case in self.cases if name in case.scores])
        }
        judged = [(case.answer, case.question.answerable) for case in self.cases]
        answers = [(answer, can) for answer, can in judged if answer is not None and can is not None]
        refused, sure = [not answer.is_plain for answer, _ in answers], [answer.confidence for answer, _ in answers]
        if refusals := abstention(refused, [can for _, can in answers], sure):
            means["abstention"] = refusals
        return {**means, "queries": len(self.cases), "seconds": round(self.seconds, 3)}


def evaluate(
    dataset: Dataset, library: Library, *, system: str = "ours", answers: bool = True, progress: Progress = silent
) -> Result:
    """Ask every question of a library that holds the documents (see `opened`), and measure what comes.

    `system` is one of `SYSTEMS`: `ours` is asked for `answers` where the set can judge them, the others rank documents.
    Raises `InputError` when there are no questions, or nothing in them says what is right.
    """
    if not dataset.questions:
        raise InputError(f"{dataset.name} has no questions")
    started = time.perf_counter()
    ask = answers and dataset.has_answers and system == "ours"
    if not ask and not any(question.relevant for question in dataset.questions):
        more = "" if dataset.has_answers else ", answers, evidence or answerable: false"
        raise InputError(f"{dataset.name} has nothing to measure {system} by; give its questions documents{more}")
    found: dict[str, list[str]] = {}
    given: dict[str, Answer] = {}
    for done, question in enumerate(dataset.questions):
        progress("asking", done, len(dataset.questions))
        if question.relevant:
            found[question.id] = ranked_documents(library, question.text, system)
        if ask and (question.answers or question.evidence or question.answerable is not None):
            given[question.id] = library.ask(question.text)
    progress("asking", len(dataset.questions), len(dataset.questions))
    ranking = ranking_scores({q.id: q.relevant for q in dataset.questions if q.relevant}, found)
    cases = []
    for question in dataset.questions:
        answer = given.get(question.id)
        judged = answer_scores(question, answer) if answer is not None and question.answerable is not False else {}
        cases.append(Case(question, found.get(question.id, []), answer, {**ranking.get(question.id, {}), **judged}))
    return Result(dataset.name, system, cases, time.perf_counter() - started)


@contextmanager
def opened(
    dataset: Dataset,
    embedder: Embedder,
    progress: Progress = silent,
    reranker: Reranker | str | None = None,
    store: str | Path = "",
) -> Iterator[Library]:
    """Open a library of the set's own documents, kept at `kept_at`: the next run encodes only what settings change."""
    from rag.library import Library
    from rag.sync import Sync

    place = kept_at(dataset, store)
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
        for folder in (place.parent, place):
            folder.chmod(0o700)  # whole texts are in it: for this user alone, as the folder that holds them all
    with Library.open(place, embedder=embedder, reranker=reranker) as library:
        with library.store.writer() as writer:
            sync = Sync(writer, embedder, library.root, progress)
            if not sync.is_level:
                sync.documents(list(dataset.documents()))
        yield library


def kept_at(dataset: Dataset, store: str | Path = "") -> str | Path:
    """Return where the index of a set's own documents is kept, by their hash: a folder in the cache folder.

    Where `store` is a collection on a server, it is one beside that.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    documents = dataset.corpus.read_bytes() if dataset.corpus else b""
    name = hashlib.sha256(documents).hexdigest()[:16]
    return f"{store}_eval_{name}" if "://" in str(store) else cache / "rag" / "eval" / name
