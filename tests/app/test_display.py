"""Nothing is said twice beside a quotation: not its speaker, not a title that its section has."""

from __future__ import annotations

import pytest

from rag.app import export
from rag.app.as_json import answer_json
from rag.app.cli.output import answer_lines
from rag.app.display import speaker_before
from rag.app.ui import render
from rag.records import (
    Answer,
    AnswerSentence,
    Citation,
    Conflict,
    Document,
    Section,
    Span,
    Statement,
    title_and_section,
)

ABSALOM = "Peter Absalom, counsel to the inquiry"


TITLE, HEADING = "Interview with Ada Holm", "Interview with Ada Holm, former harbour master"


@pytest.mark.parametrize(
    ("title", "section", "both"),
    [
        (TITLE, HEADING, (HEADING, None)),
        (HEADING, "Interview with Ada Holm", (HEADING, None)),
        (TITLE, TITLE.upper(), (TITLE, None)),
        (TITLE, "Her resignation", (TITLE, "Her resignation")),
        ("Report", "Reports of others", ("Report", "Reports of others")),
        (TITLE, None, (TITLE, None)),
    ],
)
def test_title_and_section_that_begin_the_same_are_shown_once(title, section, both):
    assert title_and_section(title, section) == both


def test_page_command_line_and_export_show_them_once():
    text = f"{HEADING}\n\nShe left in May."
    whole = Span(0, len(text))
    sections = (Section(whole, Span(0, len(HEADING)), HEADING),)
    document = Document("/docs/holm.txt", text, TITLE, "0", sections=sections)
    cite = Citation.of(document.passage(whole), Span(len(HEADING) + 2, len(text)))
    form = answer_json(Answer("When did she leave?", (AnswerSentence(cite.quote, (1,)),), (cite,)))
    assert str(cite) == f"{HEADING} [{cite.span.start}:{cite.span.end}]"
    card = render.citation_card(form["citations"][0])
    assert (card["title"], card["facts"]) == (HEADING, ["holm.txt"])
    assert f"[1] {HEADING}, holm.txt\n" in export.text([form])


@pytest.mark.parametrize(
    ("speaker", "words", "named"),
    [
        ("Brandvold", "Brandvold: No.", None),
        (ABSALOM, "MR ABSALOM: Thank you.", None),
        (ABSALOM, "**Mr. Absalom:** Thank you.", None),
        ("Brandvold", "Brandvold (quietly): No.", None),
        ("Nadia Kessler", "NADIA KESSLER, CNN ANCHOR: Welcome.", None),
        ("Brandvold", "No.", "Brandvold"),
        ("Brandvold", "Kessler: No.", "Brandvold"),
        ("Brandvold", "Brandvold met two people: Ekdahl and his wife.", None),
        ("Dick Pound", "Wada chairman Dick Pound said: It is wrong.", None),
        ("Brandvold", "There is one thing: the mud.", "Brandvold"),
        (ABSALOM, "To the inquiry: it was May.", ABSALOM),
        ("Brandvold", "MR: No.", "Brandvold"),
        (None, "Brandvold: No.", None),
    ],
)
def test_a_label_in_the_quotation_names_its_speaker(speaker, words, named):
    assert speaker_before(speaker, words) == named


def answer() -> Answer:
    """Two statements of a transcript that differ, the first with its label."""
    text = "MR ABSALOM: It was May. It was June."
    speakers = (Statement(Span(0, 23), ABSALOM), Statement(Span(24, 36), "Nadia Kessler"))
    document = Document("/docs/t.txt", text, "A transcript", "0", speakers=speakers)
    passage = document.passage(Span(0, len(text)))
    cites = (Citation.of(passage, Span(0, 23), 1), Citation.of(passage, Span(24, 36), 2))
    sentences = tuple(AnswerSentence(c.quote, (c.number,), c.speaker) for c in cites)
    return Answer("When was it?", sentences, cites, conflicts=(Conflict("When was it?", (1, 2)),))


def test_page_command_line_and_export_name_each_speaker_once():
    form = answer_json(answer())
    printed = answer_lines(answer()).splitlines()
    assert printed[:2] == ["MR ABSALOM: It was May. [1]", "Nadia Kessler: It was June. [2]"]
    assert "  no date, A transcript: MR ABSALOM: It was May. [1]" in printed
    assert "  no date, A transcript, Nadia Kessler: It was June. [2]" in printed
    assert [s["speaker"] for s in render.answer_view(form)["sentences"]] == [None, "Nadia Kessler"]
    assert "\n\nMR ABSALOM: It was May. [1]\n\nNadia Kessler: It was June. [2]\n" in export.text([form])
