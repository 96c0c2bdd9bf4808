"""Pronouns of a follow-up -> the names of those in the turn before; where an owner is unsure, its topic in brackets.

Each pronoun has its kind of owner: `he` and `she` a person, `it` a thing, `they` several or a body, `there` a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.followup.mentions import BE_DO, CAPITAL, COUNTED, IN, WH, Mention, is_many, kind_of, mentions
from rag.language.dates import written
from rag.language.speakers.titles import is_role

if TYPE_CHECKING:
    from collections.abc import Callable

_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b", re.IGNORECASE)
_THING = re.compile(r"\b(?:it|its|this|that)\b(?=\s*$|\s+[a-z])", re.IGNORECASE)
_MANY = re.compile(r"\b(?:they|them|their|theirs)\b", re.IGNORECASE)
_THERE = re.compile(r"\b(?:(?P<from>from)\s+)?there(?=$|\s+(?:now|today|before)$)", re.IGNORECASE)
_THEN = re.compile(r"\b(?:at that time|back then|then)$", re.IGNORECASE)
_NEXT = re.compile(r"\b(?:then|next|afterwards|(?:after|before)\s+(?:that|this))$", re.IGNORECASE)
_POSSESSIVE = frozenset("his its their hers theirs".split())
_DONE = re.compile(
    r"\b(?:(?:do|does|did|done|say|said|think|know|mean)\s+(?:that|this|so|it)|(?:after|before|since)\s+(?:that|this))$",
    re.IGNORECASE,
)
"""`do that` is what was done: no thing that has a name."""
_WHO_IT = re.compile(r"^who\s+(?:is|was|were)\s+(?:it|that|this)\b", re.IGNORECASE)
_IDLE = (
    r"true|take|takes|took|possible|likely|mean|means|clear|known|legal|safe"
    r"|rain(?:s|ed)?|snow(?:s|ed)?|seems?|appears?|matters?"
)
_IDLE_IT = re.compile(rf"\bit\s+(?:{_IDLE}|that)\b|\b(?:that|this)\s+(?:{_IDLE})$", re.IGNORECASE)
_IDLE_END = re.compile(rf"\b(?:it|that|this)\s+(?:{_IDLE})$", re.IGNORECASE)
_THAT_CLAUSE = re.compile(r"\bthat\s+(?:the|a|an|[A-Z]|he|she|it|they|there|this|[a-z]+s\b)|\b(?:this|that)\s+\w+\b")
_BEING = re.compile(rf"^(?i:{WH})\s+(?:is|are|was|were)\s+(?!the\b|an?\b)(?P<what>[a-z].*)$")
_WHO_IS = re.compile(r"^who\s+(?:is|are|was|were)\s+", re.IGNORECASE)
_PLURAL = re.compile(r"\b[A-Za-z]{3,}[^sui\W]s\b|\b(?:people|men|women|children)\b")


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn before: its question without its mark, its short answer, and who said what was cited."""

    asked: str
    found: str | None = None
    speaker: str | None = None

    @property
    def mentioned(self) -> list[Mention]:
        """Whom and what its question mentions."""
        return mentions(self.asked)

    @property
    def counted(self) -> str | None:
        """What its question counts or chooses from."""
        match = COUNTED.search(self.asked)
        return match[1] if match else None

    @property
    def counts(self) -> bool:
        """Whether what is counted is several: `How many dead`, `Which rebels`."""
        return bool(
            self.counted
            and (re.search(r"\bhow many\b", self.asked, re.IGNORECASE) or is_many(self.counted.split()[-1]))
        )

    @property
    def asks_who(self) -> bool:
        """Whether persons are its answer."""
        asks = re.match(rf"(?:{IN}\s+)?(?:who|whom|whose)\b", self.asked, re.IGNORECASE)
        return bool(asks) or bool(self.counted and not self.counts and is_role(self.counted))


