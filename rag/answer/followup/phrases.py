"""Whom and what a question mentions (`the judge`, `the Rila dam`, `Ana Velic`), and which pronouns can mean each.

No model: nouns are told from the verbs around them by where they stand and by lists; roles and bodies are those of
`rag.language.speakers`. English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from rag.language.dates import written
from rag.language.speakers.vocabulary import TITLES, is_body, is_role

Kind = Literal["person", "body", "many", "thing", "name"]
"""`name` is one capitalised word, which may be a person's, a body's or a place's."""

BEING = frozenset("is are was were".split())
AUXILIARIES = frozenset("is are was were do does did has have had can could will would should".split())
PREPOSITIONS = frozenset("in at on for from to by of with near after before since until during".split())
QUESTION_WORD = (
    r"(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|long|far|often|old|high|wide|deep|big))?)"
)
AUXILIARY = rf"(?:{'|'.join(sorted(AUXILIARIES))})"
PREPOSITION = rf"(?:according to|{'|'.join(sorted(PREPOSITIONS))})"
CAPITAL = r"(?:(?:al|el|an)-)?[A-Z0-9][\w’'-]*"
OPENERS = re.compile(
    rf"^(?:{PREPOSITION}\s+)?(?:{QUESTION_WORD}|{AUXILIARY}|tell me|show me|describe|explain)\b", re.IGNORECASE
)
COUNTED = re.compile(
    rf"\b(?:[Hh]ow many|[Hh]ow much|[Ww]hich|[Ww]hat)\s+(?!{AUXILIARY}\b)"
    rf"((?:[A-Z]\w+\s+)*(?!{AUXILIARY}\b)[a-z]+|[A-Z]\w+)"
)
"""What is counted or chosen from: `civilians` of `How many civilians`."""
ASKING = re.compile(rf"^(?:{PREPOSITION}\s+)?{QUESTION_WORD}\s+", re.IGNORECASE)
VERB = re.compile(rf"^{AUXILIARY}\s+", re.IGNORECASE)
_SAYS = re.compile(
    r"\s+(?:say|said|think|tell|told|believe|claim|argue|warn|want|hope|expect|mean|describe|explain|promise|deny)\b"
)
_NAME = rf"{CAPITAL}(?:\s+(?:(?:of|for|de|al|the)\s+)*{CAPITAL})*"
_START = re.compile(rf"\b(?P<article>[Tt]he|[Aa]n?)\s+(?P<name>{_NAME})?|\b(?P<bare>{_NAME})")
_LOWER = re.compile(r"\s*\b(?P<word>[a-z][\w’'-]*)(?=\s|$)")
_NAME_BEHIND = re.compile(rf"\s+{_NAME}")
_ENDS = frozenset(
    f"""{" ".join(AUXILIARIES | PREPOSITIONS)}
    a an the and or but if that this than as about against over under between into through across around outside
    who which when where while because not n't never ever still also only just too yet again last first now then there
    here he she it they him her them his its their we you i be been being one all any some no so up down out off back
    according say said think know want need hold have take make get give go come lose win begin become fail fall rise
    remain seem look sit stay leave keep let bring buy sell send spend pay meet tell ask believe hope feel see hear find
    choose agree refuse deny decide reach collapse happen occur die live resign start end break
    built made held found won lost sold set hit fought brought bought taught caught sent spent left kept paid laid told
    done gone known shown drawn grown taken given written driven broken chosen spoken stolen hidden forgotten fallen
    begun sunk struck born sworn open closed safe true old long high wide deep big full""".split()
)
"""What ends a noun phrase: function words, verbs that are seldom nouns, participles without -ed, predicates."""
_NO_PERSON = frozenset(
    """aid state front union bay sea lake mount mountain river valley street road square park ward port airport island
    dam bridge barrier canal city town county province district north south east west new news times post watch cross
    republic kingdom resolution act treaty accord agreement report project plan school college station of for
    the""".split()
)
_PEOPLE = frozenset("people men women children police".split())


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun phrase of a question.

    Attributes:
        text: its words.
        start: its offset in the question.
        kind: what it can be.
        inner: whether it stands inside another (`Tresk` in `the mayor of Tresk`).
        says: whether a verb of saying follows.
        governed: whether a preposition stands in front.
    """

    text: str
    start: int
    kind: Kind
    inner: bool = False
    says: bool = False
    governed: bool = False

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)


def noun_phrases(question: str) -> list[NounPhrase]:
    """Return the names and the `the ...` of a question, in order; dates are none."""
    opener = COUNTED.match(question) or OPENERS.match(question)
    at, found = opener.end() if opener else 0, list[NounPhrase]()
    while match := _START.search(question, at):
        end = _end(question, match)
        text = question[match.start() : end]
        at = max(end, match.end())
        if len(text.split()) > bool(match["article"]) and not written(text):
            found.append(_phrase(question, match.start(), text))
    return _grouped(question, found)


def is_many(noun: str) -> bool:
    """Tell a plural by its ending."""
    stem = noun.removesuffix("s")
    return noun in _PEOPLE or (stem != noun and stem[-1:].isalnum() and stem[-1] not in "sui")


def has_digit(text: str) -> bool:
    """Tell whether a digit is in a text."""
    return any(map(str.isdecimal, text))


def last_word(text: str) -> str:
    """Return the last word of a text, in lower case; nothing without one."""
    return (text.lower().split() or [""])[-1]


def _end(question: str, match: re.Match[str]) -> int:
    """Return where a phrase ends: after the nouns behind an article or a possessive name, or after a role's name."""
    name = match["name"] or match["bare"] or ""
    end = match.end() if name else match.start() + len(match["article"])
    if match["bare"] and not name.endswith(("’s", "'s", "s’", "s'")):
        return end
    words, at = list[re.Match[str]](), end
    while word := _LOWER.match(question, at):
        words.append(word)
        at = word.end()
    nouns = _nouns([word["word"] for word in words], question[: match.start()], bool(name))
    if not nouns:
        return end
    end = words[len(nouns) - 1].end()
    named = _NAME_BEHIND.match(question, end)
    return named.end() if named and is_role(nouns[-1]) else end


