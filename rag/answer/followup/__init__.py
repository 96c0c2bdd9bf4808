"""Questions that lean on the ones before (`and in Aleppo?`, `who said that?`) -> questions that stand by themselves.

No model: an omitted part is taken from the question before, a pronoun becomes the name that it stands for. A question
that stands by itself is left as it is, word for word. English.
"""

from __future__ import annotations

import re
from itertools import compress
from typing import TYPE_CHECKING

from rag.answer.followup import phrases
from rag.answer.followup.pronouns import PreviousTurn, person, resolved
from rag.language.dates import written
from rag.records import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAD = re.compile(r"^(?:and|but|or|so|then|ok|okay|also)\b[\s,]*", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how)\s+about\s+|^(?:the\s+)?same\s+(?:question\s+)?for\s+", re.IGNORECASE)
_BARE = re.compile(
    rf"^(?:(?P<before>since|until|by|from|for|to|with)\s+)?(?P<wh>{phrases.QUESTION_WORD})(?:\s+(?P<no>not|exactly|else))?$",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"^(?P<wh>when|where|why)\s+(?:(?:was|is|were)\s+(?:that|this|it)(?:\s+so)?|so)$"
    rf"|^(?P<event>{phrases.QUESTION_WORD})\s+(?:did|does|do)\s+(?:that|this|it)\s+(?:happen|occur|take place)$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:who|whom)\s+(?:says?|said|claims?|claimed|told|reported|reports|stated|wrote|thinks)\s+"
    r"(?:(?:that|this|so|(?<!wrote )it)|(?:us|them)\s+(?:that|this|so))$|^according to whom$|^says who$"
    r"|^whose\s+(?:words|claim|figure|number)\s+(?:is|was|are|were)\s+(?:that|this|those|they|it)$",
    re.IGNORECASE,
)
_COUNT = re.compile(
    rf"(?:how many|how much|which|what)\s+(?P<noun>.+?)\s+(?P<verb>{phrases.AUXILIARY})\s+(?P<rest>.+)", re.IGNORECASE
)
_PART = re.compile(rf"({phrases.PREPOSITION}|about|against|over|under)\s+(.+)", re.IGNORECASE)


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
    speakers = [s.speaker for s in last.sentences if s.speaker] if isinstance(last, Answer) else []
    turn = PreviousTurn(_bare(before), found, speakers[0].partition(",")[0] if speakers else None)
    return _who_said(question, last) or _shortened(question, before, turn) or _with_names(question, turn)


def _with_names(question: str, turn: PreviousTurn) -> str:
    """Put names in the place of pronouns whose owner stands in the turn before."""
    bare = _bare(question)
    words = resolved(bare, turn)
    return question if words == bare else f"{_capitalised(words)}?"


def _bare(question: str) -> str:
    return _LEAD.sub("", " ".join(question.split()).rstrip("?？!. ")).strip()


