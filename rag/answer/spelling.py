"""Words of a question that no text has, as the texts spell a word that is nearly the same: `mercurry`, `Radclife`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rag.language.terms import STOP_WORDS
from rag.models import bert

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+")
_COMMON = "about after before between does many much people said says what when where which while would".split()
_SHORTEST = 5
_ALIKE = 0.8  # twice the letters that both have in the same order, as a share of all; 1 for equal words


def respelled(question: str, texts: Iterable[str]) -> str | None:
    """Return the question with its misspelled words as the texts have them; None where none seems misspelled.

    A word is misspelled when no text has it, English (the encoder's vocabulary) does not either, and another word of
    the texts, those of the passages that were found, begins with the same letter and is nearly the same.
    """
    there: dict[str, str] = {word.casefold(): word for text in texts for word in _WORD.findall(text)}
    known = sorted({*there, *_COMMON})

    def spelled(match: re.Match[str]) -> str:
        word = match[0].casefold()
        is_word = bert.tokenizer().token_to_id(word) is not None or word.removesuffix("nt") in STOP_WORDS  # `wasnt`
        if len(word) < _SHORTEST or word in there or is_word:
            return str(match[0])
        alike = get_close_matches(word, [other for other in known if other[0] == word[0]], 1, _ALIKE)
        return there.get(alike[0], alike[0]) if alike else str(match[0])

    other = _WORD.sub(spelled, question)
    return other if other != question else None
