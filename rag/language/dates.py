"""Dates in a text, resolved against the day on which it was published: `yesterday`, `on Tuesday`, `8 December`.

Only what has one reading is resolved: `two days earlier` counts from some other event and is left alone. English.
dateparser and dateutil do worse on 42 such sentences: 10 and 17 right (benchmarks/libraries.md).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from text_to_num import alpha2digit

from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MONTHS = """
january jan | januar jänner jan jän | janvier janv
february feb | februar feb | février fevrier févr
march mar | märz maerz mär | mars
april apr | april apr | avril avr
may | mai | mai
june jun | juni jun | juin
july jul | juli jul | juillet juil
august aug | august aug | août aout
september sept sep | september sept sep | septembre
october oct | oktober okt | octobre
november nov | november nov | novembre
december dec | dezember dez | décembre decembre déc
"""  # English | German | French
_BY_LANGUAGE = [
    {name: number for number, row in enumerate(_MONTHS.split("\n")[1:13], 1) for name in row.split("|")[column].split()}
    for column in range(3)
]
ENGLISH_MONTHS, GERMAN_MONTHS, FRENCH_MONTHS = _BY_LANGUAGE
"""Names and abbreviations of months, in lower case, with their numbers."""

MONTHS = FRENCH_MONTHS | GERMAN_MONTHS | ENGLISH_MONTHS
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
"""A pattern; in lower case as the names of months are."""


def any_of(names: Iterable[str]) -> str:
    """Return a pattern for the names of months, longer ones first."""
    return "|".join(sorted(names, key=len, reverse=True))


def month_number(month: str) -> int:
    """Return the number of a month that a date gives as digits or by its name."""
    return int(month) if month.isdigit() else MONTHS[month.lower().rstrip(".")]


WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FULL_MONTHS = [name for name in ENGLISH_MONTHS if len(name) > 4 or name in {"may", "june", "july"}]
_MONTH = rf"(?P<month>{any_of(FULL_MONTHS)}|(?:{any_of(ENGLISH_MONTHS.keys() - FULL_MONTHS)})\b\.?)(?![a-z])"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TO_DAY = r"(?:\s?(?:and|to|[-–—])\s?(?P<last>\d{1,2})(?:st|nd|rd|th)?(?![:.]\d|\s?[ap]\.?m\b|\s+o['’]clock))?"
_YEAR = r"(?P<year>1[0-9]{3}|20\d\d)(?!\d|,\d|\.\d)"
# Behind figures that are no year: `1500 workers`, but `In 1500 workers` and `2019 results`.
_A_COUNT = r"\s+(?:people|men|women|children)\b|(?<=00)(?<!\bin \d{4})\s+(?!(?:was|is|has|does|census)\b)[a-z]+s\b"
_UNIT = r"(?P<unit>day|week|month|year)s?\b"
_COUNT = rf"(?P<count>\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\s+{_UNIT}"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,/£$€-])(?:{pattern})(?![\w/])", re.IGNORECASE)


_WRITTEN = (
    _form(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    _form(rf"{_DAY}{_TO_DAY}(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?"),
    _form(rf"{_MONTH}\s+{_DAY}(?![:.]\d){_TO_DAY}(?:,?\s+{_YEAR})?"),
    _form(rf"{_MONTH},?\s+(?:of\s+)?{_YEAR}"),
    _form(rf"{_YEAR}(?!{_A_COUNT})"),
    _form(rf"(?:in|since|until|by|of|during|from|this|last|next)\s+{_MONTH}(?!\s+\d)"),
)
_NAMED_DAYS = {"the day before yesterday": -2, "yesterday": -1, "last night": -1, "tomorrow": 1}
_NAMED_DAYS |= dict.fromkeys(("today", "tonight", "this morning", "this afternoon", "this evening"), 0)
_NAMED = _form(rf"(?P<named>{any_of(_NAMED_DAYS)})")
_ON_WEEKDAY = _form(rf"(?:(?:on|by|since|until)\s+)?(?:(?P<which>last|next|this|coming)\s+)?(?P<weekday>{WEEKDAY})\b")
_WHICH_UNIT = _form(rf"(?P<which>last|next|this)\s+{_UNIT}")
_COUNTED_UNITS = _form(rf"(?P<past>(?:the|over|in)\s+(?:the\s+)?(?:past|last)\s+)?{_COUNT}(?(past)|\s+ago)")
_COMING = re.compile(
    r"\b(?<!\bwas )(?<!\bwere )(?:will|shall|won['’]t|due|next(?!\s(?:day|morning|evening|night)\b)|coming|expected to"
    r"|is to|are to|going to|plans? to|scheduled)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?<!\bbe )(?<!\bbeen )(?<!\bbeing )(?<!\bto )(?<!\bwill have )"
    r"(?:\w{2,}ed|said|told|met|went|came|took|began|left|held|gave|made|won|lost|fell|rose|struck|shot|sent|spoke"
    r"|wrote|saw|was|were|had|did)\b(?!\s+(?:to|for)\b)",
    re.IGNORECASE,
)
_VERB_BEHIND = re.compile(r"\s+[a-z]")
_NO_WEEKDAY = re.compile(
    r"\b(?:every|each|alternate|good|black|bloody|easter|palm|ash|shrove|following|previous|preceding|that|one)\s+$",
    re.IGNORECASE,
)
_PAPER = re.compile(r"\s+(?:Times|Telegraph|Mail|Express|Mirror|Herald|Post|People|Independent)\b")
_OF_SOMETHING = re.compile(r"\b(?:the|his|her|its|their|my|our|your)\s+$", re.IGNORECASE)
_DAYS_OF = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Parts:
    """A date as it is written: what is not there is None. `last` is the last day of `11 and 12 November`."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    last: int | None = None

    def agrees(self, other: Parts) -> bool:
        """Tell whether both can be the same date: what both of them say is the same."""
        mine, theirs = (self.year, self.month), (other.year, other.month)
        if any(a != b for a, b in zip(mine, theirs, strict=True) if a is not None and b is not None):
            return False
        if self.day is None or other.day is None:
            return True
        return self.day <= (other.last or other.day) and other.day <= (self.last or self.day)


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date in a text: where it stands, its first and its last day, and whether it had to be resolved."""

    span: Span
    first: dt.date
    last: dt.date
    relative: bool

    @property
    def iso(self) -> str:
        """A day as `2024-12-08`, a longer time as `2024-12-01/2024-12-31` (ISO 8601)."""
        return self.first.isoformat() + ("" if self.first == self.last else f"/{self.last.isoformat()}")


def written(text: str) -> list[tuple[Span, Parts]]:
    """Return the dates that are written out in a text, with or without a year, in order."""
    found: list[tuple[Span, Parts]] = []
    for form in _WRITTEN:
        for match in form.finditer(text):
            span, parts = Span(*match.span()), _parts(match)
            if parts and not any(span.overlaps(other) for other, _ in found):
                found.append((span, parts))
    return sorted(found, key=lambda pair: pair[0])


def without_dates(text: str) -> str:
    """Return a text with a dash for each date that is written in it."""
    for span, _ in reversed(written(text)):
        text = f"{text[: span.start]} – {text[span.end :]}"
    return text


def is_date(text: str) -> bool:
    """Tell whether a text is a date and nothing else."""
    return bool(text) and not any(char.isalnum() for char in without_dates(text))


def mentions(sentence: str, published: str | None) -> list[DateMention]:
    """Return the dates of a sentence as days, in order; without a day of publication only those that need none.

    Args:
        sentence: one sentence; its tense says which Tuesday is meant.
        published: ISO 8601; other texts count as none.
    """
    anchor = None
    with suppress(ValueError):
        anchor = dt.date.fromisoformat(published or "")
    found = [mention for span, parts in written(sentence) if (mention := _dated(sentence, span, parts, anchor))]
    for mention in _relative(sentence, anchor) if anchor else ():
        if not any(mention.span.overlaps(other.span) for other in found):
            found.append(mention)
    return sorted(found, key=lambda mention: mention.span)


def _parts(match: re.Match[str]) -> Parts | None:
    """Read a match; None for a day that no calendar has, and for the verb of `this may be` and `12 march on it`."""
    found = match.groupdict()
    name = found.get("month")
    month = month_number(name) if name else None
    year, day, last = (int(value) if (value := found.get(key)) else None for key in ("year", "day", "last"))
    is_verb = name in {"may", "march"} and not year and _VERB_BEHIND.match(match.string, match.end())
    if is_verb or 0 in {year, month, day, last}:
        return None
    try:
        dt.date(year or 2000, month or 1, max(day or 1, last or 1))
    except ValueError:
        return None
    return Parts(year, month, day, last)


def _dated(sentence: str, span: Span, parts: Parts, anchor: dt.date | None) -> DateMention | None:
    """Give a written date its days; one without a year takes the year that brings it nearest to publication."""
    if parts.year is not None:
        return DateMention(span, *_days(parts.year, parts), relative=False)
    if anchor is None:
        return None
    years = range(anchor.year - 1, anchor.year + 2)
    nearest = min(years, key=lambda year: _distance(sentence, year, parts, anchor))
    return DateMention(span, *_days(nearest, parts), relative=True)


def _distance(sentence: str, year: int, parts: Parts, anchor: dt.date) -> int:
    """Count the days between; a date on the wrong side of the sentence's tense is far away."""
    first, last = _days(year, parts)
    wrong = last < anchor if _COMING.search(sentence) else first > anchor
    return abs((first - anchor).days) + wrong * (400 if parts.day is None else 200)


