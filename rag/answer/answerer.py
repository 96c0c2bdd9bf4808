"""What turns hits into an answer: the protocols, and the wording of the refusals that all of them give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.answer.settings import Quoting
from rag.records import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.answer.question import Question
    from rag.records import Filter, Hit

NO_PASSAGE = "Nothing in the documents matches the question."
NOT_SAID = "The documents do not seem to say this: no passage that comes near has “{}” as the question does."
NO_ANSWER = "The documents do not seem to answer this; these passages come nearest."
NOT_OUTRIGHT = "The documents do not seem to say this outright; these sentences come closest."


class Answerer(Protocol):
    """Turns what was found into an answer."""

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Answer from these passages and nothing else."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answerer that streams goes by.

    Attributes:
        question: the reading that the quoting answerer was surest of.
        hits: what was found for it.
        quoted: the answer in quotations, which may be a refusal.
        typed: the question as it was typed.
        history: the turns before, oldest first.
        search: finds passages for another text, within the same limits.
        where: these limits.
    """

    question: Question
    hits: Sequence[Hit]
    quoted: Answer
    typed: str = ""
    history: Sequence[Answer | str] = ()
    search: Callable[[str], Sequence[Hit]] = lambda _: ()
    where: Filter | None = None


@runtime_checkable
class StreamingAnswerer(Answerer, Protocol):
    """An answerer that can show an answer while it grows."""

    @property
    def quoting(self) -> Answerer:
        """Who gives the quotations that stand until there is something better."""

    def stream(self, asked: Asked) -> Iterator[Answer]:
        """Yield the answer as it grows, the quoted one first; the last one counts."""


def refusal(question: Question | str, reason: str, hits: Sequence[Hit]) -> Answer:
    """Say that there is no answer, and show the nearest passages."""
    asked = question if isinstance(question, str) else question.text
    return Answer(asked, abstained=True, reason=reason, nearest=tuple(hits[: Quoting().nearest]))