def _nouns(words: list[str], before: str, named: bool) -> list[str]:
    """Cut the verb or predicate off: it stands in a list, or it is the last word after `did the ...`, `is the ...`."""
    first = 0 if named else 1  # behind a bare article, the first word belongs to it: `the last flood`
    stop = next((at for at, word in enumerate(words) if at >= first and _is_end(word, at)), len(words))
    kept, following = words[:stop], "".join(words[stop : stop + 1])
    short = len(following) < 4 and following.isalpha()
    verb_follows = bool(following) and not short and following not in AUXILIARIES | PREPOSITIONS
    verb, opener = last_word(before), before.lower().split()[:1]
    predicate = verb in BEING and opener not in (["who"], ["what"], ["where"], ["which"])
    least = 1 if verb in BEING else first
    if not verb_follows and (verb in AUXILIARIES - BEING or predicate) and len(kept) > least:
        kept = kept[:-1]
    return kept[:3]


def _is_end(word: str, at: int) -> bool:
    return word in _ENDS or word.endswith(("ed", "ly")) or (at > 0 and word.endswith("ing"))


def _phrase(question: str, start: int, text: str) -> NounPhrase:
    before, after = question[:start], question[start + len(text) :]
    says = bool(_SAYS.match(after))
    who, verb = ["", "", *before.lower().split()][-2:]
    kind = kind_of(text, before)
    if kind == "name" and (says or (who == "who" and verb in BEING and not after.strip(" ?"))):
        kind = "person"
    return NounPhrase(text, start, kind, says=says, governed=last_word(before) in PREPOSITIONS)


def kind_of(text: str, before: str = "") -> Kind:
    """Tell persons, bodies, several and things by the last word, a name by all its words; `before` stands in front."""
    words = text.split() or ["it"]
    has_article = len(words) > 1 and words[0].lower() in {"the", "a", "an"}
    words = words[has_article:]
    head = words[-1]
    if head == head.lower():
        body = is_body(head) or head == "opposition"
        return "many" if is_many(head) else "person" if is_role(head) else "body" if body else "thing"
    if (words[0].lower() in TITLES or is_role(words[0])) and len(words) > 1:
        return "person"
    if is_body(head) or (head.isupper() and head.isalpha() and len(head) > 1):
        return "body"
    if has_digit(text) or any(word.lower() in _NO_PERSON for word in words):
        return "thing"
    if has_article:
        return "many" if is_many(head) else "thing"
    placed = last_word(before) in {"in", "at", "near", "on", "outside", "around", "across"}
    return "name" if len(words) == 1 else "thing" if placed else "person"


def _grouped(question: str, found: list[NounPhrase]) -> list[NounPhrase]:
    """Join `A and B`, which are several, and `the mayor of Tresk`, inside which Tresk is mentioned as well."""
    grouped = list[NounPhrase]()
    for each in found:
        last = next((one for one in reversed(grouped) if not one.inner), None)
        between = question[last.end : each.start].strip() if last else ""
        whole = question[last.start : each.end] if last else ""
        if last and between == "and":
            grouped[grouped.index(last)] = NounPhrase(whole, last.start, "many", governed=last.governed)
        elif last and (between == "of" or (between == "for" and last.kind == "person")) and last.text[:1] in "tTaA":
            grouped[grouped.index(last)] = replace(last, text=whole, says=each.says)
            grouped.append(replace(each, inner=True, says=False))
        else:
            grouped.append(each)
    return grouped
