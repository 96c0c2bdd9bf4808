"""A question, parsed once: what it asks for, of whom, and what it takes for granted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.language.dates import Parts, without_dates, written
from rag.language.names import names
from rag.language.numbers import Number, number
from rag.language.speakers.vocabulary import TITLES, is_role
from rag.language.terms import STOP_WORDS, terms
from rag.retrieve import MAX_QUESTION

Kind = Literal["broad", "yes_no", "time", "date", "number", "person", "place", "other"]

COUNTING = "many|much|old|far|tall|high|heavy|deep|fast"
"""Behind `how`: these ask for a number."""

MEASURING = f"{COUNTING}|long|often|big|large|wide"
"""Behind `how`: these ask for a quantity, with or without a number; any other `how` asks for a manner."""

_BROAD = (
    r"(?:(?:give|show|tell|list) (?:me |us )?(?:an? |the )?)?(?:(?:main|key) (?:points|facts|findings)|time ?line"
    r"|summar\w+|overview|compar(?:e|ison)\b|what (?:has )?happened|tell (?:me|us) about"
    r"|what(?: is|[’']s| are| do we)? (?:known?|(?:the )?(?:story|situation|main|key))\b"
    r"|how (?:did|do|does|has|have|are) .+ (?:develop\w*|unfold\w*|evolv\w*|differ\w*|compare)\b"
    r"|.+ (?:vs\.?|versus) )"
)
_OPENINGS: tuple[tuple[Kind, str], ...] = (
    ("broad", _BROAD),
    ("yes_no", r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b"),
    (
        "time",
        r"(?:at |by |from |until |since )?(?:what|which) time\b(?! (?:period|frame|zone|span|limit|of (?:the )?year))",
    ),
    ("date", r"(?:since |until |till |by |from )?when\b|\W*(?:in |on )?(?:what|which) (?:year|date)\b"),
    ("number", rf"(?:about |by |for )?how (?:{COUNTING})\b"),
    ("person", r"(?:by |to |with |for |from )?who(?:m|se)?\b"),
    ("place", r"where\b"),
)
_KINDS = [(kind, re.compile(rf"\W*(?:{opening})", re.IGNORECASE)) for kind, opening in _OPENINGS]
_CHOICE = re.compile(r"\bor (?!not\b)[\w-]+(?: [\w-]+){0,2}\s*\?*\s*$", re.IGNORECASE)
_IN_TIME = re.compile(r"\b(?:time ?line|chronolog\w+|develop(?:ed|ment)?s?|unfold(?:ed)?|evolved?)\b", re.IGNORECASE)
_COUNTED = re.compile(r"\bhow many (\w+)", re.IGNORECASE)
_OPENING = re.compile(r"\s*\S+")
_POSSESSIVE = re.compile(r"['’]s?$")
_DIGITS = r"(?:\d[\d,.]*\d|\d)(?:\s(?:thousand|million|billion))?"
_WORDS = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)(?:\s(?:hundred|thousand|million|billion))?"
)
_NUMBER = re.compile(rf"(?<![\w.-])({_DIGITS}|{_WORDS})\b(?:\s[a-z]+)?(?![-\w])")
_LISTED = re.compile(  # often counted, rarely with the number in the text
    r"^\s*(?:what|which|who) (?:are|were) (?:the |some )?\w+|\btwo\b"
    r"|^\s*(?:what|which|name|list) (?:the )?(?:three|four|five|six|seven|eight|nine|ten|[3-9]|10)(?= [a-z]+s\b)",
    re.IGNORECASE,
)
_SAYING = (
    "say said think thought believe believed tell told describe described warn warned argue argued claim claimed call "
    "called respond responded react reacted explain explained predict predicted expect expected comment commented "
    "insist insisted suggest suggested promise promised announce announced admit admitted deny denied ask asked stress "
    "stressed add added write wrote conclude concluded recommend recommended demand demanded"
)
SAYING = frozenset(terms(_SAYING))
"""Terms that say that somebody says something."""

_ASKED_SPEAKER = re.compile(
    rf"\s*(?:and |but )?(?:what|how|why|when|where)\b.{{0,40}}?\b(?:do|does|did|has|have|had)\s+"
    rf"(?P<who>[^?!.,;:]{{2,60}}?|[^?!,;:]{{2,60}}?\.[^?!,;:]{{2,60}}?)\s+(?:{_SAYING.replace(' ', '|')})\b",
    re.IGNORECASE,
)
_ACCORDING = re.compile(r"\baccording to (?P<who>[^?!,;:]{2,60}?)\s*(?:[?!,;:]|$)", re.IGNORECASE)
_NOBODY = frozenset("it they he she we you i one people anyone anybody someone somebody this that there".split())


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        text: its words, in lower case where all of it is in capitals.
        kind: what an answer has to be: several quotations (what happened, main points, timeline, compare), a yes or no,
            a time of day, a date, a number, somebody, a place, or anything.
        ordering: terms that say that the answer is to be ordered by date, as `timeline`.
        is_definition: whether it asks who or what somebody or something is, as in `Who is Ana Velic?`.
        counted: the word behind `how many`, else None.
        speaker: terms of the name whose words are asked for; none where nobody's are.
        names: names in it, without a possessive `s` and without the first word.
        numbers: numbers that it takes for granted, each as it is written and as a quantity.
        dates: dates in it, each as it is written and in its parts.
        terms: its terms.
    """

    text: str
    kind: Kind
    ordering: frozenset[str]
    is_definition: bool
    counted: str | None
    speaker: frozenset[str]
    names: tuple[str, ...]
    numbers: tuple[tuple[str, Number], ...]
    dates: tuple[tuple[str, Parts], ...]
    terms: frozenset[str]

    @classmethod
    def parse(cls, asked: str) -> Question:
        """Parse a question that stands by itself (see `rag.answer.followup` for those that do not)."""
        text = _in_lower_case(asked)[:MAX_QUESTION]
        undated = without_dates(text)
        counted = _COUNTED.search(text)
        first = _OPENING.match(undated)
        return cls(
            text=text,
            kind=_kind(text),
            ordering=frozenset(terms(" ".join(_IN_TIME.findall(text)))),
            is_definition=_is_definition(text),
            counted=counted[1] if counted else None,
            speaker=_asked_speaker(text),
            names=tuple(_POSSESSIVE.sub("", name) for name in names(undated[first.end() if first else 0 :])),
            numbers=tuple(_numbers(undated)),
            dates=tuple((span.of(text), parts) for span, parts in written(text)),
            terms=frozenset(terms(text)),
        )


