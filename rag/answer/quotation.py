"""Quotations: sentences that stand together, long enough to be understood alone, shown without markup."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rag.answer.tables.rows import cells
from rag.language.dates import is_date
from rag.language.markup import without_markup
from rag.records import AnswerSentence, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rag.answer.tables.rows import TableCell
    from rag.records import Candidate, Hit, Passage

_PAIRS = {"“": "”", "«": "»", "„": "“"}
_OPENING = {"”": "“", "»": "«"}
_MARKS = frozenset({'"', *_PAIRS, *_OPENING})
_SENTENCE_ENDS = frozenset(".!?…")
_SPEECH_ENDS = _SENTENCE_ENDS | {","}  # in front of the mark that closes what somebody says
_WORD_ENDS = _SPEECH_ENDS | set("%)]'’”;")
_FEW_WORDS = 8  # of a reply that says little without the question
_REACH = 2  # sentences that a quotation brings on a side
_DATELINE = re.compile(
    r"(?:(?:[A-Z][A-Z.'’ -]+(?:, [A-Z][\w.]+(?: [A-Z][\w.]+){0,2})? )?\([A-Z]\w+\)"
    r"|[A-Z][A-Z.'’ -]+, [A-Z][\w.]+(?: [A-Z][\w.]+){0,2}) ?[—–-]{1,2} (?=[\"“A-Z])"
)
"""Where a report was written and by whom, in front of its first sentence: `HAYWARD, Calif. (AP) — `."""

_LEANING = re.compile(
    r"[^\w\"“‘«]*(?:(?:and|but|so|yet|then|however|instead|also|meanwhile|still|therefore|thus),?\s+)?"
    r"(?:he|she|it|they|his|her|its|their|this|that|these|those|such|both|neither"
    r"|the (?:two|three|other|latter|former)|and|but|so|yet|then|however|instead|also|meanwhile|therefore|thus)\b",
    re.IGNORECASE,
)
"""How a sentence begins that cannot be understood without the one before it."""
_PRONOUN_SOON = re.compile(
    r"\W*(?:(?:On|In|At|By|Since|Until|Last|This|During|After|Before)(?: [A-Z]\w*)?"
    r"|Should|Would|If|When|While|As|Later|Now|Today|Yesterday)(?: [a-z0-9]\w*){0,2},? (?:he|she|they|it) [a-z]"
)
"""The same, with the pronoun behind a few words that name nobody: `On Thursday he is due`."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """Neighbouring sentences of one passage.

    Attributes:
        hit: the passage.
        span: the sentences, in code points of the document.
        marks: the words that answer, in code points of the document, in order and apart from each other.
        score: that of its best sentence.
        columns: the names above a row of a table.
        heading: the heading above it, which is shown in front of it.
        beside: whether it only says more beside those that answer.
    """

    hit: Hit
    span: Span
    marks: tuple[Span, ...]
    score: float
    columns: tuple[str, ...] = ()
    heading: str | None = None
    beside: bool = False

    def holds(self, candidate: Candidate) -> bool:
        """Tell whether a sentence is part of it."""
        return candidate.hit.passage.uri == self.hit.passage.uri and candidate.span in self.span

    def sentences(self, number: int) -> list[AnswerSentence]:
        """Return it as it is shown, each paragraph of the document by itself and with its own speaker.

        Args:
            number: of its citation.
        """
        return [self._shown(part, number) for part in self._paragraphs()]

    def _paragraphs(self) -> list[Span]:
        parts: list[Span] = []
        for sentence in (each for each in self.hit.passage.sentences if each in self.span):
            if parts and _is_one_paragraph(self.hit.passage, parts[-1], sentence):
                parts[-1] = Span(parts[-1].start, sentence.end)
            elif len(parts) == 1 and _is_reply(self.hit.passage, parts[0], sentence):
                parts = [Span(parts[0].start, sentence.end)]
            else:
                parts.append(sentence)
        whole = bool(parts) and (parts[0].start, parts[-1].end) == (self.span.start, self.span.end)
        return parts if whole else [self.span]

    def _shown(self, part: Span, number: int) -> AnswerSentence:
        """Return a part of it without markup; a row of a table with the names of its columns."""
        passage, start = self.hit.passage, part.start
        inside = [mark for mark in self.marks if mark in part]
        dateline = _DATELINE.match(passage.quote(part))
        if dateline and not any(mark.start < start + dateline.end() for mark in inside):  # it may be the answer
            start += dateline.end()
        quote = passage.quote(Span(start, part.end))
        marks = _moved(inside, -start)
        row = cells(quote, self.columns)
        text, shown, places = _displayed_row(row, marks) if row else (*displayed(quote, marks), ())
        if self.heading and part.start == self.span.start:
            above = displayed(self.heading)[0].rstrip(":")
            date = (
                (Span(0, len(above)),) if is_date(above) else ()
            )  # the answer; a name of a section says what is below
            text, shown = f"{above}: {text}", (*date, *_moved(shown, len(above) + 2))
        speaker = passage.speaker_of(part)
        return AnswerSentence(text, (number,), speaker, marks=shown, cells=places, beside=self.beside)


def quotations(chosen: Sequence[Candidate], apart: Collection[Candidate] = ()) -> list[Quotation]:
    """Return the chosen sentences as quotations in their order: what touches is one, what leans brings its owner.

    Args:
        chosen: sentences, in the order of the answer.
        apart: those that stay by themselves, as the sides of a disagreement.
    """
    found: list[Quotation] = []
    for candidate in chosen:
        marks = (candidate.short,) if candidate.short else ()
        span = _understood(candidate.hit.passage, candidate.span)
        new = Quotation(candidate.hit, span, marks, candidate.score, candidate.columns, candidate.heading)
        if any(old.holds(candidate) and candidate not in apart and candidate.short is None for old in found):
            continue
        at = next((n for n, old in enumerate(found) if candidate not in apart and _touch(old, new)), None)
        if at is None or any(found[at].holds(each) for each in apart):
            found.append(new)
        else:
            found[at] = _joined(found[at], new)
    repeats = [old.heading == new.heading and old.hit is new.hit for old, new in pairwise(found)]
    return [replace(q, heading=None) if again else q for q, again in zip(found, [False, *repeats], strict=False)]


def _understood(passage: Passage, sentence: Span) -> Span:
    """Return a sentence with those that it needs, two on each side at most.

    One that leans on the sentence before brings it; one with half a pair of quotation marks brings the other half; a
    reply of few words brings the question.
    """
    if sentence not in passage.sentences:
        return sentence
    first = last = at = passage.sentences.index(sentence)
    while first and at - first < _REACH and _follows(passage, *passage.sentences[first - 1 : first + 1]):
        opening, _ = _open_quotes(passage.quote(Span(passage.sentences[first].start, sentence.end)))
        if not (opening or _leans(passage.quote(passage.sentences[first]))):
            break
        first -= 1
    if first == at and at and _is_reply(passage, *passage.sentences[at - 1 : at + 1]):
        first -= 1
    start = passage.sentences[first].start
    while last + 1 < len(passage.sentences) and last - at < _REACH:
        _, closing = _open_quotes(passage.quote(Span(start, passage.sentences[last].end)))
        if not closing or not _is_one_paragraph(passage, *passage.sentences[last : last + 2]):
            break
        last += 1
    return Span(start, passage.sentences[last].end)


def _is_reply(passage: Passage, asked: Span, sentence: Span) -> bool:
    """Tell whether a sentence of few words opens somebody's turn behind a question."""
    words = passage.quote(sentence)
    opens = any(statement.span.start == sentence.start for statement in passage.statements)
    return opens and passage.quote(asked).endswith("?") and len(words.split()) <= _FEW_WORDS


