"""Pronouns of a follow-up -> the names of those in the turn before; where an owner is unsure, its topic in brackets.

Each pronoun has its kind of owner: `he` and `she` a person, `it` a thing, `they` several or a body, `there` a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

from rag.answer.followup import phrases
from rag.language.dates import written
from rag.language.speakers.vocabulary import is_role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rag.answer.followup.phrases import NounPhrase


def _combined(*words: str) -> frozenset[str]:
    """Return all ways to put one word of each list behind the other."""
    return frozenset(map(" ".join, product(*map(str.split, words))))


_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b", re.IGNORECASE)
_THING = re.compile(r"\b(?:it|its|this|that)\b(?=\s*$|\s+[a-z])", re.IGNORECASE)
_MANY = re.compile(r"\b(?:they|them|their|theirs)\b", re.IGNORECASE)
_THERE = re.compile(r"\b(?:(?P<from>from)\s+)?there(?=$|\s+(?:now|today|before)$)", re.IGNORECASE)
_THEN = (" at that time", " back then", " then")
_NEXT = _combined("after before", "that this") | {"then", "next", "afterwards"}
_DONE = _combined("do does did done say said think know mean", "that this so it")
_DONE |= _combined("after before since", "that this")
"""`do that` is what was done: no thing that has a name."""
_WHO_IT = _combined("who", "is was were", "it that this")
_IMPERSONAL = """true take takes took possible likely mean means clear known legal safe rain rains rained snow snows
    snowed seem seems appear appears matter matters"""
"""Verbs and predicates of an `it` that stands for nothing: `it rains`."""
_IDLE_END = _combined("it that this", _IMPERSONAL)
_IDLE = _combined("it", f"{_IMPERSONAL} that")
_POSSESSIVE = frozenset("his its their hers theirs".split())
_CONJUNCTIONS = frozenset("that when because if after before while and".split())
_ASKS_WHERE = ("where ", *(f"which {place} " for place in ("city", "town", "village", "country", "place")))
_BEING = re.compile(rf"^(?i:{phrases.QUESTION_WORD})\s+(?:is|are|was|were)\s+(?!the\b|an?\b)(?P<what>[a-z].*)$")
_PLURAL = re.compile(r"\b[A-Za-z]{3,}[^sui\W]s\b|\b(?:people|men|women|children)\b")
_PREPOSITION = re.compile(rf"^{phrases.PREPOSITION}\s+")
_INSIDE = re.compile(rf"\s+{phrases.PREPOSITION}\s")
_PLACE = re.compile(rf"\b(?:in|at|from|to|on)\s+((?:the\s+)?{phrases.CAPITAL}(?:\s+{phrases.CAPITAL})*|the\s+[a-z]+)")


@dataclass(frozen=True, slots=True)
class PreviousTurn:
    """The turn before: its question without its mark, its short answer, and who said what was cited."""

    asked: str
    found: str | None = None
    speaker: str | None = None

    @property
    def mentioned(self) -> list[NounPhrase]:
        """Whom and what its question mentions."""
        return phrases.noun_phrases(self.asked)

    @property
    def outer(self) -> list[NounPhrase]:
        """The same without what is mentioned inside of another mention."""
        return [one for one in self.mentioned if not one.inner]

    @property
    def counted(self) -> str | None:
        """What its question counts or chooses from."""
        match = phrases.COUNTED.search(self.asked)
        return match[1] if match else None

    @property
    def counts(self) -> bool:
        """Whether what is counted is several: `How many dead`, `Which rebels`."""
        several = "how many" in self.asked.lower() or phrases.is_many(phrases.last_word(self.counted or ""))
        return bool(self.counted) and several

    @property
    def asks_who(self) -> bool:
        """Whether persons are its answer."""
        who = phrases.last_word(opener[0]) if (opener := phrases.ASKING.match(self.asked)) else ""
        role = self.counted if self.counted and not self.counts else ""
        return who in {"who", "whom", "whose"} or is_role(role)

    @property
    def asks_who_is(self) -> bool:
        """Whether it asks who somebody is: `Who is Ana Velic`."""
        return self.asked.lower().startswith(("who is ", "who are ", "who was ", "who were "))


def resolved(words: str, turn: PreviousTurn) -> str:
    """Return a question with the pronouns replaced that stand for somebody or something of the turn before."""
    result = words
    unsure = _ends_in(words, _NEXT) or (_ends_in(words, _IDLE_END) and not phrases.noun_phrases(words))
    for pronoun, owner in _owners(words):
        name = owner(turn)
        unsure = unsure or name is None
        result = _put(result, pronoun, name) if name else result
    result, unsure = _placed(result, turn, unsure)
    topic = _topic(result, turn, words) if unsure or (result != words and turn.counted) else ""
    return f"{result} ({topic})" if topic and (unsure or topic != topic.lower()) else result


def person(turn: PreviousTurn) -> str | None:
    """Choose who `he` is: who was asked for, the one person who was mentioned, or who said what was cited."""
    people = [one.text for one in turn.outer if one.kind == "person"]
    if turn.asks_who:
        named = people[0] if turn.asks_who_is and people else None
        if named and not named.lower().startswith("the "):
            return named
        return turn.found if turn.found and _is_person(turn.found) else named
    if people:
        return people[0] if len(people) == 1 else None
    one_word = any(one.kind == "name" and not one.governed for one in turn.mentioned)
    return turn.speaker if turn.speaker and _is_person(turn.speaker) and not one_word else None


def several(turn: PreviousTurn) -> str | None:
    """Choose who `they` are: who was asked for, what was counted, the one plural or body, or the one person."""
    if turn.asks_who:
        many = [one.text for one in turn.mentioned if one.kind == "many" and turn.asks_who_is]
        return many[0] if many else person(turn) or turn.found
    if turn.counts:
        return f"the {turn.counted}"
    for kinds in ({"many", "body"}, {"person"}):
        fitting = [one.text for one in turn.outer if one.kind in kinds]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def thing(turn: PreviousTurn) -> str | None:
    """Choose what `it` is: the subject of the question before, or its answer where it mentions only several or persons.

    A body that does something to a thing leaves it open which of the two is meant; who only speaks is not meant.
    """
    things = [one for one in turn.mentioned if one.kind in {"thing", "body", "name"}]
    subjects = [one for one in things if not one.inner and not one.governed]
    subjects = [one for one in subjects if not one.says] or subjects
    if subjects:
        return None if subjects[0].kind == "body" and len(subjects) > 1 else subjects[0].text
    being = None if turn.asks_who else _BEING.match(turn.asked)
    if being:
        return _INSIDE.split(being["what"])[0]
    if things or turn.asks_who:
        return things[-1].text if things else None
    answered = phrases.noun_phrases(turn.found) if turn.found else []
    if len(answered) == 1 and answered[0].kind in {"thing", "body", "name"}:
        return answered[0].text
    return f"the {turn.counted}" if turn.counted and not turn.counts else None


def _owners(words: str) -> list[tuple[re.Pattern[str], Callable[[PreviousTurn], str | None]]]:
    """Return the pronouns whose owner is not in the question itself, with how to find it in the turn before."""
    found: list[tuple[re.Pattern[str], Callable[[PreviousTurn], str | None]]] = []
    if not _owned(words, _PERSON):
        found.append((_PERSON, person))
    if not _owned(words, _MANY):
        found.append((_MANY, several))
    pairs = list(pairwise(words.split()))
    idle = any(one in {"this", "that"} or f"{one} {word}".lower() in _IDLE for one, word in pairs)
    if not idle and not _owned(words, _THING):
        nameless = _ends_in(words, _DONE) or " ".join(words.lower().split()[:3]) in _WHO_IT
        found.append((_THING, (lambda _: None) if nameless else thing))
    return found


def _ends_in(words: str, endings: Iterable[str]) -> bool:
    """Tell whether a question ends in one of these words, or pairs of words."""
    return bool({phrases.last_word(words), " ".join(words.lower().split()[-2:])} & {*endings})


def _is_person(name: str) -> bool:
    return " and " not in name and phrases.kind_of(name) in {"person", "name"}


def _owned(words: str, pronoun: re.Pattern[str]) -> bool:
    """Tell whether a pronoun's owner stands before it in the question itself; an object's is not the subject."""
    match = pronoun.search(words)
    if match is None:
        return True
    before = words[: match.start()].strip()
    is_object = match[0].lower() in {"it", "him", "them", "this", "that"}
    if is_object and _CONJUNCTIONS.isdisjoint(before.split()):
        return False
    if pronoun is not _MANY:
        return bool(phrases.noun_phrases(before))
    kinds = {one.kind for one in phrases.noun_phrases(before)}
    return bool(_PLURAL.search(before) or kinds & {"many", "body", "person"})


def _placed(words: str, turn: PreviousTurn, unsure: bool) -> tuple[str, bool]:
    """Put the place and the day of the turn before in for `there` and `then`."""
    there = _THERE.search(words)
    if there:
        place = _place(turn)
        words = f"{words[: there.start()]}{there['from'] or 'in'} {place}{words[there.end() :]}" if place else words
        unsure = unsure or place is None
    day, then = _day(turn), next(filter(words.lower().endswith, _THEN), None)
    if day is None or then is None:
        return words, unsure
    return f"{words[: -len(then)]} {day}", not phrases.noun_phrases(words)


def _place(turn: PreviousTurn) -> str | None:
    """Choose where `there` is."""
    if turn.asked.lower().startswith(_ASKS_WHERE) and turn.found:
        return _PREPOSITION.sub("", turn.found)
    placed = [place for place in _PLACE.findall(turn.asked) if not written(place)]
    names = [one.text for one in turn.mentioned if one.kind in {"thing", "name", "body"}]
    return next(iter([*placed[-1:], *names[-1:]]), None)


def _day(turn: PreviousTurn) -> str | None:
    """Choose when `then` is: the date that was found, or else asked about."""
    for text in (turn.found or "", turn.asked):
        for span, parts in written(text)[-1:]:
            return f"{'on' if parts.day else 'in'} {_PREPOSITION.sub('', span.of(text))}"
    return None


def _topic(result: str, turn: PreviousTurn, words: str) -> str:
    """Return what the turn before was about and the question does not say by itself."""
    did = phrases.VERB.sub("", phrases.ASKING.sub("", turn.asked))
    if _ends_in(words, _DONE):
        doer = several(turn) or person(turn) or ""
        return did.removeprefix(doer).strip() if doer in result else did
    told = [one.text for one in turn.outer if not any(part in result for part in _proper(one.text))]
    asked_of = [turn.speaker] if turn.speaker and _PERSON.search(result) and not _owned(result, _PERSON) else []
    return ", ".join(told + asked_of) if told or result != words else did


def _proper(name: str) -> list[str]:
    """Return the words of a name that have capitals, or else the name: where one of them stands, it is named."""
    return [part for part in name.split() if not part.islower()] or [name]


def _put(words: str, pronoun: re.Pattern[str], name: str) -> str:
    """Replace the pronouns; a possessive one keeps its `’s`, and `her` is one in front of a noun."""

    def owner(match: re.Match[str]) -> str:
        word, after = match[0].lower(), words[match.end() :].strip()
        is_her = word == "her" and after and not _PREPOSITION.match(f"{after.lower()} ")
        ending = "" if word not in _POSSESSIVE and not is_her else "’" if name.endswith("s") else "’s"
        return f"{name}{ending}"

    return pronoun.sub(owner, words)
