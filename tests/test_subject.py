"""A sentence about somebody else is no answer, as far as its pronoun tells."""

from __future__ import annotations

import pytest

from rag.records import Document, Span, Statement
from rag.subject import other_subject

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
