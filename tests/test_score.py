"""Sentences judged by what the reader found in their passage: worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.read import Reader, Reading
from rag.records import Document, Hit, Span
from rag.score import Evidence, ReaderScorer, answer_shares, is_yes_no
from tests.conftest import ROOT, questions

PARTS = ("The crane came in 1931.", "Was it big?", "It lifted nine tons.")


class Fixed(Reader):
    """A reader that finds the same in every passage."""

    def __init__(self, found: Reading) -> None:
        self.found = found

    def read(self, question, passages, contexts=None):
        return [self.found] * len(passages)


def hit() -> Hit:
    """A hit on three sentences, the second a question."""
    text = " ".join(PARTS)
    spans = [Span(text.index(part), text.index(part) + len(part)) for part in PARTS]
    return Hit(Document("/a.txt", text, None, "0" * 64).passage(Span(0, len(text)), spans), 1.0, dense_score=0.5)


def reading(*starts: tuple[int, float]) -> Reading:
    """A reading of "nine tons" whose beginning may be at these places; what begins elsewhere has four characters."""
    at = " ".join(PARTS).index("nine")
    return Reading(at, at + 9, 0.9, 1.0, 4.0, tuple((place, place + 4, p) for place, p in starts))


def test_best_sentence_has_the_probability_of_its_passage(library, corpus):
    """The sentence of most of the answer gets the passage's probability, another its part of that, a question none.

    Each has the best short answer that begins in it.
    """
    library.index(corpus)
    found, evidence = reading((18, 0.2), (30, 0.4), (46, 0.4)), Evidence()
    candidates = ReaderScorer(library.retriever, Fixed(found), evidence).score("What did it lift?", [hit()])
    scores = {c.text: c.score for c in candidates}
    covered = max(c.support for c in candidates)
    certain = evidence.probability([found], covered, 0.5)
    assert answer_shares(hit().passage, found) == pytest.approx([0.2, 0.0, 0.4])
    assert scores == pytest.approx({PARTS[0]: certain * 0.6 * 0.5, PARTS[2]: certain * 0.6})
    assert {c.text: c.short and c.short.of(" ".join(PARTS)) for c in candidates} == {
        PARTS[0]: "1931",
        PARTS[2]: "nine tons",
    }


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
    """The two looks count half each; a passage that is not likely enough is read once."""
    library.index(corpus)
    found = reading((46, 0.9))
    reader, evidence = Doubting(found), Evidence()
    candidates = ReaderScorer(library.retriever, reader, evidence).score("What did it lift?", [hit()])
    assert reader.seen == [[" ".join(PARTS)], [PARTS[2]]]
    between = replace(found, answer_logit=-0.5, span_score=2.5)
    covered = max(c.support for c in candidates)
    assert candidates[-1].score == pytest.approx(evidence.probability([between], covered, 0.5) * 0.9)
    reader = Doubting(found)
    candidates = ReaderScorer(library.retriever, reader, replace(evidence, again=1.0)).score(
        "What did it lift?", [hit()]
    )
    assert reader.seen == [[" ".join(PARTS)], []]
    assert candidates[-1].score == pytest.approx(evidence.probability([found], covered, 0.5) * 0.9)


def test_only_promising_passages_are_read(library, corpus):
    """Those far below the best in retrieval are not read, and those behind the first six only where one may answer."""
    library.index(corpus)
    hits = [replace(hit(), score=score, lexical_rank=rank) for rank, score in enumerate((*[0.9] * 7, 0.5), 1)]
    for found, read in ((reading((46, 0.9)), 7), (replace(reading((46, 0.9)), answer_logit=-9.0, span_score=-9.0), 6)):
        reader = Doubting(found)
        scorer = ReaderScorer(library.retriever, reader, replace(Evidence(), again=1.0))
        candidates = scorer.score("What did it lift?", hits)
        assert sum(map(len, reader.seen)) == read
        assert len(candidates) == 2 * len(hits)
        assert [c.score for c in candidates[2 * read :]] == [0.0] * 2 * (len(hits) - read)


def test_several_answers_of_one_passage(library, corpus):
    """A sentence's answer is the likeliest that begins in it, and ends with it; where none begins there is none."""
    library.index(corpus)
    found = reading((4, 0.1), (18, 0.2), (20, 0.3))
    candidates = ReaderScorer(library.retriever, Fixed(found)).score("What did it lift?", [hit()])
    assert [c.short and c.short.of(" ".join(PARTS)) for c in candidates] == ["31.", "nine tons"]
    nowhere = replace(found, start=30, end=33, starts=((30, 33, 1.0),))
    candidates = ReaderScorer(library.retriever, Fixed(nowhere)).score("What did it lift?", [hit()])
    assert [c.short for c in candidates] == [None, None]


def test_answer_outside_of_all_sentences(library, corpus):
    """An answer that begins in a heading or a question gives no sentence any weight."""
    library.index(corpus)
    candidates = ReaderScorer(library.retriever, Fixed(reading((30, 1.0)))).score("What did it lift?", [hit()])
    assert [c.score for c in candidates] == [0.0, 0.0]


def test_yes_no_questions_get_their_evidence(sample):
    """Of the questions in yes_no.jsonl, most are shown the evidence, those about something else are refused."""
    asked = questions(ROOT / "tests" / "yes_no.jsonl")
    shown = refused = 0
    for entry in asked:
        answer = sample.ask(entry["question"])
        assert answer.short_answer is None
        shown += any(piece in c.quote for piece in entry["evidence"] for c in answer.citations)
        refused += answer.abstained and not entry["evidence"]
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
    assert is_yes_no(question) == expected
