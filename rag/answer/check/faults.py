"""What a sentence says otherwise than its source: numbers, names, negations and contraries.

Each check is a rule on words and says in a few words what is wrong, for the person who reads the flag. The weights in
`head.json` are fitted on counts of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from text_to_num import alpha2digit

from rag.language.dates import mentions
from rag.language.numbers import HEDGES
from rag.language.speakers.vocabulary import TITLES
from rag.language.terms import STOP_WORDS, terms
from rag.records.rows import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.records import Citation

_GROUPED = re.compile(r"\b\d{1,3}(?:[,\u202f\u00a0]\d{3})+\b(?!\.\d)")
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}
_SCALED = re.compile(rf"\b(\d+(?:\.\d+)?)\s?-?\s?({'|'.join(_SCALE)})\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.:])(?P<digits>\d+(?:\.\d+)?)(?P<clock>:\d\d\b)?(?:st|nd|rd|th|s|km|kg|m|cm|mm|ft|am|pm|GW|MW)?(?!\w)",
    re.IGNORECASE,
)
_NO_NUMBER = re.compile(r"(?<!-)\b(?:one|first|second)\b(?! (?:hundred|thousand|million|billion))", re.IGNORECASE)
_DOZEN = re.compile(r"\b(?P<half>half a )?(?:a )?dozen\b", re.IGNORECASE)
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_ROUNDING = re.compile(rf"(?:{HEDGES}|just|an estimated)\s+$", re.IGNORECASE)
_NAME = re.compile(r"\b(?:[A-Z](?:[.-][A-Z])+|[A-Z][\w'’]*)(?:-[\w'’]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;“\"‘(]\s*|\n\s*)$")
_NO_NAME = ("ing", "ed", "ly", "s")  # how many a word ends that only opens a sentence
WORD = re.compile(r"[\w.’'-]*\w")
_LETTERS = re.compile(r"[a-z]+")
_NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|hardly|\w+n['’]t)\b", re.IGNORECASE
)
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|hers|them|his|its|their|theirs|these|those|we|our|us|I|my|me)\b", re.IGNORECASE
)
_WHO = r"[A-Z][\w.’'-]*(?:\s[A-Z][\w.’'-]*)*"
_ATTRIBUTED = re.compile(
    rf"\b(?P<who>{_WHO})\s(?:said|says|told|tells|wrote|writes|claim(?:s|ed)|warn(?:s|ed)|add(?:s|ed)|argue[sd]|stated)\b"
    rf"|\b[Aa]ccording to (?P<whom>{_WHO})"
)
_PAIRS = """
rise/fall rose/fell rising/falling increase/decrease increased/decreased increase/reduce increase/cut grew/shrank
gain/lose won/lost win/lose opened/closed open/shut open/closed opened/shut raised/lowered before/after more/less
more/fewer most/least above/below over/under up/down early/late earlier/later first/last best/worst better/worse
high/low higher/lower highest/lowest large/small larger/smaller largest/smallest long/short longer/shorter strong/weak
stronger/weaker north/south east/west northern/southern eastern/western inside/outside start/end started/ended
began/ended accepted/rejected allowed/banned support/oppose supported/opposed approved/rejected confirmed/denied
admitted/denied entered/left arrived/departed bought/sold attacked/defended alive/dead born/died survived/died
always/never all/none many/few man/woman men/women male/female son/daughter brother/sister husband/wife
positive/negative success/failure succeeded/failed guilty/innocent legal/illegal safe/dangerous true/false
possible/impossible likely/unlikely public/private old/young old/new older/younger rich/poor lifted/imposed
hired/fired upstairs/downstairs with/without minimum/maximum imports/exports
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
        text = " ".join([text, *(day for citation in citations for day in _days_meant(citation))])
        passages = dict.fromkeys(citation.passage for citation in citations)
        around = "\n".join(f"{passage.context}\n{passage.text}" for passage in passages)
        return cls(text, around, tuple(dict.fromkeys(c.speaker for c in citations if c.speaker)))

    @property
    def is_row(self) -> bool:
        """Whether it is a row of a table, of which any sentence leaves cells out."""
        return SEPARATOR in self.text

    @property
    def spoken(self) -> str:
        """The cited sentences and who speaks in them."""
        return " ".join((self.text, *self.speakers))


def _days_meant(citation: Citation) -> Iterator[str]:
    """Yield the days that `on Tuesday` and the like mean in a quotation, written out."""
    for mention in mentions(citation.quote, citation.date):
        if mention.relative and mention.first == mention.last:
            yield f"({mention.first.day} {mention.first:%B} {mention.first.year})"


def faults(claim: str, source: CitedText) -> Iterator[str]:
    """Yield what is wrong with a sentence, in words for a person; nothing when no rule objects."""
    for check in (wrong_numbers, wrong_names, wrong_speakers, wrong_negations, contraries):
        yield from check(claim, source)


# --- numbers: to `rag.language.numbers` what is rounded or in another unit is the same; here 1988 for 1980 is an error


@dataclass(frozen=True, slots=True)
class StatedNumber:
    """A number as a value."""

    value: float
    after: tuple[str, ...] = ()  # the terms of the words that follow it, its unit among them
    rounded: bool = False  # as a word in front of it says
    year: bool = False  # it is written like one

    def same(self, other: StatedNumber) -> bool:
        """Tell whether two numbers have the same value, or round it by at most 5%."""
        near = 0.05 * abs(other.value) if self.rounded or other.rounded else 1e-9 * abs(other.value)
        return abs(self.value - other.value) <= near


