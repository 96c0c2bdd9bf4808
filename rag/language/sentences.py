"""Sentences of one block of text, with exact offsets."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sentencex import get_sentence_boundaries

from rag.language.blocks import CLOCK, is_row, lines, strip
from rag.language.dates import ENGLISH_MONTHS, GERMAN_MONTHS, WEEKDAY, any_of
from rag.language.furniture import is_wordless
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_SENTENCE = 1000
"""Characters; what is longer has no punctuation that a splitter could use."""

_LONGEST_RULE = 100  # characters; a longer run without letters is data, not a drawn line

# The splitter keeps what stands in quotation marks whole, so it never sees them (nor emphasis). An apostrophe is none.
_MARKS = "\"“”„‟«»‹›「」『』〝〞'’‘‚*_)]⁰¹²³⁴⁵⁶⁷⁸⁹"
_OPENERS = "“„‟«‹「『〝‘‚"
_HIDDEN = re.compile(r"[\"“”„‟«»‹›「」『』〝〞*\r\n]|(?<=[.!?…])[)\]]|(?<!\w)['’‘‚_]|['’‘‚_](?!\w)")
_ENDS = ".!?…"
_TRAILED_OFF = re.compile(r"(?<=\w)…(?=[\"”’']*\s+[\"“‘']*(?!I\b)[A-Z])")
_FRENCH_CLOSER = re.compile(r"[ \u00a0\u202f][»›](?!\w)")
_NUMBER_ONLY = re.compile(r"\s*\(?(?:\d{1,3}(?:\.\d{1,3}){0,8}|[ivxl]{1,6}|[IVXL]{1,6})[.)]")
_SAID = re.compile(
    r"(?:\S+\s+){0,3}?(?:said|says|asked|asks|told|tells|added|adds|replied|replies|answered|shouted|cried|wrote"
    r"|writes|exclaimed|wondered|insisted|warned|continued)\b"
)

_MARKUP = re.compile(
    r"(?:[>#]{1,6}\s*|[-*+•‣◦▪●–—]\s+|\(?\d{1,3}[.)]\s+(?![a-z])|\[[ xX]\]\s+"
    rf"|[(\[]{CLOCK}[)\]]:?\s+){{0,8}}"
)
_QUOTED_LINE = re.compile(r"[^\S\r\n]*(?:\r\n|[\r\n])(?:[ \t]{0,3}>){1,8}")
_FENCE = re.compile(r"(?:`{3,40}|~{3,40})[^\r\n]{0,80}(?:\r\n|[\r\n]|$)")
_FENCE_END = re.compile(r"\s*(?:`{3,40}|~{3,40})\s*")
_WORD_AT_END = re.compile(r"\w*$")
# Before a number, where the splitter takes their full stop for the end; a lower-case letter needs no list.
_BEFORE_NUMBER = frozenset("abt approx ca ch chap cl esp excl fig fn incl nr para paras pp s ss vol".split())
_BEFORE_NAME = frozenset(
    "Mr Mrs Ms Mx Dr Prof Gen Col Lt Capt Sgt Sen Rep Rev Gov Cllr Ald Cdr Cmdr Insp Supt Messrs".split()
)
_UNITS = frozenset("lb oz tbsp tsp".split())
_DAYS = frozenset(map(str, range(1, 32)))
_GERMAN_MONTH = re.compile(
    rf"(?i:{any_of(GERMAN_MONTHS.keys() - ENGLISH_MONTHS)})\b|(?i:{any_of(GERMAN_MONTHS)})\s+(?:\d{{4}}\b|[a-zäöü])"
)
"""Behind a day; those that English has too, only where a year or a verb follows: `am 4. April 2023`."""
_BEFORE_ZONE = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_ZONE = re.compile(rf"(?:[A-Z]{{1,3}}T|GMT|UTC)\b|\d|(?i:{any_of(ENGLISH_MONTHS)})\.?\s\d|(?i:{WEEKDAY})\b")
"""Behind a time of day: its zone, or its day."""
_NO_PLAIN_WORD = re.compile(r"[^\W\d_]{1,4}['’-]?[A-Z\d]|https?:|www\.")  # iPhone, al-Assad, mp3
_SPACE = re.compile(r"\s")
_SOFT = re.compile(r"[;:,.!?–—،؛]\s|[，、；：。！？]")


def sentences(text: str, block: Span) -> list[Span]:
    """Return the sentences of one block in order, without list bullets and other markup in front.

    A table row and a line of code are one sentence each. None is longer than `LONGEST_SENTENCE`. What is without any
    letter or digit, such as a drawn line, is none.
    """
    return [piece for piece in pieces(text, block) if not is_wordless(piece.of(text))]


def pieces(text: str, block: Span) -> list[Span]:
    """Return where one block may be cut: its sentences, and the pieces of an endless run of signs."""
    block = strip(text, block)
    fence = _FENCE.match(text, block.start, block.end)
    body = strip(text, Span(fence.end(), block.end)) if fence else _without_markup(text, block)
    if fence:
        found = lines(text, body.start, body.end)
        found = found[:-1] if _FENCE_END.fullmatch(text, found[-1].start, found[-1].end) else found
    elif is_row(block.of(text)):
        found = [body]
    else:
        found = _split(text, body)
    return [part for piece in _join_wordless(text, found) for part in _bounded(text, piece)]


def heading_text(text: str, block: Span) -> list[Span]:
    """Return a heading without its markup and the signs that close it or stand under it, in pieces when it is endless.

    So `## Part ##` gives `Part`.
    """
    heading = _without_markup(text, block)
    words = heading.of(text)
    inner = words.rstrip(words[-1]) if words.endswith(("#", "=", "-")) else words
    end = heading.start + len(inner.rstrip()) if inner[-1:].isspace() else heading.end
    return list(_bounded(text, Span(heading.start, end) if end > heading.start else block))


def _without_markup(text: str, block: Span) -> Span:
    markup = _MARKUP.match(text, block.start, block.end)
    return strip(text, Span(markup.end() if markup else block.start, block.end))


def _split(text: str, body: Span) -> list[Span]:
    hidden = _HIDDEN.sub(" ", _without_parentheses(_TRAILED_OFF.sub(".", body.of(text))))
    cuts = [body.start]
    opened = body.start
    for found in get_sentence_boundaries("en", hidden)[1:]:
        end = found["start_index"]
        while end and hidden[end - 1].isspace():
            end -= 1
        end += body.start
        cut = _after_closers(text, end, body.end)
        if cut <= cuts[-1]:
            continue
        if not _goes_on(text, opened, Span(cuts[-1], end), Span(cut, body.end)):
            cuts.append(cut)
        opened = cut
    bounds = list(pairwise([*cuts, body.end]))
    quoted = [_QUOTED_LINE.match(text, start, end) for start, end in bounds]
    return [Span(marks.end() if marks else start, end) for (start, end), marks in zip(bounds, quoted, strict=True)]


def _without_parentheses(text: str) -> str:
    """Hide the parentheses around whole sentences and the ends of all but the last, with as many characters.

    The splitter keeps whole what stands between an opening parenthesis and the next closing one that it sees.
    """
    if not any(f"{end})" in text for end in _ENDS):
        return text
    signs, opened = list(text), list[int]()
    for at, sign in enumerate(text):
        if sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            start = opened.pop()
            if text[at - 1] in _ENDS:
                signs[start:at] = [
                    " ",
                    *("," if each in _ENDS else each for each in signs[start + 1 : at - 1]),
                    text[at - 1],
                ]
    return "".join(signs)


def _after_closers(text: str, end: int, stop: int) -> int:
    while end < stop and text[end] in _MARKS:
        if text[end] in _OPENERS and end + 1 < stop and not text[end + 1].isspace():
            break
        end += 1
    french = _FRENCH_CLOSER.match(text, end, stop)
    return french.end() if french else end


def _goes_on(text: str, opened: int, before: Span, after: Span) -> bool:
    """Tell whether a sentence goes on over a full stop: `"No!" he said`, `"Why?" Smith asked`, `the 5. madde`."""
    ahead = text[after.start : min(after.end, after.start + 80)]
    following = ahead.lstrip().lstrip(_MARKS)
    lower = following[:1].islower()
    if ahead[:1] in {":", ";", ","}:
        return True
    if after.start > before.end:
        return lower or (text[before.end - 1] in "?!…" and bool(_SAID.match(following)))
    word = _WORD_AT_END.findall(text[max(before.start, before.end - 8) : before.end - 1])[0]
    numbered = lower and word.isdecimal() and len(word) <= 3
    if numbered or _NUMBER_ONLY.fullmatch(text, before.start, before.end):
        return True
    return text[before.end - 1] == "." and _abbreviates(text, opened, before, ahead.lstrip(), word)


def _abbreviates(text: str, opened: int, before: Span, following: str, word: str) -> bool:
    """Tell whether a full stop belongs to an abbreviation: `ex amb.: no`, `obs. posts`, `incl. 61`, `3 p.m. ET`.

    Who opens sentences with a lower-case letter, as what `opened` here did, gives no hint by the next one.
    """
    lower = following[:1].islower()
    if not lower and _BEFORE_ZONE.search(text[max(before.start, before.end - 8) : before.end]):
        return bool(_ZONE.match(following))
    if following[:1].isdigit():
        return word.lower() in _BEFORE_NUMBER
    if word in _BEFORE_NAME or (word in _DAYS and _GERMAN_MONTH.match(following)):
        return True
    if not lower or _NO_PLAIN_WORD.match(following):
        return False
    opening = next(filter(str.isalnum, text[opened : min(opened + 80, before.end)]), "")
    return not opening.islower() or word.lower() in _UNITS


def _join_wordless(text: str, pieces: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    worded = False  # the last one has words, and so have all before it
    for piece in pieces:
        has_words = not is_wordless(piece.of(text))
        if joined and not (worded and has_words):
            joined[-1] = Span(joined[-1].start, piece.end)
        else:
            joined.append(piece)
        worded = worded or has_words
    return [piece for piece in joined if worded or len(piece) > _LONGEST_RULE]


def _bounded(text: str, span: Span) -> Iterator[Span]:
    """Cut an endless sentence at softer places, the last ones within the longest sentence; nothing of an empty span."""
    span = strip(text, span)
    start = span.start
    while start < span.end:
        cut = min(start + LONGEST_SENTENCE, span.end)
        if cut < span.end:
            half = start + LONGEST_SENTENCE // 2
            soft = [*_SPACE.finditer(text, start + 1, cut), *_SOFT.finditer(text, half, cut)]
            cut = soft[-1].end() if soft else cut
        part = strip(text, Span(start, cut))
        if len(part):
            yield part
        start = cut
