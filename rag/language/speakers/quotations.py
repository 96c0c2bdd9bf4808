"""Quotations of a block: where their marks stand, and the block's sentences with the words of quotations hidden.

Straight and curly double marks, guillemets and low marks; curly single ones where no double mark is in use. Marks of
different kinds may open and close the same quotation, as they do in real copy.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from rag.language.speakers.vocabulary import TITLES, VERB
from rag.records import Span

HIDDEN = "\ue000"
"""Stands for each character of a quotation in masked text: no letter, no space, no punctuation."""

_DOUBLE = re.compile('["“”„‟«»]')
_SINGLE = re.compile(r"(?<!\w)‘|’(?!\w)")
_OPENERS = "“„‟«‘"
_CLOSERS = "”»’"
_BEFORE_OPENER = " \t\r\n\u00a0\u202f([{-–—/:\"“‘'"
_DEEPEST = 8
_NEAR = 90  # characters behind a quotation within which its verb must come to belong to it
_STOP = re.compile(rf"[.!?…][)\]’']*\s+(?=[^a-z\s])|(?<={HIDDEN})\s+(?=[^\s])")
_FULL_STOP = re.compile(r"[.!?]\s")
_LAST_WORD = re.compile(r"[\w.’'-]*$")
_ABBREVIATIONS = frozenset("st no vs jan feb aug sept oct nov dec mt jr sr inc corp ltd co".split()) | {
    title.rstrip(".") for title in TITLES if title.endswith(".")
}


class QuotedSpeech(NamedTuple):
    """A quotation with its marks; not `closed` when its block ends before a closing mark."""

    span: Span
    closed: bool

    def words(self, text: str) -> str:
        """Return what stands between the marks."""
        return self.span.of(text).strip('"“”„‟«»‘’ \u00a0\u202f\r\n\t')


def quotations(text: str, block: Span) -> list[QuotedSpeech]:
    """Return the outermost quotations of a block in order."""
    marks = _DOUBLE if _DOUBLE.search(text, block.start, block.end) else _SINGLE
    found: list[QuotedSpeech] = []
    opened: list[tuple[str, int]] = []
    for match in marks.finditer(text, block.start, block.end):
        if _opens(text, match.start(), block, opened):
            opened = [*opened, (match[0], match.start())][:_DEEPEST]
        elif opened:
            start = opened[0][1]
            opened = _close(opened, match[0])
            if not opened:
                found.append(QuotedSpeech(Span(start, match.end()), closed=True))
    if opened:
        found.append(QuotedSpeech(Span(opened[0][1], block.end), closed=False))
    return found


def _opens(text: str, at: int, block: Span, opened: list[tuple[str, int]]) -> bool:
    """Tell an opening mark from a closing one; a straight mark by what stands beside it."""
    mark = text[at]
    if mark in _OPENERS:
        return not (mark == "“" and opened and opened[-1][0] == "„")  # German quotations close with the English opener
    if mark in _CLOSERS:
        return False
    before = text[at - 1] if at > block.start else " "
    after = text[at + 1] if at + 1 < block.end else " "
    return before in _BEFORE_OPENER and not after.isspace() and not (opened and opened[-1][0] == '"')


def _close(opened: list[tuple[str, int]], mark: str) -> list[tuple[str, int]]:
    """Drop what this mark closes: the innermost quotation of its kind, or the innermost of all."""
    for depth in range(len(opened) - 1, -1, -1):
        if (opened[depth][0] == '"') == (mark == '"'):
            return opened[:depth]
    return opened[:-1]


@dataclass(frozen=True, slots=True)
class NarratedSentence:
    """One sentence of a block; `narration` is its text with the quotations hidden, of the same length."""

    span: Span
    narration: str
    quotes: tuple[QuotedSpeech, ...]

    @property
    def only_quotes(self) -> bool:
        """Whether it is nothing but quotation."""
        return bool(self.quotes) and not self.narration.replace(HIDDEN, "").strip(" \t\r\n.,;:-–—")


def narrated_sentences(text: str, block: Span) -> list[NarratedSentence]:
    """Cut a block into sentences of narration, in order."""
    found = quotations(text, block)
    starts = [quote.span.start - block.start for quote in found]
    edges = [block.start, *(edge for quote in found for edge in (quote.span.start, quote.span.end)), block.end]
    parts = [text[start:end] for start, end in pairwise(edges)]
    hidden = "".join(HIDDEN * len(part) if inside % 2 else part for inside, part in enumerate(parts))
    return [
        NarratedSentence(
            Span(block.start + start, block.start + end),
            hidden[start:end],
            tuple(found[bisect_left(starts, start) : bisect_left(starts, end)]),
        )
        for start, end in pairwise([0, *_cuts(block.of(text), hidden), len(hidden)])
        if end > start
    ]


def _cuts(words: str, hidden: str) -> list[int]:
    """Return where sentences end in the words of a block, of which the quoted ones are hidden."""
    cuts = []
    for match in _STOP.finditer(hidden):
        start, end = match.span()
        if hidden[start] in ".!?…":
            if not is_abbreviated(hidden, start):
                cuts.append(end)
        elif _ends_in_quote(words, start) and not _attribution_follows(hidden, end):
            cuts.append(end)
    return cuts


def is_abbreviated(hidden: str, stop: int) -> bool:
    """Tell whether the full stop at `stop` is that of `Mr.`, `U.S.` or an initial, and ends no sentence."""
    last = _LAST_WORD.findall(hidden, max(0, stop - 20), stop)[0]
    initials = all(len(letter) == 1 for letter in last.split(".")) and (len(last) > 1 or last.isupper())
    return hidden[stop] == "." and (last.lower() in _ABBREVIATIONS or initials)


def _ends_in_quote(text: str, end: int) -> bool:
    """Tell whether the quotation that ends at `end` closes its sentence."""
    inside = text[max(0, end - 3) : end].rstrip("\"“”»’‘'\u00a0\u202f ")
    return inside[-1:] in {".", "!", "?", "…"}


def _attribution_follows(hidden: str, start: int) -> bool:
    """Tell whether `Smith said` comes next, so that the sentence goes on over its quotation."""
    if hidden[start] == HIDDEN:
        return False
    stop = _FULL_STOP.search(hidden, start, start + _NEAR)
    verb = VERB.search(hidden, start, stop.start() + 1 if stop else start + _NEAR)
    if not verb or HIDDEN in hidden[start : verb.start()]:
        return False
    rest = hidden[verb.end() : verb.end() + 200]
    return re.match(r"[^.!?]*?(?:that\b|:|,\s*" + HIDDEN + ")", rest) is None or hidden[start].islower()