def _leans(sentence: str) -> bool:
    """Tell whether a sentence cannot be understood without the one before it."""
    return bool(_LEANING.match(sentence) or _PRONOUN_SOON.match(sentence))


def _open_quotes(text: str) -> tuple[bool, bool]:
    """Tell whether a quotation mark in a text lacks its opening, and whether one lacks its closing."""
    unopened, waiting = _unpaired(text, list(enumerate(text)))
    return bool(unopened), bool(waiting)


Marks = list[tuple[int, str]]


def _unpaired(quote: str, kept: Sequence[tuple[int, str]]) -> tuple[Marks, Marks]:
    """Return the quotation marks among characters that close what nothing opened, and those that nothing closes.

    An even number of straight ones may be pairs also where it does not look so.
    """
    marks = [(place, char) for place, char in kept if char in _MARKS]
    ways = [_left_over(quote, marks)]
    if sum(char == '"' for _, char in marks) % 2 == 0:
        ways.append(_left_over(quote, [mark for mark in marks if mark[1] != '"']))
    return min(ways, key=lambda way: len(way[0]) + len(way[1]))


def _left_over(quote: str, marks: Marks) -> tuple[Marks, Marks]:
    """Return the same of marks that all count. People mix straight ones with curly ones."""
    waiting, unopened = list[tuple[int, str]](), list[tuple[int, str]]()
    for place, char in marks:
        opens = char in _PAIRS or (char == '"' and _opens(quote, place))
        if waiting and _closes(waiting[-1][1], char) and not (char == '"' and opens):
            waiting.pop()
        elif opens:
            if waiting and quote[:place].rstrip()[-1:] in _SENTENCE_ENDS:  # a new paragraph of the same speech
                waiting.pop()
            waiting.append((place, char))
        else:
            unopened.append((place, char))
    return unopened, waiting


def _closes(opened: str, char: str) -> bool:
    mixed = (opened in "“„" and char == '"') or (opened == '"' and char == "”")
    return mixed or char == _PAIRS.get(opened, '"')


def _follows(passage: Passage, one: Span, other: Span) -> bool:
    """Tell whether nothing but white space parts two sentences, and the first is no heading above the second."""
    ended = passage.quote(one).rstrip('"”’»)]*_ ')[-1:] in {".", "!", "?", "…", ":"}
    return not _between(passage, one, other).strip() and (ended or _is_one_paragraph(passage, one, other))


def _is_one_paragraph(passage: Passage, one: Span, other: Span) -> bool:
    between = _between(passage, one, other)
    return not between.strip() and "\n\n" not in between