@lru_cache(maxsize=4096)
def numbers(text: str) -> tuple[StatedNumber, ...]:
    """Return the numbers of a text in order, those in words as well; `one`, `first` and `second` are left out.

    12:30 is one number. A year, the day of a date and a percentage are numbers like any others.
    """
    text = _GROUPED.sub(lambda match: "".join(filter(str.isdecimal, match[0])) + ".0", text)
    text = unicodedata.normalize("NFKC", text)
    text = _SCALED.sub(lambda match: f"{float(match[1]) * _SCALE[match[2].lower()]:.0f}", text)
    text = _DOZEN.sub(lambda match: "6" if match["half"] else "12", _NO_NUMBER.sub("a", text))
    digits = alpha2digit(_HYPHEN.sub(" ", text), "en", threshold=0)
    found = []
    for match in _NUMBER.finditer(digits):
        value = float(match["digits"]) + float((match["clock"] or ":0")[1:]) / 1e4
        rounding = _ROUNDING.search(digits, max(0, match.start() - 20), match.start()) is not None
        rounded = rounding and value > 31 and len(f"{value:.0f}".rstrip("0")) <= 2
        year = len(match["digits"]) == 4 and match["digits"].startswith(("19", "20")) and "." not in match["digits"]
        found.append(StatedNumber(value, tuple(terms(digits[match.end() : match.end() + 40])[:2]), rounded, year))
    return tuple(found)


def wrong_numbers(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each number that the cited sentences do not have, or have of something else."""
    known = numbers(source.text)
    if source.is_row:  # its columns may be `In millions of CHF`
        scales = [times for word, times in _SCALE.items() if f"{word}s" in source.text.lower()]
        known += tuple(replace(number, value=number.value * times) for times in scales for number in known)
    for number in numbers(claim):
        own = [other.after for other in known if number.same(other)]
        others = [other.after[:1] for other in known if not number.same(other)]
        around = number.year and any(map(number.same, numbers(source.around)))
        if not own and (not around or any(other.year for other in known)):
            yield f"{_plain(number.value)} is not in the source"
        elif source.is_row:  # behind a cell stands the name of the next column
            continue
        elif own and number.after and number.after[:1] in others and not set(number.after) & {*chain(*own)}:
            yield f"{_plain(number.value)} is of something else in the source"


def _plain(value: float) -> str:
    return f"{value:,.15g}" if value >= 10_000 else f"{value:g}"


# --- names


@lru_cache(maxsize=4096)
def names(text: str) -> tuple[str, ...]:
    """Return the terms of the capitalised words of a text that are names, in order, each once."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        word, lower = match[0], match[0].lower()
        opens = _SENTENCE_START.search(text, 0, match.start()) and not word.isupper() and lower.endswith(_NO_NAME)
        if not opens and f"{lower}." not in TITLES and lower not in TITLES and not numbers(word):
            found.update(dict.fromkeys(terms(word)))
    return tuple(found)


def wrong_names(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each name that is not in the source, or that stands in for another one of the source.

    A name from the surroundings may be added, or replace a pronoun; where it replaces a name it is a swap.
    """
    if not source.around:  # then nobody knows whom its pronouns mean
        return
    cited, around, claimed = set(terms(source.spoken)), set(terms(source.around)), set(terms(claim))
    dropped = [name for name in names(source.text) if name not in claimed and not source.is_row]
    pronouns = len(_PRONOUN.findall(source.text)) - len(_PRONOUN.findall(claim))
    explained = len([name for name in names(claim) if name not in cited]) <= 2 * pronouns  # a whole name has two terms
    places = _places(source.text, dropped)
    for name in names(claim):
        taken = places & _places(claim, [name]) - _places(source.text, [name])
        if name in cited:
            swapped = any(word not in STOP_WORDS for word, _ in taken)
        else:
            swapped = bool(taken or (dropped and not explained))
        if name not in cited | around:
            yield f"the name {_as_written(name, claim)} is not in the source"
        elif swapped:
            yield f"the source names another than {_as_written(name, claim)}"


def _as_written(name: str, text: str) -> str:
    """Return the word of a text that has this term of a name."""
    return next((match[0] for match in _NAME.finditer(text) if name in terms(match[0])), name)


def _places(text: str, wanted: Sequence[str]) -> set[tuple[str, bool]]:
    """Return the words beside some names of a text, each with whether it stands in front."""
    words = ["", *WORD.findall(text), ""]
    found = [i for i, word in enumerate(words) if word[:1].isupper() and not set(wanted).isdisjoint(terms(word))]
    beside = {(words[i - 1].lower(), True) for i in found} | {(words[i + 1].lower(), False) for i in found}
    return {place for place in beside if place[0]}


def wrong_speakers(claim: str, source: CitedText) -> Iterator[str]:
    """Yield each name that a sentence has say something which in the source somebody else says, unless it names both.

    Only where the source knows who speaks.
    """
    if not source.speakers:
        return
    known = set(terms(source.spoken))
    for match in _ATTRIBUTED.finditer(claim):
        name = match["who"] or match["whom"]
        if not known & set(terms(name)):
            yield f"{source.speakers[0]} says it, not {name}"


# --- negations and contraries


def wrong_negations(claim: str, source: CitedText) -> Iterator[str]:
    """Yield a negator that came or went."""
    mine, theirs = _denied(claim), _denied(source.text)
    if any(not any(one & other for other in theirs) for one in mine):
        yield "the source does not deny it"
    shared = set(terms(claim)) - {"one"}
    if not mine and any(one and one <= shared for one in theirs):
        yield "the source denies it"


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
