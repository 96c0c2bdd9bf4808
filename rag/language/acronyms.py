"""Acronyms and what they stand for, as the documents themselves say it: nothing is known beforehand.

Long forms are found by their letters, after Schwartz, Hearst 2003, "A Simple Algorithm for Identifying Abbreviation
Definitions in Biomedical Text", with one difference: each letter has to begin a word or a part of it (`al-Sham`), or a
spelled-out `H-T-S` and short words such as `SAC` would find all too much.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHORT = r"[A-Z](?:[.\-\u2010\u2011]?[A-Z0-9]){1,7}\b\.?"
_NAME = r"[^\W\d_][\w'\u2019\-\u2010\u2011]*"
_LONG = rf"{_NAME}(?:[ \n]{_NAME}){{1,9}}"
_SAID = r"(?:also |often |commonly |better |formerly )*(?:referred to as|known as|called|abbreviated to|abbreviated|or)"
_DEFINED = (
    re.compile(rf"(?P<long>{_LONG}) ?[(\[](?:(?:the|or) )?[\"“']?(?P<short>{_SHORT})[\"”']?[)\]]"),
    re.compile(rf"\b(?P<short>{_SHORT}) ?[(\[](?:the |or )?(?P<long>{_LONG})[)\]]"),
    re.compile(rf"(?P<long>{_LONG}), {_SAID} (?:the )?(?P<short>{_SHORT})"),
)
_IN_QUESTION = re.compile(rf"(?<![\w\-]){_SHORT}(?![\w\-])")
_CAPITAL = r"(?:[a-z]{1,3}-)?[A-Z][\w'\u2019\-]*"
_NAMES = re.compile(rf"\b{_CAPITAL}(?: (?:(?:of the|of|for|and) )*{_CAPITAL})+")
_SKIPPED = {"of", "for", "the", "and", "on", "in", "to", "a", "de", "la", "du", "des", "und", "für"}


def definitions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (acronym without its dots and hyphens, long form in one line) for each definition in a text."""
    for pattern in _DEFINED:
        for match in pattern.finditer(text):
            short = _joined(match["short"])
            long = _matching(short, match["long"].split())
            if long:
                yield short, long


def expanded(question: str, texts: Iterable[str]) -> str:
    """Write the other form behind each acronym, and behind each name that has one, of a question.

    Args:
        question: as it was asked.
        texts: where the definitions may stand; of several long forms of an acronym, the most frequent one counts.
    """
    found = Counter(definition for text in texts for definition in definitions(text))
    long: dict[str, str] = {}
    for (acronym, form), _ in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        long.setdefault(acronym, form)
    for acronym, form in long.items():
        name = re.search(rf"\b{re.escape(form)}\b", question, re.IGNORECASE)
        used = next((m for m in _IN_QUESTION.finditer(question) if _joined(m[0]) == acronym), None)
        if name and not used:
            question = f"{question[: name.end()]} ({acronym}){question[name.end() :]}"
        elif used and not name:
            question = f"{question[: used.end()]} ({form}){question[used.end() :]}"
    return question


def candidates(question: str) -> list[str]:
    """Return the parts of a question that may have another form: its acronyms, and names of several words.

    A question in capitals has none: any word could be one.
    """
    if question.isupper():
        return []
    return [match[0] for pattern in (_IN_QUESTION, _NAMES) for match in pattern.finditer(question)]


def _matching(short: str, words: list[str]) -> str | None:
    """Return the words at the end, or the start, of a text that an acronym stands for."""
    for first in range(len(words) - 1, -1, -1):
        if _begins(short, words[first:]):
            return " ".join(words[first:])
    return None


def _begins(short: str, words: list[str]) -> bool:
    """Tell whether the letters are the first ones of all words; words like `of` and parts like `al-` may be without."""
    parts = [part for word in words for part in re.split(r"[-\u2010\u2011]", word) if part]
    if not parts:
        return not short
    free = parts[0].lower() in _SKIPPED or len(parts[0]) == 2
    rest = ["-".join(parts[1:])] if len(parts) > 1 else []
    taken = bool(short) and parts[0][0].upper() == short[0].upper() and _begins(short[1:], rest)
    return taken or (free and _begins(short, rest))


def _joined(short: str) -> str:
    return "".join(filter(str.isalnum, short))
