"""Who a sentence says is speaking, and which of its words are theirs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rag.language.dates import WEEKDAY
from rag.language.speakers.noun_phrases import Speaker, named_speaker, role_of, sentence_subject
from rag.language.speakers.quotations import HIDDEN, is_abbreviated
from rag.language.speakers.vocabulary import AUXILIARY, DENIES, QUOTE, SAY, VERB, is_label

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_NEAR = 60  # characters behind a role within which its name may follow
_LONG_ASIDE = 4  # words; more of them behind `said` are what is reported
_NOUN_END = re.compile(r"[,.;:]|\s[-–—]\s|\s(?:who|which|that|in|on|at|after|during|when|as|while|but|because)\b")
_TELL = frozenset({"tell", "tells", "told"})
_LABEL = re.compile(rf"\s*([^\s:{HIDDEN}][^:{HIDDEN}]{{1,80}}):\s*{HIDDEN}")
_NO_CLAUSE = (HIDDEN, ":", "to ", "so ", "so.", "nothing", "yes", "no ", "a word", "goodbye")
_OTHER_CLAUSE = re.compile(r"(?:,\s+(?:and|but|while|whereas)\b|;)")


class Attribution(NamedTuple):
    """Who speaks; offsets in the narration: of the attribution itself, and of the clause reported as theirs."""

    speaker: Speaker
    start: int
    end: int
    reported: tuple[int, int] | None


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
        left, denied = _before(narration, verb.start())
        if denied:
            continue
        who = named_speaker(left) if left.strip(" \t\r\n,") and not left.rstrip().endswith(HIDDEN + ",") else None
        if who:
            yield from _forward(narration, who, _start(narration, who, verb.start()), verb)
        elif HIDDEN in narration[max(0, verb.start() - 3) : verb.start()] or left.rstrip().endswith(","):
            yield from _inverted(narration, verb)


def _start(narration: str, who: Speaker, stop: int) -> int:
    """Return where the subject starts: at its name or, where that comes first, its role."""
    at = narration.rfind(who.name, 0, stop)
    role = narration.rfind(who.role, 0, stop) if who.role else -1
    start = max(0, min(at, role) if role >= 0 else at)
    article = re.search(r"(?:\b[Tt]he|\b[Aa]n?)\s$", narration[max(0, start - 4) : start])
    return start - len(article[0]) if article else start


def _before(narration: str, at: int) -> tuple[str, bool]:
    """Return the words of the clause in front of a verb, without auxiliaries, and whether they deny it."""
    left = narration[max(0, at - _REACH) : at]
    left = left[left.rfind(HIDDEN) + 1 :].lstrip(" ,.") if HIDDEN in left.rstrip(" ,") else left
    words = left.split()
    last = ""
    while words and words[-1].lower() in AUXILIARY:
        last = words.pop()
    if last:
        left = left[: left.rfind(words[-1]) + len(words[-1])] if words else ""
    return left, bool(words) and words[-1].lower() in DENIES


def _forward(narration: str, who: Speaker, start: int, verb: re.Match[str]) -> Iterator[Attribution]:
    """Read `Smith said ...` and `..., Smith said.`."""
    rest = narration[verb.end() : verb.end() + _REACH]
    aside = _ASIDE.match(rest) or (_TOLD_ASIDE.match(rest) if verb[0] in _TELL else None)
    words = verb[0]
    if words in QUOTE:
        if HIDDEN in narration:
            yield Attribution(who, start, verb.end(), None)
        return
    that = _that(words, rest)
    if that and HIDDEN not in that[0]:
        yield Attribution(who, start, verb.end(), (verb.end() + that.end(), len(narration)))
    elif start > 2 and narration[:start].rstrip().endswith(",") and aside and HIDDEN not in narration[:start]:
        whole = aside[0].endswith(",") and narration[verb.end() + aside.end() :].strip()
        yield Attribution(who, start, verb.end(), (0, len(narration) if whole else start))
    elif words in SAY and not _ends(aside, rest, start) and not rest.lstrip().startswith(_NO_CLAUSE):
        yield Attribution(who, start, verb.end(), (verb.end(), len(narration)))
    elif HIDDEN in narration:
        yield Attribution(who, start, verb.end(), None)


def _that(verb: str, rest: str) -> re.Match[str] | None:
    """Match what stands between a verb and the clause that it reports, where the clause is plain to see."""
    if verb in _TELL:
        return _TOLD.match(rest)
    that = _THAT.match(rest)
    too_long = that and verb in SAY and len(that[0].split()) > _LONG_ASIDE  # `said in the release this case shows that`
    return None if too_long else that


def _ends(aside: re.Match[str] | None, rest: str, start: int) -> bool:
    """Tell whether nothing is reported behind the verb: `..., Smith said on Monday.`."""
    if aside is None or start > 2:
        return aside is not None
    goes_on = aside[0].endswith(",") and rest[aside.end() :].strip()
    return len(aside[0].split()) <= _LONG_ASIDE and not goes_on


def _inverted(narration: str, verb: re.Match[str]) -> Iterator[Attribution]:
    """Read `"..." said Robert Ford, the former ambassador.` and `..., said Robert Ford.`."""
    who, end = _noun_after(narration, verb.end())
    if who is None or who.kind == "pronoun":
        return
    before = narration[: verb.start()].rstrip()
    reported = (0, verb.start()) if before.endswith(",") and HIDDEN not in before else None
    if reported or HIDDEN in narration:
        yield Attribution(who, verb.start(), end, reported)


def _by_label(narration: str) -> Iterator[Attribution]:
    """Read `Robert Ford: "..."`."""
    label = _LABEL.match(narration)
    who = named_speaker(label[1]) if label and not is_label(label[1]) else None
    if label and who and who.kind != "pronoun":
        yield Attribution(who, label.start(1), label.end(1), None)


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
        if who is None or who.kind == "pronoun":
            continue
        before = narration[: match.start()].strip()
        if not before:
            yield Attribution(who, match.start(), end, (min(end + 1, len(narration)), len(narration)))
        elif narration[end:].strip(" .,") == "" or before.endswith(","):
            yield Attribution(who, match.start(), end, (0, match.start()))


def _noun_after(narration: str, start: int) -> tuple[Speaker | None, int]:
    """Read the noun phrase behind a verb, with a role in apposition."""
    window = narration[start : start + _REACH].partition(HIDDEN)[0]
    stop = _NOUN_END.search(window)
    while stop and is_abbreviated(window, stop.start()):
        stop = _NOUN_END.search(window, stop.end())
    name = window[: stop.start() if stop else None]
    who, end = named_speaker(name.strip()), start + len(name)
    comma = window.find(",", len(name), len(name) + _NEAR)
    if who is None or who.kind == "pronoun" or comma < 0:
        return who, end
    apposed = re.split(r"[,;:]|\.(?:\s|$)", window[comma + 1 :], maxsplit=1)[0]
    role, named = role_of(apposed), named_speaker(apposed.strip())
    if who.kind == "role" and named and named.kind == "name":
        return named, start + comma + 1 + len(apposed)
    if who.kind == "name" and role and comma == len(name):
        return replace(who, role=who.role or role), start + comma + 1 + len(apposed)
    return who, end