def _days(year: int, parts: Parts) -> tuple[dt.date, dt.date]:
    if parts.month is None:
        return dt.date(year, 1, 1), dt.date(year, 12, 31)
    longest = calendar.monthrange(year, parts.month)[1]
    first, last = parts.day or 1, parts.last or parts.day or longest
    return dt.date(year, parts.month, min(first, longest)), dt.date(year, parts.month, min(max(first, last), longest))


_Days = tuple[dt.date, dt.date] | None


def _relative(sentence: str, anchor: dt.date) -> Iterator[DateMention]:
    readers = ((_NAMED, _named), (_ON_WEEKDAY, _weekday), (_WHICH_UNIT, _which_unit), (_COUNTED_UNITS, _counted))
    for form, read in readers:
        for match in form.finditer(sentence):
            days: _Days = None
            with suppress(OverflowError, ValueError):  # before the year 1, or after 9999
                days = read(match, anchor)
            if days:
                yield DateMention(Span(*match.span()), *days, relative=True)


def _named(match: re.Match[str], anchor: dt.date) -> _Days:
    day = anchor + dt.timedelta(days=_NAMED_DAYS[match["named"].lower()])
    return day, day


def _weekday(match: re.Match[str], anchor: dt.date) -> _Days:
    """Read `on Tuesday`: the last one, the day of publication with it; the next one where the sentence looks ahead.

    What looks ahead on a Tuesday itself may mean this one or the next: it is not said.
    """
    if _NO_WEEKDAY.search(match.string[: match.start()]) or _PAPER.match(match.string, match.end()):
        return None
    which = (match["which"] or "").lower()
    ahead = (WEEKDAYS.index(match["weekday"].capitalize()) - anchor.weekday()) % 7
    to_come = which in {"next", "coming"} or (which == "this" and not _PAST.search(match.string))
    if to_come or (which != "last" and _looks_ahead(match)):
        if not (ahead or which in {"next", "coming"}):
            return None
        day = anchor + dt.timedelta(days=ahead or 7)
    else:
        day = anchor - dt.timedelta(days=-ahead % 7 or (7 if which == "last" else 0))
    return day, day


