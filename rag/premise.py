"""What a question takes for granted: names, numbers and dates that the passage which would answer does not have.

`Why did 63 soldiers die?` is not answered from a passage in which 33 died.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.dates import written
from rag.terms import STOP_WORDS, terms
from rag.values import number, numbers, same_name

if TYPE_CHECKING:
    from rag.records import Passage

_CAPITAL = r"\b(?:(?:al|el|an)-)?[A-Z](?:[\w’'-]|\.(?=[A-Z]))*"
_NAME = re.compile(rf"{_CAPITAL}(?:\s+{_CAPITAL})*")
_DIGITS = r"(?:\d[\d,.]*\d|\d)(?:\s(?:thousand|million|billion))?"
_WORDS = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)(?:\s(?:hundred|thousand|million|billion))?"
)
_NUMBER = re.compile(rf"(?<![\w.-])({_DIGITS}|{_WORDS})\b(?:\s[a-z]+)?(?![-\w])")
_NEGATION = re.compile(r"\b(?:not|no(?!\s*\.)|never|nobody|neither|cannot)\b|n['’]t\b", re.IGNORECASE)
_AFTER_ALL = re.compile(r"\b(?:since|until|till|before|only|just)\b", re.IGNORECASE)  # `not tested since May`: in May
_REACH = 2  # words behind a negation that it is about
_OPENING = re.compile(r"\s*\S+")


def missing(question: str, passage: Passage, around: str = "") -> str | None:
    """Return the first part of what the question takes for granted that a passage lacks; None where it has all.

    A name, number or date lacks only where the passage has others in its place: else it may be said in other words.

    Args:
        question: what is asked.
        passage: would answer it.
        around: more of the same document; a name may stand there alone, and a pronoun in the passage.
    """
    told = passage.retrieval_text
    return _missing_date(question, told) or _missing_number(question, told) or _missing_name(question, told, around)


def denies(question: str, sentence: str) -> bool:
    """Tell whether a sentence says that what the question takes for granted did not happen.

    It does when a negation stands right before a word of the question: `was never invited` for `When was ... invited?`.
    """
    if _NEGATION.search(question):
        return False
    asked = set(terms(question))
    behind = (sentence[match.end() :] for match in _NEGATION.finditer(sentence))
    denied = (" ".join(words.split()[:_REACH]) for words in behind if not _AFTER_ALL.search(words))
    return any(asked & set(terms(words)) for words in denied)


def _missing_date(question: str, told: str) -> str | None:
    said = [parts for _, parts in written(told)]
    for span, asked in written(question):
        alike = [parts for parts in said if asked.day is None or parts.day is not None]
        if alike and not any(asked.agrees(parts) for parts in said):
            return span.of(question)
    return None


def _missing_number(question: str, told: str) -> str | None:
    said = numbers(_without_dates(told))
    for match in _NUMBER.finditer(_without_dates(question)):
        asked = number(match[0])
        if asked and said and not any(asked.agrees(other) for other in said):
            return match[1]
    return None


def _without_dates(text: str) -> str:
    for span, _ in reversed(written(text)):
        text = f"{text[: span.start]} – {text[span.end :]}"
    return text


def _missing_name(question: str, told: str, around: str) -> str | None:
    """Find a name of which passage and document have no word, nor an abbreviation or another spelling."""
    first = _OPENING.match(question)
    if not any(terms(match[0]) for match in _NAME.finditer(told)):
        return None
    told = f"{told}\n{around}"
    have = set(terms(told))
    names = [match[0] for match in _NAME.finditer(told) if terms(match[0])]
    for match in _NAME.finditer(question, first.end() if first else 0):
        words = {term for term in terms(match[0]) if term not in STOP_WORDS}
        if words and not words & have and not any(same_name(match[0], name) for name in names):
            return match[0]
    return None
