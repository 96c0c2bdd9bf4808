"""Question sets: a folder in BEIR form with its own documents, or a file of questions over an index."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentUnknown, InputError, LoadError
from rag.evaluate.lines import check_new, id_in, records, text_in, text_lines, texts_in, truth_in
from rag.load import text as plain_text
from rag.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rag.library import Library


@dataclass(frozen=True, slots=True)
class Question:
    """One question and what is known about its answer.

    Attributes:
        id: unique in its set.
        text: what is asked.
        relevant: grade of each right document by URI; empty when unknown or when there is none.
        answers: right short answers, any of which will do.
        evidence: passages of the documents that hold the answer.
        answerable: whether the documents hold the answer; None when the set does not say.
    """

    id: str
    text: str
    relevant: Mapping[str, int] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    answerable: bool | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, and the folder of their documents when they bring their own."""

    name: str
    questions: tuple[Question, ...]
    corpus: Path | None = None

    @property
    def has_answers(self) -> bool:
        """Whether answers can be judged, and not only passages.

        That all questions are answerable is not enough: no measure is defined of the answers alone.
        """
        return any(q.answers or q.evidence or q.answerable is False for q in self.questions)

    def limited(self, most: int | None) -> Dataset:
        """Keep at most so many questions, evenly spread, the same ones each time."""
        if most is None or most >= len(self.questions):
            return self
        step = len(self.questions) / most
        return replace(self, questions=tuple(self.questions[int(index * step)] for index in range(most)))

    def documents(self) -> Iterator[Document]:
        """Yield the set's own documents, without those that have no text; raises `InputError`."""
        if self.corpus is not None:
            seen: dict[str, str] = {}
            for place, record in records(self.corpus):
                check_new(id_in(record, place), place, seen)
                if str(record.get("text") or "").strip():
                    yield _document(record, place)

    def digest(self) -> str:
        """Return the SHA-256 of the set's own documents."""
        return hashlib.sha256(self.corpus.read_bytes() if self.corpus else b"").hexdigest()


def read_folder(folder: Path) -> Dataset:
    """Read `queries.jsonl` and `qrels.tsv` of a BEIR folder with its `corpus.jsonl`.

    Raises:
        InputError: a file is missing, a line of it cannot be read, or two questions have one id.
    """
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        if not (folder / name).exists():
            raise InputError(f"{folder} has no {name}; a question set needs corpus.jsonl, queries.jsonl and qrels.tsv")
    grades = _grades(folder / "qrels.tsv")
    questions, seen = [], dict[str, str]()
    for place, record in records(folder / "queries.jsonl"):
        check_new(id_ := id_in(record, place), place, seen)
        questions.append(_question(record, place, id_, "text", grades.get(id_, {})))
    return Dataset(folder.name, tuple(questions), folder / "corpus.jsonl")


def read_questions(file: Path, library: Library) -> Dataset:
    """Read a file of questions about the documents of an index: one JSON object with `question` a line.

    `documents` holds what `rag show` takes, `answers`, `evidence` and `answerable` are optional as well.

    Raises:
        InputError: a line cannot be read or names a document that the index does not have, or two have one id.
    """
    if not file.exists():
        raise InputError(f"{file} does not exist; name a folder in BEIR form or a file of questions")
    questions, seen = [], dict[str, str]()
    for number, (place, record) in enumerate(records(file), 1):
        try:
            relevant = {library.document(name).uri: 1 for name in texts_in(record, "documents", place)}
        except DocumentUnknown as error:
            raise InputError(f"{place}: {error}") from error
        id_ = str(number if record.get("id") is None else record["id"])
        check_new(id_, place, seen)
        questions.append(_question(record, place, id_, "question", relevant))
    return Dataset(file.stem, tuple(questions))


def _question(record: Mapping[str, Any], place: str, id_: str, asked: str, relevant: Mapping[str, int]) -> Question:
    return Question(
        id=id_,
        text=text_in(record, asked, place),
        relevant={uri: grade for uri, grade in relevant.items() if grade > 0},
        answers=texts_in(record, "answers", place),
        evidence=texts_in(record, "evidence", place),
        answerable=truth_in(record, "answerable", place),
    )


def _document(record: Mapping[str, Any], place: str) -> Document:
    uri, text = id_in(record, place), text_in(record, "text", place)
    data = text.encode("utf-8", "replace")
    try:
        document = plain_text.parse(data, uri)
    except LoadError:  # control characters, which a file of text would not have
        document = Document(uri, text, None, hashlib.sha256(data).hexdigest())
    date = str(record.get("date") or "")[:10] or document.date
    return replace(document, title=str(record.get("title") or "") or document.title, date=date)


def _grades(file: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    rows = csv.reader((line for _, line in text_lines(file)), delimiter="\t")
    for row in rows:
        if len(row) != 3:
            raise InputError(f"{file}, line {rows.line_num}: not three columns (question, document, grade): {row}")
        if row[2].lstrip("-").isdigit():
            grades.setdefault(row[0], {})[row[1]] = int(row[2])
        elif rows.line_num > 1:  # the first line has names
            raise InputError(
                f"{file}, line {rows.line_num}: the grade {row[2]!r} is no whole number; write 0, 1, 2, ..."
            )
    return grades
