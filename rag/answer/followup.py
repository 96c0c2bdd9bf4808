"""What a question that leans on the turns before may mean (`and in Aleppo?`, `who said that?`), likeliest first.

An omitted part is taken from the question before, `he` becomes a name of the turn before, and for other pronouns what
was talked about stands in brackets. Whoever asks the readings takes the one with the surest answer. English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.language.dates import written
from rag.language.names import names
from rag.language.terms import STOP_WORDS, words
from rag.records import Answer, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

_MOST = 2  # readings of a question
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
_WHO = frozenset("who whom whose".split())
_NAMED = _WHO | frozenset("which what where".split())
_FRAME = re.compile(rf"^(?:{_WORD}\s+)?(?:{_VERB}\s+)?", re.IGNORECASE)
"""What makes a question of a sentence."""
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

    `history` are the turns before, oldest first, as answers or, where there is none, as questions.
    """
    if not history:
        return [question]
    last = history[-1]
    before = _bare((last.searched_for or last.question) if isinstance(last, Answer) else last)
    words = _bare(question)
    if _SAID.match(words):  # the first words that were cited
        cited = last.citations[0].quote if isinstance(last, Answer) and last.citations else f"{before}?"
        return [f"Who said: {' '.join(cited.split())}"]
    if bare := _BARE.match(words):
        return [_with_word(bare, before)]
    part = _ABOUT.sub("", words)
    short = len(part.split()) <= 8 and not _OPENER.match(part)
    if short and part and (part != words or _LEAD.match(question.strip())):
        return _with_part(before, part)
    return _with_names(question, words, before, last)[:_MOST]


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
    return f"{word}{bare['more'] or ''} ({_FRAME.sub('', before)})?"


def _with_part(before: str, part: str) -> list[str]:
    """Put a part into the question before, in the place of its like: a date of a date, a name of a name."""
    if part.lower() in {"then", "next"}:
        return [f"What happened then ({_topic(before)})?"]
    behind = re.fullmatch(rf"({_BEFORE})\s+(.+)", part, re.IGNORECASE)
    preposition, new = behind.groups() if behind else ("", part)
    places = _replaceable(before, new, preposition)
    owns = ("’s" if place.of(before).endswith(("’s", "'s")) else "" for place in places)
    filled = [f"{before[: place.start]}{new}{s}{before[place.end :]}?" for place, s in zip(places, owns, strict=True)]
    return filled[:_MOST] or [f"{before} {part}?" if preposition else f"{before} ({new})?"]


def _replaceable(before: str, new: str, preposition: str) -> list[Span]:
    """Return the parts of a question that a new part can stand for, likeliest first."""
    dates = written(before)
    if written(new):
        return [span for span, _ in dates[-1:]]
    if preposition:
        tail = re.search(rf"\b{preposition}\s+([^,]+)$", before, re.IGNORECASE)
        return [Span(*tail.span(1))] if tail and _has_digit(tail[1]) == _has_digit(new) else []
    is_proper = new != new.lower() or _has_digit(new)
    named = [*_mentioned(before), *_counted(before)]
    return sorted(named, key=lambda span: (span.of(before) != span.of(before).lower()) != is_proper)


def _with_names(question: str, bare: str, before: str, last: Answer | str) -> list[str]:
    """Put names in the place of `he` and `she`; to other pronouns, and where no name is sure, add what it was about."""
    person, other = (_unowned(pattern, bare) for pattern in (_PERSON, _OTHER))
    if not (person or other):
        return [question]
    asks_who = _asks(before, _WHO)
    answered = _found(last, before)
    bracketed = f"{_capitalised(bare)} ({_topic(before, answered, bare)})?"
    if not person:
        return [bracketed]
    people = (_who_is(before) or answered) if asks_who else _persons(before)
    named = [f"{_capitalised(_put(bare, name))}?" for name in people[:1]]
    return named if asks_who and named else [*named, bracketed]


def _found(last: Answer | str, before: str) -> list[str]:
    """Return the name that answered, where one was asked for."""
    if not isinstance(last, Answer) or not last.is_plain or not _asks(before, _NAMED):
        return []
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


def _topic(before: str, found: Iterable[str] = (), known: str = "") -> str:
    """Return what a question was about: whom and what it mentions, and the name that answered it."""
    spans = [*_counted(before), *_mentioned(before)]
    told = dict.fromkeys([*(span.of(before) for span in spans), *found])
    new = ", ".join(name for name in told if name not in known and not any(name != o and name in o for o in told))
    return new or _FRAME.sub("", before)


def _who_is(before: str) -> list[str]:
    """Return the name of `Who is Ana Velic?`."""
    words = before.split(maxsplit=2)
    is_asked = len(words) == 3 and words[0].lower() == "who" and words[1].lower() in _BEING
    return [span.of(before) for span in _named(before) if is_asked and span.of(before) == words[2]]


def _persons(before: str) -> list[str]:
    """Return names that may be a person's: without an article."""
    return [span.of(before) for span in _named(before) if not span.of(before).lower().startswith("the ")]


def _counted(question: str) -> list[Span]:
    """Return the place of what is counted or chosen from: `gates` of `How many gates`."""
    return [Span(*match.span("noun")) for match in [_COUNTED.match(question)] if match]


def _mentioned(question: str) -> list[Span]:
    """Return the places of names and phrases, none inside another one."""
    spans = sorted({*_phrases(question), *_named(question)})
    return [span for span in spans if not any(span != other and span in other for other in spans)]


def _named(question: str) -> list[Span]:
    """Return the places of names, each with its article and number; the question's first word is none."""
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
        named = any(not word.islower() for word in words[1:kept])
        front, at_end = question[: match.start()].lower().split(), kept == len(words) and match.end() == len(question)
        being = at_end and front[0] not in {"who", "what"} and front[-1] in _BEING if front else False
        verb = being or not _DOING.isdisjoint(front[-1:])
        kept -= bool(verb and lower + named > 1)
        end = match.start() + len(" ".join(words[:kept]))
        if kept > 1:
            found.append(Span(match.start(), end))
        at = max(end, match.end("article"))
    return found


def _asks(question: str, words: AbstractSet[str]) -> bool:
    """Tell whether a question opens with one of these words, perhaps behind a preposition."""
    return not words.isdisjoint(question.lower().split()[:2])


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _put(words: str, name: str) -> str:
    """Replace the pronouns of a person; a possessive one keeps its `’s`, and `her` is one in front of a noun."""

    def owner(match: re.Match[str]) -> str:
        behind = re.match(rf"\s+(?!{_BEFORE}\b)\w", words[match.end() :])
        owns = match[0].lower() in {"his", "hers"} or (match[0].lower() == "her" and behind)
        return f"{name}{'’' if name.endswith('s') else '’s'}" if owns else name

    return _PERSON.sub(owner, words)
