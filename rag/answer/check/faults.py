"""What a sentence says otherwise than its source: numbers, names, negations and contraries.

Each check is a rule on words and says in a few words what is wrong, for the person who reads the flag.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rag.answer.check.facts import names, numbers
from rag.language.terms import STOP_WORDS, terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.answer.check.facts import Name
    from rag.records import Citation

_WORD = re.compile(r"[\w.’'-]*\w")
_LETTERS = re.compile(r"[a-z]+")
_JOINING = frozenset(("", "and", "or"))
_BESIDE_DENIAL = 25
"""Characters on both sides of a word of denial in which something denied by it stands."""
_NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|hardly|\w+n['’]t)\b", re.IGNORECASE
)
_DENIAL = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|refus\w+|reject\w*|fail(?:s|ed|ing|ure)?\b|lack\w*|unable|prevent\w*|avoid\w*|stopp?ed"
    r"|absen(?:t|ce)|miss(?:ed|ing)|declin(?:e|es|ed)|impossible|unknown|unaware|instead of|rather than|un\w{4,}ed"
    r"|remain\w*|still|only|all but|short of|out of|far from|no longer|empt(?:y|ied)|disput\w+|contradict\w*"
    r"|(?:under|less than|fewer than|below) \d|nowhere|free of|end(?:s|ed|ing)?)\b",
    re.IGNORECASE,
)
"""Words that say a no without a negator: a negation that comes or goes beside one of them proves nothing."""
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|hers|them|his|its|their|theirs|these|those|we|our|us|I|my|me)\b", re.IGNORECASE
)
_PAIRS = """
rise/fall rose/fell rising/falling increase/decrease increased/decreased increase/reduce increase/cut grow/shrink
grew/shrank gain/lose won/lost win/lose opened/closed open/shut open/closed opened/shut raised/lowered raise/lower
before/after more/less more/fewer most/least above/below over/under up/down early/late earlier/later first/last
best/worst better/worse high/low higher/lower highest/lowest large/small larger/smaller largest/smallest big/small
long/short longer/shorter strong/weak stronger/weaker fast/slow faster/slower north/south east/west northern/southern
eastern/western left/right inside/outside start/end started/ended begin/end began/ended began/stopped
accepted/rejected accept/reject allow/ban allowed/banned allow/forbid support/oppose supported/opposed agree/disagree
agreed/refused approved/rejected confirmed/denied confirm/deny admitted/denied entered/left enter/leave
arrived/departed bought/sold buy/sell attack/defend attacked/defended advance/retreat advanced/retreated
captured/lost friend/enemy ally/enemy alive/dead born/died survived/died live/die always/never often/rarely
all/none many/few everyone/nobody everything/nothing man/woman men/women male/female boy/girl father/mother
son/daughter brother/sister husband/wife king/queen positive/negative success/failure succeeded/failed
guilty/innocent legal/illegal lawful/unlawful safe/unsafe safe/dangerous true/false right/wrong correct/incorrect
possible/impossible likely/unlikely able/unable public/private old/young old/new older/younger rich/poor
easy/hard easy/difficult full/empty hot/cold warm/cold day/night morning/evening summer/winter spring/autumn
lifted/imposed lift/impose wrote/read hired/fired employed/unemployed present/absent including/excluding
upstairs/downstairs with/without minimum/maximum backed/opposed import/export imports/exports
"""
_CONTRARIES = defaultdict[str, set[str]](set)
for _one, _other in (pair.split("/") for pair in _PAIRS.split()):
    _CONTRARIES[_one].add(_other)
    _CONTRARIES[_other].add(_one)


@dataclass(frozen=True, slots=True)
class CitedText:
    """What a sentence is held against: the sentences it cites, their surroundings, and who speaks in them."""

    text: str
    around: str = ""
    speakers: tuple[str, ...] = ()

    @classmethod
    def of(cls, citations: Sequence[Citation]) -> CitedText:
        """Gather the cited sentences; around them stand their passages and what is known about these."""
        text = " ".join(" ".join(citation.quote.split()) for citation in citations)
        passages = dict.fromkeys(citation.passage for citation in citations)
        around = "\n".join(f"{passage.context}\n{passage.text}" for passage in passages)
        return cls(text, around, tuple(dict.fromkeys(c.speaker for c in citations if c.speaker)))

    @property
    def spoken(self) -> str:
        """The cited sentences and who speaks in them."""
        return " ".join((self.text, *self.speakers))


def faults(claim: str, source: CitedText) -> Iterator[str]:
    """Yield what is wrong with a sentence, in words for a person; nothing when no rule objects."""
    for check in (wrong_numbers, wrong_names, wrong_negations, contraries):
        yield from check(claim, source)


def wrong_numbers(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each number that the cited sentences do not have, or have of something else."""
    known = numbers(source.text)
    for number in numbers(claim):
        own = [other.after for other in known if number.same(other)]
        others = [other.after[:1] for other in known if not number.same(other)]
        around = number.year and any(map(number.same, numbers(source.around)))
        if not own and (not around or any(other.year for other in known)):
            yield f"{number.value:g} is not in the source"
        elif own and number.after and number.after[:1] in others and not set(number.after) & {*chain(*own)}:
            yield f"{number.value:g} is of something else in the source"


