"""A document and its parts: spans, sections, statements, passages. Standard library only, all frozen.

Offsets are always Unicode code points of `Document.text`, half-open.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.records.rows import names_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_PART = re.compile(r"[^\W\d_]+|\d+")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_EMPTY = frozenset(
    "and article attachment chapter copy dat data doc document download draft dsc edit entry export file final foo for"
    " image img index item message msg new note notes old page part pdf post scan screenshot section temp test text the"
    " tmp txt unnamed untitled version www".split()
)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points, `text[start:end]`; raises ValueError for a negative or backward one."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start}:{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, other: Span) -> bool:
        """Tell whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end

    def of(self, text: str) -> str:
        """Cut this span out of `text`."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text under it, up to the next heading of the same or a higher level.

    `span` starts with the heading itself, `heading` is the heading's own span, `level` is 1 for the highest.
    """

    span: Span
    heading: Span
    title: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said: the words' span and the speaker as the document names them, None when unclear."""

    span: Span
    speaker: str | None


def speaker_of(statements: Iterable[Statement], span: Span) -> str | None:
    """Return who speaks in a span: the speaker of every statement that it touches; None when they differ."""
    speakers = {statement.speaker for statement in statements if statement.span.overlaps(span)}
    return next(iter(speakers)) if len(speakers) == 1 else None


