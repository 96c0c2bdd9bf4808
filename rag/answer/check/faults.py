"""What a sentence says otherwise than its source: numbers, names, speakers, negations and contraries, quotations.

Each check is a rule on words and says in a few words what is wrong, for the person who reads the flag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rag.answer.check.contraries import CONTRARIES, DENIAL, NEGATOR, PRONOUN
from rag.answer.check.facts import names, numbers, speakers
from rag.language.terms import STOP_WORDS, terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.answer.check.facts import Name
    from rag.records import Citation


_WORD = re.compile(r"[\w.’'-]*\w")
NEAR = 25  # characters
_JOINING = frozenset(("", "and", "or"))
NAME = re.compile(r"((?:[A-Z][\w'’-]*(?: (?=[A-Z]))?)+)")


@dataclass(frozen=True, slots=True)
class Source:
    """What a sentence is held against: the sentences it cites, their surroundings, and who speaks in them."""

    text: str
    around: str = ""
    speakers: tuple[str, ...] = ()

    @classmethod
    def of(cls, citations: Sequence[Citation]) -> Source:
        """Gather the cited sentences; around them stand their passages and what is known about these."""
        text = " ".join(" ".join(citation.quote.split()) for citation in citations)
        passages = dict.fromkeys(citation.passage for citation in citations)
        around = "\n".join(f"{passage.context}\n{passage.text}" for passage in passages)
        return cls(text, around, tuple(dict.fromkeys(c.speaker for c in citations if c.speaker)))


def faults(claim: str, source: Source) -> Iterator[str]:
    """Yield what is wrong with a sentence, in words for a person; nothing when no rule objects."""
    for check in (numerals, strangers, attributions, negations, contraries, inversions):
        yield from check(claim, source)


def numerals(claim: str, source: Source) -> Iterator[str]:
    """A number that the cited sentences do not have, or have of something else."""
    known = numbers(source.text)
    elsewhere = numbers(source.around)
    for number in numbers(claim):
        own = [other.after for other in known if number.same(other)]
        others = [other.after[:1] for other in known if not number.same(other)]
        dated = number.year and number.among(elsewhere) and not any(other.year for other in known)
        if not own and not dated:
            yield f"{number.value:g} is not in the source"
        elif own and number.after and number.after[:1] in others and not set(number.after) & {*chain(*own)}:
            yield f"{number.value:g} is of something else in the source"


def strangers(claim: str, source: Source) -> Iterator[str]:
    """A name that is not in the source, or that stands in for another one of the source.

    A name from the surroundings may be added, or replace a pronoun; where it replaces a name it is a swap.
    """
    if not source.around:  # then nobody knows whom its pronouns mean
        return
    said, around = set(terms(" ".join((source.text, *source.speakers)))), set(terms(source.around))
    dropped = [name for name in names(source.text) if name.term not in set(terms(claim))]
    pronouns = len(PRONOUN.findall(source.text)) - len(PRONOUN.findall(claim))
    explained = len({name.group for name in names(claim) if name.term not in said}) <= pronouns
    places = _places(source.text, dropped)
    for name in names(claim):
        taken = places & _places(claim, [name])
        if name.term in said:
            swapped = any(word not in STOP_WORDS for word, _ in taken - _places(source.text, [name]))
        else:
            swapped = bool(taken) or (any(name.calendar == other.calendar for other in dropped) and not explained)
        if name.term not in said | around:
            yield f"the name {name.term} is not in the source"
        elif swapped:
            yield f"the source names another than {name.term}"


def _places(text: str, wanted: Sequence[Name]) -> set[tuple[str, bool]]:
    """Return the words beside some names of a text, each with whether it stands in front."""
    searched = {name.term for name in wanted}
    words = ["", *_WORD.findall(text), ""]
    found = [i for i, word in enumerate(words) if word[:1].isupper() and searched.intersection(terms(word))]
    beside = {(words[i - 1].lower(), True) for i in found} | {(words[i + 1].lower(), False) for i in found}
    return {place for place in beside if place[0] not in _JOINING}


def attributions(claim: str, source: Source) -> Iterator[str]:
    """A statement laid into another's mouth."""
    known = set(terms(" ".join(source.speakers)))
    for speaker in speakers(claim):
        said = {name.term for name in names(f", {speaker}")}
        if known and said and not said & known:
            yield f"the source does not say that {speaker} said it"


def negations(claim: str, source: Source) -> Iterator[str]:
    """A negator that came or went, no word of denial making up for it."""
    mine, theirs = _denied(claim), _denied(source.text)
    if any(not any(one & other for other in theirs) and not _excused(one, source.text, claim) for one in mine):
        yield "the source does not deny it"
    shared = set(terms(claim)) - {"one"}
    if not mine and any(one and one <= shared and not _excused(one, claim, source.text) for one in theirs):
        yield "the source denies it"


def _excused(denied: set[str], text: str, other: str) -> bool:
    """Whether a text says no to something in other words, which the other text does not have."""
    known = {word.lower() for word in DENIAL.findall(other)}
    new = (match for match in DENIAL.finditer(text) if match[0].lower() not in known)
    return any(denied & set(terms(text[max(0, m.start() - NEAR) : m.end() + NEAR])) for m in new)


def _denied(text: str) -> list[set[str]]:
    """Return what each negator denies: the terms of the next three words, or else of the two before."""
    found = []
    for match in NEGATOR.finditer(text):
        after = set(terms(" ".join(text[match.end() :].split()[:3]))[:2])
        found.append(after or set(terms(" ".join(text[: match.start()].split()[-2:]))))
    return found


def contraries(claim: str, source: Source) -> Iterator[str]:
    """A word whose contrary stands in the source, and not the word itself."""
    mine, theirs = _plain(claim), _plain(source.text)
    for word in sorted(mine - theirs):
        contrary = CONTRARIES.get(word, frozenset()) & (theirs - mine)
        if contrary and not NEGATOR.search(claim) and not NEGATOR.search(source.text):
            yield f"the source says {min(contrary)}, not {word}"


def _plain(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def inversions(claim: str, source: Source) -> Iterator[str]:
    """The same words with names changed about: who did it, and to whom. Names in a list have no order."""
    mine, theirs = _frame(claim), _frame(source.text)
    moved = [i for i, (one, other) in enumerate(zip(mine, theirs, strict=False)) if one != other]
    if len(mine) != len(theirs) or not moved or any(i % 2 == 0 for i in moved):
        return
    between = {mine[i] for i in range(moved[0] + 1, moved[-1], 2)}
    if sorted(mine[1::2]) == sorted(theirs[1::2]) and not between <= {"and", "or", ",", ", and"}:
        yield "the source has its names in another order"


def _frame(text: str) -> list[str]:
    """Return a text as what stands around its names (even places) and the names (odd places)."""
    parts = NAME.split(" ".join(text.split()))
    return [part.strip(" .").lower() for part in parts]
