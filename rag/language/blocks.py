"""Paragraph-like blocks of plain text, found by its line breaks: blank lines, soft wraps, list items, turns of speech.

Every function works on offsets of the text it is given; no text is copied and changed.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rag.language.dates import MONTHS, any_of
from rag.language.names import LINKS, PARTICLES
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHORTEST_WRAP, _LONGEST_WRAP = 40, 120
"""Columns at which people wrap by hand: a text with longer lines has one paragraph per line."""
_RULE = frozenset("|-: \t")  # what the line under the names of columns is made of
_UNEVEN = 0.7  # of the width is filled by a line that was edited after it was wrapped
_FEWEST_DOUBLE, _SINGLE = 8, 0.1
"""Lines of a double-spaced text, and the share of them that may stand right below another one."""
_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]|\S+")
_BULLET = re.compile(r"(?:[-*+•‣◦▪●–—❏□☐☒✓➢►\ue000-\uf8ff]|(?:\(?(?:\d{1,3}|[a-z]|[ivx]{2,4})[.)]){1,3})\s+\S")
_DAY = re.compile(rf"(?:[12]?\d|3[01])\.?\s+(?i:{any_of(MONTHS)})\.?(?:\s+\d{{4}})?,?\s+[^\W\d_A-Z]")
_GOES_ON = re.compile(r"(?:\d[\d.,]*%?\s+)?(?P<letter>[^\W\d_])[\w'’-]*(?:[\s,;.!?)]|$)")
_CELLS = re.compile(r"[^\s.!?:;](?: {3}|\t)\s*\S")  # a gap between columns, not one behind a sentence
_CLOSERS = '"”’»)]⁰¹²³⁴⁵⁶⁷⁸⁹'
_STOPS = tuple(".!?:;…。！？؟।|")
_UNFINISHED = re.compile(r"\b(?:a|an|and|at|by|for|from|in|of|or|that|the|their|to|was|were|which|who|with)$")
CLOCK = r"\d{1,2}:\d\d(?::\d\d)?"
"""The pattern of the time at which something was said, from the start of what was recorded or of the day."""
_TURN = re.compile(
    rf"[*_]{{0,2}}(?:\[?{CLOCK}\]?\s+)?(?P<name>[^\W\d_][\w.'’()\- ]{{0,48}})"
    rf"(?:\({CLOCK}\))?[*_]{{0,2}}:[*_]{{0,2}}(?:\s|$)"
)
OFFICIAL = re.compile(
    r"(?P<name>(?:(?i:hon|mr|mrs|ms|dr|sir|the|senator|chairman|chairwoman|representative)(?: ?\.)? ){1,2}"
    r"(?:[A-Z]{1,4}\. ?){0,4}[A-Z][A-Z'’-]{2,30}(?: (?:of [A-Z]\w+|[A-Z][A-Z'’-]+)){0,7})"
    r"(?:\.?:|\.\s?[-–—]|\.)(?:\s+|$)"
)
"""Who speaks in the records of parliaments and hearings: `Mr. SMITH. I rise`, `HON. S. R. DITOKA.- Mr. Speaker`."""
_SMALL = PARTICLES | LINKS | {"an", "on"}
_END = r"(?>\r\n|\r|\n)"
_FRONT_MATTER = re.compile(rf"---[ \t]*{_END}(?:(?!---|\.\.\.)[^\r\n]*{_END})*(?:---|\.\.\.)[ \t]*(?:{_END}|\Z)")


def lines(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the lines of `text[start:end]` without their line ends; blank ones too."""
    end = len(text) if end is None else end
    found = []
    for match in _BREAK.finditer(text, start, end):
        found.append(Span(start, match.start()))
        start = match.end()
    return [*found, Span(start, end)]


def strip(text: str, span: Span) -> Span:
    """Return the span without the white space at both ends (an empty span for nothing else)."""
    if len(span) and not text[span.start].isspace() and not text[span.end - 1].isspace():
        return span  # as most are
    inner = span.of(text)
    start = span.start + len(inner) - len(inner.lstrip())
    return Span(start, max(start, span.end - len(inner) + len(inner.rstrip())))


def is_turn(line: str) -> bool:
    """Tell whether a line opens with who speaks or what follows, as in `ROBERT FORD: Well,` or `**Ford:** Well`."""
    match = _TURN.match(line)
    words = match["name"].split() if match else []
    named = 0 < len(words) <= 6 and all(word in _SMALL or not word[0].islower() for word in words)
    return named or bool(OFFICIAL.match(line))


def is_item(line: str, above: str = "") -> bool:
    """Tell whether a line opens with a bullet or a number of a list.

    The day of a date is none, where the sentence in the line `above` goes on: `on` and `26. November`.
    """
    if above and _DAY.match(line) and not _closed(above) and not _BULLET.match(above):
        return False
    return bool(_BULLET.match(line))


def is_row(line: str) -> bool:
    """Tell whether a block is a row of a table, as loaders and Markdown write them: cells between vertical bars."""
    return (line.startswith("|") or " | " in line) and "\n" not in line and "\r" not in line