def resolved(words: str, turn: Turn) -> str:
    """Return a question with the pronouns replaced that stand for somebody or something of the turn before."""
    said, unsure = words, bool(_NEXT.search(words)) or (bool(_IDLE_END.search(words)) and not mentions(words))
    for pronoun, owner in _owners(words):
        name = owner(turn)
        unsure = unsure or name is None
        said = _put(said, pronoun, name) if name else said
    said, unsure = _placed(said, turn, unsure)
    topic = _topic(said, turn, words) if unsure or (said != words and turn.counted) else ""
    topic = topic if unsure or topic != topic.lower() else ""
    return f"{said} ({topic})" if topic else said


def person(turn: Turn) -> str | None:
    """Choose who `he` is: who was asked for, the one person who was mentioned, or who said what was cited."""
    people = [one for one in turn.mentioned if one.kind == "person" and not one.inner]
    if turn.asks_who:
        who_is = _WHO_IS.match(turn.asked)
        named = people[0].text if who_is and people else None
        if named and not named.lower().startswith("the "):
            return named
        return turn.found if turn.found and _is_person(turn.found) else named
    if people:
        return people[0].text if len(people) == 1 else None
    one_word = any(one.kind == "name" and not _follows_preposition(turn.asked, one) for one in turn.mentioned)
    return turn.speaker if turn.speaker and _is_person(turn.speaker) and not one_word else None


def several(turn: Turn) -> str | None:
    """Choose who `they` are: who was asked for, what was counted, the one plural or body, or the one person."""
    if turn.asks_who:
        being = [one.text for one in turn.mentioned if one.kind == "many"] if _WHO_IS.match(turn.asked) else []
        return being[0] if being else person(turn) or turn.found
    if turn.counts:
        return f"the {turn.counted}"
    outer = [one for one in turn.mentioned if not one.inner]
    for kinds in ({"many", "body"}, {"person"}):
        fitting = [one.text for one in outer if one.kind in kinds]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def thing(turn: Turn) -> str | None:
    """Choose what `it` is: the subject of the question before, or its answer where it mentions only several or persons.

    A body that does something to a thing leaves it open which of the two is meant; who only speaks is not meant.
    """
    things = [one for one in turn.mentioned if one.kind in {"thing", "body", "name"}]
    subjects = [one for one in things if not one.inner and not _follows_preposition(turn.asked, one)]
    subjects = [one for one in subjects if not one.says] or subjects
    if subjects:
        return None if subjects[0].kind == "body" and len(subjects) > 1 else subjects[0].text
    being = None if turn.asks_who else _BEING.match(turn.asked)
    if being:
        return re.split(rf"\s+{IN}\s", being["what"])[0]
    if things:
        return things[-1].text
    if turn.asks_who:
        return None
    answered = mentions(turn.found) if turn.found else []
    if len(answered) == 1 and answered[0].kind in {"thing", "body", "name"}:
        return answered[0].text
    return f"the {turn.counted}" if turn.counted and not turn.counts else None


def _owners(words: str) -> list[tuple[re.Pattern[str], Callable[[Turn], str | None]]]:
    """Return the pronouns whose owner is not in the question itself, with how to find it in the turn before."""
    found: list[tuple[re.Pattern[str], Callable[[Turn], str | None]]] = []
    if not _owned(words, _PERSON):
        found.append((_PERSON, person))
    if not _owned(words, _MANY):
        found.append((_MANY, several))
    if not any(idle.search(words) for idle in (_IDLE_IT, _THAT_CLAUSE)) and not _owned(words, _THING):
        found.append((_THING, _nameless if _DONE.search(words) or _WHO_IT.match(words) else thing))
    return found


def _nameless(_: Turn) -> None:
    """`That` of `do that` and `it` of `who was it` stand for nothing that has a name."""


def _is_person(name: str) -> bool:
    return " and " not in name and kind_of(name) in {"person", "name"}


