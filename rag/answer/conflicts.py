"""Whether sources answer a question differently: the sides, each with its best sentence.

Only what is plainly about the asked thing counts as a side: a wrongly claimed disagreement is worse than none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rag.answer.settings import Disagreement
from rag.answer.values import is_number_of_one, value
from rag.language.dates import written
from rag.language.terms import STOP_WORDS, alike

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.answer.question import Question
    from rag.answer.values import Value
    from rag.language.dates import Parts
    from rag.records import Candidate

_SETTINGS = Disagreement()

_NEGATION = re.compile(
    r"\b(?:not(?! only\b)|no(?! (?:fewer|less|more|later|longer|doubt)\b|\. ?\d)|never|none|nobody|neither|nor|without"
    r"|cannot|fail(?:ed|s)? to|den(?:y|ies|ied)|refus(?:ed|es) to)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_DISPUTE = re.compile(
    r"\b(?:differ(?:s|ed)?|disagree[ds]?|disput(?:e[ds]?|ing)|contradict\w*|conflicting|reconcil\w+)\b"
    r"|\b(?:two|three|several|different|other|rival) (?:numbers|figures|totals|counts|estimates|accounts|versions)\b"
    r"|\bdifferent (?:times|dates|names|places)\b|\bnot agree\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b([a-z]{2,})[ -](\d{1,3})\b(?![.,]\d)")


class _Claim(NamedTuple):
    candidate: Candidate
    value: Value

    def differs(self, other: _Claim) -> bool:
        """Tell whether two values are of one kind, and not the same."""
        return self.value.kind == other.value.kind and not self.value.agrees(other.value)

    def denies(self, other: _Claim) -> bool:
        """Tell whether the sentence says that another value is wrong: `three people, not six`."""
        return self._says(rf"\bnot (?:\w+ ){{0,2}}{re.escape(other.value.text)}", re.IGNORECASE)

    def reports(self, other: _Claim) -> bool:
        """Tell whether the sentence holds the value of another one as well: both, or that of another thing."""
        has = not other.value.agrees(self.value) and self._says(rf"(?<!\w){re.escape(other.value.text)}")
        return has and not self.denies(other)

    def _says(self, pattern: str, flags: int = 0) -> bool:
        return re.search(rf"{pattern}(?!\w)", self.candidate.text, flags) is not None


def sides(question: Question, candidates: Sequence[Candidate], threshold: float) -> list[Candidate]:
    """Return the best sentence of each side; nothing where no two sources differ.

    The newest report comes first where all have dates, the best otherwise. `candidates` are sentences, best first; with
    a score below `threshold` one is no answer.
    """
    about = [c for c in candidates if _about(question, c)]
    likely = [c for c in about if c.score >= threshold]
    if question.kind == "yes_no":
        found = _denials(likely)
    else:
        found = _differing(question, likely) or _disputed(question, about, _SETTINGS.disputed * threshold)
    if len(found) < 2:
        return []
    dates = {id(c): c.hit.passage.date or "" for c in found}
    return sorted(found, key=lambda c: dates[id(c)], reverse=True) if all(dates.values()) else found


def _differing(question: Question, likely: Sequence[Candidate]) -> list[Candidate]:
    """Group sentences by the value of their short answers, and keep one from each side of another source."""
    claims = _claims(question, likely)
    groups = claims[:1]
    for claim in claims[1:]:
        is_denied = any(claim.denies(other) or other.denies(claim) for other in claims)
        if (is_denied or _on_the_same(claim, groups[0])) and all(map(claim.differs, groups)):
            groups.append(claim)
    found = _of_several_sources(claim.candidate for claim in groups)
    return found if len(found) > 1 else []


def _disputed(question: Question, about: Sequence[Candidate], threshold: float) -> list[Candidate]:
    """Find two sides where a sentence about the question says that accounts differ: then less has to speak for them.

    Names are left aside: too much is written like one.
    """
    saying = [c for c in about if c.support >= _SETTINGS.disputing and _DISPUTE.search(c.text)]
    claims = _claims(question, (c for c in about if c.score >= threshold)) if saying else []
    best = next((claim for claim in claims if claim.value.kind != "name"), None)
    pairs = ([best.candidate, claim.candidate] for claim in claims if best and best.differs(claim))
    return next(
        (pair for pair in pairs if _of_several_sources(pair) == pair or any(_are_near(said, *pair) for said in saying)),
        [],
    )


def _are_near(said: Candidate, *pair: Candidate) -> bool:
    """Tell whether sentences stand near one which says that accounts differ: it reports them then."""
    between = (max(said.span.start, each.span.start) - min(said.span.end, each.span.end) for each in pair)
    return all(each.hit.passage.uri == said.hit.passage.uri for each in pair) and max(between) <= _SETTINGS.reach


def _claims(question: Question, candidates: Iterable[Candidate]) -> list[_Claim]:
    """Return the sentences that give a value, without those that give another one's as well."""
    claims = [_Claim(c, read) for c in candidates if (read := _value(question, c))]
    return [claim for claim in claims if not any(map(claim.reports, claims))]


