"""From a reader's scores to the answer's place: the best span, whole words, and where no answer stands."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MAX_ANSWER_TOKENS = 30

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces; one character is a token
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)+"  # 3.5 or 12,000
    r"|\b[^\W\d_](?:-[^\W\d_])+\b"  # H-T-S
    rf"|(?:(?![{_CJK}])[\w\u0300-\u036f])+"
)

_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("«", "»"))
_ASKED = re.compile(r"[^.!?\n]+\?")


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """``text[start:end]`` widened so that it cuts no word, number or spelled-out acronym (code points)."""
    starts, ends = _words(text)
    first, last = bisect_left(starts, start) - 1, bisect_left(starts, end) - 1  # the words that begin before each end
    if first >= 0 and ends[first] > start:
        start = starts[first]
    if last >= 0 and ends[last] > end:
        end = ends[last]
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


def best_span(starts: torch.Tensor, ends: torch.Tensor) -> tuple[int, int, float]:
    """The best (first, last, score) of at most MAX_ANSWER_TOKENS tokens; starts and ends: (tokens,) float32."""
    import torch

    pairs = starts[:, None] + ends[None, :]
    allowed = torch.ones_like(pairs, dtype=torch.bool).triu().tril(MAX_ANSWER_TOKENS - 1)
    flat = int(pairs.masked_fill(~allowed, -math.inf).argmax())
    first, last = divmod(flat, len(ends))
    return first, last, float(pairs[first, last])


def best_end(ends: torch.Tensor, first: int) -> int:
    """The best last token of a span that begins with token `first`; ends: (tokens,) float32."""
    return first + int(ends[first : first + MAX_ANSWER_TOKENS].argmax())


def answerless(text: str) -> list[tuple[int, int]]:
    """The spans of ``text`` where no answer stands: its questions (code points)."""
    return [match.span() for match in _ASKED.finditer(text)]
