"""What a question that leans on the turns before may mean (`and in Aleppo?`, `who said that?`), likeliest first.

An omitted part is taken from the question before; behind a pronoun that question stands in brackets, with the name that
answered it. Whoever asks the readings takes the one with the surest answer. English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.question import Question
from rag.language.dates import written
from rag.language.names import names
from rag.language.terms import STOP_WORDS, words
from rag.records import Answer, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 2
"""Readings of a question."""

_WORD = r"(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|long|far|often|old|high|wide|deep|big))?)"
_BEING, _DOING = frozenset("is are was were".split()), frozenset("do does did".split())
_VERBS = _BEING | _DOING | frozenset("has have had can could will would should".split())
_VERB = rf"(?:{'|'.join(sorted(_VERBS))})"
_BEFORE = r"(?:according to|about|against|in|at|on|for|from|to|by|of|with|near|after|before|since|until|during)"
_LEAD = re.compile(r"^(?:and|but|or|so|then|ok|okay|also)\b[\s,]*", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+|^(?:the\s+)?same\s+(?:question\s+)?for\s+", re.IGNORECASE)
_OPENER = re.compile(rf"^(?:{_BEFORE}\s+)?(?:{_WORD}|{_VERB}|tell|show|describe|explain|list|name)\b", re.IGNORECASE)
_ASKING = re.compile(rf"^(?:{_BEFORE}\s+)?{_WORD}\s+(?={_VERB}\b)", re.IGNORECASE)
_BARE = re.compile(
    rf"^(?P<word>(?:(?:since|until|by|from|for|to|with)\s+)?{_WORD})(?P<more>\s+(?:not|exactly|else))?$"
    r"|^(?P<event>when|where|why)\s+(?:(?:was|is|were)\s+(?:that|this|it)(?:\s+so)?|did\s+(?:that|this|it)\s+happen)$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^who\s+(?:says?|said|claims?|claimed|told|reported|reports|stated|wrote)\s+(?:(?:us|them)\s+)?(?:that|this|so)$"
    r"|^according to whom$|^says who$|^whose\s+(?:words|claim|figure|number)\s+(?:is|was|are|were)\s+(?:that|this|it)$",
    re.IGNORECASE,
)
_NAMED = frozenset("who whom whose which what where".split())
_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:they|them|theirs?|its|(?:that|this|it|then|next)(?=$)|it(?!\s+(?:takes?|took|true|possible|likely|clear)\b)"
    r"|there(?=$|\s+(?:now|today|before)$))(?![-’'])",
    re.IGNORECASE,
)
_OBJECTS = frozenset("it him them this that there then next".split())
_COUNTED = re.compile(
    rf"^(?:{_BEFORE}\s+)?(?:how many|how much|which|what)\s+(?!{_VERB}\b)"
    rf"(?P<noun>\w+(?:\s+\w+){{0,2}}?(?=\s+{_VERB}\b)|\w+)",
    re.IGNORECASE,
)
_PHRASE = re.compile(r"\b(?P<article>[Tt]he|[Aa]n?)\s+(?:[A-Z0-9][\w’'-]*\s+)*[a-z][\w’'-]*(?:\s+[a-z][\w’'-]*){0,2}")
_PLURAL = re.compile(r"\b[A-Za-z]{3,}[^sui\W]s\b|\b(?:people|men|women|children)\b")


def readings(question: str, history: Sequence[Answer | str]) -> list[str]:
    """Return what a question may mean, likeliest first; itself alone where it leaves nothing out.

    Args:
        question: what is asked now.
        history: the turns before, oldest first, as answers or, where there is none, as questions.
    """
    if not history:
        return [question]
    last = history[-1]
    before = _bare((last.searched_for or last.question) if isinstance(last, Answer) else last)
    words = _bare(question)
    if _SAID.match(words):
        cited = last.citations[0].quote if isinstance(last, Answer) and last.citations else f"{before}?"
        return [f"Who said: {' '.join(cited.split())}"]
    if bare := _BARE.match(words):
        return [_with_word(bare, before)]
    part = _ABOUT.sub("", words)
    short = len(part.split()) <= 8 and not _OPENER.match(part)
    if short and part and (part != words or _LEAD.match(question.strip())):
        return _with_part(before, part)
    return [_with_topic(question, words, before, last)]


def _bare(question: str) -> str:
    return _LEAD.sub("", " ".join(question.split()).rstrip("?？!. ")).strip()


def _capitalised(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _with_word(bare: re.Match[str], before: str) -> str:
    """Ask the question before with another question word: `When did the talks begin?` -> `Why did the talks begin?`."""
    word = _capitalised(bare["word"] or bare["event"])
    opener, verb = _ASKING.match(before), before.partition(" ")[0].lower() in _VERBS
    if opener and not bare["more"]:
        return f"{word} {before[opener.end() :]}?"
    if verb and not bare["more"] and not word.startswith("How m"):
        return f"{word} {before[:1].lower()}{before[1:]}?"
    return _about(f"{word}{bare['more'] or ''}", before)


def _with_part(before: str, part: str) -> list[str]:
    """Put a part into the question before, in the place of its like: a date of a date, a name of a name."""
    if part.lower() in {"then", "next"}:
        return [_about("What happened then", before)]
    behind = re.fullmatch(rf"({_BEFORE})\s+(.+)", part, re.IGNORECASE)
    preposition, new = behind.groups() if behind else ("", part)
    places = _replaceable(before, new, preposition)
    owns = ("’s" if place.of(before).endswith(("’s", "'s")) else "" for place in places)
    filled = [f"{before[: place.start]}{new}{s}{before[place.end :]}?" for place, s in zip(places, owns, strict=True)]
    return filled[:MOST] or [f"{before} {part}?" if preposition else f"{before} ({new})?"]


def _replaceable(before: str, new: str, preposition: str) -> list[Span]:
    dates = written(before)
    if written(new):
        return [span for span, _ in dates[-1:]]
    if preposition:
        tail = re.search(rf"\b{preposition}\s+([^,]+)$", before, re.IGNORECASE)
        return [Span(*tail.span(1))] if tail and _has_digit(tail[1]) == _has_digit(new) else []
    is_proper = new != new.lower() or _has_digit(new)
    counted = [Span(*match.span("noun")) for match in [_COUNTED.match(before)] if match]
    named = [*_mentioned(before), *counted]
    return sorted(named, key=lambda span: (span.of(before) != span.of(before).lower()) != is_proper)


def _with_topic(question: str, bare: str, before: str, last: Answer | str) -> str:
    """Put what was talked about behind a pronoun that stands for something in the turn before."""
    if not any(_unowned(pattern, bare) for pattern in (_PERSON, _OTHER)):
        return question
    return _about(_capitalised(bare), ": ".join([before, *_found(last, before)]))


def _about(words: str, before: str) -> str:
    """Put the question before in brackets behind a new one; of a question with brackets, what is in them."""
    _, bracket, told = before.rstrip(")").partition(" (")
    topic = told if bracket else before
    return f"{words} ({topic[:1].lower()}{topic[1:]})?"


def _found(last: Answer | str, before: str) -> list[str]:
    """Return the name that answered, where one was asked for."""
    if not isinstance(last, Answer) or not last.is_plain or _NAMED.isdisjoint(before.lower().split()[:2]):
        return []
    if Question.parse(before).is_definition:
        return []  # the name is in the question
    asked, marked = set(words(before)), [mark.of(s.text) for s in last.sentences for mark in s.marks]
    found = [name for answer in marked for name in names(answer) if " " in name or name == answer]
    return [name for name in found if asked.isdisjoint(words(name))][:1]


def _unowned(pronoun: re.Pattern[str], words: str) -> bool:
    """Tell whether a pronoun is in a question, and nothing before it there that it can stand for."""
    match = pronoun.search(words)
    if match is None:
        return False
    before = words[: match.start()]
    if match[0].lower() in _OBJECTS:
        return True
    behind = before[opener.end() :] if (opener := _OPENER.match(before)) else before
    several = pronoun is _OTHER and _PLURAL.search(before)
    return not (names(behind) or _PHRASE.search(before) or several)


def _mentioned(question: str) -> list[Span]:
    """Return the places of names and phrases, none inside another one."""
    spans = sorted({*_phrases(question), *_named(question)})
    return [span for span in spans if not any(span != other and span in other for other in spans)]


def _named(question: str) -> list[Span]:
    opener = _OPENER.match(question)
    start, found = opener.end() if opener else 0, list[Span]()
    for name in names(question[start:]):
        at = question.index(name, start)
        article = len("the ") if question[:at].lower().endswith("the ") else 0
        number = re.match(r"\s+\d[\w/.]*", question[at + len(name) :])
        found.append(Span(at - article, at + len(name) + (number.end() if number else 0)))
    return [span for span in found if not written(span.of(question))]


def _phrases(question: str) -> list[Span]:
    """Return the places of phrases like `the Rila dam`, without the verb behind them."""
    found, at = list[Span](), 0
    while match := _PHRASE.search(question, at):
        words, kept = match[0].split(), 1
        while kept < len(words) and words[kept].lower() not in STOP_WORDS and not words[kept].endswith(("ed", "ly")):
            kept += 1
        lower = sum(word.islower() for word in words[1:kept])
        is_cut = kept < len(words) and words[kept].lower() in {"of", "in", "at", "for"}
        named = any(not word.islower() for word in words[1:kept])
        front, at_end = question[: match.start()].lower().split(), kept == len(words) and match.end() == len(question)
        being = at_end and front[0] not in {"who", "what"} and front[-1] in _BEING if front else False
        verb = being or not _DOING.isdisjoint(front[-1:])
        kept -= bool(verb and lower + named > 1 and not (is_cut and lower == 1))
        end = match.start() + len(" ".join(words[:kept]))
        if kept > 1:
            found.append(Span(match.start(), end))
        at = max(end, match.end("article"))
    return found


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
