"""The names and numbers that a question asks about, and whether a text has them.

"How many people live in Aleppo?" is not answered by the number of another city, however well the rest fits.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from rag.terms import terms

_TOKEN = re.compile(r"[^\W_](?:[\w'’.&-]*[^\W_])?")
_POSSESSIVE = re.compile(r"['’]s?$")
_OPENING = re.compile(r"(?:^|[.:!?\"“‘'])\s*$")
_SAME_STEM = 4  # characters that a name and its adjective share: Canada, Canadian
_LIKE = 0.75  # as in Hartmanis, Hatmanis (difflib's ratio)


def named(question: str) -> list[str]:
    """Return the numbers of three digits or more and the capitalised words of a question, as they are written there.

    Words that open a sentence or a quotation are left out; so are all, where most words are capitalised.
    """
    words = [(_POSSESSIVE.sub("", match[0]), match.start()) for match in _TOKEN.finditer(question)]
    numbers = [word for word, _ in words if sum(map(str.isdigit, word)) >= 3]
    names = [word for word, at in words if word[0].isupper() and not _OPENING.search(question[:at])]
    return numbers + ([name for name in names if name not in numbers] if 2 * len(names) <= len(words) else [])


def unfound(question: str, text: str) -> list[str]:
    """Return those names and numbers of the question that the text has in no form: inflected, derived or misspelled."""
    asked = named(question)
    if not asked:
        return []
    low, present = text.lower(), set(terms(text))
    capitalised = {word.lower() for word in _TOKEN.findall(text) if word[0].isupper()}
    return [name for name in asked if not _has(name, low, present, capitalised)]


def _has(name: str, low: str, present: set[str], capitalised: set[str]) -> bool:
    analysed, small = terms(name), name.lower()
    if not analysed or present.intersection(analysed) or small in low:
        return True
    if any(char.isdigit() for char in name):
        return False
    stem = len(small) > _SAME_STEM and any(word.startswith(small[:_SAME_STEM]) for word in capitalised)
    return stem or bool(get_close_matches(small, capitalised, n=1, cutoff=_LIKE))
