"""Questions that lean on the ones before (`and in Aleppo?`, `who said that?`) -> questions that stand by themselves.

No model: an omitted part is taken from the question before, a pronoun becomes the name that it stands for. A question
that stands by itself is left as it is, word for word. English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.followup.mentions import BE_DO, COUNTED, IN, OPENERS, WH, kind_of, mentions
from rag.answer.followup.pronouns import Turn, person, resolved
from rag.language.dates import written
from rag.records import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAD = re.compile(r"^(?:and|but|or|so|then|ok|okay|also)\b[\s,]*", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+|^(?:the\s+)?same\s+(?:question\s+)?for\s+", re.IGNORECASE)
_BARE = re.compile(
    rf"^(?:(?P<before>since|until|by|from|for|to|with)\s+)?(?P<wh>{WH})(?:\s+(?P<no>not|exactly|else))?$",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"^(?P<wh>when|where|why)\s+(?:(?:was|is|were)\s+(?:that|this|it)(?:\s+so)?|so)$"
    rf"|^(?P<event>{WH})\s+(?:did|does|do)\s+(?:that|this|it)\s+(?:happen|occur|take place)$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:who|whom)\s+(?:says?|said|claims?|claimed|told|reported|reports|stated|wrote|thinks)\s+"
    r"(?:(?:that|this|so|(?<!wrote )it)|(?:us|them)\s+(?:that|this|so))$|^according to whom$|^says who$"
    r"|^whose\s+(?:words|claim|figure|number)\s+(?:is|was|are|were)\s+(?:that|this|those|they|it)$",
    re.IGNORECASE,
)


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
    return _said(question, last) or _shorter(question, before, last, found) or _resolved(question, before, last, found)


def _resolved(question: str, before: str, last: Answer | str, found: str | None) -> str:
    """Put names in the place of pronouns whose owner stands in the turn before."""
    speakers = [s.speaker for s in last.sentences if s.speaker] if isinstance(last, Answer) else []
    speaker = speakers[0].partition(",")[0] if speakers else None
    bare = _bare(question)
    words = resolved(bare, Turn(_bare(before), found, speaker))
    return question if words == bare else f"{words[:1].upper()}{words[1:]}?"


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


def _shorter(question: str, before: str, last: Answer | str, found: str | None) -> str | None:
    """Read a question without a verb of its own: the last one, with one part of it changed."""
    words = _bare(question)
    asked = _BARE.match(words) or _EVENT.match(words)
    if asked:
        known = asked.groupdict()
        word = " ".join(part for part in (known.get("before"), asked["wh"], known.get("event")) if part)
        word = f"{word[:1].upper()}{word[1:]}"
        return _not_or_else(word, known.get("no"), before) or _asking(word, before, found)
    part = _ABOUT.sub("", words)
    if part.lower() in {"", "then", "next"} and question.strip("?？!. "):
        return _resolved("What happened then?", before, last, found)
    led = part != words or _LEAD.match(question.strip())
    if not led or OPENERS.match(part) or part.lower().startswith("not ") or len(part.split()) > 8:
        return None
    return _changed(before, part)


def _not_or_else(word: str, no: str | None, before: str) -> str | None:
    """Read `why not?` and `who else?`: the same question once more, of the others."""
    if no not in {"not", "else"}:
        return None
    same = re.match(rf"{word}\s+(?:else\s+)?", before, re.IGNORECASE) if no == "else" else None
    return f"{word} else {before[same.end() :]}" if same else f"{word} {no}: {before}"


def _asking(word: str, before: str, found: str | None) -> str:
    """Ask the question before with another question word: `When did the talks begin?` -> `Where did ... begin?`."""
    asked = _bare(before)
    counted = re.match(
        rf"(?:how many|how much|which|what)\s+(?P<noun>.+?)\s+(?P<verb>{BE_DO})\s+(?P<rest>.+)", asked, re.IGNORECASE
    )
    if counted and not re.match(rf"{BE_DO}\b", counted["noun"], re.IGNORECASE):
        noun, verb, rest = counted.group("noun", "verb", "rest")
        return f"{word} {verb} {rest} {noun}?" if verb in {"do", "does", "did"} else f"{word} {verb} {noun} {rest}?"
    rest = re.sub(rf"^(?:{IN}\s+)?{WH}\s+", "", asked, flags=re.IGNORECASE)
    counting = word.lower() in {"how many", "how much"}
    if rest == asked:  # `Did people die?`
        verb = re.match(rf"{BE_DO}\s+", rest, re.IGNORECASE)
        rest = rest[verb.end() :] if verb and counting else f"{rest[:1].lower()}{rest[1:]}"
    if found and not counting and re.match(r"who\b", asked, re.IGNORECASE):
        verb = re.match(rf"{BE_DO}\s+", rest, re.IGNORECASE)
        rest = f"{verb[0]}{found} {rest[verb.end() :]}" if verb else f"{found} {rest}"
    return f"{word} {rest}?"


def _changed(before: str, part: str) -> str:
    """Put a part into the question before, in the place of its like: a date of a date, a name of a name."""
    asked = _bare(before)
    preposition = re.match(rf"({IN}|about|against|over|under)\s+(.+)", part, re.IGNORECASE)
    new = preposition[2] if preposition else part
    new = _owned_by_last(new, asked)
    old = _like(asked, new, preposition[1] if preposition else None)
    if old:
        return f"{asked[: old[0]]}{new}{asked[old[1] :]}?"
    joined = preposition[1] if preposition else _before_date(new) or "for"
    return f"{asked} {joined} {new}?"


def _before_date(part: str) -> str | None:
    """Return what stands in front of a date: `in 2019`, `on 5 May`."""
    dates = written(part)
    return None if not dates else "on" if dates[0][1].day else "in"


def _owned_by_last(part: str, asked: str) -> str:
    """Put a name in for the `his` of `his wife`."""
    owner = re.match(r"(?P<whose>his|her|its|their)\s+(?P<what>.+)", part, re.IGNORECASE)
    names = [one.text for one in mentions(asked) if not one.inner]
    if not owner or not names:
        return part
    name = person(Turn(asked)) if owner["whose"].lower() in {"his", "her"} else None
    return f"{name or names[-1]}’s {owner['what']}"


def _like(asked: str, new: str, preposition: str | None) -> tuple[int, int] | None:
    """Find the part of a question that another one can replace, by offsets."""
    dates = written(asked)
    if written(new):
        return (dates[-1][0].start, dates[-1][0].end) if dates else None
    mentioned = mentions(asked)
    spans = [(one.start, one.end) for one in mentioned if one.text != one.text.lower()]
    spans = spans or [(one.start, one.end) for one in mentioned]
    if preposition:
        after = re.compile(rf"\b{preposition}\s+(?:the\s+)?$", re.IGNORECASE)
        placed = [(a, b) for a, b in spans if after.search(asked[:a])]
        return placed[-1] if placed else _last_after(asked, preposition, new)
    same = [one for one in mentioned if one.kind == kind_of(new)]
    if re.search(r"[A-Z0-9]", new):
        alike = [(one.start, one.end) for one in same]
        shaped = [(a, b) for a, b in spans if _shape(asked[a:b]) == _shape(new)]
        both = [span for span in shaped if span in alike]
        return next(iter([*both[-1:], *shaped[-1:], *spans[-1:]]), None)
    counted = COUNTED.search(asked)
    heads = [(one.start, one.start + len(_head(one.text))) for one in same if not one.inner]
    return counted.span(1) if counted else next(iter([*heads[:1], *spans[-1:]]), None)


def _last_after(asked: str, preposition: str, new: str) -> tuple[int, int] | None:
    """Find what stands behind a preposition at the end of a question: another `for cardiology` or `in 2021/22`."""
    last = re.search(rf"\b{preposition}\s+([\w/’'-]+(?:\s+[\w/’'-]+)?)$", asked, re.IGNORECASE)
    alike = last and bool(re.search(r"\d", last[1])) == bool(re.search(r"\d", new))
    return last.span(1) if last and alike else None


def _head(text: str) -> str:
    """Return `the mayor` of `the mayor of Tresk`."""
    return re.split(r"\s(?:of|for)\s", text, maxsplit=1)[0]


def _shape(name: str) -> str:
    """Tell kinds of names by their looks: `M4`, `HTS`, one word, several words."""
    bare = re.sub(r"^the\s+", "", name, flags=re.IGNORECASE)
    if re.search(r"\d", bare):
        return "number"
    return "acronym" if bare.isupper() else "name"
