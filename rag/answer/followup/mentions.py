"""Whom and what a question mentions (`the judge`, `the Rila dam`, `Ana Velic`), and which pronouns can mean each.

No model: nouns are told from the verbs around them by where they stand and by lists; roles and bodies are those of
`rag.language.speakers`. English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from rag.language.dates import written
from rag.language.speakers.titles import TITLES, is_body, is_role

Kind = Literal["person", "body", "many", "thing", "name"]
"""`name` is one capitalised word, which may be a person's, a body's or a place's."""

WH = r"(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|long|far|often|old|high|wide|deep|big))?)"
BE_DO = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
IN = r"(?:according to|in|at|on|for|from|to|by|of|with|near|after|before|since|until|during)"
CAPITAL = r"(?:(?:al|el|an)-)?[A-Z0-9][\w’'-]*"
SAYS = r"(?:say|said|think|tell|told|believe|claim|argue|warn|want|hope|expect|mean|describe|explain|promise|deny)"
OPENERS = re.compile(rf"^(?:{IN}\s+)?(?:{WH}|{BE_DO}|tell me|show me|describe|explain)\b", re.IGNORECASE)

COUNTED = re.compile(
    rf"\b(?:[Hh]ow many|[Hh]ow much|[Ww]hich|[Ww]hat)\s+(?!{BE_DO}\b)"
    rf"((?:[A-Z]\w+\s+)*(?!{BE_DO}\b)[a-z]+|[A-Z]\w+)"
)
"""What is counted or chosen from: `civilians` of `How many civilians`."""

_NAME = rf"{CAPITAL}(?:\s+(?:(?:of|for|de|al|the)\s+)*{CAPITAL})*"
_START = re.compile(rf"\b(?P<article>[Tt]he|[Aa]n?)\s+(?P<name>{_NAME})?|\b(?P<bare>{_NAME})")
_LOWER = re.compile(r"\s*\b(?P<word>[a-z][\w’'-]*)(?=\s|$)")
_STOP = frozenset(
    f"""a an the and or but if that this than as about against over under between into through across around outside
    who which when where while because not n't never ever still also only just too yet again last first now then there
    here he she it they him her them his its their we you i be been being one all any some no so up down out off back
    {BE_DO[3:-1].replace("|", " ")} {IN[3:-1].replace("|", " ")}
    say said think know want need hold have take make get give go come lose win begin become fail fall rise remain seem
    look sit stay leave keep let bring buy sell send spend pay meet tell ask believe hope feel see hear find choose
    agree refuse deny decide reach collapse happen occur die live resign start end break
    built made held found won lost sold set hit fought brought bought taught caught sent spent left kept paid laid told
    done gone known shown drawn grown taken given written driven broken chosen spoken stolen hidden forgotten fallen
    begun sunk struck born sworn open closed safe true old long high wide deep big full""".split()
)
"""What ends a noun phrase: function words, verbs that are seldom nouns, participles without -ed, predicates."""
_PLACED = re.compile(r"\b(?:in|at|near|on|outside|around|across)\s+$", re.IGNORECASE)
_NO_PERSON = frozenset(
    """aid state front union bay sea lake mount mountain river valley street road square park ward port airport island
    dam bridge barrier canal city town county province district north south east west new news times post watch cross
    republic kingdom resolution act treaty accord agreement report project plan school college station""".split()
)
_PEOPLE = frozenset("people men women children police".split())


@dataclass(frozen=True, slots=True)
class Mention:
    """A noun phrase of a question. `inner` is one inside another (`Tresk` in `the mayor of Tresk`)."""

    text: str
    start: int
    kind: Kind
    inner: bool = False
    says: bool = False

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)


def mentions(question: str) -> list[Mention]:
    """Return the names and the `the ...` of a question, in order; dates are none."""
    opener = COUNTED.match(question) or OPENERS.match(question)
    at, found = opener.end() if opener else 0, list[Mention]()
    while match := _START.search(question, at):
        end = _end(question, match)
        text = question[match.start() : end]
        at = max(end, match.end())
        if len(text.split()) > bool(match["article"]) and not written(text):
            found.append(_mention(question, match.start(), text))
    return _grouped(question, found)


def is_many(noun: str) -> bool:
    """Tell a plural by its ending."""
    return noun in _PEOPLE or bool(re.fullmatch(r"[\w-]*[^sui\W]s", noun))