def _follows_preposition(text: str, one: Mention) -> bool:
    return bool(re.search(rf"\b{IN}\s+$", text[: one.start], re.IGNORECASE))


def _owned(words: str, pronoun: re.Pattern[str]) -> bool:
    """Tell whether a pronoun's owner stands before it in the question itself; an object's is not the subject."""
    match = pronoun.search(words)
    if match is None:
        return True
    is_object = match[0].lower() in {"it", "him", "them", "this", "that"}
    if is_object and not re.search(r"\b(?:that|when|because|if|after|before|while|and)\s", words[: match.start()]):
        return False
    before = words[: match.start()].strip()
    if pronoun is not _MANY:
        return bool(mentions(before))
    return bool(_PLURAL.search(before)) or any(one.kind in {"many", "body", "person"} for one in mentions(before))


def _placed(words: str, turn: Turn, unsure: bool) -> tuple[str, bool]:
    """Put the place and the day of the turn before in for `there` and `then`."""
    there = _THERE.search(words)
    if there:
        place = _place(turn)
        words = f"{words[: there.start()]}{there['from'] or 'in'} {place}{words[there.end() :]}" if place else words
        unsure = unsure or place is None
    day = _day(turn)
    return (_THEN.sub(day, words), not mentions(words)) if day and _THEN.search(words) else (words, unsure)


def _place(turn: Turn) -> str | None:
    """Choose where `there` is."""
    if re.match(r"(?:where|which (?:city|town|village|country|place))\b", turn.asked, re.IGNORECASE) and turn.found:
        return re.sub(rf"^{IN}\s+", "", turn.found)
    in_it = re.compile(rf"\b(?:in|at|from|to|on)\s+((?:the\s+)?{CAPITAL}(?:\s+{CAPITAL})*|the\s+[a-z]+)")
    placed = [place for place in in_it.findall(turn.asked) if not written(place)]
    names = [one.text for one in turn.mentioned if one.kind in {"thing", "name", "body"}]
    return next(iter([*placed[-1:], *names[-1:]]), None)


def _day(turn: Turn) -> str | None:
    """Choose when `then` is: the date that was found, or else asked about."""
    for text in (turn.found or "", turn.asked):
        dates = written(text)
        if dates:
            span, parts = dates[-1]
            date = re.sub(rf"^{IN}\s+", "", text[span.start : span.end])
            return f"{'on' if parts.day else 'in'} {date}"
    return None


def _topic(said: str, turn: Turn, words: str) -> str:
    """Return what the turn before was about and the question does not say by itself."""
    did = re.sub(rf"^(?:(?:{IN}\s+)?{WH}\s+)?(?:{BE_DO}\s+)?", "", turn.asked, flags=re.IGNORECASE)
    if _DONE.search(words):
        doer = several(turn) or person(turn) or ""
        return did.removeprefix(doer).strip() if doer in said else did
    told = [one.text for one in turn.mentioned if not one.inner and not _in(one.text, said)]
    asked_of = [turn.speaker] if turn.speaker and _PERSON.search(said) and not _owned(said, _PERSON) else []
    return ", ".join(told + asked_of) if told or said != words else did


def _in(name: str, words: str) -> bool:
    """Tell whether a question names it: with one of its capitalised words, or as it is where it has none."""
    capitals = [part for part in name.split() if not part.islower()]
    return any(part in words for part in capitals) if capitals else name in words


def _put(words: str, pronoun: re.Pattern[str], name: str) -> str:
    """Replace the pronouns; a possessive one keeps its `’s`, and `her` is one in front of a noun."""

    def owner(match: re.Match[str]) -> str:
        word = match[0].lower()
        after = words[match.end() :].strip()
        possessive = word in _POSSESSIVE or (word == "her" and bool(after) and not re.match(rf"{IN}\b", after))
        ending = "" if not possessive else "’" if name.endswith("s") else "’s"
        return f"{name}{ending}"

    return pronoun.sub(owner, words)
