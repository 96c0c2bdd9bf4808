"""Spans, documents and passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.records import Document, Section, Span, Statement
from tests.conftest import speaker_at

TEXT = "Heading\nThe crane lifted. It fell.\nInner\nNobody was hurt."


def document() -> Document:
    """A document with nested sections, pages and a statement."""
    return Document(
        "/docs/a.txt",
        TEXT,
        None,
        "0" * 64,
        date="2024-12-02",
        page_starts=(0, 35),
        sections=(Section(Span(0, 57), Span(0, 7), "Heading", 1), Section(Span(35, 57), Span(35, 40), "Inner", 2)),
        speakers=(Statement(Span(26, 34), "Ann"),),
    )


def test_places():
    """Page, section and speaker of an offset."""
    d = document()
    assert [d.page_at(offset) for offset in (0, 34, 35)] == [1, 1, 2]
    assert [d.section_at(offset) for offset in (0, 34, 35, 57)] == ["Heading", "Heading", "Inner", None]
    assert [speaker_at(d, offset) for offset in (25, 26, 33, 34)] == [None, "Ann", "Ann", None]
    assert d.name == "a.txt"


def test_passage_takes_its_place_from_its_first_sentence():
    """Context is for retrieval only and is not in the text."""
    passage = document().passage(Span(8, 34), [Span(26, 34)])
    assert (passage.text, passage.section, passage.speaker) == ("The crane lifted. It fell.", "Heading", "Ann")
    assert passage.context == "Heading · 2024-12-02 · Ann"
    assert passage.retrieval_text == "Heading · 2024-12-02 · Ann\nThe crane lifted. It fell."
    assert passage.quote(Span(26, 34)) == "It fell."


def test_context_names_all_who_speak_and_are_not_named():
    """A name that stands in the text is found there; the role is told of the first speaker only."""
    who = {
        "Ann Hill, nurse": Span(0, 3),
        "Bo Holm, cook": Span(4, 12),
        "the firm": Span(13, 17),
        "Cy Moe": Span(18, 29),
    }
    said = tuple(Statement(span, name) for name, span in who.items())
    spoken = Document("u", "No. It fell. Why? As MOE saw.", None, "0", speakers=said)
    passage = spoken.passage(Span(0, 29), [Span(0, 3)])
    assert passage.context == "Ann Hill, nurse · Bo Holm"


def test_passage_ids_tell_places_and_texts_apart():
    """The id depends on place and content, and on nothing else."""
    d = document()
    assert d.passage(Span(8, 34)).id == document().passage(Span(8, 34)).id
    assert d.passage(Span(8, 33)).id != d.passage(Span(8, 34)).id


@pytest.mark.parametrize("span", [(3, 2), (-1, 4)])
def test_impossible_spans(span):
    """A span is never negative or backwards."""
    with pytest.raises(ValueError, match="not a span"):
        Span(*span)


def test_passage_outside_of_the_document():
    """A passage never reaches beyond its document, a sentence never beyond its passage."""
    with pytest.raises(ValueError, match="does not fit"):
        document().passage(Span(0, 1000))
    with pytest.raises(ValueError, match="does not fit"):
        document().passage(Span(0, 5), [Span(4, 6)])


@given(st.text(), st.data())
def test_quotes_re_slice(text, data):
    """Any span of any passage of any text is the document's own characters."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    inner = data.draw(st.integers(start, end))
    passage = Document("/x.txt", text, None, "0" * 64).passage(Span(start, end))
    assert passage.quote(Span(start, inner)) == text[start:inner]
