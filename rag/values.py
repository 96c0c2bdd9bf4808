"""Short answers as values: whether two of them say the same in other words, another unit or another precision."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from text_to_num import alpha2digit

from rag.dates import Parts, without_dates, written
from rag.speakers.words import is_role
from rag.terms import terms

Kind = Literal["date", "time", "number", "name"]

_DATE_ASKED = re.compile(r"\b(?:when|(?:what|which) (?:year|day|month)|date)\b", re.IGNORECASE)
_NUMBER_ASKED = re.compile(
    r"\bhow (?:many|much|long|far|old|tall|high|big|large|deep|wide|fast|often|heavy)\b"
    r"|\b(?:number|population|percentage|share|cost|price|length|height|area|size|total|age|score|distance) of\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\bhow many (\w+)", re.IGNORECASE)
_IN_UNITS = re.compile(r"\((?:in )?([\w%]+)\)|\bin (\w+)$")
_NO_COUNT = re.compile(r"\d\s+(?:numbers?|figures?|accounts?|versions?|times|ways|sources?)\b", re.IGNORECASE)
_NAME_ASKED = re.compile(r"\b(?:who|whom|whose|where|which|what|name)\b", re.IGNORECASE)
_WANTS_DATE = re.compile(
    r"\W*(?:since |until |till |by |from )?when\b|\W*(?:in |on )?(?:what|which) (?:year|date)\b", re.IGNORECASE
)
_WANTS_NUMBER = re.compile(
    r"\W*(?:about |by |for )?how (?:many|much|old|far|tall|high|heavy|deep|fast)\b", re.IGNORECASE
)
_WANTS_AGE = re.compile(r"\W*how old\b", re.IGNORECASE)
_BEGAN = re.compile(r"\b(?:born|birth|built|founded|opened|established|since|begun|laid)\b", re.IGNORECASE)
_WANTS_TIME = re.compile(
    r"\W*(?:at |by |from |until |since )?(?:what|which) time\b(?! (?:period|frame|zone|span|limit|of (?:the )?year))",
    re.IGNORECASE,
)
_HOUR = re.compile(
    r"\b(?:noon|midday|midnight|dawn|dusk|sunrise|sunset|morning|afternoon|evening|night|hours?|minutes?|seconds?)\b",
    re.IGNORECASE,
)
_WANTS_PERSON = re.compile(r"\W*(?:by |to |with |for |from )?who(?:m|se)?\b", re.IGNORECASE)
_WHERE = re.compile(r"\W*where\b", re.IGNORECASE)
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

_NUMBER = re.compile(r"(?<![\w.,–-])[-−]?\d[\d,]*(?:\.\d+)?(?!\w|\.\d)|(?<=[–-])\d[\d,]*(?:\.\d+)?(?!\w|\.\d)")
_MONEY = re.compile(r"[£$€]\s?(?P<digits>\d+(?:\.\d+)?)\s?(?P<scale>m|mn|k|bn)\b", re.IGNORECASE)
_GROUP = re.compile(r"(?<=\d)[,\u202f\u00a0](?=\d{3}\b)")
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9}
_SCALED = re.compile(
    r"(?P<digits>\d+(?:\.\d+)?)\s?-?\s?(?P<scale>hundred|thousand|million|billion|trillion|bn)\b", re.IGNORECASE
)
_WORDS = (
    (re.compile(r"\bhalf (?:of )?an?\b", re.IGNORECASE), "0.5"),
    (re.compile(r"\b(?:a|one) dozen\b", re.IGNORECASE), "12"),
    (re.compile(r"\ba couple of\b", re.IGNORECASE), "2"),
)
_VAGUE = re.compile(r"\b(?:hundreds|thousands|millions|dozens|scores)\b", re.IGNORECASE)
_ROUND = re.compile(
    r"\b(?:about|around|some|roughly|approximately|nearly|almost|over|up to|estimated|close to|circa|ca|more than"
    r"|less than|fewer than|at least|at most|under|or (?:so|more))\b|[~≈+<>]", re.IGNORECASE
)  # fmt: skip
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("%", "percent", "per cent"), ("percent", 1.0)),
    **dict.fromkeys(("mm", "millimetre", "millimeter"), ("metre", 0.001)),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), ("metre", 0.01)),
    **dict.fromkeys(("m", "metre", "meter"), ("metre", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometer"), ("metre", 1000.0)),
    **dict.fromkeys(("mile", "mi"), ("metre", 1609.344)),
    **dict.fromkeys(("foot", "feet", "ft"), ("metre", 0.3048)),
    **dict.fromkeys(("yard", "yd"), ("metre", 0.9144)),
    **dict.fromkeys(("kg", "kilogram", "kilo"), ("gram", 1000.0)),
    **dict.fromkeys(("lb",), ("gram", 453.592)),
    **dict.fromkeys(("g", "gram"), ("gram", 1.0)),
    **dict.fromkeys(("tonne", "ton"), ("gram", 1e6)),
    **dict.fromkeys(("second", "sec"), ("second", 1.0)),
    **dict.fromkeys(("minute", "min"), ("second", 60.0)),
    **dict.fromkeys(("hour", "hr"), ("second", 3600.0)),
    "day": ("second", 86_400.0),
    "week": ("second", 604_800.0),
    "month": ("second", 2_629_746.0),
    "year": ("second", 31_556_952.0),
}
"""A unit with what it measures and how many of the basic unit it is."""

_IN_NAMES = frozenset("of the and de la van von der den al el bin ibn du da di le for in at an to by on".split())
_OF_A_COUNTRY = re.compile(r"\w(?:ish|ese|[aei]an|ic)$")
_NO_NAME = frozenset("the a an of and in at on for by to de la le el al mr mrs ms dr sir st saint".split())


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


@dataclass(frozen=True, slots=True)
class Value:
    """What a short answer says. Only values of one kind can be compared."""

    kind: Kind
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


def value(question: str, answer: str) -> Value | None:
    """Read a short answer as the kind of value that the question asks for; None where it is no such value."""
    if re.search(r"\b(?:what|which) time\b", question, re.IGNORECASE):
        return _time(answer)
    if _DATE_ASKED.search(question):
        return _time(answer) or _date(question, answer)
    if _NUMBER_ASKED.search(question):
        found = number(answer)
        counted = _COUNTED.search(question)
        fits = found and (not found.measures or not counted or _unit(counted[1], 0)[0] == found.measures)
        return Value("number", answer, number=found) if fits else None
    if _NAME_ASKED.search(question):
        return _name(answer)
    return None


def wants_date(question: str) -> bool:
    """Tell whether a question asks for a point in time."""
    return _WANTS_DATE.match(question) is not None


def wants_number(question: str) -> bool:
    """Tell whether a question asks how many or how much."""
    return _WANTS_NUMBER.match(question) is not None


def wants_person(question: str) -> bool:
    """Tell whether a question asks who."""
    return _WANTS_PERSON.match(question) is not None


def wants_place(question: str) -> bool:
    """Tell whether a question asks where."""
    return bool(_WHERE.match(question))


def is_of_kind(question: str, answer: str) -> bool:
    """Tell whether an answer may be what is asked for: a point in time, a number, somebody with a name, a place.

    For questions that want something else, and those in the middle of a sentence, any answer may be that says more
    than the question.
    """
    return not says_nothing(question, answer) and _fits(question, answer)


def _fits(question: str, answer: str) -> bool:
    if _WANTS_TIME.match(question):
        return bool(_time(answer) or _HOUR.search(answer))
    if wants_date(question):
        return bool(_DATED.search(answer) or value(question, answer))
    if wants_place(question):
        return not is_role(answer.rpartition(" ")[2].lower())
    if wants_number(question):
        dated = _YEAR.fullmatch(answer) or _is_a_day(answer)  # 19 April 2023 is no age
        return not dated and bool(
            re.search(r"\d", answer) or numbers(answer) or _VAGUE.search(answer) or _nothing(answer)
        )
    if wants_person(question):
        return any(char.isupper() or (char.isalpha() and not char.islower()) for char in answer)  # or has no case
    return True


def _is_a_day(answer: str) -> bool:
    """Tell whether all figures of an answer are those of a date with a month."""
    return any(parts.month for _, parts in written(answer)) and not re.search(r"\d", without_dates(answer))


def is_surely_other(question: str, answer: str, sentence: str) -> bool:
    """Tell whether an answer in a sentence cannot be the time of day or the age that is asked for.

    What was born or built on a day, or in a year, has its age.
    """
    if _WANTS_AGE.match(question):
        return _is_a_day(answer) and not _BEGAN.search(sentence)
    return bool(_WANTS_TIME.match(question)) and not _fits(question, answer)


def counts_otherwise(question: str, name: str) -> bool:
    """Tell whether a column's name has a unit of what is not counted: `Wait (weeks)` for `How many people`."""
    counted, unit = _COUNTED.search(question), _IN_UNITS.search(name)
    if not counted or not unit:
        return False
    measures = _unit(unit[1] or unit[2], 0)[0]
    return bool(measures) and measures != _unit(counted[1], 0)[0]


