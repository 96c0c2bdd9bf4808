"""From hits to an answer: the steps that every answer takes, whoever gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer.answerer import NOT_SAID, Answerer, Asked, StreamingAnswerer
from rag.answer.followup import readings
from rag.answer.question import Question
from rag.answer.spelling import respelled
from rag.language.detect import asked_in_english, not_english
from rag.retrieve import MAX_QUESTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.records import Answer, Filter, Hit

__all__ = ["Answerer", "Question", "StreamingAnswerer", "answers", "explained", "only_speaker", "readings"]


def answers(
    search: Callable[[str], Sequence[Hit]],
    answerer: Answerer,
    questions: Sequence[Question],
    typed: str = "",
    history: Sequence[Answer | str] = (),
    where: Filter | None = None,
) -> Iterator[Answer]:
    """Yield the answer as it grows; the last one counts.

    Of several readings of a question, the one with the surest answer counts. What the passages do not plainly answer is
    asked once more with its words as the documents spell them, unless they lack a name, number or date of it. An
    answerer that streams gets all that is known, whatever the quotations say.

    Args:
        search: finds the passages for a text.
        answerer: answers from them.
        questions: what may be asked, likeliest first.
        typed: the question as it was typed.
        history: the turns before, oldest first.
        where: what `search` is limited to.
    """
    if isinstance(answerer, StreamingAnswerer):
        quoted, question, hits = _surest(search, answerer.quoting, questions)
        yield from answerer.stream(Asked(question, hits, quoted, typed, history, search, where))
    else:
        yield _surest(search, answerer, questions)[0]


def _surest(
    search: Callable[[str], Sequence[Hit]], answerer: Answerer, questions: Sequence[Question]
) -> tuple[Answer, Question, Sequence[Hit]]:
    """Return the surest answer with its question and passages."""
    found = [(answerer.answer(question, hits := search(question.text)), question, hits) for question in questions]
    answer, question, hits = max(found, key=lambda one: _sureness(one[0]))
    if not answer.is_plain and not (answer.reason or "").startswith(NOT_SAID.partition("{")[0]):
        other = respelled(question.text, [hit.passage.text for hit in hits])
        if other and len(other) <= MAX_QUESTION:
            found_again = search(other)
            again = answerer.answer(Question.parse(other), found_again)
            if again.is_plain or (answer.abstained and not again.abstained):
                return replace(again, searched_for=other), question, found_again
    return answer, question, hits


def _sureness(answer: Answer) -> tuple[bool, bool, float]:
    return answer.is_plain, not answer.abstained, answer.confidence or 0.0


def only_speaker(hits: Sequence[Hit], where: Filter | None) -> list[Hit]:
    """Leave only sentences of the speaker that is asked for to be quoted: their passages hold what others say as well.

    A passage that has no sentence of theirs alone stays as it is.
    """
    return [_only(hit, where) for hit in hits] if where and where.speaker else list(hits)


def _only(hit: Hit, where: Filter) -> Hit:
    passage = hit.passage
    kept = [n for n, span in enumerate(passage.sentences) if where.has_speaker(passage.speaker_of(span))]
    sentences = tuple(passage.sentences[n] for n in kept)
    places = tuple(passage.places[n] for n in kept if passage.places)
    return replace(hit, passage=replace(passage, sentences=sentences, places=places)) if kept else hit


def explained(answer: Answer, asked: str, where: Filter | None, *, english_only: bool, lacks: str = "") -> Answer:
    """Say with an answer which question it is to, and what the search lacks; with a refusal what may stand in the way.

    Args:
        answer: to the question, or to one in other words (`searched_for`).
        asked: the question as it was typed.
        where: what a passage had to be.
        english_only: whether the answerer reads English only, which a refusal over other passages then says.
        lacks: what was not searched in full, if anything.
    """
    searched = answer.searched_for or answer.question
    if searched != asked:
        answer = replace(answer, question=asked, searched_for=searched)
    lacks = f"{lacks}: their vectors are still being made, or rag index was stopped before them." if lacks else ""
    if answer.is_plain:
        return replace(answer, reason=" ".join(filter(None, (answer.reason, lacks)))) if lacks else answer
    passages = [hit.passage for hit in answer.nearest] or [citation.passage for citation in answer.citations]
    foreign = not_english([passage.text for passage in passages]) if english_only else None
    if english_only and not foreign and not asked_in_english(searched):
        foreign = "The question seems not to be in English"
    language = f"{foreign}; the built-in reader knows English only." if foreign else None
    limits = f"The search was limited to: {where}." if where else None
    return replace(answer, reason=" ".join(part for part in (answer.reason, language, limits, lacks) if part))
