"""Broad questions: which sentences are quoted, near-repeats once, in the order of documents or of days."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answer.broad import overview, relevant
from rag.answer.question import Question
from rag.answer.settings import Breadth
from rag.records import Candidate, Document, Hit, Span

SENTENCES = (
    "The pier at Ostry caught fire on 3 May 2021 and burned for two days.",
    "Minutes of the meeting of the harbour board in Ostry",
    "The harbour board voted on 9 June 2021 to build a new pier at Ostry.",
    "The pier at Ostry caught fire on 3 May 2021, and burned for two days.",
    "Work on the new pier at Ostry had begun on 2 February 2021 already.",
    "Too short.",
)


@pytest.fixture
def candidates():
    """The sentences of one document, with scores from the reader that fall."""
    text = " ".join(SENTENCES)
    spans = [Span(at := text.index(sentence), at + len(sentence)) for sentence in SENTENCES]
    passage = Document("/a.txt", text, None, "0" * 64).passage(Span(0, len(text)), spans)
    return [Candidate(Hit(passage, 1.0), span, passage.quote(span), 0.9 - 0.1 * n, 0.5) for n, span in enumerate(spans)]


def test_headings_and_scraps_tell_nothing(candidates):
    scored = relevant(candidates, [0.6] * len(candidates))
    assert [c.text for c in scored if c.score == 0] == [SENTENCES[1], SENTENCES[5]]
    assert all(0 <= c.score <= 1 for c in scored)


def test_nothing_alike_in_meaning_means_no_answer(candidates):
    cosines = [Breadth().least - 0.01] * len(candidates)
    assert {c.score for c in relevant(candidates, cosines)} == {0.0}


def test_each_signal_adds(candidates):
    cosines = [0.5] * len(candidates)
    least = relevant(candidates[2:3], cosines[:1])[0].score
    for more in (replace(candidates[2], support=0.9), replace(candidates[2], score=0.95)):
        assert relevant([more], cosines[:1])[0].score > least
    assert relevant(candidates[2:3], [0.6])[0].score > least


@pytest.mark.parametrize(
    ("question", "order"), [("What happened at Ostry?", (0, 2, 4)), ("Timeline of Ostry", (4, 0, 2))]
)
def test_repeats_once_and_in_order(candidates, question, order):
    chosen = overview(Question.parse(question), [c for c in candidates if c.text not in SENTENCES[1::4]])
    assert [c.text for c in chosen] == [SENTENCES[number] for number in order]
