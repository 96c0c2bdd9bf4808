"""Names and numbers of a question: found in every form that people write, missed when a text is of something else."""

from __future__ import annotations

import pytest

from rag.library import Library
from rag.named import named, unfound

TEXT = "The harbour of Delwick was opened by the Canadian company H-T-S in 1931. Hartmanis wrote of 12,500 crowns."


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How many people live in Aleppo?", ["Aleppo"]),
        ("What did Marta Quill's crane cost in 1954?", ["1954", "Marta", "Quill"]),
        ("Who built the crane? It was not Marta.", ["Marta"]),
        ("How Many People Live In Aleppo", []),  # a heading says nothing about names
        ("who paid 12 crowns", []),
        ("", []),
    ],
)
def test_names_and_numbers(question, names):
    """Capitalised words inside of sentences, and numbers of three digits or more."""
    assert named(question) == names


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Who opened the harbour of Delwick?", []),
        ("Which company from Canada opened it?", []),  # the adjective will do
        ("What did HTS open?", []),  # and another spelling of an acronym
        ("What did Hatmanis write?", []),  # and a small mistake
        ("Who paid 12500 crowns?", []),
        ("Who opened the harbour of Rotterdam?", ["Rotterdam"]),
        ("What did HTS open in 1932?", ["1932"]),  # a number has to be the same
    ],
)
def test_what_a_text_does_not_have(question, missing):
    """Other forms of a name are that name; another year is not."""
    assert unfound(question, TEXT) == missing


def test_another_place_is_no_answer(tmp_path, encoder):
    """The number of one town is not given for another; a name in the paragraph before is near enough."""
    (tmp_path / "a.txt").write_text(
        "Report on Delwick.\n\nThe town lies by the sea. About forty thousand people live there.\n"
    )
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / "a.txt")
        asked = [library.ask(f"How many people live in {place}?").confidence or 0 for place in ("Delwick", "Rotterdam")]
    assert asked[0] > 3 * asked[1]
