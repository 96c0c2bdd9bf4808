"""A sentence about somebody else is no answer, as far as its pronoun tells."""

from __future__ import annotations

import pytest

from rag.answer.subject import answers_another, is_done_to, other_subject
from rag.language.questions import asked_before, is_question
from rag.records import Document, Span, Statement

WITNESS = "There were sixty-four patients and eleven of us."
TEXT = f"MS HARGREAVE: How many?\nSISTER OKORO: {WITNESS} The Ferry Guild took over. It sold two boats. Dr Lund left."
GUILD = "It sold two boats."


def asked(question: str, sentence: str, text: str = TEXT) -> str | None:
    """Whom the question is about, where the sentence is about another; Sister Okoro says all."""
    start = text.index(sentence)
    spoken = Statement(Span(text.index(WITNESS) if WITNESS in text else 0, len(text)), "Ada Okoro, night sister")
    statements = (spoken,) if WITNESS in text else ()
    passage = Document("/a.txt", text, None, "0" * 64, speakers=statements).passage(Span(0, len(text)), [])
    speakers = {"Ada Okoro, night sister", "Jane Hargreave, counsel"}
    return other_subject(question, passage, Span(start, start + len(sentence)), speakers)


@pytest.mark.parametrize(
    ("question", "sentence", "other"),
    [
        ("How many patients did Jane Hargreave have?", WITNESS, "Jane Hargreave"),
        ("How many patients did Ada Okoro have?", WITNESS, None),
        ("How many patients did Sister Okoro have?", WITNESS, None),
        ("How many patients did the Quay Infirmary have?", WITNESS, None),  # it speaks for more than herself
        ("How many patients were there?", WITNESS, None),
        ("When did the Rowing Club sell boats?", GUILD, "Rowing Club"),
        ("When did the Ferry Guild sell boats?", GUILD, None),
        ("What was sold in Marlow?", GUILD, None),  # nobody who could be `it`
        ("When did the Rowing Club leave?", "Dr Lund left.", None),  # no pronoun: what it lacks is found elsewhere
    ],
)
def test_other_subject(question, sentence, other):
    assert asked(question, sentence) == other


def test_a_pronoun_without_anybody_before_it_may_be_anybody():
    text = "It sold two boats. The Ferry Guild took over."
    assert asked("When did the Rowing Club sell boats?", GUILD, text) is None


GLOSSARY = (
    "**Rowing Club.** It has two boats.\n\n**Ferry Guild** (the Guild). Sold two boats in 1911.\n\n- **Dr Lund** left."
)


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("When did the Rowing Club sell boats?", "Rowing Club"),
        ("When did the Ferry Guild sell boats?", None),
        ("When did the Guild sell boats?", None),
        ("When were boats sold?", None),
    ],
)
def test_an_entry_of_a_glossary_is_about_its_term(question, other):
    assert asked(question, "Sold two boats in 1911.", GLOSSARY) == other


def test_bold_letters_alone_define_nobody():
    """A date or a topic at the head of a paragraph leaves open whom it is about."""
    text = "- **1911** Sold two boats.\n- **Costs.** They came to nine pounds."
    assert asked("When did the Rowing Club sell boats?", "Sold two boats.", text) is None


def test_the_swapped_questions_of_the_sample(sample):
    """The counsel had no patients, and Hezbollah was never the al-Nusra Front."""
    for question in (
        "How many patients did Alma Prentiss have in the building?",
        "When was Hezbollah called the al-Nusra Front?",
        "Where did Jake Sullivan meet the leader of HTS?",
    ):
        assert sample.ask(question).abstained, question
    assert not sample.ask("How many patients did Grace Oyelowe have in the building?").abstained


