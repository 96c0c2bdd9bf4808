"""Passages that say the same once more, such as a wire story in two papers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rag.records import Passage

_WORD = re.compile(r"\w+")
_SHINGLE = 3  # words
_ALIKE = 0.8  # of all shingles of two passages in both of them


def copies_last(ranked: Iterable[str], passages: Mapping[str, Passage]) -> list[str]:
    """Put passages that copy a better one behind all others; order is kept otherwise, and nothing is left out.

    A copy has the same words but for a few, and just the same numbers: reports that differ in a number contradict each
    other, and both are wanted. Likeness is the resemblance of Broder 1997, "On the resemblance and containment of
    documents": the share of runs of three words that are in both.

    Args:
        ranked: passage ids, best first.
        passages: by id.
    """
    seen: dict[tuple[str, ...], list[frozenset[tuple[str, ...]]]] = {}
    first: list[str] = []
    again: list[str] = []
    for id_ in ranked:
        words = _WORD.findall(passages[id_].text.casefold())
        numbers = tuple(word for word in words if any(char.isdigit() for char in word))
        runs = frozenset(tuple(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))
        alike = seen.setdefault(numbers, [])
        (again if any(len(runs & other) >= _ALIKE * len(runs | other) for other in alike) else first).append(id_)
        alike.append(runs)
    return first + again
