"""The extractive answerer: verbatim sentences, one citation each, or a refusal that says why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from rag.answer.answerer import NO_ANSWER, NO_PASSAGE, NOT_OUTRIGHT
from rag.answer.extractive import ExtractiveAnswerer, in_reading_order
from rag.answer.question import Question
from rag.answer.scorer import OverlapScorer
from rag.answer.short import widened
from rag.app import export
from rag.app.as_json import answer_json
from rag.app.cli.output import answer_lines
from rag.language.terms import coverage
from rag.records import Candidate, Citation, Document, Hit, Span


def hit(text: str, uri: str = "/a.txt", score: float = 1.0) -> Hit:
    """A hit on a whole document of sentences divided by a vertical bar (which is not part of them)."""
    spans, start = [], 0
    for part in text.split("|"):
        spans.append(Span(start, start + len(part)))
        start += len(part) + 1
    document = Document(uri, text, None, "0" * 64)
    return Hit(document.passage(Span(0, len(text)), spans), score)


@dataclass
class Scores:
    """A scorer that knows the score of each sentence."""

    scores: dict[str, float]

    def threshold(self, question: Question) -> float:
        return 0.5

    def score(self, question: Question, hits):
        return [
            Candidate(h, span, h.passage.quote(span), self.scores.get(h.passage.quote(span), 0.0))
            for h in hits
            for span in h.passage.sentences
        ]


def test_best_sentences_in_reading_order():
    """The best sentence comes first; the others in their order, each with its citation."""
    hits = [hit("One.|Two.|Three.", "/a.txt"), hit("Four.|Five.", "/b.txt")]
    scores = Scores({"Three.": 0.90, "Five.": 0.95, "One.": 0.85, "Two.": 0.01, "Four.": 0.01})
    answer = ExtractiveAnswerer(scores).answer(Question.parse("?"), hits)
    assert answer.text == "Five. [1] One. [2] Three. [3]"
    assert [(c.uri, c.quote) for c in answer.citations] == [
        ("/b.txt", "Five."),
        ("/a.txt", "One."),
        ("/a.txt", "Three."),
    ]
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,), (3,)]
    assert not answer.abstained


def test_what_answers_less_surely_stands_beside_the_answer():
    """Under a line of its own, in text and exports; what answers as surely, as two rows of a table, does not."""
    hits = [hit("One.|Two.|Three.", "/a.txt"), hit("Four.|Five.", "/b.txt")]
    scores = Scores({"Three.": 0.95, "Five.": 0.95, "One.": 0.85})
    answer = ExtractiveAnswerer(scores).answer(Question.parse("?"), hits)
    assert [(s.text, s.beside) for s in answer.sentences] == [("Three.", False), ("Five.", False), ("One.", True)]
    lines = answer_lines(answer).splitlines()
    assert lines[:5] == ["Three. [1]", "Five. [2]", "", "Also in the sources:", "One. [3]"]
    form = answer_json(answer)
    assert [sentence["beside"] for sentence in form["sentences"]] == [False, False, True]
    assert "Five. [2]\n\nAlso in the sources:\n\nOne. [3]" in export.text([form])


def test_no_more_sentences_than_wanted_and_none_far_worse():
    """Sentences much worse than the best one are left out, and so are repetitions."""
    hits = [hit("Same words.|Other words.", "/a.txt"), hit("Same  words.", "/b.txt")]
    answer = ExtractiveAnswerer(Scores({"Same words.": 0.9, "Same  words.": 0.9, "Other words.": 0.05})).answer(
        Question.parse("?"), hits
    )
    assert [c.quote for c in answer.citations] == ["Same words."]


def test_refusal_shows_the_nearest():
    """Below the threshold nothing is answered, and the nearest passages are shown as such."""
    hits = [hit("One.|Two.")]
    answer = ExtractiveAnswerer(Scores({"One.": 0.01})).answer(Question.parse("What is three?"), hits)
    assert (answer.abstained, answer.reason, answer.text) == (True, NO_ANSWER, NO_ANSWER)
    assert [(h.passage, h.sentence) for h in answer.nearest] == [(hits[0].passage, Span(0, 4))]
    assert not answer.citations
    assert not answer.sentences
    assert ExtractiveAnswerer(Scores({})).answer(Question.parse("?"), []).reason == NO_PASSAGE


def test_what_comes_closest_is_said_to_be_that():
    """What may answer, and is not sure enough to be one, is quoted under a notice, without a short answer."""
    hits = [hit("One.|Two.", "/a.txt"), hit("Four.|Five.", "/b.txt")]
    answer = ExtractiveAnswerer(Scores({"Five.": 0.4, "One.": 0.2})).answer(Question.parse("What is five?"), hits)
    assert (answer.abstained, answer.closest, answer.reason) == (False, True, NOT_OUTRIGHT)
    assert answer_json(answer)["closest"]
    assert [citation.quote for citation in answer.citations] == ["Five."]
    assert answer_lines(answer).startswith(NOT_OUTRIGHT)


def test_a_sentence_with_all_of_the_question_comes_closest():
    """Also where the reader finds another one a little likelier."""

    class Covering(Scores):
        def score(self, question: Question, hits):
            return [replace(c, support=float(c.text == "Five.")) for c in super().score(question, hits)]

    scores = Covering({"Four.": 0.002, "Five.": 0.001})
    answer = ExtractiveAnswerer(scores).answer(Question.parse("What is five?"), [hit("Four.|Five.", "/b.txt")])
    assert answer.closest
    assert answer.citations[0].quote == "Five."


def test_line_breaks_are_shown_as_spaces_and_kept_in_the_quote():
    """A sentence over two lines reads as one; its quote is the source, character by character."""
    answer = ExtractiveAnswerer(Scores({"The bridge\nwas shut.": 1.0})).answer(
        Question.parse("?"), [hit("The bridge\nwas shut.")]
    )
    assert answer.sentences[0].text == "The bridge was shut."
    assert answer.citations[0].quote == "The bridge\nwas shut."


def test_coverage_weighs_terms():
    """Terms in the sentence count whole, in its surroundings half, elsewhere nothing."""
    weights = {"crane": 3.0, "lift": 1.0, "river": 4.0}
    assert coverage(weights, "The crane lifted.", "") == pytest.approx(4 / 8)
    assert coverage(weights, "It lifted.", "The crane") == pytest.approx(2.5 / 8)
    assert coverage({}, "anything", "") == 0.0


@pytest.mark.slow
def test_a_question_is_no_answer(sample):
    """A sentence that is itself a question is never quoted as the answer."""
    found = hit("Is the bridge shut?|The bridge was shut on Monday.")
    candidates = OverlapScorer(sample.retriever).score(Question.parse("Is the bridge shut?"), [found])
    assert [c.text for c in candidates] == ["The bridge was shut on Monday."]


def test_reading_order_is_stable():
    """Order depends on scores and places, not on the order of the input."""
    hits = [hit("One.|Two.", "/a.txt"), hit("Three.", "/b.txt")]
    all_ = Scores({"One.": 0.1, "Two.": 0.2, "Three.": 0.3}).score(Question.parse("?"), hits)
    assert [c.text for c in in_reading_order(all_)] == [c.text for c in in_reading_order(all_[::-1])]


def test_citation_outside_of_its_passage_is_refused():
    """A citation cannot be made of characters that the passage does not have."""
    passage = hit("One.").passage
    with pytest.raises(ValueError, match="not inside passage"):
        Citation.of(passage, Span(2, 9))


@dataclass
class Marked(Scores):
    """The same, with the words that answer, and how certain they are."""

    words: str = ""
    certain: float = 1.0

    def score(self, question: Question, hits):
        found = super().score(question, hits)
        spans = [(c, c.span.start + c.text.find(self.words)) for c in found]
        return [replace(c, short=Span(at, at + len(self.words)), certain=self.certain) for c, at in spans]


@pytest.mark.parametrize(
    ("score", "certain", "marks"), [(0.9, 0.35, ["1931"]), (0.9, 0.25, []), (0.4, 0.7, ["1931"]), (0.4, 0.5, [])]
)
def test_words_are_marked_where_they_are_likely(score, certain, marks):
    """In a sentence that only comes closest they have to be more likely than in one that answers."""
    text = "The crane came in 1931."
    answerer = ExtractiveAnswerer(Marked({text: score}, "1931", certain))
    answer = answerer.answer(Question.parse("When did the crane come?"), [hit(text)])
    assert answer.closest == (score < answerer.scorer.threshold(Question.parse("When did it come?")))
    assert [mark.of(answer.sentences[0].text) for mark in answer.sentences[0].marks] == marks


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("It opens Friday, Dec. 6 at noon.", "Friday", "Friday, Dec. 6"),
        ("She was born on 1 March 1810.", "1810", "1 March 1810"),
        ("On Monday it rained, and on 3 May 2020 it ended.", "Monday", "Monday"),
        ("It came at last.", "at last", "at last"),
    ],
)
def test_part_of_a_date_becomes_the_date(text, words, whole):
    one = hit(text)
    at = text.index(words)
    found = Candidate(one, Span(0, len(text)), text, 0.9, short=Span(at, at + len(words)))
    span = widened(Question.parse("When did it come?"), found)
    assert span is not None
    assert span.of(text) == whole