def _capitalised(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _who_said(question: str, last: Answer | str) -> str | None:
    """Read `who said that?` as a question about the best sentence of the last answer."""
    if not _SAID.match(_bare(question)):
        return None
    if not isinstance(last, Answer) or last.abstained:
        return f"Who said: {_bare(last.question if isinstance(last, Answer) else last)}?"
    number = last.short_answer.citation if last.short_answer else last.citations[0].number
    quote = next(citation.quote for citation in last.citations if citation.number == number)
    return f"Who said: {' '.join(quote.split())}"


def _shortened(question: str, before: str, turn: PreviousTurn) -> str | None:
    """Read a question without a verb of its own: the last one, with one part of it changed."""
    words = _bare(question)
    asked = _BARE.match(words) or _EVENT.match(words)
    if asked:
        known = asked.groupdict()
        word = _capitalised(" ".join(filter(None, (known.get("before"), asked["wh"], known.get("event")))))
        return _not_or_else(word, known.get("no"), before) or _with_word(word, turn)
    part = _ABOUT.sub("", words)
    if part.lower() in {"", "then", "next"} and question.strip("?？!. "):
        return _with_names("What happened then?", turn)
    led = part != words or _LEAD.match(question.strip())
    if not led or phrases.OPENERS.match(part) or part.lower().startswith("not ") or len(part.split()) > 8:
        return None
    return _with_part(turn.asked, part)


def _not_or_else(word: str, no: str | None, before: str) -> str | None:
    """Read `why not?` and `who else?`: the same question once more, of the others."""
    if no not in {"not", "else"}:
        return None
    same = no == "else" and before.lower().startswith(f"{word.lower()} ")
    return f"{word} else {before[len(word) + 1 :].removeprefix('else ')}" if same else f"{word} {no}: {before}"


def _with_word(word: str, turn: PreviousTurn) -> str:
    """Ask the question before with another question word: `When did the talks begin?` -> `Where did ... begin?`."""
    counted = _COUNT.match(turn.asked)
    if counted and counted["noun"].split()[0].lower() not in phrases.AUXILIARIES:
        noun, verb, rest = counted.group("noun", "verb", "rest")
        return f"{word} {verb} {rest} {noun}?" if verb in {"do", "does", "did"} else f"{word} {verb} {noun} {rest}?"
    rest = phrases.ASKING.sub("", turn.asked)
    verb, counting = phrases.VERB.match(rest), word.lower() in {"how many", "how much"}
    if rest == turn.asked:  # `Did people die?`
        rest = rest[verb.end() :] if verb and counting else f"{rest[:1].lower()}{rest[1:]}"
    elif turn.found and not counting and turn.asked.lower().startswith("who "):
        rest = f"{verb[0]}{turn.found} {rest[verb.end() :]}" if verb else f"{turn.found} {rest}"
    return f"{word} {rest}?"


def _with_part(asked: str, part: str) -> str:
    """Put a part into the question before, in the place of its like: a date of a date, a name of a name."""
    behind = _PART.match(part)
    preposition, new = behind.groups() if behind else (None, part)
    new, dates = _with_owner(new, asked), written(new)
    old = _like(asked, new, preposition)
    if old:
        return f"{asked[: old[0]]}{new}{asked[old[1] :]}?"
    before_date = "on" if dates and dates[0][1].day else "in" if dates else None
    return f"{asked} {preposition or before_date or 'for'} {new}?"


def _with_owner(part: str, asked: str) -> str:
    """Put a name in for the `his` of `his wife`."""
    whose, _, what = part.partition(" ")
    names = [one.text for one in phrases.noun_phrases(asked) if not one.inner]
    if whose.lower() not in {"his", "her", "its", "their"} or not what or not names:
        return part
    name = person(PreviousTurn(asked)) if whose.lower() in {"his", "her"} else None
    return f"{name or names[-1]}’s {what}"


def _like(asked: str, new: str, preposition: str | None) -> tuple[int, int] | None:
    """Find the part of a question that another one can replace, by offsets."""
    dates = written(asked)
    if written(new):
        return (dates[-1][0].start, dates[-1][0].end) if dates else None
    mentioned = phrases.noun_phrases(asked)
    spans = [(one.start, one.end) for one in mentioned if one.text != one.text.lower()]
    spans = spans or [(one.start, one.end) for one in mentioned]
    if preposition:
        fronts = (f" {' '.join(asked[:start].lower().split())}".removesuffix(" the") for start, _ in spans)
        behind = (front.endswith(f" {preposition.lower()}") for front in fronts)
        placed = list(compress(spans, behind))
        return placed[-1] if placed else _last_behind(asked, preposition, new)
    same = [one for one in mentioned if one.kind == phrases.kind_of(new)]
    if new != new.lower() or phrases.has_digit(new):
        alike = [(one.start, one.end) for one in same]
        shaped = [(a, b) for a, b in spans if _shape(asked[a:b]) == _shape(new)]
        both = [span for span in shaped if span in alike]
        return next(iter([*both[-1:], *shaped[-1:], *spans[-1:]]), None)
    counted = phrases.COUNTED.search(asked)
    outer = next((one for one in same if not one.inner), None)
    if counted or not outer:
        return counted.span(1) if counted else next(iter(spans[-1:]), None)
    head = outer.text.partition(" of ")[0].partition(" for ")[0]  # `the mayor` of `the mayor of Tresk`
    return outer.start, outer.start + len(head)


def _last_behind(asked: str, preposition: str, new: str) -> tuple[int, int] | None:
    """Find what stands behind a preposition at the end of a question: another `for cardiology` or `in 2021/22`."""
    last = re.search(rf"\b{preposition}\s+([\w/’'-]+(?:\s+[\w/’'-]+)?)$", asked, re.IGNORECASE)
    return last.span(1) if last and phrases.has_digit(last[1]) == phrases.has_digit(new) else None


def _shape(name: str) -> str:
    """Tell kinds of names by their looks: `M4`, `HTS`, one word, several words."""
    bare = name[4:] if name.lower().startswith("the ") else name
    return "number" if phrases.has_digit(bare) else "acronym" if bare.isupper() else "name"