def _in_lower_case(question: str) -> str:
    """Write a question in lower case that is all capitals: they would make a name of every word."""
    return question.lower() if question.isupper() and len(question.split()) > 2 else question


def _kind(text: str) -> Kind:
    found: Kind = next((kind for kind, pattern in _KINDS if pattern.match(text)), "other")
    return "other" if found == "yes_no" and _CHOICE.search(text) else found


def _is_definition(text: str) -> bool:
    """Tell whether nothing but a name of a few words stands behind `who is` or `what is`."""
    opening, *words = text.replace("’s", "'s").replace("'s ", " is ", 1).rstrip("?？!. ").split() or [""]
    name = words[1:]
    asks = opening.lower() in {"who", "what"} and words[:1] and words[0].lower() in {"is", "are", "was", "were"}
    plain = all(word.lower() not in STOP_WORDS - {"and"} and not word.endswith("'s") for word in name)
    return bool(asks and 0 < len(name) <= 5 and plain and not is_role(name[-1].lower()))


def _numbers(undated: str) -> list[tuple[str, Number]]:
    found = ((match[1], number(match[0])) for match in _NUMBER.finditer(_LISTED.sub("", undated)))
    return [(words, quantity) for words, quantity in found if quantity]


def _asked_speaker(text: str) -> frozenset[str]:
    """Return the terms of the name whose words are asked for, without titles; a pronoun names nobody."""
    found = _ASKED_SPEAKER.match(text) or _ACCORDING.search(text)
    kept = [word for word in (found["who"].split() if found else []) if word.lower() not in TITLES]
    if not kept or (len(kept) == 1 and kept[0].lower() in _NOBODY):
        return frozenset()
    return frozenset(terms(" ".join(kept)))
