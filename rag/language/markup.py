"""Text without its markup, each character with its place in what it was taken from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAG = (
    "a|abbr|b|blockquote|br|code|dd|div|dl|dt|em|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|sub|sup|table|tbody|td|th"
    "|thead|tr|u|ul"
)
_INLINE = (
    r"!?\[(?!\d+\]\[)(?P<label>(?:[^\[\]]|\[[^\[\]]*\])*)\]"  # [label](address "title") or [label][name]
    r"(?:\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)|\[[^\[\]\n]*\])"
    r"|<(?P<address>(?:https?://|mailto:)[^<>\s]+)>"
    r"|\*\*|__(?=\S)|(?<=\S)__|`+"  # emphasis, code
    r"|(?<![\w*_])(?P<mark>[*_])(?P<stressed>\w[^*_\n]*)(?P=mark)(?![\w*_])"
    rf"|</?(?:{_TAG})(?:\s[^<>\n]{{0,200}})?/?>"
)
_BLOCK = (
    r"|\A[*_](?=\w[^*_]*\Z)|(?<=[\w.,!?”\"])[*_]\Z"  # half of an emphasis
    r"|^[^\S\n]*(?:#{1,6}[^\S\n]+|[-*+•][^\S\n]+(?=\S)|>[^\S\n]+)"  # heading, bullet, quoted line
    r"|^[^\S\n]*\|[^\S\n]*|[^\S\n]*\|[^\S\n]*$"  # the edges of a row
    r"|(?P<cell>\s*\|\s*)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f]|[\u202a-\u202e\u2066-\u2069\ufeff\ue000\ue001]"  # not seen
)
_ALL = re.compile(_INLINE + _BLOCK, re.IGNORECASE | re.MULTILINE)
_WITHIN_LINES = re.compile(_INLINE, re.IGNORECASE)


def without_markup(text: str) -> list[tuple[int, str]]:
    """Return the characters that are no markup, each with its place; `; ` stands where a cell of a row ends."""
    return _without(_ALL, list(enumerate(text)))


def without_links(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without the markup inside of its lines, links and emphasis, and the place of each character."""
    if not _WITHIN_LINES.search(text):
        return text, range(len(text))
    kept = _without(_WITHIN_LINES, list(enumerate(text)))
    return "".join(char for _, char in kept), [place for place, _ in kept]


def _without(markup: re.Pattern[str], kept: list[tuple[int, str]]) -> list[tuple[int, str]]:
    while (rest := _once(markup, kept)) != kept:  # what is left of two pieces of markup may be a third
        kept = rest
    return kept


def _once(markup: re.Pattern[str], kept: list[tuple[int, str]]) -> list[tuple[int, str]]:
    text, left, at = "".join(char for _, char in kept), list[tuple[int, str]](), 0
    for match in markup.finditer(text):
        left += kept[at : match.start()]
        groups = match.groupdict()
        inside = next((name for name in ("label", "address", "stressed") if groups[name]), None)
        if inside:
            left += kept[slice(*match.span(inside))]
        elif groups.get("cell") is not None:
            place = kept[match.start()][0]
            left += [(place, ";"), (place, " ")]
        at = match.end()
    return [*left, *kept[at:]]
