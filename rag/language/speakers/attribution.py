"""Who a sentence says is speaking, and which of its words are theirs.

Quotations stand between straight or curly double marks, guillemets or low marks, and between curly single ones where
a block has no double mark. In a sentence's narration their words are hidden.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.language.dates import WEEKDAY
from rag.language.speakers.people import HIDDEN, Speaker, named_speaker, role_of, sentence_subject
from rag.language.speakers.vocabulary import AUXILIARY, DENIES, QUOTE, SAY, TITLES, VERB, is_label
from rag.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOUBLE = re.compile('["“”„‟«»]')
_SINGLE = re.compile(r"(?<!\w)‘|’(?!\w)")
_BEFORE_OPENER = " \t\r\n\u00a0\u202f([{-–—/:\"“‘'"
_STOP = re.compile(rf"[.!?…][)\]’']*\s+(?=[^a-z\s])|(?<={HIDDEN})\s+(?=[^\s])")
_FULL_STOP = re.compile(r"[.!?]\s")
_LAST_WORD = re.compile(r"[\w.’'-]*$")
_ABBREVIATIONS = frozenset("st no vs jan feb aug sept oct nov dec mt jr sr inc corp ltd co".split()) | {
    title.rstrip(".") for title in TITLES if title.endswith(".")
}
_NEAR = 90  # characters behind a quotation within which its verb must come to belong to it
_OTHER_VERB = re.compile(rf"[^.!?]*?(?:that\b|:|,\s*{HIDDEN})")

_REACH = 300  # characters looked at in front of a verb and behind it
_ACCORDING = re.compile(r"\b[Aa]ccording to\s+")
_ASIDE = re.compile(
    rf"(?:\s(?:(?i:{WEEKDAY})|on|in|at|to|during|after|last|late|early|earlier|today|yesterday|this|via|by|through|of|from|before"
    r"|for|when|while|as|reporters|afterwards)\b[^,.;:]{0,110})?\s*(?:[,.;]|$)"
)
_THAT = re.compile(
    rf"(?:\s(?:(?i:{WEEKDAY})|on|in|at|to|for|during|last|late|earlier|yesterday)\b[^,.;:]{{0,70}}?)?,?\s+that\b"
    r"|(?=\s(?:he|she|it|they|there)(?:\s|['’]))"
)
_TOLD = re.compile(r"[^,.;:]{1,90}?\sthat\b|(?:\s[\w’'-]+){1,4}?(?=\s(?:he|she|it|they|the|his|her|its|their|there)\s)")
_TOLD_ASIDE = re.compile(r"(?:\s[\w’'-]+){1,4}\s*[.,]")
_SAYING = re.compile(r",\s+(?:saying|adding)\s+(?:that\s+)?")
_NEAR_ROLE = 60  # characters behind a role within which its name may follow
_LONG_ASIDE = 4  # words; more of them behind `said` are what is reported
_NOUN_END = re.compile(r"[,.;:]|\s[-–—]\s|\s(?:who|which|that|in|on|at|after|during|when|as|while|but|because)\b")
_TELL = frozenset({"tell", "tells", "told"})
_LABEL = re.compile(rf"\s*([^\s:{HIDDEN}][^:{HIDDEN}]{{1,80}}):\s*{HIDDEN}")
_NO_CLAUSE = (HIDDEN, ":", "to ", "so ", "so.", "nothing", "yes", "no ", "a word", "goodbye")
_OTHER_CLAUSE = re.compile(r"(?:,\s+(?:and|but|while|whereas)\b|;)")
_AUXILIARIES = re.compile(rf"(?:(?:^|\s)(?:{'|'.join(AUXILIARY)}))+\s*$", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:\b[Tt]he|\b[Aa]n?)\s$")


class NarratedSentence(NamedTuple):
    """One sentence of a block; `narration` is its text with the quotations hidden, of the same length."""

    span: Span
    narration: str
    quotes: tuple[Span, ...]

    @property
    def only_quotes(self) -> bool:
        """Whether it is nothing but quotation."""
        return bool(self.quotes) and not self.narration.replace(HIDDEN, "").strip(" \t\r\n.,;:-–—")


def narrated_sentences(text: str, block: Span) -> list[NarratedSentence]:
    """Cut a block into sentences of narration, in order."""
    found = _quotations(text, block)
    starts = [quote.start - block.start for quote in found]
    edges = [block.start, *(edge for quote in found for edge in (quote.start, quote.end)), block.end]
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


def _quotations(text: str, block: Span) -> list[Span]:
    marks = _DOUBLE if _DOUBLE.search(text, block.start, block.end) else _SINGLE
    found: list[Span] = []
    opened: int | None = None
    for match in marks.finditer(text, block.start, block.end):
        if _opens(text, match.start(), block, "" if opened is None else text[opened]):
            opened = match.start() if opened is None else opened
        elif opened is not None:
            found.append(Span(opened, match.end()))
            opened = None
    return found if opened is None else [*found, Span(opened, block.end)]


def _opens(text: str, at: int, block: Span, opened: str) -> bool:
    """Tell an opening mark from a closing one, after the one that opened; some by what stands beside them.

    German quotations may close with the English opener, or open with the French closer: `»Nein«, sagte sie`.
    """
    before = text[at - 1] if at > block.start else " "
    after = text[at + 1] if at + 1 < block.end else " "
    if text[at] == '"':
        return before in _BEFORE_OPENER and not after.isspace() and opened != '"'
    if text[at] == "»":
        return not opened and before in _BEFORE_OPENER and after.isalnum()
    return text[at] in "“„‟«‘" and opened + text[at] not in {"„“", "»«"}


def _cuts(words: str, hidden: str) -> list[int]:
    cuts = []
    for match in _STOP.finditer(hidden):
        start, end = match.span()
        if hidden[start] in ".!?…":
            ends = not _is_abbreviated(hidden, start)
        else:
            inside = words[max(0, start - 3) : start].rstrip("\"“”»’‘'\u00a0\u202f ")
            ends = inside.endswith((".", "!", "?", "…")) and not _attribution_follows(hidden, end)
        if ends:
            cuts.append(end)
    return cuts


def _is_abbreviated(hidden: str, stop: int) -> bool:
    """Tell whether the full stop at `stop` is that of `Mr.`, `U.S.` or an initial, and ends no sentence."""
    last = _LAST_WORD.findall(hidden, max(0, stop - 20), stop)[0]
    initials = all(len(letter) == 1 for letter in last.split(".")) and (len(last) > 1 or last.isupper())
    return hidden[stop] == "." and (last.lower() in _ABBREVIATIONS or initials)


def _attribution_follows(hidden: str, start: int) -> bool:
    """Tell whether `Smith said` comes next, so that the sentence goes on over its quotation."""
    stop = _FULL_STOP.search(hidden, start, start + _NEAR)
    verb = VERB.search(hidden, start, stop.start() + 1 if stop else start + _NEAR)
    if not verb or HIDDEN in hidden[start : verb.start()]:
        return False
    return hidden[start].islower() or not _OTHER_VERB.match(hidden, verb.end(), verb.end() + 200)


class Attribution(NamedTuple):
    """Who speaks; offsets in the narration: of the attribution itself, and of the clause reported as theirs."""

    speaker: Speaker
    start: int
    end: int
    reported: tuple[int, int] | None = None


def attributions(narration: str) -> list[Attribution]:
    """Return every clear attribution of one sentence, in order."""
    ways = (_by_label, _by_verb, _by_according, _by_saying)
    found = sorted((a for way in ways for a in way(narration)), key=lambda a: a.start)
    return [a for i, a in enumerate(found) if not i or a.start >= found[i - 1].end]


def separate(narration: str, first: Attribution, second: Attribution) -> bool:
    """Tell whether two attributions stand beside each other, not one inside the other."""
    return bool(_OTHER_CLAUSE.search(narration, first.end, max(first.end, second.start + 1)))


def _by_verb(narration: str) -> Iterator[Attribution]:
    for verb in VERB.finditer(narration):
        left = narration[max(0, verb.start() - _REACH) : verb.start()]
        left = left if left.rstrip(" ,").endswith(HIDDEN) else left[left.rfind(HIDDEN) + 1 :].lstrip(" ,.")
        left = _AUXILIARIES.sub(" ", left)
        if not DENIES.isdisjoint(word.lower() for word in left.split()[-1:]):
            continue
        who = named_speaker(left) if left.strip(" \t\r\n,") and not left.rstrip().endswith(HIDDEN + ",") else None
        if who:
            yield from _forward(narration, who, _start(narration, who, verb.start()), verb)
        elif HIDDEN in narration[max(0, verb.start() - 3) : verb.start()] or left.rstrip().endswith(","):
            yield from _inverted(narration, verb)


def _start(narration: str, who: Speaker, stop: int) -> int:
    places = [narration.rfind(words, 0, stop) for words in (who.name, who.role) if words]
    start = max(0, min(places) if min(places) >= 0 else places[0])
    article = _ARTICLE.search(narration[max(0, start - 4) : start])
    return start - len(article[0]) if article else start


def _forward(narration: str, who: Speaker, start: int, verb: re.Match[str]) -> Iterator[Attribution]:
    """Read `Smith said ...` and `..., Smith said.`."""
    quoted = HIDDEN in narration
    rest = narration[verb.end() : verb.end() + _REACH]
    aside = _ASIDE.match(rest) or (_TOLD_ASIDE.match(rest) if verb[0] in _TELL else None)
    that = None if verb[0] in QUOTE else _TOLD.match(rest) if verb[0] in _TELL else _THAT.match(rest)
    reported: tuple[int, int] | None = None
    too_long = that and verb[0] in SAY and len(that[0].split()) > _LONG_ASIDE  # `said in the release this shows that`
    if that and HIDDEN not in that[0] and not too_long:
        reported = (verb.end() + that.end(), len(narration))
    elif verb[0] in QUOTE:
        pass
    elif start > 2 and narration[:start].rstrip().endswith(",") and aside and HIDDEN not in narration[:start]:
        whole = aside[0].endswith(",") and narration[verb.end() + aside.end() :].strip()
        reported = (0, len(narration) if whole else start)
    elif verb[0] in SAY and not _ends(aside, rest, start) and not rest.lstrip().startswith(_NO_CLAUSE):
        reported = (verb.end(), len(narration))
    if reported or quoted:
        yield Attribution(who, start, verb.end(), reported)


def _ends(aside: re.Match[str] | None, rest: str, start: int) -> bool:
    if aside is None or start > 2:
        return aside is not None
    goes_on = aside[0].endswith(",") and rest[aside.end() :].strip()
    return len(aside[0].split()) <= _LONG_ASIDE and not goes_on


def _inverted(narration: str, verb: re.Match[str]) -> Iterator[Attribution]:
    """Read `"..." said Robert Ford, the former ambassador.` and `..., said Robert Ford.`."""
    who, end = _noun_after(narration, verb.end())
    before = narration[: verb.start()].rstrip()
    reported = (0, verb.start()) if before.endswith(",") and HIDDEN not in before else None
    if who and (reported or HIDDEN in narration):
        yield Attribution(who, verb.start(), end, reported)


def _by_label(narration: str) -> Iterator[Attribution]:
    label = _LABEL.match(narration)
    who = named_speaker(label[1]) if label and not is_label(label[1]) else None
    if label and who and who.kind != "pronoun":
        yield Attribution(who, label.start(1), label.end(1))


def _by_saying(narration: str) -> Iterator[Attribution]:
    """Read `Ann Hill denied it, saying she was at home`."""
    saying = _SAYING.search(narration)
    who = sentence_subject(narration) if saying else None
    if saying and who:
        reported = None if narration.startswith(HIDDEN, saying.end()) else (saying.end(), len(narration))
        yield Attribution(who, saying.start(), saying.end(), reported)


def _by_according(narration: str) -> Iterator[Attribution]:
    for match in _ACCORDING.finditer(narration):
        who, end = _noun_after(narration, match.end())
        before = narration[: match.start()].strip()
        if who and not before:
            yield Attribution(who, match.start(), end, (min(end + 1, len(narration)), len(narration)))
        elif who and (narration[end:].strip(" .,") == "" or before.endswith(",")):
            yield Attribution(who, match.start(), end, (0, match.start()))


def _noun_after(narration: str, start: int) -> tuple[Speaker | None, int]:
    """Read the noun phrase behind a verb, no pronoun, with a role in apposition; return where it ends, too."""
    window = narration[start : start + _REACH].partition(HIDDEN)[0]
    stops = (stop.start() for stop in _NOUN_END.finditer(window) if not _is_abbreviated(window, stop.start()))
    name = window[: next(stops, None)]
    who, end = named_speaker(name.strip()), start + len(name)
    if who is None or who.kind == "pronoun":
        return None, end
    comma = window.find(",", len(name), len(name) + _NEAR_ROLE)
    apposed = re.split(r"[,;:]|\.(?:\s|$)", window[comma + 1 :], maxsplit=1)[0] if comma >= 0 else ""
    role, named = role_of(apposed), named_speaker(apposed.strip())
    if who.kind == "role" and named and named.kind == "name":
        return named, start + comma + 1 + len(apposed)
    if who.kind == "name" and role and comma == len(name):
        return replace(who, role=who.role or role), start + comma + 1 + len(apposed)
    return who, end
