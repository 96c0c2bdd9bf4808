"""Arrests, convictions, resignations: whoever a sentence names is not accused of what it does not say."""

from __future__ import annotations

import pytest

from rag.answer.deeds import leaves_unsaid
from rag.chunk import Chunker
from rag.library import Library
from rag.load import load_bytes

FIRE = (
    "The alarm was raised on Sunday by a baker, Pawel Zielinski, who was on his way to work. The mill burned for nine "
    "hours. Police arrested two men on Monday. They are brothers from Thornwick. The fire officer, Keith Barlow, spoke "
    "of it on 7 October. The chief executive, Tobias Renfrew, has been in post since September 2019. The mill's "
    "manager, Ada Crane, stood down in May. She and her husband, Ivo Crane, live in Hull."
)


def unsaid(question: str, quote: str) -> bool:
    """Ask of the sentence that has a quote."""
    document = load_bytes(FIRE.encode(), "/fire.txt")
    passages = Chunker(lambda texts: [len(text.split()) for text in texts]).passages(document)
    passage, span = next((p, s) for p in passages for s in p.sentences if quote in s.of(document.text))
    return leaves_unsaid(question, passage, span)


@pytest.mark.parametrize(
    ("question", "quote", "other"),
    [
        ("Who was convicted of setting the mill on fire?", "Zielinski", True),
        ("When was Keith Barlow arrested?", "Barlow", True),
        ("When did Tobias Renfrew resign?", "Renfrew", True),
        ("When was Tobias Renfrew sacked?", "Renfrew", True),
        ("Who was arrested?", "two men", False),
        ("Who was arrested?", "brothers", False),
        ("When did Ada Crane resign?", "stood down", False),
        ("Who did Ada Crane marry?", "husband", False),
        ("Who raised the alarm?", "Zielinski", False),
        ("Who fired the kilns?", "Zielinski", False),
    ],
)
def test_what_a_sentence_leaves_unsaid(question, quote, other):
    """The sentence before it may say it; synonyms do."""
    assert unsaid(question, quote) is other


def test_nobody_is_accused(tmp_path, encoder):
    """Questions that take an arrest or a resignation for granted are refused; what is said is answered."""
    (tmp_path / "fire.txt").write_text(FIRE, "utf-8")
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path)
        for question in ("Who was convicted of setting the mill on fire?", "When did Tobias Renfrew resign?"):
            assert library.ask(question).abstained
        answer = library.ask("Who raised the alarm?")
        assert answer.short_answer is not None
        assert answer.short_answer.text == "Pawel Zielinski"
