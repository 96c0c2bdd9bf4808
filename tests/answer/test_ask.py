"""A question is asked in other words before it is refused, and of one speaker's own words where a filter says so."""

from __future__ import annotations

import pytest

from rag.answer.spelling import respelled
from rag.library import Library
from rag.records import Filter

NEWS = {
    "power.txt": (
        "Talks on the power market\n\nGrid company Norvolt wants the rules to change by May. "
        '"The market has outgrown them," Norvolt chief executive Berit Aasen said in Tarnby on Monday.\n'
    ),
    "council.txt": (
        "Council on the harbour\n\nINES FALKLAND: There was a tender, and Seaward won it.\n\n"
        "YUSUF KARIM: Nobody in this room has ever seen that tender.\n\n"
        "INES FALKLAND: It lies in my office, Mr Karim.\n"
    ),
}


@pytest.fixture(scope="module")
def news(tmp_path_factory, encoder):
    """An index of two documents."""
    folder = tmp_path_factory.mktemp("news")
    for name, text in NEWS.items():
        (folder / name).write_text(text, "utf-8")
    with Library.open(folder / "index", embedder=encoder) as library:
        library.index(folder)
        yield library


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("How mutch mercurry was in the outer bassin?", "How much mercury was in the outer basin?"),
        ("Who did Paula Radclife beat?", "Who did Paula Radcliffe beat?"),
        ("How much mercury did Hansen find?", None),
        ("Who founded the harbour?", None),
        ("Why wasnt the harbour closed?", None),
    ],
)
def test_misspelled_words(question, other):
    """A word that is in the texts, or English, stays; so does a name that begins with another letter."""
    texts = [
        "Jansen found much mercury in the outer basin of the harbour.",
        "We want it. Paula Radcliffe won. Its founder left.",
    ]
    assert respelled(question, texts) == other


def test_a_misspelled_question_is_answered(news):
    """What was searched for instead is said."""
    answer = news.ask("Which grid compny wants the rulles to change?")
    assert not answer.abstained
    assert news.ask("Who is the cheif exective of Norvollt?").searched_for == "Who is the chief executive of Norvolt?"


def test_only_the_speaker_of_the_filter_is_quoted(news):
    """Others speak in the same passage."""
    answer = news.ask("Was there a tender?", where=Filter.parse(["speaker=Karim"]))
    assert [citation.quote for citation in answer.citations] == [
        "YUSUF KARIM: Nobody in this room has ever seen that tender."
    ]


def test_capitals_alone_are_no_names(news):
    """A question in capitals is asked in lower case: otherwise each of its words would be a name to be found."""
    answer = news.ask("WHO IS THE CHIEF EXECUTIVE OF NORVOLT?")
    assert answer.searched_for == "who is the chief executive of norvolt?"
    assert any("Berit Aasen" in citation.quote for citation in answer.citations)
