"""Text -> the terms that the lexical half compares. Documents and questions go through the same analysis.

In this order: spelled-out acronyms are joined (`H-T-S`, `H.T.S.` -> `hts`), diacritics folded (`Türkiye` -> `turkiye`),
numbers kept whole (`3,000` -> `3000`), hyphens split and the joined word kept as well (`cease-fire` -> `cease fire
ceasefire`), stop words dropped, English stemmed (Snowball), scripts without spaces cut into overlapping pairs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tantivy

ANALYSIS = "terms-2"
"""Name of this analysis in an index's recipe: change it with the behaviour."""

DIGIT_GROUP = re.compile(r"(?<=\d)[,\u202f\u00a0](?=\d{3}\b)")
"""What parts the thousands of a number."""

STOP_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being below between both but
    by can could did do does doing down during each either few for from further had has have having he her here hers
    him his how i if in into is it its itself just me more most my no nor not of off on once only or other our out
    over own s same she should so some such t than that the their them then there these they this those through to
    too under until up us very was we were what when where which while who whom whose why will with would you your
    """.split()
)

_ACRONYM = re.compile(r"\b[A-Z](?:[.\-\u2010\u2011][A-Z])+\b")
_POSSESSIVE = re.compile(r"['\u2019]s?\b")
_WORD = re.compile(r"\d+(?:[.:]\d+)+|\w+(?:[-\u2010\u2011]\w+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]+")
_HYPHEN = re.compile(r"[-\u2010\u2011]")
_BEYOND_LATIN = re.compile(r"[^\x00-\u02ff]+")  # in front of these, Unicode has nothing that combines
_EDGE = ".,;:!?\"'()[]{}“”‘’«»"
_K3 = 7.0
_GRAM = 4  # characters; 5 gained less on all sets
# letters that NFKD leaves alone; the dotless i is meant
_FOLD = str.maketrans({"ı": "i", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"})


def terms(text: str) -> list[str]:
    """Return the terms of `text` in order, repeated ones repeated."""
    return list(_terms(text))


@lru_cache(maxsize=512)  # an answer asks for the terms of some 200 sentences, of most of them twice
def _terms(text: str) -> tuple[str, ...]:
    words = " ".join(_words(text))
    return tuple(_stemmer().analyze(words)) if words else ()


def term_weights(question: str) -> dict[str, float]:
    """Return the terms of a question with their weights: repeated ones count more, but less than twice as much.

    The query side of BM25 (Robertson, Walker 1994), `(k3 + 1) * count / (k3 + count)`. Long questions say what they are
    about more than once: nDCG@10 of BM25 on `cisi` 0.403 instead of 0.332, elsewhere within 0.005.
    """
    return {term: (_K3 + 1) * count / (_K3 + count) for term, count in Counter(terms(question)).items()}


def grams(text: str) -> list[str]:
    """Return the overlapping pieces of four characters of each word, with marks at its ends: `_aid aid_`."""
    return [piece for word in _words(text) for piece in _grams_of(word)]


@lru_cache(maxsize=10_000)
def _grams_of(word: str) -> tuple[str, ...]:
    marked = f"_{word}_"
    return tuple(marked[i : i + _GRAM] for i in range(max(1, len(marked) - _GRAM + 1)))


def matched_words(question: str, text: str) -> list[str]:
    """Return the words of a question, as they are written there, that `text` has in some form."""
    present = set(terms(text))
    words = (word.strip(_EDGE) for word in question.split())
    return list(dict.fromkeys(word for word in words if present.intersection(terms(word))))


def coverage(weights: Mapping[str, float], text: str, near: str) -> float:
    """Return the share of the question's terms, by weight, found in `text` (whole) or only in `near` (half)."""
    inside, around = set(terms(text)), set(terms(near))
    found = (weight if term in inside else weight / 2 if term in around else 0.0 for term, weight in weights.items())
    return math.fsum(found) / (math.fsum(weights.values()) or 1.0)


def alike(one: str, other: str) -> float:
    """Return the share of terms that two texts have in common (Jaccard)."""
    first, second = set(terms(one)), set(terms(other))
    return len(first & second) / max(1, len(first | second))


def words(text: str) -> list[str]:
    """Return the words of a text as they are written, without what stands between them."""
    return re.findall(r"\w+", text)


def _normalise(text: str) -> str:
    text = _ACRONYM.sub(lambda match: "".join(filter(str.isalnum, match[0])), text)
    return _folded(DIGIT_GROUP.sub("", _POSSESSIVE.sub(" ", text)))


def _folded(text: str) -> str:
    """Return a text without diacritics."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLD))
    return _BEYOND_LATIN.sub(lambda match: "".join(c for c in match[0] if not unicodedata.combining(c)), decomposed)


@lru_cache(maxsize=16)  # asked for twice in a row: for the terms of a passage, and for its pieces
def _words(text: str) -> tuple[str, ...]:
    return tuple(each for word in _WORD.findall(_normalise(text)) for each in _parts(word))


@lru_cache(maxsize=20_000)  # most words of a text were in the texts before
def _parts(word: str) -> tuple[str, ...]:
    """Return what a word counts as: nothing, itself, or its parts."""
    parts = _HYPHEN.split(word)
    if _UNSPACED.search(word):
        return tuple(word[i : i + 2].lower() for i in range(max(1, len(word) - 1)))
    if len(parts) > 1:
        return (*(part.lower() for part in parts if part.lower() not in STOP_WORDS), "".join(parts).lower())
    if word.lower() not in STOP_WORDS or (word.isupper() and len(word) > 1):
        return (word.lower(),)  # an acronym may look like a stop word: US, IT, WHO
    return ()


@cache
def _stemmer() -> tantivy.TextAnalyzer:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.stemmer("english")).build()