def says_nothing(question: str, answer: str) -> bool:
    """Tell whether an answer has no term that the question has not: `she died` to `How did she die?`.

    One of two things that the question has is an answer to a choice.
    """
    said = set(terms(answer))
    return bool(said) and said <= set(terms(question)) and " or " not in question


def is_bare(question: str, text: str, start: int, end: int) -> bool:
    """Tell whether the answer at a place in a text is no single letter, and to `who` a whole name and nothing else.

    `Ann Hill said in Tarnby` is more, `Ann` is less, and so is `Kurdish`.
    """
    answer = text[start:end]
    if not wants_person(question):
        return len(answer) > 1 or not "a" <= answer.lower() <= "z"
    words = re.findall(r"\b[^\W\d_]{2,}\b", answer)
    goes_on = re.match(r"[ \n][A-Z]\w", text[end : end + 3])
    goes_on = goes_on or (_OF_A_COUNTRY.search(answer) and re.match(r"[ -][a-z]", text[end : end + 2]))
    plain = all(word in _IN_NAMES for word in words if word.islower())
    return plain and not goes_on and any(char.isupper() for char in answer)


def is_number_of_one(question: str, before: str) -> bool:
    """Tell whether the number after `before` is that of one of the counted things: `gate three` of `How many gates`."""
    counted = _COUNTED.search(question)
    one = counted and re.escape(counted[1].removesuffix("s"))
    return bool(one and re.search(rf"\b{one}\s$", before, re.IGNORECASE))


