"""The JSON objects that the page's scripts get, key by key."""

from __future__ import annotations

from typing import Any, TypedDict


class RunView(TypedDict, total=False):
    """A stretch of text with one look; `cites` are the numbers of the citations that it is part of."""

    text: str
    look: str
    cites: list[int]


class BlockView(TypedDict, total=False):
    """A paragraph, heading, table row and so on; `page` is given where a new one begins."""

    kind: str
    level: int
    tight: bool
    page: int
    runs: list[RunView]


class Card(TypedDict):
    """A source: where it is, and its passage with the cited words marked. A nearest passage has no number."""

    document: str
    start: int
    end: int
    number: int | None
    title: str
    speaker: str | None
    day: str
    facts: list[str]
    passage: list[BlockView]


class SentenceView(TypedDict):
    """A sentence of an answer, who said it where it does not say so itself, and the numbers of its sources."""

    text: str
    speaker: str | None
    sources: list[int]
    supported: bool
    fault: str | None


class ShortView(TypedDict):
    """The short answer and the number of its source."""

    text: str
    source: int


class ConflictView(TypedDict):
    """What sources disagree about, and their numbers."""

    about: str
    sources: list[int]


class TurnView(TypedDict, total=False):
    """A question and what came of it. `kind` is one of `hint`, `error`, `answer`, `refusal`.

    `turn` is the number that the page gave to the question, `id` and `conversation` those under which it is kept, zero
    when it is not; `searched_for` is what a question that leans on an earlier one was taken for; `heading` and `note`
    stand over the cards. While an answer is `growing`, more of it is to come.
    """

    turn: int
    growing: bool
    id: int
    conversation: int
    verdict: str | None
    kind: str
    message: str
    question: str
    searched_for: str | None
    short: ShortView | None
    sentences: list[SentenceView]
    conflicts: list[ConflictView]
    heading: str
    note: str
    cards: list[Card]


class ConversationRow(TypedDict):
    """A line of the list of conversations: its first question, and when it was last touched."""

    id: int
    title: str
    turns: int
    day: str


class ReaderView(TypedDict):
    """A document in full, the citations that were asked for marked by their numbers.

    `pages` counts those that can be shown as pictures.
    """

    document: str
    title: str
    facts: list[str]
    notes: list[str]
    pages: int
    blocks: list[BlockView]


class PictureView(TypedDict):
    """A page of a PDF as PNG in Base64, and whether the words that were asked for are marked on it."""

    base64: str
    marked: bool


class DocumentRow(TypedDict):
    """A line of the list of documents; `date` is ISO 8601 for sorting, `day` for reading."""

    document: str
    name: str
    date: str
    day: str
    kind: str
    words: int
    passages: int
    file: str
    folder: str
    state: str


class DocumentsView(TypedDict):
    """The list of documents with a line that sums it up."""

    summary: str
    rows: list[DocumentRow]


class ReportRow(TypedDict):
    """What became of one file."""

    file: str
    state: str
    reason: str


class ChangeView(TypedDict):
    """What an earlier run did; `ended` is ISO 8601 in UTC, `more` counts the files that have no row."""

    ended: str
    summary: str
    rows: list[ReportRow]
    more: int


class FollowView(TypedDict):
    """Whether changes of files are followed, of which `roots`, and what is in the way just now, if anything is."""

    on: bool
    roots: list[str]
    trouble: str


class NewsView(TypedDict):
    """What changed lately, and whether changes are followed: what an open library asks for again and again."""

    changes: list[ChangeView]
    follow: FollowView


class StartView(TypedDict):
    """What a page that has just been opened shows; `llm` is `none`, `offered`, or `always` where it answers all."""

    documents: DocumentsView
    local: bool
    llm: str


class WorkView(TypedDict, total=False):
    """A change of the collection: `kind` is `progress` while it lasts, then `done` or `error`.

    `share` is how much of the present stage is done, 0 to 1.
    """

    kind: str
    summary: str
    share: float
    rows: list[ReportRow]


class OverviewView(TypedDict):
    """Pictures of the collection: a map of passages, a timeline, and each in words.

    `points` and `found` have the fields of `rag.app.ui.map.Point`, `bars` those of `rag.app.ui.timeline.Bar`.
    """

    points: list[dict[str, Any]]
    found: list[dict[str, Any]]
    about: str
    bars: list[dict[str, Any]]
    time: str
