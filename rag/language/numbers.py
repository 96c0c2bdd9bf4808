"""Quantities in a text: figures, number words, scales and units as comparable numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from text_to_num import alpha2digit

from rag.language.terms import DIGIT_GROUP

_NO_COUNT = re.compile(r"\d\s+(?:numbers?|figures?|accounts?|versions?|times|ways|sources?)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,–-])[-−]?\d[\d,]*(?:\.\d+)?(?!\w|\.\d)|(?<=[–-])\d[\d,]*(?:\.\d+)?(?!\w|\.\d)")
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}
_SCALE |= {"k": 1e3, "m": 1e6, "mn": 1e6}  # of money only: 5 m are metres
_SCALED = re.compile(
    r"(?P<money>[£$€]\s?)?(?P<digits>\d+(?:\.\d+)?)\s?-?\s?"
    r"(?P<scale>hundred|thousand|million|billion|trillion|bn|(?(money)(?:mn?|k)|(?!)))\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(?:(?P<half>half (?:of )?an?)|(?P<dozen>(?:a|one) dozen)|a couple of)\b", re.IGNORECASE)
VAGUE = re.compile(r"\b(?:hundreds|thousands|millions|dozens|scores)\b", re.IGNORECASE)
HEDGES = (
    "about|around|some|roughly|approximately|nearly|almost|over|up to|close to|more than|less than|fewer than|at least"
    "|at most|under"
)
"""In front of a number: it is a rounded one, or a bound."""
_ROUND = re.compile(rf"\b(?:{HEDGES}|estimated|circa|ca|or (?:so|more))\b|[~≈+<>]", re.IGNORECASE)
_SIZES = {
    "percent": "1 % percent",
    "metre": "0.001 mm millimetre millimeter | 0.01 cm centimetre centimeter | 1 m metre meter"
    " | 1000 km kilometre kilometer | 1609.344 mile mi | 0.3048 foot feet ft | 0.9144 yard yd",
    "gram": "1 g gram | 1000 kg kilogram kilo | 1e6 tonne ton | 453.592 lb",
    "second": "1 second sec | 60 minute min | 3600 hour hr | 86400 day | 604800 week | 2629746 month | 31556952 year",
}
_UNITS = {
    unit: (measures, float(size))
    for measures, sizes in _SIZES.items()
    for size, *units in map(str.split, sizes.split("|"))
    for unit in units
}
"""A unit with what it measures and how many of the basic unit it is."""


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity. `rounding` is how far it may lie from the exact one."""

    value: float
    rounding: float
    measures: str = ""

    def agrees(self, other: Number) -> bool:
        """Tell whether both can be the same quantity at different precision."""
        if self.measures and other.measures and self.measures != other.measures:
            return False
        return abs(self.value - other.value) <= max(self.rounding, other.rounding)


def number(answer: str) -> Number | None:
    """Read the one quantity of a short answer; None when there is none, or several."""
    found = numbers(answer)
    if len(found) != 1 or _NO_COUNT.search(_in_digits(answer)):
        return nothing(answer)
    return found[0]


def numbers(text: str) -> list[Number]:
    """Return all quantities of a text, in order."""
    exact = _in_digits(text)
    found = []
    for match in _NUMBER.finditer(exact):
        digits = match[0].replace(",", "").replace("−", "-")
        unit, factor = unit_at(exact, match.end())
        around = exact[max(0, match.start() - 25) : match.end() + 15]
        rounding = _rounding(digits.removeprefix("-"), around, converted=factor != 1.0)
        found.append(Number(float(digits) * factor, rounding * factor, unit))
    return found


def _in_digits(text: str) -> str:
    text = DIGIT_GROUP.sub("", text)
    text = _WORDS.sub(lambda match: "0.5" if match["half"] else "12" if match["dozen"] else "2", text)
    text = _SCALED.sub(_without_scale, VAGUE.sub("", text))
    return str(alpha2digit(text, "en", threshold=0))


def _without_scale(match: re.Match[str]) -> str:
    return f"{float(match['digits']) * _SCALE[match['scale'].lower()]:.6f}".rstrip("0").rstrip(".")


def nothing(answer: str) -> Number | None:
    """Return zero for a word that says so."""
    said = answer.strip(" .,;:!\"'“”").lower()
    return Number(0.0, 0.0) if said in {"none", "nobody", "no one", "zero", "nil"} else None


def unit_at(text: str, at: int) -> tuple[str, float]:
    """Return what the unit at a place of a text measures, and how many of the basic unit it is."""
    after = re.match(r"\s?-?\s?(%|per cent|[a-zA-Z]+)", text[at:])
    word = after[1].lower().replace(" ", "") if after else ""
    known = _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or _UNITS.get(word.removesuffix("es"))
    return known or ("", 1.0)


def _rounding(digits: str, around: str, *, converted: bool) -> float:
    """Half of the last digit that is not zero, within bounds that depend on whether it is said to be rounded."""
    whole, _, decimals = digits.partition(".")
    last = 10.0 ** -len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0") or whole))
    rounds = _ROUND.search(around) or digits.endswith("00000")
    share = 0.2 if rounds else 0.02 if last > 1 or converted else 0.0
    return min(max(last / 2, 0.02 * float(digits) if converted else 0.0), share * float(digits))