def _end(question: str, match: re.Match[str]) -> int:
    """Return where a phrase ends: after the nouns behind an article or a possessive name, or after a role's name."""
    name = match["name"] or match["bare"] or ""
    end = match.end() if name else match.start() + len(match["article"])
    if match["bare"] and not name.endswith(("’s", "'s", "s’", "s'")):
        return end
    run = _run(question, end)
    kept = _nouns(run, question[: match.start()], bool(name))
    if not kept:
        return end
    end = kept[-1].end()
    named = re.compile(rf"\s+{_NAME}").match(question, end)
    return named.end() if named and is_role(kept[-1]["word"]) else end


def _run(question: str, at: int) -> list[re.Match[str]]:
    """Return the words in lower case from here on."""
    found = list[re.Match[str]]()
    while match := _LOWER.match(question, at):
        found.append(match)
        at = match.end()
    return found


def _nouns(run: list[re.Match[str]], before: str, named: bool) -> list[re.Match[str]]:
    """Cut the verb or predicate off: it stands in a list, or it is the last word after `did the ...`, `is the ...`."""
    first = 0 if named else 1  # behind a bare article, the first word belongs to it: `the last flood`
    stop = next((i for i, m in enumerate(run) if i >= first and _ends(m["word"], i)), len(run))
    kept, next_word = run[:stop], run[stop]["word"] if stop < len(run) else ""
    verb_follows = bool(next_word) and not re.fullmatch(rf"{IN}|{BE_DO}|[a-z]{{1,3}}", next_word)
    asking = re.search(r"\b(do|does|did|has|have|had|can|could|will|would|should)\s+$", before, re.IGNORECASE)
    being = re.search(r"\b(?:is|are|was|were)\s+$", before, re.IGNORECASE)
    being_what = re.match(r"\s*(?:who|what|where|which)\b", before, re.IGNORECASE)
    least = 1 if being else first
    if not verb_follows and (asking or (being and not being_what)) and len(kept) > least:
        kept = kept[:-1]
    return kept[:3]


def _ends(word: str, at: int) -> bool:
    return word in _STOP or word.endswith(("ed", "ly")) or (at > 0 and word.endswith("ing"))


def _mention(question: str, start: int, text: str) -> Mention:
    before, after = question[:start], question[start + len(text) :]
    says = bool(re.match(rf"\s+{SAYS}\b", after))
    who_is = re.search(r"\bwho\s+(?:is|was|are|were)\s+$", before, re.IGNORECASE)
    kind = kind_of(text, before)
    if kind == "name" and (says or (who_is and not after.strip(" ?"))):
        kind = "person"
    return Mention(text, start, kind, says=says)


def kind_of(text: str, before: str = "") -> Kind:
    """Tell persons, bodies, several and things by the last word, a name by all its words."""
    words = re.sub(r"^(?:the|an?)\s+", "", text, flags=re.IGNORECASE).split() or ["it"]
    head = words[-1]
    if head == head.lower():
        body = is_body(head) or head == "opposition"
        return "many" if is_many(head) else "person" if is_role(head) else "body" if body else "thing"
    if (words[0].lower() in TITLES or is_role(words[0])) and len(words) > 1:
        return "person"
    if is_body(head) or (head.isupper() and head.isalpha() and len(head) > 1):
        return "body"
    plain = len(words) == len(text.split())
    if re.search(r"\d", text) or any(word.lower() in _NO_PERSON | {"of", "for", "the"} for word in words):
        return "thing"
    if not plain:
        return "many" if is_many(head) else "thing"
    return "name" if len(words) == 1 else "thing" if _PLACED.search(before) else "person"


def _grouped(question: str, found: list[Mention]) -> list[Mention]:
    """Join `A and B`, which are several, and `the mayor of Tresk`, inside which Tresk is mentioned as well."""
    grouped = list[Mention]()
    for each in found:
        last = next((one for one in reversed(grouped) if not one.inner), None)
        between = question[last.end : each.start].strip() if last else ""
        whole = question[last.start : each.end] if last else ""
        if last and between == "and":
            grouped[grouped.index(last)] = Mention(whole, last.start, "many")
        elif last and (between == "of" or (between == "for" and last.kind == "person")) and last.text[:1] in "tTaA":
            grouped[grouped.index(last)] = replace(last, text=whole, says=each.says)
            grouped.append(replace(each, inner=True, says=False))
        else:
            grouped.append(each)
    return grouped
