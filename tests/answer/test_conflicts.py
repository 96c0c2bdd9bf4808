"""Disagreement: values that are the same in other words, and sources that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.conflicts import sides
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.question import Question
from rag.answer.settings import Quoting
from rag.answer.values import is_of_kind, value
from rag.app.as_json import answer_json
from rag.language.numbers import number, numbers
from rag.records import Candidate, Document, Hit, Span, Statement

COUNT, WHEN, WHO = "How many people fled?", "When did it begin?", "Who leads the group?"


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (COUNT, "3 million", "three million people"),
        (COUNT, "3,000,000", "3 million"),
        (COUNT, "approximately three million", "3.1 million"),
        (COUNT, "half a million", "500,000"),
        (COUNT, "a dozen", "12"),
        (COUNT, "at least 412", "412 or more"),
        (COUNT, "more than 7 million", "7.2 million"),
        ("What percentage voted? How many?", "10%", "ten per cent"),
        ("How long is the road?", "450 kilometres", "280 miles"),
        ("How long did it take?", "two hours", "120 minutes"),
        (WHEN, "10 March", "10 March 2021"),
        (WHEN, "2016", "28 July 2016"),
        (WHEN, "February 7, 2021", "7 Feb 2021"),
        (WHEN, "11 and 12 January", "12 January"),
        ("When was she born?", "2 May 1840 – 9 June 1901", "2 May 1840"),
        ("When did she die?", "2 May 1840 – 9 June 1901", "June 1901"),
        ("What time was the call?", "23:40", "11.40pm"),
        ("What time was the call?", "11:40", "23:40"),
        (WHO, "U.S.", "United States"),
        (WHO, "HTS", "Hayat Tahrir al-Sham"),
        (WHO, "Robert Ford", "Ford"),
        (WHO, "Saraqib", "Saraqeb"),
        (WHO, "Türkiye", "Turkiye"),
        (WHO, "Security Council", "UN Security Council"),
    ],
)
def test_same_value_in_other_words(question, one, other):
    """Other words, units and precision are no disagreement, in either order."""
    asked = Question.parse(question)
    first, second = value(asked, one), value(asked, other)
    assert first
    assert second
    assert first.agrees(second)
    assert second.agrees(first)


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (COUNT, "2,400", "3,150"),
        (COUNT, "seven people", "nine"),
        (COUNT, "280,000", "at least 370,000"),
        (COUNT, "about 900", "about 2,000"),
        (COUNT, "nobody", "5"),
        ("How long is the road?", "5 km", "5 miles"),
        (WHEN, "2016", "2017"),
        (WHEN, "10 March 2021", "11 March 2021"),
        ("What time was the call?", "23:40", "00:25"),
        (WHO, "Facebook", "Apple"),
        (WHO, "Tampa, Florida", "Glendale, Arizona"),
    ],
)
def test_other_values(question, one, other):
    """What cannot be the same is told apart, in either order."""
    asked = Question.parse(question)
    first, second = value(asked, one), value(asked, other)
    assert first
    assert second
    assert not first.agrees(second)
    assert not second.agrees(first)


def test_what_is_no_value():
    """A clause is not compared, nor a span of several numbers, nor anything of a question for a reason."""
    assert value(Question.parse(WHO), "the men who had been fighting since the morning") is None
    assert value(Question.parse(COUNT), "between 10 and 20") is None
    assert value(Question.parse("Why did they flee?"), "the bombing") is None
    assert value(Question.parse("What time was the call?"), "20 September 2023") is None


@given(st.integers(1, 10**9))
def test_a_number_agrees_with_itself_in_groups(amount):
    """Digits mean the same with and without separators."""
    plain, grouped = number(f"{amount} people"), number(f"{amount:,} people")
    assert plain
    assert grouped
    assert plain.value == grouped.value == amount
    assert plain.agrees(grouped)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It cost £1.5m, not £2bn or $40k.", [1.5e6, 2e9, 40e3]),
        ("It was -15 degrees, or −3.5, between 10-15 and 7–9 May.", [-15, -3.5, 10, 15, 7, 9]),
        ("sold for 500 pounds", [500]),
    ],
)
def test_quantities(text, values):
    """Short forms of money are read whole, signs are kept, and pounds are none of weight."""
    assert [number.value for number in numbers(text)] == values


def test_units():
    """A unit becomes the basic one of what it measures."""
    read = number("two miles")
    assert read
    assert read.value == pytest.approx(3218.688)
    assert read.measures == "metre"


def claim(text: str, short: str, uri: str, **known) -> Candidate:
    """A candidate of one sentence, alone in its document."""
    span = Span(0, len(text))
    speaker = known.pop("speaker", None)
    said = (Statement(span, speaker),) if speaker else ()
    document = Document(uri, text, None, "0" * 64, date=known.pop("date", None), speakers=said)
    at = text.index(short)
    scores = {"score": 0.8, "support": 0.9, **known}
    return Candidate(Hit(document.passage(span, [span]), 1.0), span, text, short=Span(at, at + len(short)), **scores)


SEVEN = claim("The flood killed seven people.", "seven people", "/a.txt", date="2023-01-13")
NINE = claim("The flood killed nine.", "nine", "/b.txt", date="2023-01-16", score=0.7)
DIED = "How many people did the flood kill?"


def test_the_newer_side_first():
    """Two reports with dates: the newer one leads; without a date, the better one does."""
    assert sides(Question.parse(DIED), [SEVEN, NINE], 0.1) == [NINE, SEVEN]
    undated = claim("The flood killed nine.", "nine", "/b.txt", score=0.7)
    assert sides(Question.parse(DIED), [SEVEN, undated], 0.1) == [SEVEN, undated]


@pytest.mark.parametrize(
    "other",
    [
        claim("The flood killed nine.", "nine", "/b.txt", score=0.2),
        claim("The flood killed nine.", "nine", "/b.txt", support=0.3),
        claim("The flood killed nine.", "nine", "/a.txt"),
        claim("The flood killed 7 people.", "7 people", "/b.txt"),
        claim("The flood killed nine, after seven people were counted first.", "nine", "/b.txt"),
        replace(claim("The flood killed nine.", "nine", "/b.txt"), short=None),
    ],
    ids=["far worse", "about something else", "same source", "same value", "reports both", "no short answer"],
)
def test_no_side(other):
    """What is no second account of the same thing makes no disagreement."""
    assert sides(Question.parse(DIED), sorted([SEVEN, other], key=lambda c: -c.score), 0.1) == []


def test_a_denied_value_is_a_side():
    """`nine, not seven people` contradicts even a source that is found far behind."""
    denial = claim("The flood killed nine, and not seven people as was said.", "nine", "/b.txt")
    assert sides(Question.parse(DIED), [denial, replace(SEVEN, score=0.15)], 0.1) == [
        denial,
        replace(SEVEN, score=0.15),
    ]
    assert sides(Question.parse(DIED), [denial, replace(SEVEN, score=0.05)], 0.1) == []


def test_another_date_or_number_is_another_matter():
    """A sentence about another year, day or season than the asked one is no side."""
    first = claim("Ann Hill won the cup in 2018.", "Ann Hill", "/a.txt")
    other = claim("Eve Moor won the cup in 2019.", "Eve Moor", "/b.txt")
    assert sides(Question.parse("Who won the cup in 2018?"), [first, other], 0.1) == []
    assert sides(Question.parse("Who won the cup?"), [first, other], 0.1) == [first, other]
    third, fourth = (claim(f"Season {n} began on 4 May.", "4 May", f"/{n}.txt") for n in (3, 4))
    shifted = claim("Season 3 began on 9 May.", "9 May", "/c.txt")
    assert sides(Question.parse("When did season 3 begin?"), [fourth, shifted], 0.1) == []
    assert sides(Question.parse("When did season 3 begin?"), [third, shifted], 0.1) == [third, shifted]


FLED = claim("About 2,400 people fled.", "2,400", "/a.txt")
MORE = claim("The committee wrote down 3,150.", "3,150", "/b.txt", score=0.05, support=0.2)
TWO = replace(claim("Two numbers are given of how many fled.", "Two", "/c.txt", score=0.01), short=None)


def test_a_source_says_that_accounts_differ():
    """Then another account needs far less, but for a name; a sentence about something else says nothing of it."""
    assert sides(Question.parse(COUNT), [FLED, MORE, TWO], 0.1) == [FLED, MORE]
    assert sides(Question.parse(COUNT), [FLED, MORE], 0.1) == []
    assert sides(Question.parse(COUNT), [FLED, MORE, replace(TWO, support=0.3)], 0.1) == []
    assert sides(Question.parse(COUNT), [FLED, replace(MORE, score=0.01), TWO], 0.1) == []
    ann, eve = (
        claim("Ann Hill leads it.", "Ann Hill", "/a.txt"),
        claim("It was Eve Moor.", "Eve Moor", "/b.txt", score=0.2),
    )
    dispute = replace(claim("Accounts differ on who leads it.", "who", "/c.txt"), short=None)
    assert sides(Question.parse(WHO), [ann, eve, dispute], 0.1) == []


@pytest.mark.parametrize(("between", "found"), [("", True), ("Nothing else is known. " * 30, False)])
def test_accounts_beside_the_sentence_that_says_they_differ(between, found):
    """One document reports both, near the sentence which says so; what stands far from it is of something else."""
    parts = ("Two numbers are given. ", "The council has 2,400. ", between, "The committee has 3,150. ")
    document = Document("/a.txt", "".join(parts), None, "0" * 64)
    spans = [Span(at, at + len(part) - 1) for part in parts if part for at in [document.text.index(part)]]
    hit = Hit(document.passage(Span(0, len(document.text)), spans), 1.0)

    def candidate(part: str, short: str | None, score: float) -> Candidate:
        at = document.text.index(part)
        span = short and Span(document.text.index(short), document.text.index(short) + len(short))
        return Candidate(hit, Span(at, at + len(part) - 1), part.strip(), score, 0.9, span or None)

    saying, council = candidate(parts[0], None, 0.1), candidate(parts[1], "2,400", 0.8)
    committee = candidate(parts[3], "3,150", 0.2)
    assert sides(Question.parse(COUNT), [council, committee, saying], 0.1) == ([council, committee] if found else [])


def test_the_number_of_one_of_them_is_no_count():
    """`Gate three` does not say that there are three gates."""
    four, third = claim("It has four gates.", "four", "/a.txt"), claim("At gate three it stopped.", "three", "/b.txt")
    three = claim("It has three gates.", "three", "/b.txt")
    assert sides(Question.parse("How many gates does it have?"), [four, third], 0.1) == []
    assert sides(Question.parse("How many gates does it have?"), [four, three], 0.1) == [four, three]


def test_two_speakers_of_one_document():
    """Two named people of one transcript are two sources."""
    six = claim("There were six people on the barrier.", "six people", "/t.txt", speaker="Falkland")
    three = claim("There were three people on the barrier.", "three people", "/t.txt", speaker="Absalom")
    asked = "How many people were on the barrier?"
    assert sides(Question.parse(asked), [six, three], 0.1) == [six, three]
    nobody = claim("There were three people on the barrier.", "three people", "/t.txt")
    assert sides(Question.parse(asked), [six, nobody], 0.1) == []


def test_yes_and_no():
    """A denial in nearly the same words is the other side of a yes/no question; one in other words may not be."""
    yes = replace(claim("The council closed the bridge.", "bridge", "/a.txt"), short=None)
    no = replace(claim("The council did not close the bridge.", "bridge", "/b.txt"), short=None)
    other = replace(claim("The mayor has not seen the report.", "mayor", "/b.txt"), short=None)
    asked = "Did the council close the bridge?"
    assert sides(Question.parse(asked), [yes, no], 0.1) == [yes, no]
    assert sides(Question.parse(asked), [yes, other], 0.1) == []


class Claims:
    """A scorer that returns what it is given."""

    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = candidates

    def threshold(self, question: Question) -> float:
        return 0.1

    def score(self, question: Question, hits):
        return list(self.candidates)


def test_every_side_is_cited():
    """Both sides are sentences of the answer, the newer first; no short answer takes one of them."""
    answer = ExtractiveAnswerer(Claims(SEVEN, NINE), Quoting(longest=1)).answer(
        Question.parse(DIED), [SEVEN.hit, NINE.hit]
    )
    assert answer.text == "The flood killed nine. [1] The flood killed seven people. [2]"
    assert answer.short_answer is None
    assert answer_json(answer)["conflicts"] == [{"about": "How many people did the flood kill?", "sides": [1, 2]}]


@pytest.mark.slow
def test_sides_on_the_sample(sample):
    """Two witnesses' counts are shown as two sides with their speakers; a plain fact has none."""
    answer = sample.ask("How many people were on the barrier?")
    (conflict,) = answer.conflicts
    cited = {c.number: c for c in answer.citations}
    said = {cited[number].speaker: cited[number].quote for number in conflict.sides}
    assert any("Falkland" in str(speaker) and "six" in quote for speaker, quote in said.items()), said
    assert any("ABSALOM" in str(speaker).upper() and "three" in quote for speaker, quote in said.items()), said
    assert sample.ask("When was Resolution 2165 adopted?").conflicts == ()


