"""Whom a sentence is about: `There were eleven of us` is not about the lawyer who was asked, but about the witness.

A question names whom it is about right behind its verb (`did Alma Prentiss have`). A sentence without the name is about
somebody else if its pronoun says so: the speaker for `we`, and for `it` or `she` at its beginning somebody whom the
passage has named before. Of paragraphs that open with a term in bold letters, each is about its own term. A sentence in
which the other one does it (`B shall pay A` for `How much did A pay B?`) is about the other one as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.answer.premise import names
from rag.language.names import same_name
from rag.language.questions import asked_before
from rag.language.terms import terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rag.records import Passage, Span

_AUXILIARY = r"\b(?:did|does|do|was|were|is|are|has|have|had|will|would|can|could)\s+(?:the\s+)?"
_ASKED = re.compile(rf"{_AUXILIARY}(?P<name>(?:(?:al|el|an)-)?[A-Z][\w.’'-]*(?:\s+[A-Z][\w.’'-]*)*)")
_DOES = re.compile(rf"{_ASKED.pattern}\s+(?P<verb>[a-z]+)\s+(?:the\s+)?(?P<whom>(?:(?:al|el|an)-)?[A-Z][\w.’'-]*)")
_NAMED = r"(?:the\s+)?(?P<whom>[A-Z][\w.’'-]*(?:\s+[A-Z][\w.’'-]*)*)"
_WHO_DID = re.compile(rf"\W*[Ww]ho\s+(?!(?:is|are|was|were|has|had|did|does|do|will)\b)(?P<verb>[a-z]+)\s+{_NAMED}")
_WHO_WAS = re.compile(rf"\W*[Ww]ho\s+(?:was|were|is|has been|had been)\s+(?P<verb>[a-z]+)\s+by\s+{_NAMED}")
_WORD = re.compile(r"[\w’'-]+")
_BEING = frozenset("is are was were be been being".split())
_MUTUAL = frozenset(
    "meet met marry married fight fought play played face faced divorce divorced join joined contact contacted".split()
)
_PAST = {"pay": "paid", "sell": "sold", "buy": "bought", "give": "gave", "tell": "told", "send": "sent", "lend": "lent"}
_PAST |= {"teach": "taught", "beat": "beat", "lead": "led", "leave": "left", "take": "took", "find": "found"}
_CLAUSE = re.compile(r"[;:.!?]\s")
_REPLY = re.compile(r"\W*(?:yes|no)\b(?=[,.;:!–—-])", re.IGNORECASE)
_DEFINED = re.compile(r"^(?:[-*+•]\s+)?\*\*([^*\n]+)\*\*", re.MULTILINE)
_FIRST_PERSON = re.compile(r"\b(?:I|me|[Mm]y|[Ww]e|us|[Oo]ur)\b")
_THIRD_PERSON = re.compile(r"\W*(?:he|she|it|they|his|her|its|their)\b", re.IGNORECASE)


def other_subject(question: str, passage: Passage, sentence: Span, speakers: Collection[str]) -> str | None:
    """Return whom the question is about where a sentence is about somebody else; None where it may be about them.

    Args:
        question: what is asked.
        passage: has the sentence.
        sentence: would answer, in code points of the document.
        speakers: everybody who speaks in the passages that were found.
    """
    asked = _ASKED.search(question)
    if not asked:
        return None
    name, words = asked["name"].removesuffix("'s").removesuffix("’s"), passage.quote(sentence)
    if _says(words, name):
        return name if _does_it(question, words) else None
    speaker = passage.speaker_of(sentence)
    if speaker and _FIRST_PERSON.search(words):
        is_other = not same_name(name, speaker) and any(same_name(name, _head(other)) for other in speakers)
        return name if is_other else None
    start = max(0, sentence.start - passage.span.start)
    before = passage.text[:start]
    entry = passage.text[before.rfind("\n") + 1 :].partition("\n")[0]
    defined = _DEFINED.findall(passage.text)
    if _DEFINED.match(entry) and not _says(entry, name) and any(_says(term, name) for term in defined):
        return name
    is_named = _says(passage.retrieval_text, name)
    return name if _THIRD_PERSON.match(words) and names(before) and not is_named else None


def answers_another(question: str, passage: Passage, sentence: Span) -> bool:
    """Tell whether a sentence says yes or no to a question in the passage that is about something else."""
    asked = asked_before(passage.text, sentence.start - passage.span.start)
    words = passage.quote(sentence)
    return bool(asked) and bool(_REPLY.match(words)) and not set(terms(question)) & {*terms(asked), *terms(words)}


def is_done_to(question: str, sentence: str, found: str) -> bool:
    """Tell whether the one who was found has the other one's part: `Ben sued Ann` names Ben, and `Who sued Ben?` asks.

    Args:
        question: `Who sued Ben?` or `Who was sued by Ann?`.
        sentence: has the answer.
        found: the short answer.
    """
    asked = _WHO_DID.match(question) or _WHO_WAS.match(question)
    if not asked or asked["verb"] in _MUTUAL:
        return False
    known, answer = set(terms(asked["whom"])), set(terms(found))
    for deed in _deeds(sentence, {asked["verb"].lower()}):
        own, theirs = deed if asked.re is _WHO_DID else reversed(deed)  # the side of whoever is asked for comes first
        if known & own and answer & theirs and not answer & own and not known & theirs:
            return True
    return False


def _does_it(question: str, sentence: str) -> bool:
    """Tell whether the one to whom it is done in the question does it in the sentence, to the one who does it there."""
    asked = _DOES.search(question)
    if not asked or asked["verb"] in _MUTUAL:
        return False
    doer, whom = set(terms(asked["name"])), set(terms(asked["whom"]))
    verbs = {asked["verb"], _PAST.get(asked["verb"], ""), *(f"{asked['verb']}{ending}" for ending in ("d", "ed", "s"))}
    return any(whom & doers and doer & others and not doer & doers for doers, others in _deeds(sentence, verbs))


def _deeds(sentence: str, verbs: Collection[str]) -> Iterator[tuple[set[str], set[str]]]:
    """Yield, for each clause with one of these verbs, the terms of who does it and of whom it is done to.

    Without a `by` behind it, a passive leaves open who does it: then nothing is yielded.
    """
    for clause in _CLAUSE.split(sentence):
        words = _WORD.findall(clause)
        at = next((place for place, word in enumerate(words) if word.lower() in verbs), None)
        if at is None:
            continue
        passive = not _BEING.isdisjoint(word.lower() for word in words[max(0, at - 3) : at])
        before, after = (set(terms(" ".join(part))) for part in (words[:at], words[at + 1 :]))
        if passive == ("by" in words[at + 1 : at + 3]):
            yield (after, before) if passive else (before, after)


def _head(speaker: str) -> str:
    """Return a speaker's name without the role."""
    return speaker.partition(",")[0]


def _says(text: str, name: str) -> bool:
    """Tell whether a text has a word of a name, or an abbreviation or another spelling of it."""
    return bool(set(terms(name)) & set(terms(text))) or any(same_name(name, other) for other in names(text))
