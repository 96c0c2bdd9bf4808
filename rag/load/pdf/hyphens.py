"""Line ends within words: which hyphens are there for the line's end alone."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_WORD = re.compile(r"\w+(?:-\w+)*")


def ends_parted(line: str) -> bool:
    """Tell whether a line ends with a hyphen or dash behind a letter, so that no space follows."""
    return line[-1:] in {"-", "–", "—"} and (line[-2:-1].isalnum() or line[-2:-1] == "_")


def after_break(before: str, after: str, words: AbstractSet[str] = frozenset()) -> tuple[str, str]:
    """Return the text up to a line's end, without a hyphen that is there for it alone, and what parts it from the next.

    `words` are those of the document in lower case, with their hyphens: they tell how it writes a word.
    """
    if not ends_parted(before):
        return before, " "
    return (before[:-1] if _only_parts(before.rsplit(None, 1)[-1], after, words) else before), ""


def words_with_hyphens(text: str) -> list[str]:
    """Return the words of a text in lower case, those with hyphens whole."""
    return _WORD.findall(text.lower())


def _only_parts(before: str, after: str, words: AbstractSet[str]) -> bool:
    head, tail = words_with_hyphens(before)[-1], "".join(takewhile(str.isalpha, after))
    whole = head.rpartition("-")[2] + tail.lower()
    plain = whole == head + tail and before[-2].islower() and len(head) > 1
    kept = f"{head}-{tail.lower()}" in words
    return before[-1] == "-" and tail != "" and not kept and (plain or whole in words)
