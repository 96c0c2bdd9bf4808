"""The LLM answerer with its parts, from an index's retriever and the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.answer import ExtractiveAnswerer
from rag.llm import LlmAnswerer
from rag.llm.endpoint import Endpoint, Settings
from rag.score import ReaderScorer
from rag.support import Judge
from rag.support.likeness import Likeness

if TYPE_CHECKING:
    from rag.retrieve import Retriever


def llm_answerer(retriever: Retriever, url: str | None = None, model: str | None = None) -> LlmAnswerer:
    """Return an answerer for an address and a model, or for those that the environment names.

    Raises:
        InputError: no address is given, or one that is none.
    """
    endpoint = Endpoint(Settings.of(url=url, model=model))
    scorer = ReaderScorer(retriever)
    return LlmAnswerer(endpoint, ExtractiveAnswerer(scorer), Judge(Likeness(scorer.reader)))