def _on_the_same(claim: _Claim, best: _Claim) -> bool:
    one, other = claim.candidate, best.candidate
    if alike(one.text, other.text) >= _SETTINGS.alike:
        return one.score >= _SETTINGS.near_alike * other.score
    return (
        one.score >= max(_SETTINGS.score, _SETTINGS.near * other.score)
        and min(one.support, other.support) >= _SETTINGS.covered
    )


def _value(question: Question, candidate: Candidate) -> Value | None:
    short = candidate.short
    if short is None:
        return None
    at = short.start - candidate.span.start
    if is_number_of_one(question, candidate.text[:at]) or _DISPUTE.match(candidate.text, at):  # `two accounts`
        return None
    return value(question, candidate.hit.passage.quote(short))


def _of_several_sources(found: Iterable[Candidate]) -> list[Candidate]:
    """Keep one sentence of each source: a document, or one of several speakers in it."""
    kept: dict[str, list[str | None]] = {}
    chosen = []
    for candidate in found:
        passage, speaker = candidate.hit.passage, candidate.hit.passage.speaker_of(candidate.span)
        heard = kept.setdefault(passage.uri, [])
        if not heard or (speaker and speaker not in heard and None not in heard):
            heard.append(speaker)
            chosen.append(candidate)
    return chosen[: _SETTINGS.most]


def _about(question: Question, candidate: Candidate) -> bool:
    """Tell whether a sentence can be about the dates and the numbered things of the question (`season 4`, `GPT-3`).

    It can when it names one of them, or no other date and no other season.
    """
    (asked_dates, asked), (said_dates, said) = _dates_and_numbers(question.text), _dates_and_numbers(candidate.text)
    if asked_dates and said_dates and not any(a.agrees(b) for a in asked_dates for b in said_dates):
        return False
    return all(said.get(word, numbers) & numbers for word, numbers in asked.items())


def _dates_and_numbers(text: str) -> tuple[list[Parts], dict[str, set[str]]]:
    """Return the dates of a text, and for each word followed by a number its numbers."""
    dates = written(text)
    for span, _ in dates:
        text = text[: span.start] + " " * len(span) + text[span.end :]
    found: dict[str, set[str]] = {}
    for word, number in _NUMBERED.findall(text.lower()):
        if word not in STOP_WORDS:
            found.setdefault(word, set()).add(number)
    return [parts for _, parts in dates], found


def _denials(likely: Sequence[Candidate]) -> list[Candidate]:
    """Find a sentence of another source that says nearly the same words with or without a negation."""
    negated = [len(_NEGATION.findall(c.text)) % 2 for c in likely]
    others = (
        c
        for c, is_negated in zip(likely, negated, strict=True)
        if is_negated != negated[0] and alike(c.text, likely[0].text) >= _SETTINGS.alike
    )
    return _of_several_sources([*likely[:1], *others])[:2]
