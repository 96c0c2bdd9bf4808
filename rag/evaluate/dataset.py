"""Question sets: a folder in BEIR form with its own documents, or a file of questions over an index.

What cannot be read is an error that names the file and the line.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag.errors import DocumentUnknown, InputError, LoadError
from rag.records import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rag.library import Library

    Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """One question and what is known about its answer."""

    id: str  # unique in its set
    text: str
    relevant: Mapping[str, int] = field(default_factory=dict)  # grade by URI; empty when unknown or there is none
    answers: tuple[str, ...] = ()  # right short answers, any of which will do
    evidence: tuple[str, ...] = ()  # passages of the documents that hold the answer
    answerable: bool | None = None  # whether the documents hold the answer; None when the set does not say


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, and the folder of their documents when they bring their own."""

    name: str
    questions: tuple[LabelledQuestion, ...]
    corpus: Path | None = None

    @property
    def has_answers(self) -> bool:
        """Whether answers can be judged: a set that only says `answerable: true` has nothing to compare them with."""
        return any(q.answers or q.evidence or q.answerable is False for q in self.questions)

    def limited(self, most: int | None) -> Dataset:
        """Keep at most so many questions, evenly spread, the same ones each time."""
        if most is None or most >= len(self.questions):
            return self
        step = len(self.questions) / most
        return replace(self, questions=tuple(self.questions[int(index * step)] for index in range(most)))

    def documents(self) -> Iterator[Document]:
        """Yield the set's own documents, without those that have no text; raises `InputError`."""
        seen: dict[str, str] = {}
        for place, record in _records(self.corpus) if self.corpus else ():
            _check_new(_id_in(record, place), place, seen)
            if str(record.get("text") or "").strip():
                yield _document(record, place)


def read_folder(folder: Path) -> Dataset:
    """Read a BEIR folder; raises `InputError` when a file is missing, a line unreadable, or an id there twice."""
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        if not (folder / name).exists():
            raise InputError(f"{folder} has no {name}; a question set needs corpus.jsonl, queries.jsonl and qrels.tsv")
    grades = _grades(folder / "qrels.tsv")
    questions, seen = [], dict[str, str]()
    for place, record in _records(folder / "queries.jsonl"):
        _check_new(id_ := _id_in(record, place), place, seen)
        questions.append(_question(record, place, id_, "text", grades.get(id_, {})))
    return Dataset(folder.name, tuple(questions), folder / "corpus.jsonl")


def read_questions(file: Path, library: Library) -> Dataset:
    """Read a file of questions about the documents of an index: one JSON object with `question` a line.

    `documents` holds what `rag show` takes, `answers`, `evidence` and `answerable` are optional as well.
    Raises `InputError` when a line is unreadable, names a document that is not in the index, or has another's id.
    """
    if not file.exists():
        raise InputError(f"{file} does not exist; name a folder in BEIR form or a file of questions")
    questions, seen = [], dict[str, str]()
    for number, (place, record) in enumerate(_records(file), 1):
        try:
            relevant = {library.document(name).uri: 1 for name in _texts_in(record, "documents", place)}
        except DocumentUnknown as error:
            raise InputError(f"{place}: {error}") from error
        _check_new(id_ := str(number if record.get("id") is None else record["id"]), place, seen)
        questions.append(_question(record, place, id_, "question", relevant))
    return Dataset(file.stem, tuple(questions))


def _question(record: Record, place: str, id_: str, asked: str, relevant: Mapping[str, int]) -> LabelledQuestion:
    return LabelledQuestion(
        id=id_,
        text=_text_in(record, asked, place),
        relevant={uri: grade for uri, grade in relevant.items() if grade > 0},
        answers=_texts_in(record, "answers", place),
        evidence=_texts_in(record, "evidence", place),
        answerable=_truth_in(record, "answerable", place),
    )


def _document(record: Record, place: str) -> Document:
    from rag.load import text as plain_text  # brings all loaders with it

    uri, text = _id_in(record, place), _text_in(record, "text", place)
    data = text.encode("utf-8", "replace")
    try:
        document = plain_text.parse(data, uri)
    except LoadError:  # control characters, which a file of text would not have
        document = Document(uri, text, None, hashlib.sha256(data).hexdigest())
    date = str(record.get("date") or "")[:10] or document.date
    return replace(document, title=str(record.get("title") or "") or document.title, date=date)


def _grades(file: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    rows = csv.reader((line for _, line in _text_lines(file)), delimiter="\t")
    for row in rows:
        place = f"{file}, line {rows.line_num}"
        if len(row) != 3:
            raise InputError(f"{place}: not three columns (question, document, grade): {row}")
        if row[2].lstrip("-").isdigit():
            grades.setdefault(row[0], {})[row[1]] = int(row[2])
        elif rows.line_num > 1:  # the first line has names
            raise InputError(f"{place}: the grade {row[2]!r} is no whole number; write 0, 1, 2, ...")
    return grades


def _text_lines(file: Path) -> Iterator[tuple[str, str]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{file}, line {number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")  # some editors begin a file with a mark
            except UnicodeDecodeError as error:
                raise InputError(f"{place}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
            yield place, text


def _records(file: Path) -> Iterator[tuple[str, Record]]:
    for place, line in _text_lines(file):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: not JSON ({error}); each line is one object, as in {{...}}") from error
        if not isinstance(record, dict):
            raise InputError(f"{place}: no JSON object but {_short(record)}; each line is one object, as in {{...}}")
        yield place, record


def _id_in(record: Record, place: str) -> str:
    id_ = record.get("_id")
    if id_ in (None, "") or not isinstance(id_, str | int):
        raise InputError(f"{place}: no '_id'; give it one that no other line has: {_short(record)}")
    return str(id_)


def _text_in(record: Record, key: str, place: str) -> str:
    text = record.get(key)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{place}: no text as {key!r}: {_short(record)}")
    return text


def _texts_in(record: Record, key: str, place: str) -> tuple[str, ...]:
    """Return texts: numbers count as such, a list among them as several, an object as the text under its `fact`."""
    found = record.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):  # the letters of a text would be taken for texts
        raise InputError(f"{place}: {key!r} is {_short(found)}; write a list, as in {_short({key: [str(found)]})}")
    return _as_texts(found, key, place)


def _truth_in(record: Record, key: str, place: str) -> bool | None:
    value = record.get(key)
    if value is not None and not isinstance(value, bool):  # the text "false" would be taken for true
        raise InputError(f"{place}: {key!r} is {_short(value)}; write true or false, or leave it out")
    return value


def _check_new(id_: str, place: str, seen: dict[str, str]) -> None:
    first = seen.setdefault(id_, place)
    if first != place:
        raise InputError(f"{first} and {place.rpartition(', ')[2]} have the same id, {id_}; give each one its own")


def _as_texts(entry: object, key: str, place: str) -> tuple[str, ...]:
    if isinstance(entry, list):
        return tuple(text for each in entry for text in _as_texts(each, key, place))
    text = entry.get("fact") if isinstance(entry, dict) else entry
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise InputError(f"{place}: {_short(entry)} among {key!r} is no text; write texts in quotation marks")
    return (str(text),) if str(text).strip() else ()


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