def is_head(row: str, below: str | None) -> bool:
    """Tell whether a row of a table in Markdown names its columns: under it stands `|---|---|`."""
    return (
        row.startswith("|") and below is not None and "-" in below and below.startswith("|") and _RULE.issuperset(below)
    )


def plain_blocks(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the blocks of `text[start:end]`, with any kind of line ends: in order, all of it but white space."""
    rows = _single_spaced(text, lines(text, start, end))
    # One long link must not hide the wrapping of all other lines: the longest twentieth is left aside.
    longest = sorted(strip(text, row).end - row.start for row in rows)[-1 - len(rows) // 20]
    whole = longest if _SHORTEST_WRAP <= longest <= _LONGEST_WRAP else _wrap(text, rows)
    is_examination = any(_is_asked_or_answered(strip(text, row).of(text), "Q") for row in rows)
    blocks: list[Span] = []
    for is_blank, group in groupby(rows, lambda row: not len(strip(text, row))):
        paragraph = [] if is_blank else list(group)
        width = min(filter(None, (whole, _wrap(text, paragraph))), default=0)
        for above, row in zip([None, *paragraph], paragraph, strict=False):
            inner = strip(text, row)
            is_turn_of_it = is_examination and _is_asked_or_answered(inner.of(text))
            goes_on = above and width and not is_turn_of_it and _continues(text, above, row, width)
            blocks[-1:] = [Span(blocks[-1].start, inner.end)] if goes_on else [*blocks[-1:], inner]
    return blocks


def _single_spaced(text: str, rows: Sequence[Span]) -> Sequence[Span]:
    """Return the lines without those that are blank, where each has one below it and sentences go on over them."""
    blank = [text[row.start : row.end].isspace() or not len(row) for row in rows]
    full = [row for row, is_blank in zip(rows, blank, strict=True) if not is_blank]
    together = sum(not above and not below for above, below in pairwise(blank))
    is_double = len(full) >= _FEWEST_DOUBLE and together <= _SINGLE * len(full)
    return full if is_double and _wrap(text, full) else rows


def _is_asked_or_answered(line: str, marks: str = "QA") -> bool:
    """Tell whether a line opens as the turns of an examination do: `Q. Who signed them?`."""
    return line[:1] in marks and line[1:2] in {".", ":"} and line[2:3].isspace()


def _wrap(text: str, rows: Sequence[Span]) -> int:
    """Return the column at which these lines are wrapped, long ones left aside; 0 where few sentences go on."""
    ends: list[int] = []
    for above, row in pairwise(rows):
        inner, line = strip(text, above), strip(text, row).of(text)
        if 0 < len(inner) <= _LONGEST_WRAP and not _closed(before := inner.of(text)):
            filled = inner.end - above.start
            ends.append(filled if filled >= _SHORTEST_WRAP and _runs_on(before, line) else 0)
    ends.sort()
    return ends[-1 - len(ends) // 20] if ends and ends[len(ends) * 2 // 3] else 0


def front_matter(text: str) -> int:
    """Return where the front matter of Markdown ends: its fields between two lines of dashes; 0 without any."""
    match = _FRONT_MATTER.match(text)
    return match.end() if match else 0


def complete(text: str, blocks: Iterable[Span]) -> list[Span]:
    """Fill the gaps between blocks, which are in order and do not overlap, with those of plain text."""
    found: list[Span] = []
    reached = 0
    for block in blocks:
        found += [*plain_blocks(text, reached, block.start), block]
        reached = block.end
    return found + plain_blocks(text, reached)


def _continues(text: str, above: Span, row: Span, width: int) -> bool:
    """Tell whether the break between two neighbouring lines is a soft wrap.

    It is one where the next word had no room, and where the sentence goes on: with a word in lower case, also after a
    number, or with a date.
    """
    upper, lower = strip(text, above), strip(text, row)
    before, line = upper.of(text), lower.of(text)
    # A first line that is indented opens a paragraph; under a bullet, or within a sentence, it goes on.
    indented = lower.start - row.start > upper.start - above.start and not is_item(before)
    opens = indented and not (len(before) >= _SHORTEST_WRAP and not _closed(before) and line[0].islower())
    if opens or is_item(line, before) or is_turn(line) or (_CELLS.search(before) and _CELLS.search(line)):
        return False
    word, filled = _WORD.match(line), upper.end - above.start
    if (word and filled + 1 + len(word[0]) > width) or _UNFINISHED.search(before):
        return filled <= _LONGEST_WRAP or not _closed(before)
    return filled > _UNEVEN * width and _runs_on(before, line) and not _closed(before)


def _runs_on(before: str, line: str) -> bool:
    """Tell whether a line begins within a sentence."""
    goes_on = None if is_item(line, before) or _CELLS.search(line) else _GOES_ON.match(line)
    return bool(_DAY.match(line) or (goes_on and goes_on["letter"].islower()))


def _closed(line: str) -> bool:
    return line.rstrip(_CLOSERS).endswith(_STOPS)
