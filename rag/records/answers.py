"""What is found for a question and what is answered: hits, candidates, citations, answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rag.records.documents import Passage, Span

Support = Literal["verbatim", "supported", "unsupported"]


def title_and_section(title: str, section: str | None) -> tuple[str, str | None]:
    """Return title and section to be shown one behind the other; only the longer where it begins with the other."""
    if section and _begins(title, section):
        return title, None
    if section and _begins(section, title):
        return section, None
    return title, section


def _begins(text: str, words: str) -> bool:
    """Tell whether a text begins with whole words, in capitals or not."""
    return text.casefold().startswith(words.casefold()) and not text[len(words) :][:1].isalnum()


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact place of a quotation: `quote == document.text[span.start:span.end]`."""

    number: int
    uri: str
    title: str
    quote: str
    span: Span
    passage: Passage
    page: int | None = None
    section: str | None = None
    speaker: str | None = None
    date: str | None = None
    score: float = 0.0

    @classmethod
    def of(cls, passage: Passage, span: Span, number: int = 1, score: float = 0.0) -> Citation:
        """Cite `span` (document offsets) of `passage`; raises ValueError where it reaches outside."""
        place = passage.place(span)
        return cls(
            number=number,
            uri=passage.uri,
            title=passage.name,
            quote=passage.quote(span),
            span=span,
            passage=passage,
            page=place.page,
            section=place.section,
            speaker=passage.speaker_of(span),
            date=passage.date,
            score=score,
        )

    def __str__(self) -> str:
        """Read as a reference: title, section, page, date and offsets."""
        page = f"p. {self.page}" if self.page else None
        parts = (*title_and_section(self.title, self.section), page, self.date)
        return f"{', '.join(part for part in parts if part)} [{self.span.start}:{self.span.end}]"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. Ranks start at 1; None means that this half did not find it.

    `reranker_score` is what the reranker says of it, from 0 to 1; None where it was not among the best that it reads.
    `sentence`, in code points of the document, is what comes nearest to an answer where the question is refused.
    """

    passage: Passage
    score: float
    dense_rank: int | None = None
    lexical_rank: int | None = None
    dense_score: float | None = None
    lexical_score: float | None = None
    reranker_score: float | None = None
    sentence: Span | None = None

    @property
    def citation(self) -> Citation:
        """The whole passage as a citation."""
        return Citation.of(self.passage, self.passage.span, score=self.score)


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A quotation, or a sentence that was written, with the numbers of its citations.

    `marks` are the words that answer, in code points of `text`; `fault` says in a few words why it is unsupported.
    `cells` are those of a table's row, names and values as spans of `text` (`Beds: 40; City: Oz`). `writer` names the
    LLM that wrote it; None for a quotation. One that stands `beside` the answer says more on it, and the answer is
    whole without it.
    """

    text: str
    citations: tuple[int, ...]
    speaker: str | None = None
    support: Support = "verbatim"
    fault: str | None = None
    marks: tuple[Span, ...] = ()
    cells: tuple[tuple[Span, Span], ...] = ()
    writer: str | None = None
    beside: bool = False

    def __str__(self) -> str:
        """Return the text with its markers, as in `It ended in 2020. [1]`, and a flag where it is unsupported."""
        why = f": {self.fault}" if self.fault else ""
        flag = [f"(not supported by the sources{why})"] if self.support == "unsupported" else []
        return " ".join([self.text, *(f"[{number}]" for number in self.citations), *flag])


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """An exact span inside a cited sentence that answers the question by itself."""

    text: str
    citation: int
    span: Span


@dataclass(frozen=True, slots=True)
class Conflict:
    """Citations that answer the question differently."""

    about: str
    sides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, or a refusal that says why and shows the nearest passages.

    `confidence` is the answerer's own score of its best sentence, the higher the surer, also where it refuses; answers
    are refused below its threshold. None when it gives none. `reason` says why there is no answer, or, beside an
    answer, why it is not the one that was asked for, or what was not searched in full. `closest` says that the
    sentences are those that come nearest, and may not answer: between an answer and a refusal. `searched_for` is the
    question that was answered, where the one asked leans on an earlier one. `searches` are what an LLM had searched
    besides. `form` says how sentences that were written are to be laid out: as `sentences`, a `list`, a `timeline`, a
    `table` or a `summary`.
    """

    question: str
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    short_answer: ShortAnswer | None = None
    abstained: bool = False
    reason: str | None = None
    conflicts: tuple[Conflict, ...] = ()
    nearest: tuple[Hit, ...] = field(default=())
    confidence: float | None = None
    searched_for: str | None = None
    closest: bool = False
    searches: tuple[str, ...] = ()
    form: str = "sentences"

    @property
    def writer(self) -> str | None:
        """The LLM that wrote sentences of it; None where all are quotations."""
        return next((sentence.writer for sentence in self.sentences if sentence.writer), None)

    @property
    def is_plain(self) -> bool:
        """Whether it answers: neither a refusal nor only what comes closest."""
        return not self.abstained and not self.closest

    @property
    def text(self) -> str:
        """All sentences with their markers; the reason for a refusal."""
        return self.reason or "" if self.abstained else " ".join(map(str, self.sentences))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be part of the answer; the higher the score, the better it answers.

    Attributes:
        hit: the passage that it stands in.
        span: the sentence, in code points of the document.
        text: the sentence itself.
        score: from 0 to 1.
        support: the share of the question's terms in it, from 0 to 1.
        short: the part of the sentence that answers by itself, where one is known; in code points of the document.
        columns: the names above a row of a table that does not name its values itself.
        certain: how probable `short` is, if the sentence answers, from 0 to 1.
        heading: the heading above it, where that answers for it or says when it was.
    """

    hit: Hit
    span: Span
    text: str
    score: float
    support: float = 0.0
    short: Span | None = None
    columns: tuple[str, ...] = ()
    certain: float = 1.0
    heading: str | None = None

    @property
    def speaker(self) -> str | None:
        """Who says the sentence, as its passage knows."""
        return self.hit.passage.speaker_of(self.span)
