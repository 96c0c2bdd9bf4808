"""Follow-ups: what a question leaves out is put in, and a question that stands by itself is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.answer.followup import readings
from rag.app.as_json import answer_json
from rag.library import Library
from rag.records import Answer, AnswerSentence, Span
from tests.conftest import ROOT, SHARED

PAIRS = json.loads((ROOT / "tests/data/followups.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("before", "question", "meant"),
    [
        # a part of another kind, the rest taken from before
        ("How many civilians live in Idlib?", "And in Aleppo?", "How many civilians live in Aleppo?"),
        ("Where does the M4 start?", "What about the M5?", "Where does the M5 start?"),
        ("How many people had fled by 28 November?", "And by 6 December?", "How many people had fled by 6 December?"),
        ("How many people fled Tresk in 2018?", "What about 2019?", "How many people fled Tresk in 2019?"),
        ("How many civilians were killed?", "And soldiers?", "How many soldiers were killed?"),
        ("When was the Rila dam built?", "And the Suez canal?", "When was the Suez canal built?"),
        ("When was Resolution 2165 adopted?", "And Resolution 2254?", "When was Resolution 2254 adopted?"),
        ("How long is the wait for dermatology?", "And for cardiology?", "How long is the wait for cardiology?"),
        ("What did Ana Velic say about Tresk?", "And Pavel Orlo?", "What did Pavel Orlo say about Tresk?"),
        ("What did Ana Velic say about Tresk?", "And about Rila?", "What did Ana Velic say about Rila?"),
        ("Who is the mayor of Tresk?", "And the treasurer?", "Who is the treasurer of Tresk?"),
        ("How much is a tyre change for the Volta?", "What about a service?", "How much is a service for the Volta?"),
        ("What was the deficit in 2022/23?", "And in Rila?", "What was the deficit in 2022/23 in Rila?"),
        ("How big is Orlo's stake?", "And Velic?", "How big is Velic’s stake?"),
        # a question word
        ("When did the talks in Astana begin?", "Why?", "Why did the talks in Astana begin?"),
        ("Where was the Tresk accord signed?", "By whom?", "By whom was the Tresk accord signed?"),
        ("Did people die in the Rila flood?", "When?", "When did people die in the Rila flood?"),
        ("Did people die in the Rila flood?", "How many?", "How many (did people die in the Rila flood)?"),
        (
            "How many patients were in the infirmary?",
            "When was that?",
            "When (how many patients were in the infirmary)?",
        ),
        ("Who spoke against the weir?", "Who else?", "Who else (who spoke against the weir)?"),
        # a pronoun
        (
            "How many gates does the barrier have?",
            "When was it opened?",
            "When was it opened (how many gates does the barrier have)?",
        ),
        ("What is Sednaya?", "Who was held there?", "Who was held there (what is Sednaya)?"),
        (
            "Who is Ines Falkland?",
            "What did her letters ask for?",
            "What did her letters ask for (who is Ines Falkland)?",
        ),
        ("When did the Rila dam fail?", "And then?", "What happened then (when did the Rila dam fail)?"),
        ("who is ana velic", "Where does she live?", "Where does she live (who is ana velic)?"),
        ("Who is she (what did the judge say)?", "How old is she?", "How old is she (what did the judge say)?"),
        ("What did the judge say?", "Who is she?", "Who is she (what did the judge say)?"),
    ],
)
def test_what_is_left_out(before, question, meant):
    """Ellipsis, bare question words and pronouns become a question that stands by itself."""
    assert readings(question, [before])[0] == meant


def test_several_readings():
    """Where more than one part fits, each is a reading; the surest answer decides."""
    assert readings("And Ann Hill?", ["What did Bob Ray say about Cy Orr?"]) == [
        "What did Ann Hill say about Cy Orr?",
        "What did Bob Ray say about Ann Hill?",
    ]


@pytest.mark.parametrize(
    ("marked", "meant"),
    [
        ("Ana Velic", "How old is she (who is the mayor of Tresk: Ana Velic)?"),
        ("nobody", "How old is she (who is the mayor of Tresk)?"),
    ],
)
def test_the_name_that_answered_is_told(marked, meant):
    text = f"In March {marked} became mayor."
    sentence = AnswerSentence(text, (1,), marks=(Span(9, 9 + len(marked)),))
    assert readings("How old is she?", [Answer("Who is the mayor of Tresk?", (sentence,))]) == [meant]


@pytest.mark.parametrize(
    "question",
    [
        *(pair["alone"] for pair in PAIRS),
        *(pair["before"] for pair in PAIRS),
        "How long does it take to close the gate by hand?",
        "How many people had to leave their homes?",
        "Who said that the war is heating up?",
        "When did Assad say that he would leave?",
        "Is it true that HTS left al-Qaeda?",
        "How many people are there in Idlib?",
        "What did the council say about its figure?",
        "idlib population",
    ],
)
def test_what_stands_by_itself_is_left_alone(question):
    """A question with all its parts is not touched, whatever came before."""
    assert readings(question, ["Who is Robert Ford?"]) == [question]
    assert readings(question, []) == [question]


@pytest.mark.slow
def test_the_last_turn_counts_as_it_was_meant(sample):
    """The third question of a chain leans on what the second one meant; an answer's name is told."""
    first = sample.ask("How many Syrians are registered in Jordan?")
    second = sample.ask("And in Iraq?", history=[first])
    third = sample.ask("And in Egypt?", history=[first, second])
    assert first.searched_for is None
    assert third.question == "And in Egypt?"
    assert third.searched_for == "How many Syrians are registered in Egypt?"
    assert answer_json(third)["searched_for"] == third.searched_for
    chair = sample.ask("Who chairs the Orrelby Relief Committee?")
    assert "Penhallow" in readings("What did she say about the barrier?", [chair])[0]


