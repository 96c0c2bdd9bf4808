"""Follow-ups: what a question leaves out is put in, and a question that stands by itself is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.answer.followup import standalone
from rag.answer.followup.phrases import noun_phrases
from rag.answer.followup.pronouns import PreviousTurn, resolved
from rag.app.as_json import answer_json
from rag.library import Library
from tests.conftest import ROOT, SHARED

PAIRS = json.loads((ROOT / "tests/data/followups.json").read_text("utf-8"))


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
        ("When was the Rila dam built?", "How much water does it hold?", "How much water does the Rila dam hold?"),
        (
            "What did the judge say about the barrier?",
            "What did she say about the council?",
            "What did the judge say about the council?",
        ),
        ("When was the Rila dam built?", "And the Suez canal?", "When was the Suez canal built?"),
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
    ("before", "question", "meant"),
    [
        ("Who spoke against the weir?", "Who else?", "Who else spoke against the weir?"),
        ("What did the judge say?", "What else?", "What else did the judge say?"),
        ("What did the judge say?", "Who else?", "Who else: What did the judge say?"),
        ("Did people die in the Rila flood?", "How many?", "How many people die in the Rila flood?"),
        ("Did people die in the Rila flood?", "When?", "When did people die in the Rila flood?"),
        ("How many people fled Tresk in 2018?", "What about 2019?", "How many people fled Tresk in 2019?"),
        ("How many people fled Tresk?", "What about 2019?", "How many people fled Tresk in 2019?"),
        ("How long is the wait for dermatology?", "And for cardiology?", "How long is the wait for cardiology?"),
        ("What was the deficit in 2022/23?", "And in 2021/22?", "What was the deficit in 2021/22?"),
        ("Who is the mayor of Rila?", "When did it rain in Tresk?", "When did it rain in Tresk?"),
        ("What was the deficit in 2022/23?", "And in Rila?", "What was the deficit in 2022/23 in Rila?"),
        ("How many people fled Tresk?", "And 5 May 2019?", "How many people fled Tresk on 5 May 2019?"),
        (
            "What did the government say about the dam?",
            "And the opposition?",
            "What did the opposition say about the dam?",
        ),
        ("Who is the mayor of Tresk?", "And the treasurer?", "Who is the treasurer of Tresk?"),
        ("Who is the mayor of Tresk?", "And of Rila?", "Who is the mayor of Rila?"),
        ("Who is the mayor of Tresk?", "And Rila?", "Who is the mayor of Rila?"),
        ("What did Ana Velic say about Tresk?", "And about Rila?", "What did Ana Velic say about Rila?"),
        ("What did Ana Velic say about Tresk?", "And Pavel Orlo?", "What did Pavel Orlo say about Tresk?"),
        ("When did the Rila dam fail?", "And then?", "What happened then (the Rila dam)?"),
        ("When did the Rila dam fail?", "And why?", "Why did the Rila dam fail?"),
        ("Where was the Tresk accord signed?", "By whom?", "By whom was the Tresk accord signed?"),
    ],
)
def test_short_follow_ups(before, question, meant):
    """What people type when they go on: a question word, a part of another kind, the rest taken from before."""
    assert standalone(question, [before]) == meant


@pytest.mark.parametrize(
    ("question", "mentioned"),
    [
        ("When was the Rila dam built", ["the Rila dam"]),
        ("How much water does the Rila dam hold", ["the Rila dam"]),
        ("When did the Suez canal open", ["the Suez canal"]),
        ("When did the Berlin court rule on the case", ["the Berlin court", "the case"]),
        ("Did the Tresk Front attack Rila", ["the Tresk Front", "Rila"]),
        ("What did the engineer Ana Velic say", ["the engineer Ana Velic"]),
        ("What did Ana Velic’s husband build in 2019", ["Ana Velic’s husband"]),
        ("Who is the mayor of Tresk", ["the mayor of Tresk", "Tresk"]),
        ("Where do the M4 and the M5 meet", ["the M4 and the M5"]),
    ],
)
def test_what_is_mentioned(question, mentioned):
    """A name keeps its nouns, and no verb is one of them."""
    assert [one.text for one in noun_phrases(question)] == mentioned


@pytest.mark.parametrize(
    ("before", "found", "speaker", "question", "meant"),
    [
        ("When was the Rila dam built?", None, None, "How much does it hold?", "How much does the Rila dam hold"),
        ("When was the Rila dam built?", None, None, "How long did that take?", "that take (the Rila dam)"),
        ("When was the Rila dam built?", None, None, "Is that true?", "Is that true (the Rila dam)"),
        ("When did the Suez canal open?", None, None, "How long is it?", "How long is the Suez canal"),
        ("When did the Berlin court rule on it?", None, None, "Where does it sit?", "Where does the Berlin court sit"),
        ("Which dam broke?", "the Rila dam", None, "How old is it?", "How old is the Rila dam"),
        ("What did the judge say about the weir?", None, None, "What did she say about us?", "did the judge say"),
        ("What did the judge say about the weir?", None, None, "How old is it?", "How old is the weir"),
        (
            "What did the judge say about the weir?",
            None,
            None,
            "Why did she say that?",
            "the judge say that (say about",
        ),
        ("What did Ana Velic say about Pavel Orlo?", None, None, "Is he rich?", "Is he rich (Ana Velic, Pavel Orlo)"),
        ("When did the school close?", None, "Pavel Orlo", "What did he say about the roof?", "did Pavel Orlo say"),
        ("When did Hama fall?", None, "Pavel Orlo", "Where did he go?", "did he go (Hama, Pavel Orlo)"),
        ("When did the dam fail?", None, "the Tresk council", "Who is he?", "Who is he (the dam"),
        ("What did President Orlo promise?", None, None, "Who are his aides?", "Who are President Orlo’s aides"),
        ("Who is Ana Velic?", "an engineer", None, "Where does she live?", "Where does Ana Velic live"),
        ("Who is Ana Velic?", "an engineer", None, "What did they build?", "What did Ana Velic build"),
        ("Who is the mayor of Tresk?", "Ana Velic", None, "Will they resign?", "Will Ana Velic resign"),
        ("Who is the mayor of Tresk?", None, None, "Will they resign?", "Will the mayor of Tresk resign"),
        ("Who is the mayor of Tresk?", "Ana Velic", None, "How old is she?", "How old is Ana Velic"),
        ("Who is the mayor of Tresk?", "Ana Velic", None, "How big is it?", "How big is Tresk"),
        ("Who is the mayor of Tresk?", "Ana Velic", None, "Who was it before?", "before (the mayor of Tresk)"),
        ("Who is the mayor of Tresk?", "Ana Velic", None, "How many people live there?", "people live in Tresk"),
        ("Which engineer was on duty?", "Ana Velic", None, "Whom did she call?", "Whom did Ana Velic call"),
        ("Who spoke against the weir?", "Ana Velic", None, "Why did they do that?", "Velic do that (spoke against"),
        ("Who spoke against the weir?", None, None, "Why did they do that?", "they do that (spoke against the weir)"),
        ("Who spoke against the weir?", None, None, "What did he want?", "What did he want (the weir)"),
        ("Who spoke against the weir?", "Ana Velic", None, "How much did it cost?", "How much did the weir cost"),
        ("What do the rebels want?", None, None, "Where is their base?", "Where is the rebels’ base"),
        ("What did the council decide?", None, None, "How big is their budget?", "How big is the council’s budget"),
        ("When did the council shut the school?", None, None, "How old is it?", "is it (the council, the school)"),
        ("When did the council shut the school?", None, None, "Why did they do that?", "do that (shut the school)"),
        ("How many civilians live in Tresk?", None, None, "How many of them are ill?", "the civilians are ill (Tresk)"),
        ("How many dead did the Tresk clinic count?", None, None, "How many of them were old?", "the dead were"),
        ("Where do the M4 and the M5 meet?", "Tresk", None, "Who built them?", "Who built the M4 and the M5"),
        ("Where do the M4 and the M5 meet?", "Tresk", None, "Who holds it?", "Who holds Tresk"),
        ("What is inflation in Tresk?", None, None, "When did it rise?", "When did inflation rise"),
        ("How many people lived in Tresk in 1990?", None, None, "Who was mayor then?", "mayor in 1990"),
        ("When did Tresk fall?", "on 5 December", None, "Who was mayor then?", "mayor on 5 December"),
        ("What happened in Tresk in 2019?", None, None, "Who lives there now?", "Who lives in Tresk now"),
        ("When did the Rila dam fail?", None, None, "What happened next?", "happened next (the Rila dam)"),
    ],
)
def test_whom_a_pronoun_means(before, found, speaker, question, meant):
    """A pronoun becomes its one owner of its kind; where there are several or none, the topic stands in brackets."""
    assert meant in resolved(question.rstrip("?"), PreviousTurn(before.rstrip("?"), found, speaker))


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


@pytest.mark.slow
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
def test_who_wrote_it(sample):
    """`Who wrote it?` asks for the author of what was talked about, not for the speaker of what was cited."""
    first = sample.ask("How many people were on the barrier from start to finish?")
    assert first.citations
    assert standalone("Who wrote it?", [first]) == "Who wrote the barrier?"
    assert standalone("Who wrote it?", ["When was the Rila report printed?"]) == "Who wrote the Rila report?"
    assert standalone("Who wrote that?", [first]).startswith("Who said: ")


@pytest.mark.slow
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
    hits = (hit.passage for hit in library.retriever.fused(question, 5))
    return any(
        passage.uri.endswith("/" + pair["document"]) and pair["holds"] in " ".join(passage.text.split())
        for passage in hits
    )