def wrong_names(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each name that is not in the source, or that stands in for another one of the source.

    A name from the surroundings may be added, or replace a pronoun; where it replaces a name it is a swap.
    """
    if not source.around:  # then nobody knows whom its pronouns mean
        return
    cited, around, claimed = set(terms(source.spoken)), set(terms(source.around)), set(terms(claim))
    dropped = [name for name in names(source.text) if name.term not in claimed]
    pronouns = len(_PRONOUN.findall(source.text)) - len(_PRONOUN.findall(claim))
    explained = len({name.group for name in names(claim) if name.term not in cited}) <= pronouns
    places = _places(source.text, dropped)
    for name in names(claim):
        taken = places & _places(claim, [name])
        if name.term in cited:
            swapped = any(word not in STOP_WORDS for word, _ in taken - _places(source.text, [name]))
        else:
            swapped = bool(taken) or (any(name.calendar == other.calendar for other in dropped) and not explained)
        if name.term not in cited | around:
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


def wrong_negations(claim: str, source: CitedText) -> Iterator[str]:
    """Yield a negator that came or went, no word of denial making up for it."""
    mine, theirs = _denied(claim), _denied(source.text)
    if any(not any(one & other for other in theirs) and not _excused(one, source.text, claim) for one in mine):
        yield "the source does not deny it"
    shared = set(terms(claim)) - {"one"}
    if not mine and any(one and one <= shared and not _excused(one, claim, source.text) for one in theirs):
        yield "the source denies it"


def _excused(denied: set[str], text: str, other: str) -> bool:
    """Whether a text says no to something in other words, which the other text does not have."""
    known = {word.lower() for word in _DENIAL.findall(other)}
    new = (match for match in _DENIAL.finditer(text) if match[0].lower() not in known)
    near = (text[max(0, match.start() - _BESIDE_DENIAL) : match.end() + _BESIDE_DENIAL] for match in new)
    return any(denied & set(terms(words)) for words in near)


def _denied(text: str) -> list[set[str]]:
    """Return what each negator denies: the terms of the next three words, or else of the two before."""
    found = []
    for match in _NEGATOR.finditer(text):
        after = set(terms(" ".join(text[match.end() :].split()[:3]))[:2])
        found.append(after or set(terms(" ".join(text[: match.start()].split()[-2:]))))
    return found


def contraries(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each word whose contrary stands in the source, and not the word itself; none where a negator stands."""
    if _NEGATOR.search(claim) or _NEGATOR.search(source.text):
        return
    mine, theirs = (set(_LETTERS.findall(text.lower())) for text in (claim, source.text))
    for word in sorted(mine - theirs):
        if contrary := _CONTRARIES.get(word, set()) & (theirs - mine):
            yield f"the source says {min(contrary)}, not {word}"
