"""A question is asked in other words before it is refused, and of one speaker's own words where a filter says so."""

from __future__ import annotations

import pytest

from rag.answer.roles import asked_by_role
from rag.answer.spelling import respelled
from rag.library import Library
from rag.records import Filter
from rag.retrieve import MAX_QUESTION

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
        ("Who runs BT?", "Who is the chief executive of BT?"),
        ("who currently chairs the board", "who is the chairman of the board"),
        ("Which MP chaired the committee?", "Which MP was the chairman of the committee?"),
        ("Who is directing the film?", "Who is the director of the film?"),
        ("Who ran in the election?", None),
        ("Who led to the change?", None),
        ("Who is the head of BT?", None),
        ("When was BT founded?", None),
    ],
)
def test_the_role_of_a_deed(question, other):
    """The verb becomes the noun for whoever does it; other questions are left alone."""
    assert asked_by_role(question) == other


@pytest.mark.parametrize("asked", ["is in charge of", "is the boss of", "leads"])
def test_whoever_is_in_charge(asked):
    """Everyday words for a role."""
    assert asked_by_role(f"Who {asked} Norvolt?") in {
        "Who is the chief executive of Norvolt?",
        "Who is the leader of Norvolt?",
    }


def test_an_answer_without_a_name_is_tried_in_other_words(tmp_path, encoder):
    """`A group of oystermen` is nobody who runs something today."""
    text = (
        "The Marlow Trust was founded by a group of oystermen who wanted to save the last smokehouse.\n\n"
        "Our chief executive, Tobias Renfrew, has been in post since 2019. Visitors came from far away.\n"
    )
    (tmp_path / "marlow.txt").write_text(text, "utf-8")
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path)
        answer = library.ask("Who runs the Marlow Trust?")
        assert answer.short_answer is not None
        assert answer.short_answer.text == "Tobias Renfrew"


def test_a_refusal_is_tried_in_other_words(news):
    """Who "runs" a company is its chief executive; what was searched for instead is said, and the question kept."""
    answer = news.ask("Who runs Norvolt?")
    assert answer.short_answer is not None
    assert answer.short_answer.text == "Berit Aasen"
    assert answer.question == "Who runs Norvolt?"
    refused = news.ask("Who edits the Tarnby Post?")
    assert refused.abstained
    assert refused.question == "Who edits the Tarnby Post?"


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("How mutch mercurry was in the outer bassin?", "How much mercury was in the outer basin?"),
        ("Who did Paula Radclife beat?", "Who did Paula Radcliffe beat?"),
        ("How much mercury did Hansen find?", None),
        ("Who founded the harbour?", None),
    ],
)
def test_misspelled_words(question, other):
    """A word that is in the texts, or English, stays; so does a name that begins with another letter."""
    texts = ["Jansen found much mercury in the outer basin of the harbour.", "Paula Radcliffe won. Its founder left."]
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


def test_other_words_that_are_too_long_are_not_tried(news):
    """The role is longer than its deed: a question that just fits is refused, and is no error."""
    question = f"Who runs {'Norlandia ' * 399}".strip()
    assert len(question) <= MAX_QUESTION < len(asked_by_role(question) or "")
    assert news.ask(question).abstained


def test_capitals_alone_are_no_names(news):
    """A question in capitals is asked in lower case: otherwise each of its words would be a name to be found."""
    answer = news.ask("WHO RUNS NORVOLT?")
    assert answer.short_answer is not None
    assert answer.short_answer.text == "Berit Aasen"
