"""What a sentence commits itself to, and can be wrong about: its numbers and its names.

Numbers are not read by `rag.language.numbers`: that one takes what is rounded or in another unit for the same, as two
short answers need it; here 1988 for 1980 is an error. The weights in `head.json` are fitted on counts of these.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from text_to_num import alpha2digit

from rag.language.numbers import HEDGES
from rag.language.speakers.vocabulary import BODIES, NOT_NAMES, ROLES, TITLES
from rag.language.terms import STOP_WORDS, terms

_GROUPED = re.compile(r"\b\d{1,3}(?:[,\u202f\u00a0]\d{3})+\b(?!\.\d)")
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}
_SCALED = re.compile(rf"\b(\d+(?:\.\d+)?)\s?-?\s?({'|'.join(_SCALE)})\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.:])(?P<digits>\d+(?:\.\d+)?)(?P<clock>:\d\d\b)?(?:st|nd|rd|th|s|km|kg|m|cm|mm|ft|am|pm|GW|MW)?(?!\w)",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(r"(?<!-)\b(?:one|first|second)\b(?! (?:hundred|thousand|million|billion))", re.IGNORECASE)
_DOZEN = re.compile(r"\b(?P<half>half a )?(?:a )?dozen\b", re.IGNORECASE)
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_ROUNDING = re.compile(rf"(?:{HEDGES}|just|an estimated)\s+$", re.IGNORECASE)
_NAME = re.compile(r"\b(?:[A-Z](?:[.-][A-Z])+|[A-Z][\w'’]*)(?:-[\w'’]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;“\"‘(]\s*|\n\s*)$")
_NAME_FOLLOWS = re.compile(r"[ -](?:al-|of |de |von |van )?[A-Z]\w")
_CALENDAR = frozenset(
    """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday""".split()
)


@dataclass(frozen=True, slots=True)
class StatedNumber:
    """A number as a value; `after` are the terms of the words that follow it, its unit among them.

    `rounded` says that a word in front of it does, `year` that it is written like one.
    """

    value: float
    after: tuple[str, ...] = ()
    rounded: bool = False
    year: bool = False

    def same(self, other: StatedNumber) -> bool:
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
def numbers(text: str) -> tuple[StatedNumber, ...]:
    """Return the numbers of a text in order, those in words as well; `one`, `first` and `second` are left out.

    12:30 is one number. A year, the day of a date and a percentage are numbers like any others.
    """
    text = _GROUPED.sub(lambda match: "".join(filter(str.isdecimal, match[0])) + ".0", text)
    text = unicodedata.normalize("NFKC", text)
    text = _SCALED.sub(lambda match: f"{float(match[1]) * _SCALE[match[2].lower()]:.0f}", text)
    text = _DOZEN.sub(lambda match: "6" if match["half"] else "12", _NO_NUMBER.sub("a", text))
    digits = alpha2digit(_HYPHEN.sub(" ", text), "en", threshold=0)
    found = []
    for match in _NUMBER.finditer(digits):
        value = float(match["digits"]) + float((match["clock"] or ":0")[1:]) / 1e4
        rounding = _ROUNDING.search(digits, max(0, match.start() - 20), match.start()) is not None
        rounded = rounding and value > 31 and len(f"{value:.0f}".rstrip("0")) <= 2
        year = len(match["digits"]) == 4 and match["digits"].startswith(("19", "20")) and "." not in match["digits"]
        found.append(StatedNumber(value, tuple(terms(digits[match.end() : match.end() + 40])[:2]), rounded, year))
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
        word = _POSSESSIVE.sub("", match[0])
        lower = word.lower()
        if f"{lower}." in TITLES or lower in TITLES or numbers(word) or _is_stop_word(word):
            continue
        if _SENTENCE_START.search(text, 0, match.start()) and not _is_name(text, word, match.end()):
            continue
        group += match.start() - last > 1
        last = match.end()
        for term in terms(word):
            found.setdefault(term, Name(term, lower in _CALENDAR, group))
    return tuple(found.values())


def _is_stop_word(word: str) -> bool:
    """Tell whether nothing is named so; an acronym may look like a stop word (US, IT, WHO)."""
    return word.lower() in STOP_WORDS and not (word.isupper() and len(word) > 1)


def _is_name(text: str, word: str, end: int) -> bool:
    """Tell whether the first word of a sentence, which ends there, is a name."""
    lower = word.lower()
    if lower in _CALENDAR:
        return True
    if lower in NOT_NAMES | ROLES | BODIES:
        return False
    return bool(_NAME_FOLLOWS.match(text, end)) or word.isupper() or not lower.endswith(("ing", "ed", "ly", "s"))