@pytest.mark.slow
def test_who_said_that(sample):
    """`Who said that?` asks for the speaker of the sentence that was cited."""
    first = sample.ask("How many people were on the barrier from start to finish?")
    answer = sample.ask("Who said that?", history=[first])
    assert answer.searched_for
    assert answer.searched_for.startswith("Who said: ")
    assert first.short_answer
    cited = first.citations[first.short_answer.citation - 1]
    assert " ".join(cited.quote.split()) in answer.searched_for
    assert cited.speaker
    name = cited.speaker.partition(",")[0]  # another document may give another role
    assert name in {(citation.speaker or "").partition(",")[0] for citation in answer.citations}


@pytest.mark.slow
def test_follow_ups_find_what_their_stand_alone_forms_find(tmp_path_factory, encoder):
    """Of every second pair, hit@5 of the follow-up is within 0.05 of its stand-alone form."""
    folders = [ROOT / "data", *([SHARED / "seeds"] if SHARED.exists() else [])]
    with Library.open(tmp_path_factory.mktemp("pairs") / "index", embedder=encoder) as library:
        library.index(*folders)
        names = {Path(info.uri).name for info in library.documents()}
        pairs = [pair for pair in PAIRS[::2] if pair["document"] in names]
        asked = [library.ask(pair["follow_up"], history=[library.ask(pair["before"])]) for pair in pairs]
        led = [hit_at_5(library, a.searched_for or a.question, p) for a, p in zip(asked, pairs, strict=True)]
        alone = [hit_at_5(library, p["alone"], p) for p in pairs]
    missed = [p["follow_up"] for p, mine, theirs in zip(pairs, led, alone, strict=True) if theirs and not mine]
    assert sum(alone) >= 0.85 * len(pairs)
    assert sum(led) >= sum(alone) - 0.05 * len(pairs), missed


def hit_at_5(library: Library, question: str, pair: dict[str, str]) -> bool:
    """Whether one of the best five passages is from the document and holds the words."""
    hits = (hit.passage for hit in library.retriever.fused(question, 5))
    return any(
        passage.uri.endswith("/" + pair["document"]) and pair["holds"] in " ".join(passage.text.split())
        for passage in hits
    )
