"""Sentences judged by what the reader found in their passage: worked out by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.question import Question
from rag.answer.reading import answer_shares, weighed_signals
from rag.answer.scorer import ReaderScorer
from rag.answer.settings import Evidence
from rag.load import load_bytes
from rag.models.reader import Reader, Reading
from rag.models.spans import TokenScores
from rag.records import Document, Hit, Span
from tests.conftest import ROOT, questions

PARTS = ("The crane came in 1931.", "Was it big?", "It lifted nine tons.")
WHOLE = " ".join(PARTS)


class Fixed(Reader):
    """A reader that finds the same in every passage, but for the sentences whose readings are given."""

    def __init__(self, found: Reading, looks: dict[str, Reading] | None = None) -> None:
        self.found, self.looks = found, looks or {}

    def read(self, question, passages, contexts=None):
        return [self.looks.get(passage, self.found) for passage in passages]


def hit() -> Hit:
    """A hit on three sentences, the second a question."""
    text = WHOLE
    spans = [Span(text.index(part), text.index(part) + len(part)) for part in PARTS]
    return Hit(Document("/a.txt", text, None, "0" * 64).passage(Span(0, len(text)), spans), 1.0, dense_score=0.5)


def reading(*starts: tuple[int, float], text: str = WHOLE) -> Reading:
    """A reading of a text where an answer begins at these places, this likely, and ends best with a late word."""
    places = tuple(match.span() for match in re.finditer(r"\w+|[^\w\s]", text))
    likely = dict(starts)
    begins = np.array([math.log(likely.get(start, 1e-9)) for start, _ in places], np.float32)
    ends = np.array([end / 100 if text[start:end].isalnum() else -9.0 for start, end in places], np.float32)
    return Reading(0, 4, 0.9, 1.0, 4.0, TokenScores(places, begins, ends))


def test_best_sentence_has_the_probability_of_its_passage(library, corpus):
    """The sentence of most of the answer gets the passage's probability, another its part of that, a question none.

    Each has the best short answer that begins in it.
    """
    library.index(corpus)
    found, evidence = reading((18, 0.2), (31, 0.4), (46, 0.4)), replace(Evidence(), again=1.0)
    candidates = ReaderScorer(library.retriever, Fixed(found), evidence).score(
        Question.parse("What did it lift?"), [hit()]
    )
    scores = {c.text: c.score for c in candidates}
    covered = max(c.support for c in candidates)
    certain = probability(evidence, covered, found)
    assert answer_shares(hit().passage, found) == pytest.approx([0.2, 0.0, 0.4], abs=1e-4)
    assert scores == pytest.approx({PARTS[0]: certain * 0.6 * 0.5, PARTS[2]: certain * 0.6}, abs=1e-4)
    assert {c.text: c.short and c.short.of(WHOLE) for c in candidates} == {
        PARTS[0]: "1931",
        PARTS[2]: "nine tons",
    }


def probability(evidence: Evidence, covered: float, *looks: Reading, of_kind: bool = True) -> float:
    """What a passage of a cosine of 0.5 gets after these looks."""
    return evidence.probability(weighed_signals(evidence, looks, covered, 0.5, of_kind=of_kind))


class Doubting(Fixed):
    """A reader that is less sure of a sentence by itself, and remembers what it read."""

    def __init__(self, found: Reading) -> None:
        super().__init__(found)
        self.seen: list[list[str]] = []

    def read(self, question, passages, contexts=None):
        self.seen.append(list(passages))
        whole = len(self.seen) % 2 == 1
        found = self.found if whole else replace(self.found, answer_logit=-2.0, span_score=1.0)
        return [found] * len(passages)


def test_best_sentence_is_read_again(library, corpus):
    """The second look counts about half as much as the first; a passage that is not likely enough is read once."""
    library.index(corpus)
    found = reading((31, 0.1), (46, 0.9))
    reader, evidence = Doubting(found), Evidence()
    candidates = ReaderScorer(library.retriever, reader, evidence).score(Question.parse("What did it lift?"), [hit()])
    assert reader.seen == [[WHOLE], [PARTS[2]]]
    between = replace(found, answer_logit=-0.05, span_score=2.95)
    covered = max(c.support for c in candidates)
    assert candidates[-1].score == pytest.approx(probability(evidence, covered, between) * 0.9)
    reader = Doubting(found)
    candidates = ReaderScorer(library.retriever, reader, replace(evidence, again=1.0)).score(
        Question.parse("What did it lift?"), [hit()]
    )
    assert reader.seen == [[WHOLE], []]
    assert candidates[-1].score == pytest.approx(probability(evidence, covered, found) * 0.9)


def test_only_promising_passages_are_read(library, corpus):
    """Those far below the best in retrieval are not read, and those behind the first six only where one may answer."""
    library.index(corpus)
    hits = [replace(hit(), score=score, lexical_rank=rank) for rank, score in enumerate((*[0.9] * 7, 0.5), 1)]
    for found, read in (
        (reading((31, 0.1), (46, 0.9)), 7),
        (replace(reading((31, 0.1), (46, 0.9)), answer_logit=-9.0, span_score=-9.0), 6),
    ):
        reader = Doubting(found)
        scorer = ReaderScorer(library.retriever, reader, replace(Evidence(), again=1.0))
        candidates = scorer.score(Question.parse("What did it lift?"), hits)
        assert sum(map(len, reader.seen)) == read
        assert len(candidates) == 2 * len(hits)
        assert [c.score for c in candidates[2 * read :]] == [0.0] * 2 * (len(hits) - read)


def test_several_answers_of_one_passage(library, corpus):
    """A sentence's answer is the best that begins and ends in it; where none is likely to begin there is none."""
    library.index(corpus)
    evidence = replace(Evidence(), again=1.0)
    for starts, answers in (
        (((4, 0.1), (18, 0.2), (46, 0.7)), ["1931", "nine tons"]),
        (((4, 0.8), (18, 0.199), (46, 0.001)), ["crane came in 1931", None]),
        (((31, 1.0),), [None, None]),
    ):
        scorer = ReaderScorer(library.retriever, Fixed(reading(*starts)), evidence)
        candidates = scorer.score(Question.parse("What did it lift?"), [hit()])
        assert [c.short and c.short.of(WHOLE) for c in candidates] == answers