def _date(question: str, answer: str) -> Value | None:
    """Read the one date of an answer; of a life in brackets, its beginning or its end."""
    found = [parts for _, parts in written(answer)]
    if len(found) == 2 and re.search(r"\d\s?[–—-]\s?\w", answer):
        end = {"born": 0, "birth": 0, "die": 1, "died": 1, "death": 1}
        found = [found[place] for word, place in end.items() if re.search(rf"\b{word}\b", question, re.IGNORECASE)]
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


def number(answer: str) -> Number | None:
    """Read the one quantity of a short answer; None when there is none, or several."""
    found = numbers(answer)
    if len(found) != 1 or _NO_COUNT.search(_in_digits(answer)):
        return _nothing(answer)
    return found[0]


def numbers(text: str) -> list[Number]:
    """Return all quantities of a text, in order."""
    exact = _in_digits(text)
    found = []
    for match in _NUMBER.finditer(exact):
        digits = match[0].replace(",", "").replace("−", "-")
        unit, factor = _unit(exact, match.end())
        around = exact[max(0, match.start() - 25) : match.end() + 15]
        rounding = _rounding(digits, around, converted=factor != 1.0)
        found.append(Number(float(digits) * factor, rounding * factor, unit))
    return found


def _in_digits(text: str) -> str:
    """Write all numbers of a text in digits without separators."""
    text = _GROUP.sub("", text)
    for pattern, digits in _WORDS:
        text = pattern.sub(digits, text)
    text = _VAGUE.sub("", text)
    text = _MONEY.sub(lambda m: _plain(float(m["digits"]) * _SHORT[m["scale"].lower()]), text)
    exact = _SCALED.sub(lambda m: _plain(float(m["digits"]) * _SCALE[m["scale"].lower()]), text)
    return str(alpha2digit(exact, "en", threshold=0))


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _nothing(answer: str) -> Number | None:
    return Number(0.0, 0.0) if re.fullmatch(r"\W*(?:none|nobody|no one|zero|nil)\W*", answer, re.IGNORECASE) else None


def _unit(text: str, at: int) -> tuple[str, float]:
    after = re.match(r"\s?-?\s?(%|per cent|[a-zA-Z]+)", text[at:])
    word = after[1].lower() if after else ""
    known = _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or _UNITS.get(word.removesuffix("es"))
    return known or ("", 1.0)


def _rounding(digits: str, around: str, *, converted: bool) -> float:
    """Half of the last digit that is not zero, within bounds that depend on whether it is said to be rounded."""
    digits = digits.removeprefix("-")
    whole, _, decimals = digits.partition(".")
    last = 10.0 ** -len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0") or whole))
    rounds = bool(_ROUND.search(around)) or digits.endswith("00000")
    share = 0.2 if rounds else 0.02 if last > 1 or converted else 0.0
    return min(max(last / 2, 0.02 * float(digits) if converted else 0.0), share * float(digits))


def _name(answer: str) -> Value | None:
    """Take an answer for a name when it is short and no clause."""
    words = answer.split()
    capital = sum(word[:1].isupper() or word[:1].isdigit() for word in words if word.lower() not in _NO_NAME)
    named = [word for word in words if word.lower() not in _NO_NAME]
    if not named or len(named) > 5 or capital * 2 < len(named):
        return None
    return Value("name", answer)


def same_name(one: str, other: str) -> bool:
    """Tell whether two names can be of one thing: a part, an abbreviation, or another spelling of the other."""
    first, second = _tokens(one), _tokens(other)
    if not first or not second:
        return True
    a, b = set(first), set(second)
    if a <= b or b <= a or _initials(one, other) or _initials(other, one):
        return True
    if len(a & b) / len(a | b) >= 0.5:
        return True
    head, tail = one.partition(",")[0], other.partition(",")[0]
    if set(_tokens(head)) & b and set(_tokens(tail)) & a:
        return True
    return SequenceMatcher(None, "".join(first), "".join(second)).ratio() >= 0.75


def is_name(text: str) -> bool:
    """Tell whether more is in a name than articles and titles: `Mr` names nobody."""
    return bool(_tokens(text))


def _tokens(name: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return [term for term in terms(plain) if term not in _NO_NAME]


def _initials(name: str, other: str) -> bool:
    """Tell whether a name is made of the first letters of the other's words: `UN` and `United Nations`."""
    letters = re.sub(r"\W", "", name).lower()
    words = [word for word in re.findall(r"\w+", other.lower()) if word not in _NO_NAME]
    return 1 < len(letters) <= 6 and len(words) > 1 and letters == "".join(word[0] for word in words)
