"""Questions for somebody's words: whose they ask for, and that they are answered by these."""

from __future__ import annotations

import pytest

from rag import Library
from rag.answer.question import Question
from rag.answer.speech import is_of_self, named_speakers
from rag.language.terms import terms

REPORT = """The harbour museum

Actor Peter Hale is behind a plan to reopen the harbour museum, which may be the oldest in the county. The museum has
been shut since 2011. Mr Hale told the Evening Mail that he was struck by the beauty of the museum. "A great deal of
money must be spent, but the bones are sound," he said.

Ann Lewis, a councillor, said the museum was a burden on the town. The roof was mended in 2009.
"""


@pytest.mark.parametrize(
    ("question", "who"),
    [
        ("What did Edward Fox say about the theatre?", "edward fox"),
        ("what does mike powell say about the surcharge", "mike powell"),
        ("What did Mr. Ford tell the BBC?", "ford"),
        ("How does Robert Ford describe the truce?", "robert ford"),
        ("Where did the U.S. say the troops were?", "US"),
        ("How many died according to the Syrian Observatory?", "syrian observatory"),
        ("What does he say about it?", ""),
        ("What does the M4 highway connect?", ""),
        ("When did HTS break away from al-Qaeda?", ""),
        ("Who said that the war goes on?", ""),
    ],
)
def test_whose_words_are_asked_for(question, who):
    assert Question.parse(question).speaker == frozenset(terms(who))


@pytest.fixture(scope="module", params=[None, "none"])
def museum(tmp_path_factory, request):
    """A library of one report, read by the reader and without one."""
    folder = tmp_path_factory.mktemp("museum")
    (folder / "report.txt").write_text(REPORT, encoding="utf-8")
    with Library.open(folder / "index", reader=request.param) as library:
        library.index(folder / "report.txt")
        yield library


def test_their_words_answer(museum):
    """What the speaker said about the matter is quoted, what follows as well, and nothing that others say."""
    words = " ".join(s.text for s in museum.ask("What did Peter Hale say about the museum?").sentences)
    assert "Mr Hale told the Evening Mail that he was struck by the beauty of the museum." in words
    assert '"A great deal of money must be spent, but the bones are sound," he said.' in words
    assert "burden" not in words
    burden, *_ = museum.ask("What did Ann Lewis say about the museum?").sentences
    assert burden.text.startswith("Ann Lewis, a councillor, said the museum was a burden on the town.")


def test_nothing_said_about_the_matter(museum):
    """What they say about something else is no answer."""
    answer = museum.ask("What did Peter Hale say about the railway strike?")
    assert not answer.is_plain or not any("bones" in s.text for s in answer.sentences)


def test_the_words_of_others_are_not_theirs(museum):
    """Somebody who is not quoted is not answered for by who is."""
    for asked in ("What did Tom Briggs say about the museum?", "What did Ann Lewis say about the bones?"):
        answer = museum.ask(asked)
        assert answer.closest or not any("Hale" in (s.speaker or "") for s in answer.sentences)


def test_who_is_named():
    speakers = ["Alma Prentiss", "Grace Oyelowe, night sister", "Ines Falkland"]
    assert named_speakers("how many patients did alma prentiss have?", speakers) == {"Alma Prentiss"}
    assert named_speakers("What did Ms Falkland's deputy ask Sister Oyelowe?", speakers) == {
        "Ines Falkland",
        "Grace Oyelowe, night sister",
    }
    assert named_speakers("How many patients were there?", speakers) == frozenset()
    assert named_speakers("How many were in the office?", ["the office", "Office Board"]) == frozenset()


@pytest.mark.parametrize(
    ("sentence", "of_self"),
    [
        ("There were sixty-four patients and eleven of us to look after them.", True),
        ("I saw her close the gate.", False),  # that is about her as well
        ("The gate was closed.", False),
        ("Troops of the US crossed the river.", False),
    ],
)
def test_who_is_spoken_of(sentence, of_self):
    assert is_of_self(sentence) is of_self


def test_what_somebody_says_of_themselves_is_no_answer_about_another(tmp_path):
    text = """The hearing

"We had sixty-four patients in the building that night," said Ann Lewis, the night sister.

"I have nothing to add about the patients," said Peter Hale, the mayor.

"We had nine boats that night," said Ines Falk, an engineer of the Rivers Board.

The Rivers Board said that it had learnt from the flood.
"""
    (tmp_path / "hearing.txt").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "index") as library:
        library.index(tmp_path / "hearing.txt")
        (own,) = library.ask("How many patients did Ann Lewis have in the building?").sentences
        assert "sixty-four" in own.text
        assert "sixty-four" not in library.ask("How many patients did Peter Hale have in the building?").text
        assert "nine boats" in library.ask("How many boats did the Rivers Board have that night?").text