def test_second_look_chooses_between_two_sentences(library, corpus):
    """Two sentences are read again; the one with the better answer in both looks is the best, and has its span."""
    library.index(corpus)
    found, evidence = reading((18, 0.6), (46, 0.4)), Evidence()
    looks = {PARTS[0]: reading((4, 0.9), text=PARTS[0]), PARTS[2]: reading((10, 0.9), text=PARTS[2])}
    looks[PARTS[2]] = replace(looks[PARTS[2]], answer_logit=3.0, span_score=6.0)
    candidates = ReaderScorer(library.retriever, Fixed(found, looks), evidence).score(
        Question.parse("What did it lift?"), [hit()]
    )
    chance = probability(evidence, max(c.support for c in candidates), found, looks[PARTS[2]])
    assert [c.score for c in candidates] == pytest.approx([chance * 0.4 / 0.6, chance], abs=1e-4)
    assert [c.short and c.short.of(WHOLE) for c in candidates] == ["crane came in 1931", "nine tons"]


def test_an_answer_of_another_kind_is_less_likely(library, corpus):
    """Nine tons are nobody, and no point in time."""
    library.index(corpus)
    found, evidence = reading((46, 1.0)), replace(Evidence(), again=1.0)
    for question, of_kind in (
        ("Who lifted it?", False),
        ("When did it lift?", False),
        ("How many tons did it lift?", True),
        ("What did it lift?", True),
    ):
        candidates = ReaderScorer(library.retriever, Fixed(found), evidence).score(Question.parse(question), [hit()])
        covered = max(c.support for c in candidates)
        assert candidates[-1].score == pytest.approx(probability(evidence, covered, found, of_kind=of_kind), abs=1e-4)


