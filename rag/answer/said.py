"""Whose words a question asks for ("What did Robert Ford say about a ceasefire?"), and what counts of whose."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.language.speakers.titles import TITLES
from rag.language.terms import coverage, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.records import Candidate

_VERBS = (
    "say said think thought believe believed tell told describe described warn warned argue argued claim claimed call "
    "called respond responded react reacted explain explained predict predicted expect expected comment commented "
    "insist insisted suggest suggested promise promised announce announced admit admitted deny denied ask asked stress "
    "stressed add added write wrote conclude concluded recommend recommended demand demanded"
).replace(" ", "|")

_ASKED = re.compile(
    rf"\s*(?:and |but )?(?:what|how|why|when|where)\b.{{0,40}}?\b(?:do|does|did|has|have|had)\s+"
    rf"(?P<who>[^?!.,;:]{{2,60}}?|[^?!,;:]{{2,60}}?\.[^?!,;:]{{2,60}}?)\s+(?:{_VERBS})\b",
    re.IGNORECASE,
)
SAYING = frozenset(terms(_VERBS.replace("|", " ")))
"""Terms that say that somebody says something."""

SAID, ABOUT, FOLLOWING, OTHERS, ELSES = 0.8, 0.5, 0.8, 0.5, 0.2
"""Words of the asked speaker: their score when they hold all that was asked about, the share of it that they need, what
a sentence behind them has of their score, what any other sentence keeps of its own, and what is left of the words of
somebody else that do not name the asked one."""

_ACCORDING = re.compile(r"\baccording to (?P<who>[^?!,;:]{2,60}?)\s*(?:[?!,;:]|$)", re.IGNORECASE)
_NOBODY = frozenset("it they he she we you i one people anyone anybody someone somebody this that there".split())


def asked_speaker(question: str) -> frozenset[str]:
    """Return the terms of the name whose words a question asks for; none where it asks for nobody's.

    Titles are left out: `Mr Ford` is introduced as `Robert Ford`. So are pronouns, which name nobody.
    """
    found = _ASKED.match(question) or _ACCORDING.search(question)
    words = found["who"].split() if found else []
    kept = [word for word in words if word.lower() not in TITLES]
    if not kept or (len(kept) == 1 and kept[0].lower() in _NOBODY):
        return frozenset()
    return frozenset(terms(" ".join(kept)))


_OF_SELF = re.compile(r"\b(?:I|[Ww]e|us|[Mm]e|[Mm]y|[Oo]ur)\b")
_OF_ANOTHER = re.compile(r"\b(?:he|him|his|she|her)\b", re.IGNORECASE)


def named(question: str, speakers: Iterable[str]) -> frozenset[str]:
    """Return those of these speakers ("Grace Oyelowe, night sister") whom a question names, by whole or last name.

    A speaker without a name (`the office`) is left out: a question that has the word need not mean them.
    """
    asked, written = set(terms(question)), set(re.findall(r"[\w-]+", question))
    heads = {speaker: speaker.partition(",")[0] for speaker in speakers}  # without the role

    def is_named(name: str) -> bool:
        whole = set(terms(name))
        return bool(whole) and name != name.lower() and (whole <= asked or name.rsplit(maxsplit=1)[-1] in written)

    return frozenset(speaker for speaker, name in heads.items() if is_named(name))


def is_of_self(sentence: str) -> bool:
    """Tell whether somebody who says this speaks of themselves, and of no single person besides."""
    return _OF_SELF.search(sentence) is not None and not _OF_ANOTHER.search(sentence)


def heard(question: str, found: Sequence[Candidate], weights: Mapping[str, float]) -> list[Candidate]:
    """Put the words of the speaker that a question asks for above what others say, where they are about the matter.

    A sentence counts when it holds half of what was asked about, or the two before it all; one behind it goes with it.
    Without any such sentence the reader's judgement stands, but the words of others count for little.

    Args:
        question: what is asked.
        found: candidates, those of a passage in its order.
        weights: the question's terms.
    """
    found = _of_others_left_out(question, found)
    who = asked_speaker(question)
    if not who:
        return list(found)
    about = {term: weight for term, weight in weights.items() if term not in who | SAYING}
    judged: list[Candidate] = []
    before = None  # the candidate before, where it counts
    counted = 0
    for number, candidate in enumerate(found):
        score = 0.0
        if who <= set(terms(candidate.speaker or "")):
            near = " ".join(c.text for c in found[max(0, number - 2) : number] if c.hit is candidate.hit)  # a question
            said = coverage(about, candidate.text, near) if about else 1.0
            follows = FOLLOWING * before.score if before and before.hit is candidate.hit else 0.0
            score = max(SAID * said if said >= ABOUT else 0.0, follows)
        before = replace(candidate, score=score, support=max(score, candidate.support)) if score else None
        judged.append(before or replace(candidate, score=OTHERS * candidate.score))
        counted += before is not None
    judged = judged if counted else list(found)
    return [replace(c, score=ELSES * c.score) if _of_another(c, who) else c for c in judged]


def _of_others_left_out(question: str, found: Sequence[Candidate]) -> list[Candidate]:
    """Give no score to what another speaker says of themselves, where a question names one: their "we" is another.

    Whoever speaks for a body that the question names ("Ines Falkland, engineer, Pelder Rivers Board") means it by "we".
    """
    asked = named(question, {c.speaker for c in found if c.speaker})
    own = [not asked or not c.speaker or bool(named(f"{c.speaker} {c.text}", asked)) for c in found]
    return [
        c if fine or not is_of_self(c.text) else replace(c, score=0.0, support=0.0)
        for c, fine in zip(found, own, strict=True)
    ]


def _of_another(candidate: Candidate, who: frozenset[str]) -> bool:
    """Tell whether somebody else than the asked speaker says this, without naming them."""
    return bool(candidate.speaker) and not who <= {*terms(candidate.speaker or ""), *terms(candidate.text)}
