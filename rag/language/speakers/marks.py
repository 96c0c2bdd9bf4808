"""Quotation marks: where quotations stand in a block, and the block with their words hidden.

Straight and curly double marks, guillemets and low marks; curly single ones where no double mark is in use. Marks of
different kinds may open and close the same quotation, as they do in real copy.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.records import Span

HIDDEN = "\ue000"
"""Stands for each character of a quotation in masked text: no letter, no space, no punctuation."""

_DOUBLE = re.compile('["“”„‟«»]')
_SINGLE = re.compile(r"(?<!\w)‘|’(?!\w)")
_OPENERS = "“„‟«‘"
_CLOSERS = "”»’"
_BEFORE_OPENER = " \t\r\n\u00a0\u202f([{-–—/:\"“‘'"
_DEEPEST = 8


class Quote(NamedTuple):
    """A quotation with its marks; not `closed` when its block ends before a closing mark."""

    span: Span
    closed: bool

    def words(self, text: str) -> str:
        """Return what stands between the marks."""
        return self.span.of(text).strip('"“”„‟«»‘’ \u00a0\u202f\r\n\t')


def quotes(text: str, block: Span) -> list[Quote]:
    """Return the outermost quotations of a block in order."""
    marks = _DOUBLE if _DOUBLE.search(text, block.start, block.end) else _SINGLE
    found: list[Quote] = []
    opened: list[tuple[str, int]] = []
    for match in marks.finditer(text, block.start, block.end):
        if _opens(text, match.start(), block, opened):
            opened = [*opened, (match[0], match.start())][:_DEEPEST]
        elif opened:
            start = opened[0][1]
            opened = _close(opened, match[0])
            if not opened:
                found.append(Quote(Span(start, match.end()), closed=True))
    if opened:
        found.append(Quote(Span(opened[0][1], block.end), closed=False))
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


def masked(text: str, block: Span, found: list[Quote]) -> str:
    """Return the block's text, of the same length, with all quotations hidden."""
    parts: list[str] = []
    reached = block.start
    for quote in found:
        parts += [text[reached : quote.span.start], HIDDEN * len(quote.span)]
        reached = quote.span.end
    return "".join([*parts, text[reached : block.end]])
