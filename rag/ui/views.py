"""The data that render.py makes and page.js shows: JSON objects with these keys."""

from __future__ import annotations

from typing import TypedDict


class Marked(TypedDict):
    """A text in three parts, the middle one marked; concatenated they are the text."""

    before: str
    mark: str
    after: str


class Card(Marked):
    """A source: where it is, and its passage with the cited words marked. A nearest passage has no number."""

    number: int | None
    title: str
    facts: list[str]
    document: str
    start: int
    end: int


class SentenceView(TypedDict):
    """A sentence of an answer, who said it, and the numbers of its sources."""

    text: str
    speaker: str | None
    sources: list[int]
    supported: bool


class ShortView(TypedDict):
    """The short answer and the number of its source."""

    text: str
    source: int


class ConflictView(TypedDict):
    """What sources disagree about, and their numbers."""

    about: str
    sources: list[int]


class AnswerView(TypedDict, total=False):
    """The answer part of the page. `kind` is one of `empty`, `hint`, `error`, `answer`, `refusal`."""

    kind: str
    message: str
    question: str
    short: ShortView | None
    sentences: list[SentenceView]
    conflicts: list[ConflictView]


class SourcesView(TypedDict):
    """The sources part of the page."""

    heading: str
    note: str
    cards: list[Card]


class ReaderView(Marked):
    """A document in full with one span marked."""

    title: str
    facts: list[str]


class DocumentRow(TypedDict):
    """A line of the list of documents."""

    document: str
    name: str
    date: str
    passages: int
    file: str


class DocumentsView(TypedDict):
    """The list of documents with a line that sums it up."""

    summary: str
    rows: list[DocumentRow]


class ReportRow(TypedDict):
    """What became of one file."""

    file: str
    state: str
    reason: str


class ReportView(TypedDict):
    """What a change of the collection did."""

    summary: str
    error: bool
    rows: list[ReportRow]