@pytest.mark.parametrize(
    ("question", "fitting", "other"),
    [
        ("When did the wall fall?", ["1989", "in November", "two years ago", "last spring"], ["Berlin", "a hammer"]),
        ("In what year was it built?", ["1961"], ["concrete"]),
        ("How many came?", ["33", "sixty-four", "hundreds", "none", "two thirds"], ["Many", "the guests"]),
        ("How much did it cost?", ["£2.25m", "half a million", "2,003", "2000"], ["the buyer", "2003"]),
        ("who built it", ["Mary Blewitt", "the British", "CNN", "محمد"], ["1931", "king", "two or more parties"]),
        ("How did Ann Weaver die?", ["of cold", "she drowned"], ["she died", "Weaver died"]),
        ("Did Weaver or Lund die?", ["Weaver"], []),
        ("Where did they meet?", ["Berlin", "by the river", "the minister's house"], ["US security adviser"]),
        ("What fell when the wall was built?", ["a hammer", "1961"], []),
        ("How long did it take?", ["until they had enough", "nine days"], []),
    ],
)
def test_kinds_of_answers(question, fitting, other):
    assert [answer for answer in fitting if not is_of_kind(Question.parse(question), answer)] == []
    assert [answer for answer in other if is_of_kind(Question.parse(question), answer)] == []


def test_other_names_of_what_is_asked_about_are_no_answer():
    """`H-T-S = Hayat Tahrir al-Sham` names no leader."""
    question = Question.parse("Who leads Hayat Tahrir al-Sham?")
    assert value(question, "H-T-S") is None
    assert value(question, "Ahmed al-Sharaa") is not None


def test_a_share_is_no_count():
    assert not is_of_kind(Question.parse("How many cars were sold?"), "14.6 percent")
    assert is_of_kind(Question.parse("How many percent of cars were sold?"), "14.6 percent")
    assert is_of_kind(Question.parse("How much of it was sold?"), "14.6%")
