"""The LLM answerer with its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.answer.check import Judge
from rag.answer.check.likeness import Likeness
from rag.answer.quote import ExtractiveAnswerer
from rag.answer.scorer import ReaderScorer
from rag.answer.write import LlmAnswerer
from rag.answer.write.endpoint import Endpoint
from rag.models.reader import shipped_network

if TYPE_CHECKING:
    from rag.answer.write.endpoint import Settings
    from rag.retrieve import Retriever


def llm_answerer(retriever: Retriever, settings: Settings) -> LlmAnswerer:
    """Return an answerer that asks the LLM of these settings."""
    scorer = ReaderScorer(retriever)
    return LlmAnswerer(Endpoint(settings), ExtractiveAnswerer(scorer), Judge(Likeness(shipped_network()[0])))
