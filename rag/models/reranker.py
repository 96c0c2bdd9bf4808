"""A second look at the best passages by a model that reads question and passage together."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from rag.language.detect import ENGLISH, language
from rag.models.reader import Reader
from rag.models.runtime import device, loading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentence_transformers import CrossEncoder

    from rag.records import Passage


class Reranker(Protocol):
    """Scores passages for a question."""

    calibrated: bool  # the scores are probabilities that a passage answers; others are scaled from lowest to highest

    def __call__(self, question: str, passages: Sequence[Passage]) -> Sequence[float]:
        """Return one score for each passage, the higher the better."""


def reranker(name: str | None = None) -> Reranker | None:
    """Return the package's reader, or the sentence-transformers cross-encoder of a name; None for `none`."""
    if name is None or name == "reader":
        return ReaderReranker()
    return None if name == "none" else CrossEncoderReranker(name)


class ReaderReranker:
    """The probability that a passage answers the question, by the package's reader of English, loaded on first use."""

    calibrated = True

    def __call__(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """Return one probability for each passage, read with its context line; 0 for what holds nothing in English."""
        read = [p for p in passages if p.sentences and _readable(p.text)] if _readable(question) else []
        readings = Reader.shipped().read(question, [p.text for p in read], [p.context for p in read])
        found = {passage.id: reading.answer_probability for passage, reading in zip(read, readings, strict=True)}
        return [found.get(passage.id, 0.0) for passage in passages]


def _readable(text: str) -> bool:
    return language(text) in {None, ENGLISH}


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder by name or path; raises `ModelError` on first use if it cannot load."""

    calibrated = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """Return one score for each passage, read with its context line."""
        scores = self._model.predict([(question, p.retrieval_text) for p in passages], show_progress_bar=False)
        return [float(score) for score in scores]

    @cached_property
    def _model(self) -> CrossEncoder:
        with loading("reranker", self.name) as local:
            from sentence_transformers import CrossEncoder

            model: CrossEncoder = CrossEncoder(self.name, num_labels=1, device=device(), local_files_only=local)
            return model
