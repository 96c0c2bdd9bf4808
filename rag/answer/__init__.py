"""Question -> answer over an index: what was meant, what was found, what answers it, and other words if none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer.followup import standalone
from rag.answer.quote import StreamingAnswerer
from rag.answer.roles import asked_by_role
from rag.answer.spelling import respelled
from rag.language.detect import not_english
from rag.retrieve import MAX_QUESTION, check_question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.answer.quote import Answerer
    from rag.records import Answer, Filter, Hit

    Search = Callable[[str], Sequence[Hit]]


def ask(
    search: Search,
    answerer: Answerer,
    question: str,
    where: Filter | None,
    history: Sequence[Answer | str],
    *,
    english_only: bool = False,
) -> Iterator[Answer]:
    """Yield the answer as it grows; the last one counts.

    Args:
        search: finds the passages that fit `where`, best first.
        answerer: answers from them.
        question: may lean on the ones before.
        where: what a passage has to be.
        history: the answers before, oldest first; questions where there is no answer.
        english_only: whether the answerer reads English only, which a refusal over other passages then says.

    Raises:
        InputError: the question is empty or too long.
    """
    check_question(question)
    meant = standalone(_spoken_softly(question), history)[:MAX_QUESTION]
    for answer in _answers(search, answerer, meant, where):
        said = _explained(answer, where, english_only=english_only) if answer.abstained else answer
        searched = said.searched_for or meant
        yield said if searched == question else replace(said, question=question, searched_for=searched)


def _spoken_softly(question: str) -> str:
    """Write a question in lower case that is all capitals: they would make a name of every word."""
    return question.lower() if question.isupper() and len(question.split()) > 2 else question


def _answers(search: Search, answerer: Answerer, question: str, where: Filter | None) -> Iterator[Answer]:
    """Answer; where that would be a refusal, or a name is wanted and none is given, try once more with other words."""
    hits = _spoken(search(question), where)
    if isinstance(answerer, StreamingAnswerer):
        yield from answerer.stream(question, hits)
        return
    answer = answerer.answer(question, hits)
    by_role = asked_by_role(question)
    if answer.abstained or (by_role and _names_nobody(answer)):
        others = (by_role, respelled(question, [hit.passage.text for hit in hits]))
        fitting = (other for other in others if other and len(other) <= MAX_QUESTION)
        tried = (replace(answerer.answer(o, _spoken(search(o), where)), searched_for=o) for o in fitting)
        answer = next((one for one in tried if not one.abstained), answer)
    yield answer


def _names_nobody(answer: Answer) -> bool:
    """Tell whether a short answer has no name in it: `operator of ferries`."""
    short = answer.short_answer
    return short is not None and not any(map(str.isupper, short.text))


def _spoken(hits: Sequence[Hit], where: Filter | None) -> list[Hit]:
    """Leave only sentences of the speaker that is asked for to be quoted: their passages hold what others say as well.

    A passage that has no sentence of theirs alone stays as it is.
    """
    if not where or not where.speaker:
        return list(hits)
    return [_only(hit, where) for hit in hits]


def _only(hit: Hit, where: Filter) -> Hit:
    passage = hit.passage
    kept = [n for n, span in enumerate(passage.sentences) if where.has_speaker(passage.speaker_of(span))]
    sentences = tuple(passage.sentences[n] for n in kept)
    places = tuple(passage.places[n] for n in kept if passage.places)
    return replace(hit, passage=replace(passage, sentences=sentences, places=places)) if kept else hit


def _explained(refused: Answer, where: Filter | None, *, english_only: bool) -> Answer:
    """Say with a refusal what may stand in the way: a language that is not read, a filter."""
    foreign = not_english([hit.passage.text for hit in refused.nearest]) if english_only else None
    language = f"{foreign}; the built-in reader knows English only." if foreign else None
    limits = f"The search was limited to: {where}." if where else None
    return replace(refused, reason=" ".join(part for part in (refused.reason, language, limits) if part))
