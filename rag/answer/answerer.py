"""What turns hits into an answer: the protocols, and the wording of the refusals that all of them give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rag.answer.settings import Quoting
from rag.records import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.answer.question import Question
    from rag.records import Hit

NO_PASSAGE = "Nothing in the documents matches the question."
NOT_SAID = "The documents do not seem to say this: no passage that comes near has “{}” as the question does."
NO_ANSWER = "The documents do not seem to answer this; these passages come nearest."
NOT_OUTRIGHT = "The documents do not seem to say this outright; these sentences come closest."


class Answerer(Protocol):
    """Turns what was found into an answer."""

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Answer from these passages and nothing else."""


@runtime_checkable
class StreamingAnswerer(Answerer, Protocol):
    """An answerer that can show an answer while it grows."""

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one is what `answer` returns."""


def refusal(question: Question, reason: str, hits: Sequence[Hit]) -> Answer:
    """Say that there is no answer, and show the nearest passages."""
    return Answer(question.text, abstained=True, reason=reason, nearest=tuple(hits[: Quoting().nearest]))