def unnamed(text: str, statements: Iterable[Statement]) -> list[str]:
    """Return the names of those who make these statements, without roles, where `text` has not even the last name.

    Whoever has no name (`the company`) is left out.
    """
    names = dict.fromkeys(s.speaker.partition(",")[0] for s in statements if s.speaker and not s.speaker[0].islower())
    lasts = {name: name.split()[-1] for name in names if name.strip()}
    return [
        name for name, last in lasts.items() if not re.search(rf"(?<!\w){re.escape(last)}(?!\w)", text, re.IGNORECASE)
    ]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place with a name that is no heading: the cells of a table row (`Costs!A5:D5`), the time code of a caption."""

    span: Span
    name: str


Why = Literal["furniture", "invisible", "turned", "unreadable"]
"""What surrounds a text; what nobody sees; what stands otherwise than the page; what could not be read."""


@dataclass(frozen=True, slots=True)
class Omission:
    """Words of a source that are not in its document's text; or the name of what has words that could not be read."""

    why: Why
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One source: its text, and what is known about places in it.

    Attributes:
        uri: what `rag show` takes; for a file, its absolute path.
        text: the only coordinate system of every span.
        title: as the document gives it; None when it gives none (`name` always has something to show).
        digest: SHA-256 of the source's bytes, hexadecimal.
        date: publication date as the document gives it, ISO 8601 `YYYY-MM-DD`.
        page_starts: offset at which each page starts; empty for formats without pages.
        sections: in order of their start; nested ones overlap.
        blocks: spans of paragraphs, headings, list items and table rows in order, when the loader knows them
            (HTML); empty for plain text, where the chunker finds them.
        speakers: statements in order of their start.
        marks: named places in order, not overlapping.
        notes: what the loader could not read, each a line for a person.
        set_aside: all words of the source that are not in `text`, in their order.
    """

    uri: str
    text: str
    title: str | None
    digest: str
    media_type: str = "text/plain"
    date: str | None = None
    page_starts: tuple[int, ...] = ()
    sections: tuple[Section, ...] = ()
    blocks: tuple[Span, ...] = ()
    speakers: tuple[Statement, ...] = ()
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    set_aside: tuple[Omission, ...] = ()

    @property
    def aside(self) -> dict[str, int]:
        """Return how many pieces were set aside for each reason."""
        return dict(Counter(each.why for each in self.set_aside))

    @property
    def name(self) -> str:
        """Title, or the last part of the URI."""
        return self.title or self.uri.rstrip("/").rpartition("/")[2]

    def page_at(self, offset: int) -> int | None:
        """Return the page number, from 1, that holds `offset`; None for formats without pages."""
        return bisect_right(self.page_starts, offset) or None

    def section_at(self, offset: int) -> str | None:
        """Return the heading of the innermost section around `offset`, None outside of all."""
        before = bisect_right(self.sections, offset, key=lambda section: section.span.start)
        around = (self.sections[i] for i in range(before - 1, -1, -1) if offset < self.sections[i].span.end)
        return next((section.title for section in around), None)  # sections nest: the last to start is the innermost

    def place_at(self, offset: int) -> str | None:
        """Return the most exact name of a place: that of the mark there, after the section's."""
        section = self.section_at(offset)
        before = bisect_right(self.marks, offset, key=lambda mark: mark.span.start)
        mark = self.marks[before - 1] if before else None
        if mark is None or offset >= mark.span.end:
            return section
        return mark.name if section is None or mark.name.startswith(section) else f"{section}, {mark.name}"

    def statements_in(self, span: Span) -> tuple[Statement, ...]:
        """Return the statements that share a character with the span."""
        first = bisect_right(self.speakers, span.start, key=lambda statement: statement.span.end)
        after = bisect_left(self.speakers, span.end, key=lambda statement: statement.span.start)
        return self.speakers[first:after]

    def passage(self, span: Span, sentences: Sequence[Span] = ()) -> Passage:
        """Cut a passage: the only place where passages are made, so that text and span always agree.

        Section and page are those of the first sentence (of the span's start without sentences). So is the speaker;
        where the first sentence is nobody's, it is the one who speaks in all of the passage, if there is just one.
        Raises ValueError where the span, or a sentence, reaches outside of the text or of the passage.
        """
        if span.end > len(self.text) or any(sentence not in span for sentence in sentences):
            size = len(self.text)
            raise ValueError(f"span {span.start}:{span.end} does not fit document {self.uri} of {size} characters")
        text = span.of(self.text)
        anchor = sentences[0].start if sentences else span.start
        section, statements = self.section_at(anchor), self.statements_in(span)
        first = sentences[0] if sentences else Span(span.start, min(span.start + 1, span.end))
        speaker = speaker_of(statements, first) or speaker_of(statements, span)
        said = [(s.span.start, s.span.end, s.speaker) for s in statements]
        parts = (self.uri, self.title, self.date, section, speaker, span.start, span.end, text, *said)
        return Passage(
            id=hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32],
            uri=self.uri,
            span=span,
            text=text,
            title=self.title,
            section=section,
            speaker=speaker,
            date=self.date,
            page=self.page_at(anchor),
            sentences=tuple(sentences),
            places=self._places(sentences),
            statements=statements,
        )

    def _places(self, sentences: Sequence[Span]) -> tuple[Place, ...]:
        """Return the place of each sentence; nothing where all are at the passage's own."""
        places = tuple(Place(self.page_at(s.start), self.place_at(s.start)) for s in sentences)
        own = {Place(self.page_at(s.start), self.section_at(s.start)) for s in sentences[:1]}
        return () if set(places) <= own else places


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands, as a reference names it."""

    page: int | None
    section: str | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of whole sentences of one document: the unit that is indexed and retrieved.

    `id` is a hash of all that a reader could see of it. `sentences` are spans of the document's text, without headings;
    `places` has one entry for each of them, or is empty where `page` and `section` hold for all. `statements` are those
    of the document that reach into it; `speaker` places it for retrieval.
    """

    id: str
    uri: str
    span: Span
    text: str
    title: str | None = None
    section: str | None = None
    speaker: str | None = None
    date: str | None = None
    page: int | None = None
    sentences: tuple[Span, ...] = ()
    places: tuple[Place, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def name(self) -> str:
        """Title of the document, or the last part of its URI."""
        return self.title or self.uri.rstrip("/").rpartition("/")[2]

    @property
    def context(self) -> str:
        """One line that places the passage (title, section, date, speakers): for retrieval, never for display.

        Where the document has no title, the words of its file's name stand for one.
        The speaker comes with the role; of the others only names that the text does not have, as those of subtitles.
        """
        own = self.speaker.partition(",")[0] if self.speaker else None
        others = [name for name in unnamed(self.text, self.statements) if name != own]
        title = self.title or words_of_name(self.uri)
        parts = dict.fromkeys(part for part in (title, self.section, self.date, self.speaker, *others) if part)
        return " · ".join(" ".join(part.split()) for part in parts)

    @property
    def retrieval_text(self) -> str:
        """What the encoder and the lexical index read: the context line in front of the text, names of columns once."""
        text = names_once(self.text)
        return f"{self.context}\n{text}" if self.context else text

    def speaker_of(self, span: Span) -> str | None:
        """Return who speaks in a span of the document; None for nobody, for several, and when it is unclear.

        Of several sentences, each must have words of the same speaker: what stands between them is the reporter's.
        """
        inside = [sentence for sentence in self.sentences if sentence in span]
        speakers = {speaker_of(self.statements, each) for each in inside or [span]}
        return next(iter(speakers)) if len(speakers) == 1 else None

    def quote(self, span: Span) -> str:
        """Cut a span of the document out of this passage; raises ValueError where it reaches outside."""
        if span not in self.span:
            raise ValueError(f"span {span.start}:{span.end} is not inside passage {self.span.start}:{self.span.end}")
        return self.text[span.start - self.span.start : span.end - self.span.start]

    def heading(self, span: Span) -> str:
        """Return the heading above a span of this passage, other than the document's title; empty for none."""
        section = self.place(span).section
        return section if section and section != self.title else ""

    def place(self, span: Span) -> Place:
        """Return page and section of a span of this passage; of several table rows, the first and the last."""
        found = [
            p for s, p in zip(self.sentences, self.places, strict=False) if s.overlaps(span) or s.start == span.start
        ]
        if not found:
            return Place(self.page, self.section)
        ends = dict.fromkeys(place.section for place in (found[0], found[-1]) if place.section)
        return Place(found[0].page, " – ".join(ends) or None)


def words_of_name(uri: str) -> str:
    """Return the words and years of a file's name, without its ending; nothing where it has no telling word.

    The name of `sotu-2014-obama.txt` alone may say who spoke (dates: `language.published`).
    """
    name = uri.rstrip("/").rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    parts: list[str] = _PART.findall(stem if dot else name)
    if len(parts) > 3 and sum(map(len, parts)) < 3 * len(parts):  # a hash: `3f9a-b27c`
        return ""
    telling = [part for part in parts if len(part) > 1 and part.isalpha() and part.lower() not in _EMPTY]
    kept = [part for part in parts if part in telling or _YEAR.fullmatch(part)]
    return " ".join(kept) if any(len(part) > 2 for part in telling) else ""