def _between(passage: Passage, one: Span, other: Span) -> str:
    return passage.text[one.end - passage.span.start : max(0, other.start - passage.span.start)]


def _touch(one: Quotation, other: Quotation) -> bool:
    """Tell whether two quotations of one passage overlap, or have white space alone between them; of one speaker."""
    passage = one.hit.passage
    speakers = {passage.speaker_of(one.span), passage.speaker_of(other.span)} - {None}
    rows = any("|" in passage.quote(each.span) for each in (one, other) if each.span in passage.span)
    if passage.id != other.hit.passage.id or len(speakers) > 1 or rows:  # each row of a table stands by itself
        return False
    first, second = sorted((one.span, other.span))
    return first.overlaps(second) or _follows(passage, first, second)


def _moved(marks: Iterable[Span], by: int) -> list[Span]:
    return [Span(mark.start + by, mark.end + by) for mark in marks]


def _joined(one: Quotation, other: Quotation) -> Quotation:
    span = Span(min(one.span.start, other.span.start), max(one.span.end, other.span.end))
    marks: list[Span] = []
    for mark in sorted({*one.marks, *other.marks}):
        if not marks or not marks[-1].overlaps(mark):
            marks.append(mark)
    heading = one.heading or other.heading
    return replace(one, span=span, marks=tuple(marks), score=max(one.score, other.score), heading=heading)


def displayed(quote: str, marks: Iterable[Span] = ()) -> tuple[str, tuple[Span, ...]]:
    """Return a quotation fit to be printed, and its marks there.

    Markup goes, cells of a table's row are parted by semicolons, runs of white space become single spaces, and
    quotation marks stand in pairs: all else are pieces of the document in its order.

    Args:
        quote: the characters of the document.
        marks: what answers in them, in code points of `quote`.

    Returns:
        the text, and the marks as spans of it; a mark of which nothing is left is left out.
    """
    kept = _paired(quote, without_markup(quote))
    text: list[str] = []
    places: list[int] = []  # of each kept character in `quote`
    for place, char in kept:
        if char.isspace() and (not text or text[-1] == " " or _is_hyphenated(quote, place)):
            continue
        text.append(" " if char.isspace() else char)
        places.append(place)
    while text and text[-1] == " ":
        text.pop()
        places.pop()
    found = (Span(bisect_left(places, mark.start), bisect_left(places, mark.end)) for mark in marks)
    shown = "".join(text)
    return shown, tuple(trimmed for mark in found if (trimmed := _trimmed(shown, mark)))


def _is_hyphenated(quote: str, place: int) -> bool:
    """Tell whether white space is of a line's end within a word: `per-` and `form`, where no word is `per-`."""
    before, behind = quote[:place].rstrip(), quote[place:].lstrip()
    is_break = "\n" in quote[len(before) : len(quote) - len(behind)]
    return is_break and before[-1:] == "-" and before[-2:-1].isalpha() and behind[:1].islower()


def _displayed_row(
    row: Sequence[TableCell], marks: Sequence[Span]
) -> tuple[str, tuple[Span, ...], tuple[tuple[Span, Span], ...]]:
    """Return a row as `name: value; name: value`, its marks there, and the places of names and values."""
    text, shown, places = "", list[Span](), list[tuple[Span, Span]]()
    for cell in row:
        own = [Span(max(0, m.start - cell.start), m.end - cell.start) for m in marks if m.end > cell.start]
        name, (value, found) = displayed(cell.name)[0], displayed(cell.value, own)
        if not value:
            continue
        text += "; " if text else ""
        start = len(text)
        text += f"{name}: {value}" if name else value
        at = len(text) - len(value)
        shown += [Span(at + mark.start, at + mark.end) for mark in found]
        places.append((Span(start, start + len(name)), Span(at, len(text))))
    return text, tuple(shown), tuple(places)


def _paired(quote: str, kept: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the characters with each quotation mark in a pair.

    Words that somebody goes on saying get the closing mark where the quotation ends, words begun before it the opening
    one; any other mark that stands alone, as of inches, goes.
    """
    unopened, waiting = _unpaired(quote, kept)
    before = [
        (-1, _OPENING.get(char, char)) for place, char in reversed(unopened) if quote[:place][-1:] in _SPEECH_ENDS
    ]
    alone = {place for place, _ in unopened if quote[:place][-1:] not in _SPEECH_ENDS}
    behind = [(len(quote), _PAIRS.get(char, char)) for _, char in reversed(waiting)]
    return [*before, *(each for each in kept if each[0] not in alone), *behind]


def _opens(quote: str, place: int) -> bool:
    """Tell whether a straight quotation mark opens: no word ends in front of it, and something begins behind it."""
    before, after = quote[:place][-1:], quote[place + 1 : place + 2]
    return not (before.isalnum() or before in _WORD_ENDS) and bool(after.strip())


def _trimmed(text: str, mark: Span) -> Span | None:
    words = mark.of(text)
    start = mark.start + len(words) - len(words.lstrip())
    end = mark.start + len(words.rstrip())
    return Span(start, end) if start < end else None
