"""Acronyms: found where a document defines them, used in both directions, never invented."""

from __future__ import annotations

import pytest

from rag.language.acronyms import candidates, definitions, expanded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hayat Tahrir al-Sham, also referred to as H-T-S, holds it.", ("HTS", "Hayat Tahrir al-Sham")),
        ("factions, notably Hayat Tahrir al-Sham (HTS), moved.", ("HTS", "Hayat Tahrir al-Sham")),
        ("The WHO (World Health Organization) warned.", ("WHO", "World Health Organization")),
        ("the Department of Public Works (D.P.W.) paid", ("DPW", "Department of Public Works")),
        ("refugees of the Office for Human Aid (UNHA) came", None),
        ("The harbour was closed (BBC).", None),
        ("The mayor of the town said so, known as FIFA.", None),
    ],
)
def test_definitions(text, expected):
    """The long form has the letters, no word more; what has not is no definition."""
    assert list(definitions(text)) == ([expected] if expected else [])


def test_both_forms_are_asked_for():
    """An acronym gets its long form, a name its acronym; what is there already is not said again."""
    texts = ["Hayat Tahrir al-Sham (HTS) fought.", "Harbour Town Society (HTS)", "Hayat Tahrir al-Sham, called HTS,"]
    assert expanded("When did HTS break away?", texts) == "When did HTS (Hayat Tahrir al-Sham) break away?"
    assert expanded("What does H-T-S want?", texts) == "What does H-T-S (Hayat Tahrir al-Sham) want?"
    assert expanded("Who leads Hayat Tahrir al-Sham?", texts) == "Who leads Hayat Tahrir al-Sham (HTS)?"
    assert expanded("Is HTS Hayat Tahrir al-Sham?", texts) == "Is HTS Hayat Tahrir al-Sham?"
    assert expanded("Who leads the town?", texts) == "Who leads the town?"
    assert expanded("What does the WHO say?", texts) == "What does the WHO say?"


def test_what_may_have_another_form():
    """Acronyms and names of several words; nothing in a question without capitals, or with nothing else."""
    assert candidates("When did HTS meet the U.S. envoy?") == ["HTS", "U.S."]
    assert candidates("Who leads Hayat Tahrir al-Sham in the north?") == ["Hayat Tahrir al-Sham"]
    assert candidates("Did the Department of Public Works pay?") == ["Department of Public Works"]
    assert candidates("who leads it?") == []
    assert candidates("NUCLEAR TEST BAN") == []
