"""Questions that take something false for granted are refused or corrected, not agreed with."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from rag.answer.answerer import NOT_SAID
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.premise import missing, other_year
from rag.answer.question import Question
from rag.answer.values import is_of_kind
from rag.library import Library
from rag.records import Candidate, Document, Hit, Span
from tests.conftest import ROOT

TEXT = "On 27 February 2020 at least 33 Turkish soldiers were killed in Idlib. The United States kept silent."
PREMISES = json.loads((ROOT / "tests/data/premises.json").read_text("utf-8"))


def passage(text: str = TEXT, title: str | None = None):
    """A passage that is a whole document."""
    return Document("/a.txt", text, title, "0" * 64).passage(Span(0, len(text)), [Span(0, len(text))])


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("Where were 63 Turkish soldiers killed?", "63"),
        ("Where were sixty-three Turkish soldiers killed?", "sixty-three"),
        ("Who was killed on 28 February 2020?", "28 February 2020"),
        ("Who was killed in 2019?", "2019"),
        ("Why were soldiers from Russia killed?", "Russia"),
        ("What did Sergei Lavrov say?", "Sergei Lavrov"),
    ],
)
def test_what_a_passage_lacks(question, lacking):
    """Another number, date or name than the passage has is named as the question writes it."""
    assert missing(Question.parse(question), passage()) == lacking


@pytest.mark.parametrize(
    "question",
    [
        "Where were 33 Turkish soldiers killed?",
        "Where were thirty-three Turkish soldiers killed?",
        "Who was killed on 27 February?",
        "Who was killed in February 2020?",
        "What did the US do?",
        "What did the U.S. do?",
        "Where did the soldiers die?",
        "Who was killed on the first day?",
        "What British paper reported it?",
        "What are the four reasons?",
    ],
)
def test_what_a_passage_has(question):
    """The same in other words, or less exactly, is not missing."""
    assert missing(Question.parse(question), passage()) is None


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ("14 March 2023", False),
        ("four minutes 14.74 seconds", True),
        ("2.40 am", True),
        ("02.52", False),
        ("17:05", True),
        ("noon", True),
    ],
)
def test_what_time_is_asked_for(answer, fits):
    assert is_of_kind(Question.parse("What time was the fire seen?"), answer) is fits
    assert is_of_kind(Question.parse("What time period was the fire seen in?"), answer)


@pytest.mark.parametrize(
    ("answer", "fits"), [("19 April 2023", False), ("2023", False), ("51", True), ("fifty-one", True), ("184", True)]
)
def test_how_old_wants_no_date(answer, fits):
    assert is_of_kind(Question.parse("How old is Verity Caldmere?"), answer) is fits


def test_the_title_counts():
    """A name may stand in the title alone."""
    assert (
        missing(Question.parse("When did the Pelder rise?"), passage("The water rose at 00:50.", "River Pelder"))
        is None
    )
    assert (
        missing(Question.parse("When did the Severn rise?"), passage("The water rose at 00:50.", "River Pelder"))
        == "Severn"
    )
    assert (
        missing(
            Question.parse("When did the Severn rise?"), passage("It rose at 00:50.", "Rivers"), "The Severn is long."
        )
        is None
    )
    assert missing(Question.parse("When did the Severn rise?"), passage("the water rose at 00:50.")) is None


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("Who keeps the Thames Barrier?", "Thames Barrier"),
        ("What did Carl Quill write?", "Carl Quill"),
        ("Who keeps the Pelder Barrier?", None),
        ("Who keeps the Peldar Barrier?", None),  # a small mistake
        ("Who keeps the Barrier?", None),
        ("What did Mrs Quill write?", None),  # a title stands for no name
        ("Who keeps the Thames Gate?", None),  # no other gate is spoken of
        ("What did Ada Boyle write?", None),
    ],
)
def test_another_of_the_same_name(question, lacking):
    """A name of which the last word alone is there lacks where another with that word stands in its place."""
    told = passage("Ada Quill wrote that the gate of the Pelder Barrier is kept by Mrs Boyle.")
    assert missing(Question.parse(question), told) == lacking


def test_a_day_of_another_year():
    """A day without its year is that of any year, unless the document has other years and not the asked one."""
    told = passage("On 11 February the army had the whole road, for the first time since 2012.")
    assert missing(Question.parse("Who held the road on 11 February 2018?"), told) == "11 February 2018"
    assert missing(Question.parse("Who held the road on 11 February 2018?"), told, "In 2018 it moved south.") is None
    assert missing(Question.parse("Who held the road on 11 February?"), told) is None
    assert missing(Question.parse("Who came on 11 February 2018?"), passage("On 11 February he came.")) is None


@dataclass
class Sure:
    """A scorer that takes every sentence for the answer."""

    def threshold(self, question: Question) -> float:
        return 0.1

    def score(self, question: Question, hits):
        return [Candidate(h, s, h.passage.quote(s), 0.9) for h in hits for s in h.passage.sentences]


def test_figures_of_a_count_are_no_year():
    text = "The mill dismissed 1,500 workers because it lost orders in 2019."
    assert missing(Question.parse("Why were 1500 workers dismissed?"), passage(text)) is None
    assert missing(Question.parse("Why were 1600 workers dismissed?"), passage(text)) == "1600"


@pytest.mark.parametrize(
    ("question", "text", "lacking"),
    [
        ("Who won in March 2024?", "On 12/03/2024 Ann Hill won. The count ended on 5 May 2023.", None),
        ("Who won on 3 April 2025?", "On 3.4.2025 Ann Hill won, after 5 May 2024.", None),
        ("Who won in June 2024?", "On 12/03/2024 Ann Hill won. The count ended on 5 May 2023.", "June 2024"),
        ("Which four towns were flooded?", "Tarnby, Kelby, Ripwell and Orrelby were flooded; 12 people drowned.", None),
        ("Why were four towns flooded?", "Tarnby was flooded since 12 gates broke.", "four"),
        ("Who is CEO of Tarnby Steel?", "The chief executive, Ann Hill, runs Tarnby Steel.", None),
        ("Who is the UK foreign secretary?", "Britain's foreign secretary David Lammy spoke.", None),
    ],
)
def test_other_ways_to_write_it(question, text, lacking):
    assert missing(Question.parse(question), passage(text)) == lacking


def test_the_date_of_a_letter_answers_nothing(tmp_path, encoder):
    """But the same words are an answer where they reply to a question."""
    letter = "Report\n\nDecember 4, 2024\n\nThe council of Tarnby meets this Friday in the Mill Hall.\n"
    talk = "HILL: When did the mill of Kelby burn?\n\nDALE: December 4, 2021.\n\nHILL: Thank you for that, Mr Dale.\n"
    (tmp_path / "letter.txt").write_text(letter)
    (tmp_path / "talk.txt").write_text(talk)
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / "letter.txt", tmp_path / "talk.txt")
        quotes = [citation.quote for citation in library.ask("When does the council of Tarnby meet?").citations]
        assert "December 4, 2024" not in quotes
        assert "December 4, 2021" in library.ask("When did the mill of Kelby burn?").sentences[0].text


def test_a_premise_that_no_passage_has_is_named():
    """The notice names what is missing; a passage that has it is still quoted, and yes/no questions are answered."""
    answerer, hit = ExtractiveAnswerer(Sure()), Hit(passage(), 1.0)
    lacking = answerer.answer(Question.parse("Why were 63 soldiers killed?"), [hit])
    assert (lacking.closest, lacking.reason) == (True, NOT_SAID.format("63"))
    assert lacking.confidence == pytest.approx(0.057, abs=0.001)  # lowered, not vetoed
    other = Hit(passage("At Ain al-Havr 63 soldiers were killed."), 0.9)
    assert [
        c.quote for c in answerer.answer(Question.parse("Why were 63 soldiers killed?"), [hit, other]).citations
    ] == ["At Ain al-Havr 63 soldiers were killed."]
    assert not answerer.answer(Question.parse("Were 63 soldiers killed?"), [hit]).abstained


@pytest.mark.slow
def test_swapped_questions(sample):
    """Of questions with something swapped, nine in ten at least are refused, or answered with the truth in a quote."""
    agreed = []
    for entry in PREMISES:
        answer = sample.ask(entry["question"])
        quotes = " ".join(" ".join(citation.quote.split()) for citation in answer.citations)
        if answer.is_plain and not any(truth in quotes for truth in entry["truth"]):
            agreed.append(entry["question"])
    assert len(PREMISES) >= 30
    assert len(agreed) <= 0.1 * len(PREMISES), agreed


@pytest.mark.slow
def test_another_place_is_no_answer(tmp_path, encoder):
    """The number of one town is not given for another; a name in the paragraph before is near enough."""
    (tmp_path / "a.txt").write_text(
        "Report on Delwick.\n\nThe town lies by the sea. About forty thousand people live there.\n"
    )
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / "a.txt")
        answers = [library.ask(f"How many people live in {place}?") for place in ("Delwick", "Rotterdam")]
    assert [answer.abstained for answer in answers] == [False, True]


def test_a_title_stands_for_nobody():
    """`Mr Speaker` beside a figure does not make it one for Botswana; an acronym may be spelled out in the passage."""
    speech = passage("Mr Speaker, the unemployment rate is at 3.4 percent. Mr President, it fell in Ohio.")
    assert missing(Question.parse("What is the unemployment rate in Botswana?"), speech) == "Botswana"
    science = passage("Modelling by the Scientific Advisory Group for Emergencies suggested 25,000 deaths in London.")
    assert missing(Question.parse("How many deaths did SAGE modelling suggest?"), science) is None
    assert missing(Question.parse("How many deaths did NASA modelling suggest?"), science) == "NASA"


@pytest.mark.parametrize(
    ("sentence", "lacking"),
    [
        ("In 1999 nine died.", "2004"),
        ("From 1995 to 2003 nine fell ill.", "2004"),
        ("From 1995 to 2007 nine fell ill.", None),
        ("In 2003/04 nine died.", None),
        ("Nine died.", None),
        ("In 2004 nine died, in 2001 six.", None),
    ],
)
def test_a_sentence_of_another_year(sentence, lacking):
    """It lacks the year of the question where it has others, and no span of years around it."""
    assert other_year(Question.parse("How many died in 2004?"), sentence) == lacking
    assert other_year(Question.parse("How many died?"), sentence) is None
