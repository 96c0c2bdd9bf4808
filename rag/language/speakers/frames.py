"""A block as frames: its sentences of narration, each with the quotations that stand in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from rag.language.speakers.marks import HIDDEN, Quote, masked, quotes
from rag.language.speakers.titles import TITLES, VERB
from rag.records import Span

_NEAR = 90  # characters behind a quotation within which its verb must come to belong to it
_STOP = re.compile(rf"[.!?…][)\]’']*\s+(?=[^a-z\s])|(?<={HIDDEN})\s+(?=[^\s])")
_SHORT = frozenset("st no vs jan feb aug sept oct nov dec mt jr sr inc corp ltd co".split()) | {
    title.rstrip(".") for title in TITLES if title.endswith(".")
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One sentence of a block; `narration` is its text with the quotations hidden, of the same length."""

    span: Span
    narration: str
    quotes: tuple[Quote, ...]

    @property
    def bare(self) -> bool:
        """Whether it is nothing but quotation."""
        return bool(self.quotes) and not self.narration.replace(HIDDEN, "").strip(" \t\r\n.,;:-–—")


def frames(text: str, block: Span) -> list[Frame]:
    """Cut a block into frames, in order."""
    found = quotes(text, block)
    hidden = masked(text, block, found)
    cuts = [0, *_cuts(text, block, hidden), len(hidden)]
    made: list[Frame] = []
    at = 0
    for start, end in pairwise(cuts):
        span = Span(block.start + start, block.start + end)
        upto = at
        while upto < len(found) and found[upto].span.start < span.end:
            upto += 1
        if len(span):
            made.append(Frame(span, hidden[start:end], tuple(found[at:upto])))
        at = upto
    return made


def _cuts(text: str, block: Span, hidden: str) -> list[int]:
    """Return where sentences end in the masked text of a block."""
    cuts = []
    for match in _STOP.finditer(hidden):
        start, end = match.span()
        if hidden[start] in ".!?…":
            if not _abbreviated(hidden, start):
                cuts.append(end)
        elif _ends_in_quote(text[block.start : block.end], start) and not _attribution_follows(hidden, end):
            cuts.append(end)
    return cuts


def _abbreviated(hidden: str, stop: int) -> bool:
    """Tell `Mr.`, `U.S.` and initials from the end of a sentence."""
    word = re.search(r"[\w.’'-]*$", hidden[max(0, stop - 20) : stop])
    last = word[0] if word else ""
    return hidden[stop] == "." and (
        last.lower() in _SHORT or (len(last) == 1 and last.isupper()) or bool(re.fullmatch(r"(?:\w\.)+\w", last))
    )


def _ends_in_quote(text: str, end: int) -> bool:
    """Tell whether the quotation that ends at `end` closes its sentence."""
    inside = text[max(0, end - 3) : end].rstrip("\"“”»’‘'\u00a0\u202f ")
    return inside[-1:] in {".", "!", "?", "…"}


def _attribution_follows(hidden: str, start: int) -> bool:
    """Tell whether `Smith said` comes next, so that the sentence goes on over its quotation."""
    if hidden[start] == HIDDEN:
        return False
    stop = re.compile(r"[.!?]\s").search(hidden, start, start + _NEAR)
    verb = VERB.search(hidden, start, stop.start() + 1 if stop else start + _NEAR)
    if not verb or HIDDEN in hidden[start : verb.start()]:
        return False
    rest = hidden[verb.end() : verb.end() + 200]
    return re.match(r"[^.!?]*?(?:that\b|:|,\s*" + HIDDEN + ")", rest) is None or hidden[start].islower()