@pytest.mark.parametrize(
    ("question", "sentence", "other"),
    [
        ("How much did Halvorsen pay Nordstrait?", "Nordstrait shall pay Halvorsen £4 million.", "Halvorsen"),
        ("How much must Halvorsen pay?", "Nordstrait shall pay Halvorsen £4 million.", None),
        ("How much did Nordstrait pay Halvorsen?", "Nordstrait shall pay Halvorsen £4 million.", None),
        ("How much did Halvorsen pay Nordstrait?", "Nordstrait was paid £4 million by Halvorsen.", None),
        ("How much did Halvorsen pay Nordstrait?", "To Nordstrait, Halvorsen paid £4 million.", None),
        (
            "How much did Halvorsen pay Nordstrait?",
            "The court heard it: Nordstrait paid Halvorsen at once.",
            "Halvorsen",
        ),
        ("Why did Ann Hill sue Ben Drew?", "Ben Drew sued Ann Hill over the fence; she won.", "Ann Hill"),
        ("When did Ann Hill meet Ben Drew?", "Ben Drew met Ann Hill in May.", None),  # each does it
    ],
)
def test_who_does_it_to_whom(question, sentence, other):
    """A sentence in which the two have each other's part is no answer; a passive or another order of words may be."""
    assert asked(question, sentence, sentence) == other


FAQ = (
    "**When does the centre open?**\nOn 3 June.\n\n**Will the clinic at Abbey Row close?**\n"
    "Yes, on 30 April. Take the bus."
)


@pytest.mark.parametrize(
    ("question", "sentence", "another"),
    [
        ("When does the centre open?", "Yes, on 30 April.", True),
        ("When will the clinic close?", "Yes, on 30 April.", False),
        ("When does the centre open?", "On 3 June.", False),
        ("How do I get there?", "Take the bus.", False),  # it says neither yes nor no
    ],
)
def test_yes_and_no_belong_to_the_question_above_them(question, sentence, another):
    passage = Document("/a.md", FAQ, None, "0" * 64).passage(Span(0, len(FAQ)), [])
    start = FAQ.index(sentence)
    assert answers_another(question, passage, Span(start, start + len(sentence))) is another


def test_the_question_before_a_reply():
    """Also in bold letters, and with the name of who replies between."""
    assert is_question("**When does the centre open?**")
    assert asked_before(FAQ, FAQ.index("On 3 June")) == "When does the centre open?"
    assert asked_before(FAQ, FAQ.index("Take the bus")) == ""
    talk = "Q: Was the study thin?\nHALE: It was."
    assert asked_before(talk, talk.index("It was")) == "Q: Was the study thin?\nHALE:"
    assert asked_before(talk, 0) == ""


@pytest.mark.parametrize(
    ("question", "sentence", "found", "other"),
    [
        ("Who sued Ann Hill?", "Ann Hill sued Bob Dale over the fence.", "Bob Dale", True),
        ("Who sued Bob Dale?", "Ann Hill sued Bob Dale over the fence.", "Ann Hill", False),
        ("Who was sued by Ann Hill?", "Ann Hill sued Bob Dale over the fence.", "Bob Dale", False),
        ("Who was sued by Bob Dale?", "Ann Hill sued Bob Dale over the fence.", "Ann Hill", True),
        ("Who bought Kelby Holdings?", "Tarnby Steel was bought by Kelby Holdings.", "Tarnby Steel", True),
        ("Who bought Tarnby Steel?", "Tarnby Steel was bought by Kelby Holdings.", "Kelby Holdings", False),
        ("Who was bought by Kelby Holdings?", "Tarnby Steel was bought by Kelby Holdings.", "Tarnby Steel", False),
        ("Who was Ann Hill?", "Ann Hill was the mayor.", "the mayor", False),
        ("Who married Ann Hill?", "Ann Hill married Bob Dale.", "Bob Dale", False),  # each does it
        ("Who led the Tarnby council?", "The Tarnby council was led for years by Ann Hill.", "Ann Hill", False),
    ],
)
def test_who_did_it_and_to_whom_it_was_done(question, sentence, found, other):
    assert is_done_to(question, sentence, found) is other
