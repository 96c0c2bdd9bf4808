"""Short answers as values: whether one may be what is asked for, and whether two say the same in other words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from text_to_num import alpha2digit

from rag.answer.question import MEASURING
from rag.language.dates import Parts, without_dates, written
from rag.language.names import NO_NAME, are_initials, same_name
from rag.language.numbers import VAGUE, Number, nothing, number, numbers, unit_at
from rag.language.speakers.vocabulary import is_role
from rag.language.terms import terms

if TYPE_CHECKING:
    from rag.answer.question import Question

ValueKind = Literal["date", "time", "number", "name"]

_DATE_ASKED = re.compile(r"\b(?:when|(?:what|which) (?:year|day|month)|date)\b", re.IGNORECASE)
_NUMBER_ASKED = re.compile(
    rf"\bhow (?:{MEASURING})\b"
    r"|\b(?:number|population|percentage|share|cost|price|length|height|area|size|total|age|score|distance) of\b",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(r"\b(?:who|whom|whose|where|which|what|name)\b", re.IGNORECASE)
_HOUR = re.compile(
    r"\b(?:noon|midday|midnight|dawn|dusk|sunrise|sunset|morning|afternoon|evening|night|hours?|minutes?|seconds?)\b",
    re.IGNORECASE,
)
_SHARE = re.compile(r"%|\bper ?cent\b")
"""No count: 26 of 2,821 `how many` questions of the public sets have a share for their answer."""

_YEAR = re.compile(r"\W*(?:1[89]|20)(?!00)\d\d\W*")
_DATED = re.compile(
    r"\d|\b(?:ago|last|next|today|yesterday|tomorrow|tonight|during|after|before|while|until|since|once|when|never|now)\b"
    r"|\b(?:centur|decade|year|month|week|day|hour|minute|morning|evening|night|spring|summer|autumn|winter|christmas)"
    r"|(?:day|uary|march|april|may|june|july|august|ember|ober)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b([01]?\d|2[0-4])(?::([0-5]\d)(?!\d)|\.([0-5]\d)(?=\s*[ap]\.?m\b))(?:\s*(a|p)\.?m\b)?", re.IGNORECASE
)
_OCLOCK = re.compile(r"\b(\d{1,2})(?:\s*(a|p)\.?\s?m\b|\s+o['’]clock)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Value:
    """What a short answer says. Only values of one kind can be compared."""

    kind: ValueKind
    text: str
    date: Parts | None = None
    minutes: tuple[int, ...] = ()
    number: Number | None = None

    def agrees(self, other: Value) -> bool:
        """Tell whether both say the same, as far as can be told; values of different kinds are not told apart."""
        if self.kind != other.kind:
            return True
        if self.date and other.date:
            return self.date.agrees(other.date)
        if self.number and other.number:
            return self.number.agrees(other.number)
        if self.kind == "time":
            return bool(set(self.minutes) & set(other.minutes))
        return same_name(self.text, other.text)


def value(question: Question, answer: str) -> Value | None:
    """Read a short answer as the kind of value that the question asks for; None where it is no such value."""
    if question.kind == "time":
        return _time(answer)
    if _DATE_ASKED.search(question.text):
        return _time(answer) or _date(question, answer)
    if _NUMBER_ASKED.search(question.text):
        found = number(answer)
        counted = question.counted
        fits = found and (not found.measures or not counted or unit_at(counted, 0)[0] == found.measures)
        return Value("number", answer, number=found) if fits else None
    if _NAME_ASKED.search(question.text) and not any(are_initials(answer, name) for name in question.names):
        return _name(answer)
    return None


def is_of_kind(question: Question, answer: str) -> bool:
    """Tell whether an answer may be what is asked for: a point in time, a number, somebody with a name, a place.

    Where something else is asked for, any may that says more than the question: not `she died` to `How did she die?`,
    but one of two things that the question has.
    """
    given = set(terms(answer))
    if given and given <= question.terms and " or " not in question.text:
        return False
    fits: object = True
    match question.kind:
        case "time":
            fits = _time(answer) or _HOUR.search(answer)
        case "date":
            fits = _DATED.search(answer) or value(question, answer)
        case "place":
            fits = not is_role(answer.rpartition(" ")[2].lower())
        case "number":  # 19 April 2023 is no age
            has_month = any(parts.month for _, parts in written(answer))
            dated = _YEAR.fullmatch(answer) or (has_month and not _has_digit(without_dates(answer)))
            is_share = question.counted and "percent" not in question.text and _SHARE.search(answer)
            some = _has_digit(answer) or numbers(answer) or VAGUE.search(answer) or nothing(answer)
            fits = some and not (dated or is_share)
        case "person":  # a capital, or letters that have no case
            fits = any(char.isupper() or (char.isalpha() and not char.islower()) for char in answer)
    return bool(fits)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def is_number_of_one(question: Question, before: str) -> bool:
    """Tell whether the number after `before` is that of one of the counted things: `gate three` of `How many gates`."""
    one = question.counted and re.escape(question.counted.removesuffix("s"))
    return bool(one and re.search(rf"\b{one}\s$", before, re.IGNORECASE))


def _date(question: Question, answer: str) -> Value | None:
    """Read the one date of an answer; of a life in brackets, its beginning or its end."""
    found = [parts for _, parts in written(answer)]
    if len(found) == 2 and re.search(r"\d\s?[–—-]\s?\w", answer):
        ends = zip(found, (r"born|birth", r"died?|death"), strict=True)
        found = [parts for parts, word in ends if re.search(rf"\b(?:{word})\b", question.text, re.IGNORECASE)]
    return Value("date", answer, date=found[0]) if len(found) == 1 else None


def _time(answer: str) -> Value | None:
    """Read a time of day; without a.m. or p.m., an hour from one to twelve may be either."""
    digits = alpha2digit(answer, "en", threshold=0)
    match = _TIME.search(digits)
    if match:
        hour, minute, half = match[1], int(match[2] or match[3]), match[4]
    elif match := _OCLOCK.search(digits):
        hour, minute, half = match[1], 0, match[2]
    else:
        return None
    if half:
        hours = {int(hour) % 12 + (12 if half.lower() == "p" else 0)}
    else:
        hours = {int(hour), int(hour) % 12 + 12} if 1 <= int(hour) <= 12 and not hour.startswith("0") else {int(hour)}
    return Value("time", answer, minutes=tuple(sorted(hour % 24 * 60 + minute for hour in hours)))


def _name(answer: str) -> Value | None:
    named = [word for word in answer.split() if word.lower() not in NO_NAME]
    capital = sum(word[:1].isupper() or word[:1].isdigit() for word in named)
    return Value("name", answer) if 0 < len(named) <= 5 and capital * 2 >= len(named) else None