def _looks_ahead(match: re.Match[str]) -> bool:
    """Tell whether the verb that goes with a weekday is of the future: `will close on Friday, she said`.

    It is a past one right behind, or else the nearest in front, or else the first behind.
    """
    if _PAST.match(match.string, match.end() + 1):
        return False
    tenses = ((_PAST, False), (_COMING, True))
    verbs = sorted((verb.start(), to_come) for form, to_come in tenses for verb in form.finditer(match.string))
    before = [to_come for at, to_come in verbs if at < match.start()]
    after = [to_come for at, to_come in verbs if at >= match.end()]
    return [*before[-1:], *after, False][0]


def _which_unit(match: re.Match[str], anchor: dt.date) -> _Days:
    """Read `last week`, but not the next year of a life, nor the last week of July."""
    unit, step = match["unit"].lower(), {"last": -1, "this": 0, "next": 1}[match["which"].lower()]
    of_it = match.string.startswith(" of ", match.end()) or _OF_SOMETHING.search(match.string[: match.start()])
    return None if unit == "day" or of_it else _whole(anchor, unit, step)


def _counted(match: re.Match[str], anchor: dt.date) -> _Days:
    """Read `two weeks ago` and `the past three days`; months or years ago mean the whole month or year."""
    word, unit = match["count"].lower(), match["unit"].lower()
    count = 1 if word in {"a", "an"} else int(alpha2digit(word, "en", threshold=0))
    if unit in {"month", "year"} and not match["past"]:
        return _whole(anchor, unit, -count)
    day = anchor - dt.timedelta(days=count * _DAYS_OF[unit])
    return day, anchor if match["past"] else day


def _whole(anchor: dt.date, unit: str, count: int) -> tuple[dt.date, dt.date]:
    if unit == "week":
        monday = anchor + dt.timedelta(days=7 * count - anchor.weekday())
        return monday, monday + dt.timedelta(days=6)
    if unit == "year":
        return _days(anchor.year + count, Parts())
    months = anchor.year * 12 + anchor.month - 1 + count
    return _days(months // 12, Parts(month=months % 12 + 1))
