"""Whose words a question asks for ("What did Robert Ford say?"): theirs count for more than those of others."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer.question import SAYING
from rag.answer.settings import Speech
from rag.language.terms import coverage, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.answer.question import Question
    from rag.records import Candidate

_OF_SELF = re.compile(r"\b(?:I|[Ww]e|us|[Mm]e|[Mm]y|[Oo]ur)\b")
_OF_ANOTHER = re.compile(r"\b(?:he|him|his|she|her)\b", re.IGNORECASE)
_SETTINGS = Speech()


def weighed_by_speaker(question: Question, found: Sequence[Candidate], weights: Mapping[str, float]) -> list[Candidate]:
    """Put the words of the speaker that a question asks for above what others say, where they are about the matter.

    A sentence counts when it holds half of what was asked about, or the two before it all; one behind it goes with it.
    Without any such sentence the reader's judgement stands, but the words of others count for little.

    Args:
        question: what is asked.
        found: candidates, those of a passage in its order.
        weights: the question's terms.
    """
    found = _others_about_themselves_left_out(question, found)
    who = question.speaker
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
            covered = coverage(about, candidate.text, near) if about else 1.0
            follows = _SETTINGS.following * before.score if before and before.hit is candidate.hit else 0.0
            score = max(_SETTINGS.own * covered if covered >= _SETTINGS.about else 0.0, follows)
        before = replace(candidate, score=score, support=max(score, candidate.support)) if score else None
        judged.append(before or replace(candidate, score=_SETTINGS.others * candidate.score))
        counted += before is not None
    judged = judged if counted else list(found)
    return [replace(c, score=_SETTINGS.unnamed * c.score) if _of_another(c, who) else c for c in judged]


def named_speakers(question: str, speakers: Iterable[str]) -> frozenset[str]:
    """Return those of these speakers ("Grace Oyelowe, night sister") whom a text names, by whole or last name.

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


def _others_about_themselves_left_out(question: Question, found: Sequence[Candidate]) -> list[Candidate]:
    """Give no score to what another speaker says of themselves, where a question names one: their "we" is another.

    Whoever speaks for a body that the question names ("Ines Falkland, engineer, Pelder Rivers Board") means it by "we".
    """
    asked = named_speakers(question.text, {c.speaker for c in found if c.speaker})
    own = [not asked or not c.speaker or bool(named_speakers(f"{c.speaker} {c.text}", asked)) for c in found]
    return [
        c if fine or not is_of_self(c.text) else replace(c, score=0.0, support=0.0)
        for c, fine in zip(found, own, strict=True)
    ]


def _of_another(candidate: Candidate, who: frozenset[str]) -> bool:
    return bool(candidate.speaker) and not who <= {*terms(candidate.speaker or ""), *terms(candidate.text)}
