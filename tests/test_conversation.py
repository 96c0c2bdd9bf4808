"""Follow-ups: what a question leaves out is put in, and a question that stands by itself is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.conversation import standalone
from rag.library import Library
from rag.wire import answer_json
from tests.conftest import ROOT, SHARED

PAIRS = json.loads((Path(__file__).parent / "followups.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("before", "question", "meant"),
    [
        ("How many civilians live in Idlib?", "And in Aleppo?", "How many civilians live in Aleppo?"),
        ("Where does the M4 start?", "What about the M5?", "Where does the M5 start?"),
        ("How many people had fled by 28 November?", "And by 6 December?", "How many people had fled by 6 December?"),
        ("How many civilians were killed?", "And soldiers?", "How many soldiers were killed?"),
        ("When did the talks in Astana begin?", "Why?", "Why did the talks in Astana begin?"),
        ("Did the generator start?", "Why not?", "Why not: Did the generator start?"),
        ("How many patients were in the infirmary?", "When was that?", "When were patients in the infirmary?"),
        ("Who is Ines Falkland?", "What did her letters ask for?", "What did Ines Falkland’s letters ask for?"),
        ("How many gates does the barrier have?", "When was it opened?", "When was the barrier opened?"),
        ("What is Sednaya?", "Who was held there?", "Who was held in Sednaya?"),
        (
            "What did Leonard Marchbanks laugh at?",
            "What about his wife?",
            "What did Leonard Marchbanks’s wife laugh at?",
        ),
    ],
)
def test_what_is_left_out(before, question, meant):
    """Ellipsis, bare question words and pronouns become a question that stands by itself."""
    assert standalone(question, [before]) == meant


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
    assert standalone(question, ["Who is Robert Ford?"]) == question
    assert standalone(question, []) == question


def test_the_last_turn_counts_as_it_was_meant(sample):
    """The third question of a chain leans on what the second one meant; an answer's name stands for its pronoun."""
    first = sample.ask("How many Syrians are registered in Jordan?")
    second = sample.ask("And in Iraq?", history=[first])
    third = sample.ask("And in Egypt?", history=[first, second])
    assert first.searched_for is None
    assert third.question == "And in Egypt?"
    assert third.searched_for == "How many Syrians are registered in Egypt?"
    assert answer_json(third)["searched_for"] == third.searched_for
    chair = sample.ask("Who chairs the Orrelby Relief Committee?")
    assert "Penhallow" in standalone("What did she say about the barrier?", [chair])


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


def test_follow_ups_find_what_their_stand_alone_forms_find(tmp_path_factory, encoder):
    """Of the 40 pairs, hit@5 of the follow-up is within 0.05 of its stand-alone form."""
    folders = [ROOT / "data", *([SHARED / "seeds"] if SHARED.exists() else [])]
    with Library.open(tmp_path_factory.mktemp("pairs") / "index", embedder=encoder) as library:
        library.index(*folders)
        names = {Path(info.uri).name for info in library.documents()}
        pairs = [pair for pair in PAIRS if pair["document"] in names]
        led = [hit_at_5(library, standalone(p["follow_up"], [library.ask(p["before"])]), p) for p in pairs]
        alone = [hit_at_5(library, p["alone"], p) for p in pairs]
    missed = [p["follow_up"] for p, mine, theirs in zip(pairs, led, alone, strict=True) if theirs and not mine]
    assert sum(alone) >= 0.85 * len(pairs)
    assert sum(led) >= sum(alone) - 0.05 * len(pairs), missed


def hit_at_5(library: Library, question: str, pair: dict[str, str]) -> bool:
    """Whether one of the best five passages is from the document and holds the words."""
    hits = library.search(question, 5)
    return any(
        h.passage.uri.endswith("/" + pair["document"]) and pair["holds"] in " ".join(h.passage.text.split())
        for h in hits
    )
