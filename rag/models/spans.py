"""From a reader's scores to the answer's place: the best span, whole words, and where no answer stands."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MAX_ANSWER_TOKENS = 30
NEARLY, NEARLY_AS_GOOD = 30, 2.0  # of so many best answers one that fits is taken, and may score so much less

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces; one character is a token
_WORD = re.compile(
    rf"\d+(?:[.,:]\d+)+(?:(?![{_CJK}])[\w\u0300-\u036f])*"  # 3.5, 12,000 or 2.25m
    r"|\b[^\W\d_](?:-[^\W\d_])+\b"  # H-T-S
    rf"|(?:(?![{_CJK}])[\w\u0300-\u036f])+"
)

_MINUS = re.compile(r"(?<![\w.,)])[-−]$")  # the sign of a number, not the hyphen of 10-15
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("«", "»"))


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """``text[start:end]`` widened so that it cuts no word, number or spelled-out acronym (code points)."""
    starts, ends = _words(text)
    first, last = bisect_left(starts, start) - 1, bisect_left(starts, end) - 1  # the words that begin before each end
    if first >= 0 and ends[first] > start:
        start = starts[first]
    if last >= 0 and ends[last] > end:
        end = ends[last]
    if _MINUS.search(text, max(0, start - 2), start) and text[start : start + 1].isdigit():
        start -= 1
    return start, _closed(text, start, end)


@lru_cache(maxsize=64)
def _words(text: str) -> tuple[list[int], list[int]]:
    """Where the words of a text begin, and where they end; kept, since a reading widens many spans of one passage."""
    spans = [match.span() for match in _WORD.finditer(text)]
    return [start for start, _ in spans], [end for _, end in spans]


def _closed(text: str, start: int, end: int) -> int:
    """``end``, one further where that closes the bracket or the quotation that the span opens."""
    found, after = text[start:end], text[end : end + 1]
    pairs = ((opening, closing) for opening, closing in _PAIRS if closing == after)
    return end + any(found.count(opening) > found.count(closing) for opening, closing in pairs)


@dataclass(frozen=True, slots=True, eq=False)
class TokenScores:
    """How well an answer begins and ends at each token of a text."""

    places: tuple[tuple[int, int], ...]  # in code points of the text, in order
    starts: Floats  # logits, shape (tokens,)
    ends: Floats

    def within(self, start: int, end: int) -> TokenScores:
        """Return the tokens that lie in `start` to `end`."""
        return self._kept([row for row, (first, last) in enumerate(self.places) if start <= first and last <= end])

    def certainty(self, start: int, end: int) -> float:
        """Return the probability, 0 to 1, that an answer, if there is one, begins at `start` and ends at `end`."""
        first = sum(p for p, (a, b) in zip(_softmax(self.starts), self.places, strict=True) if a <= start < b)
        last = sum(p for p, (a, b) in zip(_softmax(self.ends), self.places, strict=True) if a < end <= b)
        return float(first * last)

    def placed(self, places: Sequence[int]) -> TokenScores:
        """Return the same for the text that this one was taken from: `places` says where each of its characters is."""
        found = tuple((places[start], places[end - 1] + 1) if start < end else (0, 0) for start, end in self.places)
        return TokenScores(found, self.starts, self.ends)

    def mean(self, other: TokenScores, shift: int) -> TokenScores:
        """Return the means of these scores and those of a part of the text from `shift` on, where both have any."""
        rows = {(start + shift, end + shift): row for row, (start, end) in enumerate(other.places)}
        shared = [(row, rows[place]) for row, place in enumerate(self.places) if place in rows]
        one, two = self._kept([row for row, _ in shared]), other._kept([row for _, row in shared])
        return TokenScores(one.places, (one.starts + two.starts) / np.float32(2), (one.ends + two.ends) / np.float32(2))

    def best(
        self, text: str, price: float = 0.0, fits: Callable[[str, int, int], bool] | None = None
    ) -> tuple[int, int, float] | None:
        """Return the best answer in whole words of the text, (start, end, score); None where there are no tokens.

        `price` is what each token after the first takes from the score; one that `fits` is preferred if nearly as good.
        """
        if not self.places:
            return None
        found = [
            (*whole_words(text, self.places[first][0], self.places[last][1]), score)
            for first, last, score in best_spans(self.starts, self.ends, price, NEARLY if fits else 1)
        ]
        near = (one for one in found if one[2] >= found[0][2] - NEARLY_AS_GOOD)
        return next((one for one in near if not fits or fits(text, one[0], one[1])), found[0])

    def _kept(self, rows: list[int]) -> TokenScores:
        return TokenScores(tuple(self.places[row] for row in rows), self.starts[rows], self.ends[rows])


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(initial=-np.inf))
    return np.asarray(powers / powers.sum(), np.float32)


def best_spans(starts: Floats, ends: Floats, price: float, count: int) -> list[tuple[int, int, float]]:
    """Return the `count` best (first, last, score) of at most MAX_ANSWER_TOKENS tokens by their logits, (tokens,)."""
    places = np.arange(len(starts))
    length = places[None, :] - places[:, None]
    allowed = (length >= 0) & (length < MAX_ANSWER_TOKENS)
    scores = np.where(allowed, starts[:, None] + ends[None, :] - price * length, -np.inf)
    best = [int(scores.argmax())] if count == 1 else scores.argsort(axis=None)[: -count - 1 : -1].tolist()
    spans = (divmod(place, len(ends)) for place in best)
    return [(first, last, float(scores[first, last])) for first, last in spans if first <= last]
