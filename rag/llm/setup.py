"""The LLM answerer with its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.answer import ExtractiveAnswerer
from rag.llm import LlmAnswerer
from rag.llm.endpoint import Endpoint
from rag.score import ReaderScorer
from rag.support import Judge
from rag.support.likeness import Likeness

if TYPE_CHECKING:
    from rag.llm.endpoint import Settings
    from rag.retrieve import Retriever


def llm_answerer(retriever: Retriever, settings: Settings) -> LlmAnswerer:
    """Return an answerer that asks the LLM of these settings."""
    scorer = ReaderScorer(retriever)
    return LlmAnswerer(Endpoint(settings), ExtractiveAnswerer(scorer), Judge(Likeness(scorer.reader)))