def test_answer_outside_of_all_sentences(library, corpus):
    """An answer that begins in a heading or a question gives no sentence any weight."""
    library.index(corpus)
    candidates = ReaderScorer(library.retriever, Fixed(reading((31, 1.0)))).score(
        Question.parse("What did it lift?"), [hit()]
    )
    assert [c.score for c in candidates] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_a_heading_answers_for_the_sentence_with_most_of_the_question(library, corpus):
    """Minutes and diaries say above the sentences when it was: the heading is shown in front of the sentence."""
    library.index(corpus)
    text = "## 2 March\n\nThe board met.\n\nThe crane was sold."
    parts = ("The board met.", "The crane was sold.")
    spans = [Span(text.index(part), text.index(part) + len(part)) for part in parts]
    under = Hit(load_bytes(text.encode(), "/a.md").passage(Span(0, len(text)), spans), 1.0, dense_score=0.5)
    scorer = ReaderScorer(library.retriever, Fixed(reading((3, 1.0), (14, 0.2), text=text)))
    question = Question.parse("When was the crane sold?")
    met, sold = sorted(scorer.score(question, [under]), key=lambda c: c.span)
    assert (met.heading, sold.heading, sold.short) == (None, "2 March", None)
    assert sold.score > met.score
    answer = ExtractiveAnswerer(scorer, evidence=Evidence(closest=0.0)).answer(question, [under])
    shown = answer.sentences[0]
    assert shown.text == "2 March: The crane was sold."
    assert [mark.of(shown.text) for mark in shown.marks] == ["2 March"]
    assert answer.citations[0].quote == "The crane was sold."


def test_links_are_read_by_their_words(library, corpus):
    """The reader sees no addresses; what it finds lies at its place in the document."""
    library.index(corpus)
    text = "The [crane (old)](http://a.b) lifted **nine tons**."
    whole = Hit(Document("/a.md", text, None, "0" * 64).passage(Span(0, len(text)), [Span(0, len(text))]), 1.0)
    plain = "The crane (old) lifted nine tons."
    reader = Fixed(reading(), {plain: reading((plain.index("nine"), 1.0), text=plain)})
    (found,) = ReaderScorer(library.retriever, reader).score(Question.parse("How many tons did it lift?"), [whole])
    assert found.short is not None
    assert found.short.of(text).startswith("nine")


@pytest.mark.slow
def test_yes_no_questions_get_their_evidence(sample):
    """Of the questions in yes_no.jsonl, most are shown the evidence, those about something else are refused."""
    asked = questions(ROOT / "tests/data/yes_no.jsonl")
    shown = refused = 0
    for entry in asked:
        answer = sample.ask(entry["question"])
        assert answer.short_answer is None
        shown += any(piece in c.quote for piece in entry["evidence"] for c in answer.citations)
        refused += not answer.is_plain and not entry["evidence"]
    assert shown >= 14
    assert refused >= 7


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Is the barrier closed?", True),
        ("Did the crew or the warden call first that night?", True),
        ("Did they stay or not?", True),
        ("Was the gate open or closed?", False),
        ("Is an instance typically abstract or rather concrete", False),
        ("How many gates does it have?", False),
    ],
)
def test_questions_for_yes_or_no(question, expected):
    """They open with a verb, and a choice at the end is no yes or no."""
    assert (Question.parse(question).kind == "yes_no") == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is Ana Velic?", True),
        ("who's ana velic", True),
        ("What is D4CC?", True),
        ("Who are Ana Velic and Pavel Orlo?", True),
        ("Who is the mayor?", False),
        ("Who is prime minister?", False),
        ("who is rila's mayor now", False),
        ("What is known about Ana Velic?", False),
        ("Who said it?", False),
        ("What", False),
    ],
)
def test_questions_for_who_somebody_is(question, expected):
    """Nothing but a name stands behind the verb."""
    assert Question.parse(question).is_definition == expected


def test_how_certain_words_are():
    """The chance of their first word as the beginning times that of their last as the end; over all words it is 1."""
    found = reading((18, 0.75), (46, 0.25)).tokens
    powers = np.exp(found.ends) / np.exp(found.ends).sum()
    at = [start for start, _ in found.places].index(18)
    assert found.certainty(18, 22) == pytest.approx(0.75 * powers[at], abs=1e-4)
    ends = [end for _, end in found.places]
    assert sum(found.certainty(start, end) for start, _ in found.places for end in ends) == pytest.approx(1, abs=1e-4)
