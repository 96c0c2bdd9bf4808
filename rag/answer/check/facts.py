"""What a sentence commits itself to, and can be wrong about: its numbers, its names, its negations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from text_to_num import alpha2digit

from rag.answer.check.contraries import HEDGE
from rag.language.speakers import statements
from rag.language.speakers.titles import BODIES, NOT_NAMES, ROLES, TITLES
from rag.language.terms import STOP_WORDS, terms
from rag.records import Span

_GROUPED = re.compile(r"\b\d{1,3}(?:[,\u202f\u00a0]\d{3})+\b(?!\.\d)")
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}
_NUMBER = re.compile(
    r"(?<![\w.:])(?P<digits>\d+(?:\.\d+)?)(?P<clock>:\d\d\b)?(?:st|nd|rd|th|s|km|kg|m|cm|mm|ft|am|pm|GW|MW)?(?!\w)",
    re.IGNORECASE,
)
_SCALED = re.compile(r"\b(\d+(?:\.\d+)?)\s?-?\s?(hundred|thousand|million|billion|trillion|bn)\b", re.IGNORECASE)
_WORDS = (
    (re.compile(r"(?<!-)\b(?:one|first|second)\b(?! (?:hundred|thousand|million|billion))", re.IGNORECASE), "a"),
    (re.compile(r"\bhalf a dozen\b", re.IGNORECASE), "6"),
    (re.compile(r"\b(?:a )?dozen\b", re.IGNORECASE), "12"),
)
_NAME = re.compile(r"\b(?:[A-Z](?:[.-][A-Z])+|[A-Z][\w'’]*)(?:-[\w'’]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;“\"‘(]\s*|\n\s*)$")
_VERBLIKE = re.compile(r"(?:ing|ed|ly|s)$")
_CALENDAR = frozenset(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday".split()
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a value; `after` are the terms of the words that follow it, its unit among them.

    `rounded` says that a word in front of it does, `year` that it is written like one.
    """

    value: float
    after: tuple[str, ...] = ()
    rounded: bool = False
    year: bool = False

    def among(self, others: tuple[Number, ...]) -> bool:
        """Tell whether one of the others has this value, or one that it rounds."""
        return any(self.same(other) for other in others)

    def same(self, other: Number) -> bool:
        """Tell whether two numbers have the same value, or round it by at most 5%."""
        near = 0.05 * abs(other.value) if self.rounded or other.rounded else 1e-9 * abs(other.value)
        return abs(self.value - other.value) <= near


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word, folded; `calendar` for months and days; words of one name have the same `group`."""

    term: str
    calendar: bool
    group: int


@lru_cache(maxsize=4096)
def numbers(text: str) -> tuple[Number, ...]:
    """Return the numbers of a text in order, those in words as well; `one`, `first` and `second` are left out.

    12:30 is one number. A year, the day of a date and a percentage are numbers like any others.
    """
    text = unicodedata.normalize("NFKC", _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]) + ".0", text))
    text = _SCALED.sub(lambda match: f"{float(match[1]) * _SCALE[match[2].lower()]:.0f}", text)
    for word, plain in _WORDS:
        text = word.sub(plain, text)
    digits = alpha2digit(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text), "en", threshold=0)
    found = []
    for match in _NUMBER.finditer(digits):
        value = float(match["digits"])
        if match["clock"]:
            value += float(match["clock"][1:]) / 1e4
        hedged = HEDGE.search(digits, max(0, match.start() - 20), match.start()) is not None
        rounded = hedged and value > 31 and len(f"{value:.0f}".rstrip("0")) <= 2
        year = re.fullmatch(r"(?:19|20)\d\d", match["digits"]) is not None
        found.append(Number(value, tuple(terms(digits[match.end() : match.end() + 40])[:2]), rounded, year))
    return tuple(found)


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[Name, ...]:
    """Return the capitalised words of a text that are names, in order.

    The first word of a sentence counts only when it looks like no other word: not a stop word, a role, a body, a verb
    or a plural, or when another name follows it.
    """
    found: dict[str, Name] = {}
    group, last = 0, -9
    for match in _NAME.finditer(text):
        word = re.sub(r"['’]s?$", "", match[0])
        lower = word.lower()
        if f"{lower}." in TITLES or lower in TITLES or numbers(word) or _is_plain(word):
            continue
        first = _SENTENCE_START.search(text, 0, match.start()) is not None
        if first and not _is_name(text, word, match.end()):
            continue
        group += match.start() - last > 1
        last = match.end()
        for term in terms(word):
            found.setdefault(term, Name(term, lower in _CALENDAR, group))
    return tuple(found.values())


def _is_plain(word: str) -> bool:
    """Whether a word is one of those that nothing is named: an acronym may look like one (US, IT, WHO)."""
    return word.lower() in STOP_WORDS and not (word.isupper() and len(word) > 1)


def _is_name(text: str, word: str, end: int) -> bool:
    lower = word.lower()
    if lower in NOT_NAMES | ROLES | BODIES and lower not in _CALENDAR:
        return False
    followed = re.match(r"[ -](?:al-|of |de |von |van )?[A-Z]\w", text[end : end + 8]) is not None
    return followed or word.isupper() or lower in _CALENDAR or not _VERBLIKE.search(lower)


@lru_cache(maxsize=4096)
def speakers(text: str) -> tuple[str, ...]:
    """Return who is said to speak in a sentence."""
    said = statements(text, [Span(0, len(text))]) if text else ()
    return tuple(dict.fromkeys(statement.speaker for statement in said if statement.speaker))
