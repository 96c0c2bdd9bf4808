"""Names: whether two can be of one person or thing."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

from rag.language.terms import terms, words

CAPITALISED = r"[A-Z][\w’'-]+"
"""A pattern of one word of a name."""

PARTICLES = frozenset("abu al ben bin da de del den der di du el ibn la le van von y".split())
"""Written small inside of people's names."""

LINKS = frozenset("and for in of the".split())
"""Written small inside of the names of organisations and posts."""

NO_NAME = frozenset("the a an of and in at on for by to de la le el al mr mrs ms dr sir st saint".split())


def same_name(one: str, other: str) -> bool:
    """Tell whether two names can be of one thing: a part, an abbreviation, or another spelling of the other."""
    first, second = _tokens(one), _tokens(other)
    a, b = set(first), set(second)
    if a <= b or b <= a or are_initials(one, other) or are_initials(other, one) or len(a & b) / len(a | b) >= 0.5:
        return True
    if b.intersection(_tokens(one.partition(",")[0])) and a.intersection(_tokens(other.partition(",")[0])):
        return True
    return SequenceMatcher(None, "".join(first), "".join(second)).ratio() >= 0.75


def _tokens(name: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return [term for term in terms(plain) if term not in NO_NAME]


def are_initials(name: str, other: str) -> bool:
    """Tell whether a name is made of the first letters of the other's words: `UN` and `United Nations`."""
    letters = "".join(filter(str.isalnum, name)).lower()
    long = [word for word in words(other.lower()) if word not in NO_NAME]
    return 1 < len(letters) <= 6 and len(long) > 1 and letters == "".join(word[0] for word in long)


_CAPITAL = r"\b(?:(?:al|el|an)-)?[A-Z](?:\.(?=\s+[A-Z][a-z])|(?:[\w’'-]|\.(?=[A-Z]))*)"  # a word, or an initial
_NAME = re.compile(rf"{_CAPITAL}(?:\s+{_CAPITAL})*")


def names(text: str) -> list[str]:
    """Return what is written like a name, each once; a word that only opens a sentence may be among them.

    An article or a title alone names nobody.
    """
    return [name for name in dict.fromkeys(_NAME.findall(text)) if _tokens(name)]
