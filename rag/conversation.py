"""Questions that lean on the ones before (`and in Aleppo?`, `who said that?`) -> questions that stand by themselves.

No model: an omitted part is taken from the question before, a pronoun becomes the name that it stands for. A question
that stands by itself is left as it is, word for word. English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.dates import written
from rag.records import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WH = r"(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|long|far|often|old|high|wide|deep|big))?)"
_BE_DO = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_LEAD = re.compile(r"^(?:and|but|or|so|then|ok|okay|also)\b[\s,]*", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+|^(?:the\s+)?same\s+(?:question\s+)?for\s+", re.IGNORECASE)
_IN = r"(?:according to|in|at|on|for|from|to|by|of|with|near|after|before|since|until|during)"
_BARE = re.compile(
    rf"^(?:(?P<before>since|until|by|from|for|to|with)\s+)?(?P<wh>{_WH})(?:\s+(?P<no>not|exactly|else))?$",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"^(?P<wh>when|where|why)\s+(?:(?:was|is|were)\s+(?:that|this|it)(?:\s+so)?|so)$"
    rf"|^(?P<event>{_WH})\s+(?:did|does|do)\s+(?:that|this|it)\s+(?:happen|occur|take place)$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:who|whom)\s+(?:says?|said|claims?|claimed|told|reported|reports|stated|wrote|thinks)\s+"
    r"(?:(?:that|this|so|it)|(?:us|them)\s+(?:that|this|so))$|^according to whom$|^says who$"
    r"|^whose\s+(?:words|claim|figure|number)\s+(?:is|was|are|were)\s+(?:that|this|those|they|it)$",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b", re.IGNORECASE)
_THING = re.compile(r"\b(?:it|its|this|that)\b(?=\s*$|\s+[a-z])", re.IGNORECASE)
_MANY = re.compile(r"\b(?:they|them|their|theirs)\b", re.IGNORECASE)
_THERE = re.compile(r"\b(?:from\s+)?there$", re.IGNORECASE)
_THEN = re.compile(r"\b(?:at that time|back then|then)$", re.IGNORECASE)
_POSSESSIVE = frozenset("his its their hers theirs".split())
_IDLE_IT = re.compile(
    r"\bit\s+(?:true|take|takes|took|possible|likely|mean|means|clear|known|legal|safe|that)\b", re.IGNORECASE
)
_THAT_CLAUSE = re.compile(r"\bthat\s+(?:the|a|an|[A-Z]|he|she|it|they|there|this|[a-z]+s\b)|\b(?:this|that)\s+\w+\b")

_CAPITAL = r"(?:(?:al|el|an)-)?[A-Z0-9][\w’'-]*"
_NAME = re.compile(rf"\b(?:[Tt]he\s+)?{_CAPITAL}(?:\s+(?:(?:of|for|de|al|the)\s+)*{_CAPITAL})*")
_DEFINED = re.compile(rf"\b(?:is|are|was|were)\b.*?\b(the\s+(?:{_CAPITAL}\s+)+(?!\w+(?:ed|ing)$)[a-z]+)$")
_BEING = re.compile(rf"^{_WH}\s+(?:is|are|was|were)\s+(.+)$", re.IGNORECASE)
_AFTER_NOUN = rf"{_BE_DO}|last|first|ever|still|not|in|at|on|of|for|from|to|by|with|start|end|\w+ed"
_NOUN = re.compile(rf"\b(?:the|a|an)\s+((?:[a-z][\w-]*\s+){{0,2}}?[a-z][\w-]*)(?=\s*$|\s+(?:{_AFTER_NOUN})\b)")
_OPENERS = re.compile(rf"^(?:{_IN}\s+)?(?:{_WH}|{_BE_DO})\b", re.IGNORECASE)
_COUNTED = re.compile(rf"\b(?:[Hh]ow many|[Hh]ow much|[Ww]hich|[Ww]hat)\s+(?!{_BE_DO}\b)((?:[A-Z]\w+\s+)*[a-z]+)")


def standalone(question: str, history: Sequence[Answer | str]) -> str:
    """Return the question with what it leaves out put in from the last turn; itself where it leaves nothing out.

    Args:
        question: what is asked now.
        history: the turns before, oldest first, as answers or, where there is none, as questions.
    """
    if not history:
        return question
    last = history[-1]
    before = (last.searched_for or last.question) if isinstance(last, Answer) else last
    found = last.short_answer.text if isinstance(last, Answer) and last.short_answer else None
    return _said(question, last) or _shorter(question, before, found) or _resolved(question, before, last, found)


def _bare(question: str) -> str:
    return _LEAD.sub("", " ".join(question.split()).rstrip("?？!. ")).strip()


def _said(question: str, last: Answer | str) -> str | None:
    """Read `who said that?` as a question about the best sentence of the last answer."""
    if not _SAID.match(_bare(question)):
        return None
    if not isinstance(last, Answer) or last.abstained:
        return f"Who said: {_bare(last.question if isinstance(last, Answer) else last)}?"
    number = last.short_answer.citation if last.short_answer else last.citations[0].number
    quote = next(citation.quote for citation in last.citations if citation.number == number)
    return f"Who said: {' '.join(quote.split())}"


def _shorter(question: str, before: str, found: str | None) -> str | None:
    """Read a question without a verb of its own: the last one, with one part of it changed."""
    words = _bare(question)
    asked = _BARE.match(words) or _EVENT.match(words)
    if asked:
        known = asked.groupdict()
        word = " ".join(part for part in (known.get("before"), asked["wh"], known.get("event")) if part)
        word = f"{word[:1].upper()}{word[1:]}"
        return f"{word} not: {before}" if known.get("no") == "not" else _asking(word, before, found)
    part = _ABOUT.sub("", words)
    led = part != words or _LEAD.match(question.strip())
    if not led or _OPENERS.match(part) or len(part.split()) > 8:
        return None
    return _changed(before, part)


def _asking(word: str, before: str, found: str | None) -> str:
    """Ask the question before with another question word: `When did the talks begin?` -> `Where did ... begin?`."""
    asked = _bare(before)
    counted = re.match(
        rf"(?:how many|how much|which|what)\s+(?P<noun>.+?)\s+(?P<verb>{_BE_DO})\s+(?P<rest>.+)", asked, re.IGNORECASE
    )
    if counted and not re.match(rf"{_BE_DO}\b", counted["noun"], re.IGNORECASE):
        noun, verb, rest = counted.group("noun", "verb", "rest")
        return f"{word} {verb} {rest} {noun}?" if verb in {"do", "does", "did"} else f"{word} {verb} {noun} {rest}?"
    rest = re.sub(rf"^(?:{_IN}\s+)?{_WH}\s+", "", asked, flags=re.IGNORECASE)
    if found and re.match(r"who\b", asked, re.IGNORECASE):
        verb = re.match(rf"{_BE_DO}\s+", rest, re.IGNORECASE)
        rest = f"{verb[0]}{found} {rest[verb.end() :]}" if verb else f"{found} {rest}"
    return f"{word} {rest}?"


def _changed(before: str, part: str) -> str:
    """Put a part into the question before, in the place of its like: a date of a date, a name of a name."""
    asked = _bare(before)
    preposition = re.match(rf"({_IN})\s+(.+)", part, re.IGNORECASE)
    new = preposition[2] if preposition else part
    owner = re.match(r"(?:his|her|its|their)\s+(.+)", new, re.IGNORECASE)
    if owner and (names := names_in(asked)):
        new = f"{names[-1]}’s {owner[1]}"
    old = _like(asked, new, preposition[1] if preposition else None)
    if old:
        return f"{asked[: old[0]]}{new}{asked[old[1] :]}?"
    return f"{asked} {preposition[1] if preposition else 'for'} {new}?"


def _like(asked: str, new: str, preposition: str | None) -> tuple[int, int] | None:
    """Find the part of a question that another one can replace, by offsets."""
    dates = written(asked)
    if written(new):
        return (dates[-1][0].start, dates[-1][0].end) if dates else None
    names = [match.span() for match in _names(asked) if not any(d.start <= match.start() < d.end for d, _ in dates)]
    spans = names or [match.span() for match in _NOUN.finditer(asked)]
    if preposition:
        after = re.compile(rf"\b{preposition}\s+(?:the\s+)?$", re.IGNORECASE)
        placed = [(a, b) for a, b in spans if after.search(asked[:a]) or asked[:a].lower().endswith(f"{preposition} ")]
        return placed[-1] if placed else None
    if re.search(r"[A-Z0-9]", new):
        shaped = [(a, b) for a, b in spans if _shape(asked[a:b]) == _shape(new)]
        return next(iter([*shaped[-1:], *spans[-1:]]), None)
    counted = _COUNTED.search(asked)
    return counted.span(1) if counted else spans[-1] if spans else None


def _shape(name: str) -> str:
    """Tell kinds of names by their looks: `M4`, `HTS`, one word, several words."""
    bare = re.sub(r"^the\s+", "", name, flags=re.IGNORECASE)
    if re.search(r"\d", bare):
        return "number"
    return "acronym" if bare.isupper() else "name"


def _names(text: str) -> list[re.Match[str]]:
    opener = _OPENERS.match(text)
    return list(_NAME.finditer(text, opener.end() if opener else 0))


def names_in(text: str) -> list[str]:
    """Return what a question is about: the names in it, or where there is none, its `the ...`."""
    defined = _defined(text)
    if defined:
        return [defined]
    named = [match[0] for match in _names(text) if not written(match[0])]
    return named or [match[0] for match in _NOUN.finditer(text)]


def _defined(text: str) -> str | None:
    """Return a name that ends in a common noun, at the end of a question about what something is."""
    found = _DEFINED.search(text)
    return found[1] if found else None


def _resolved(question: str, before: str, last: Answer | str, found: str | None) -> str:
    """Put names in the place of pronouns whose owner stands in an earlier turn."""
    bare, earlier = _bare(question), _bare(before)
    asked = names_in(earlier)
    thing = _thing(earlier, found)
    counted = _COUNTED.search(earlier)
    words = bare
    if not _owned(bare, _PERSON, names_in):
        words = _put(words, _PERSON, _person(asked, found, before, last))
    if not _owned(bare, _MANY, _plurals):
        words = _put(words, _MANY, f"the {counted[1]}" if counted else thing)
    if not _IDLE_IT.search(bare) and not _THAT_CLAUSE.search(bare) and not _owned(bare, _THING, names_in):
        words = _put(words, _THING, thing)
    words = _put(words, _THERE, _place(before, found), "in ")
    words = _put(words, _THEN, found if found and written(found) else None, "on ")
    if words == bare:  # it stands by itself
        return question
    named = [name for name in asked if not name.islower()]
    topic = [name for name in named if not any(part in words for part in name.split() if not part.islower())]
    words = f"{words[:1].upper()}{words[1:]}"
    return f"{words} ({', '.join(topic)})?" if counted and topic else f"{words}?"


def _thing(before: str, found: str | None) -> str | None:
    """Choose what `it` is: the subject of the question before, or its answer where the subject is several things."""
    opener = _OPENERS.match(before)
    if (
        found
        and opener
        and re.search(r"\b(?:do|are|were|have)$", before[: opener.end() + 5].split(" the ", maxsplit=1)[0].strip())
    ):
        return found
    subjects = [match[0] for match in _names(before) if not re.search(rf"\b{_IN}\s+$", before[: match.start()])]
    being = None if re.match(r"who\b", before, re.IGNORECASE) else _BEING.match(before)
    named = names_in(before)
    if subjects or not being:
        return subjects[0] if subjects and named[-1:] != [_defined(before)] else _last(named) or found
    return re.split(rf"\s+{_IN}\s", being[1])[0]


def _last(names: Sequence[str]) -> str | None:
    return names[-1] if names else None


def _owned(question: str, pronoun: re.Pattern[str], owners: Callable[[str], list[str]]) -> bool:
    """Tell whether a pronoun's owner stands before it in the question itself; an object's is not the subject."""
    match = pronoun.search(question)
    if match is None:
        return True
    is_object = match[0].lower() in {"it", "him", "them", "this", "that"}
    in_clause = re.search(r"\b(?:that|when|because|if|after|before|while|and)\s", question[: match.start()])
    return (bool(in_clause) or not is_object) and bool(owners(question[: match.start()].strip()))


def _plurals(words: str) -> list[str]:
    return re.findall(r"\b(?:people|men|women|children|[A-Za-z]{3,}[^s\W]s)\b", re.sub(_OPENERS, "", words))


def _person(asked: Sequence[str], found: str | None, before: str, last: Answer | str) -> str | None:
    """Choose who `he` is: who was asked for, who was named, or who said the sentence that was cited."""
    if re.match(r"\s*who\b", before, re.IGNORECASE):
        being = _BEING.match(_bare(before))
        if found and found[:1].isupper():
            return found
        if being and being[1].startswith("the "):
            return being[1]
    people = [name for name in asked if " " in name and not name.lower().startswith("the ")] or list(asked)
    if people:
        return people[0]
    if found and re.fullmatch(rf"{_CAPITAL}(?:\s+{_CAPITAL})+", found):
        return found
    speakers = [s.speaker for s in last.sentences if s.speaker] if isinstance(last, Answer) else []
    return speakers[0].partition(",")[0] if speakers else None


def _place(before: str, found: str | None) -> str | None:
    if found and re.match(r"\s*(?:where|which (?:city|town|village|country|place))\b", before, re.IGNORECASE):
        return found
    placed = re.findall(
        rf"\b(?:in|at|from|to|on)\s+((?:the\s+)?{_CAPITAL}(?:\s+{_CAPITAL})*|the\s+[a-z]+)", _bare(before)
    )
    return placed[-1] if placed else _last(names_in(_bare(before)))


def _put(words: str, pronoun: re.Pattern[str], name: str | None, before: str = "") -> str:
    """Replace the pronouns; a possessive one keeps its `’s`, and `her` is one in front of a noun."""
    if name is None:
        return words

    def owner(match: re.Match[str]) -> str:
        word = match[0].lower()
        after = words[match.end() :].strip()
        possessive = word in _POSSESSIVE or (word == "her" and bool(after) and not re.match(rf"{_IN}\b", after))
        ending = "" if not possessive else "’" if name.endswith("s") else "’s"
        return f"{before}{name}{ending}"

    return pronoun.sub(owner, words)
