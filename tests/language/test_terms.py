"""The lexical analysis: what counts as the same word."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language.terms import _FOLD, _folded, grams, term_weights, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("H-T-S", "HTS"),
        ("H.T.S.", "HTS"),
        ("U-S", "US"),
        ("Türkiye", "TURKIYE"),
        ("İstanbul", "istanbul"),
        ("3,000", "3000"),
        ("Syria's", "Syria"),
        ("soldiers", "soldier"),
    ],
)
def test_same_term(one, other):
    """Spellings of one word are one term."""
    assert terms(one) == terms(other)


def test_hyphens_split_and_join():
    """A compound is found by its parts and when written as one word."""
    assert set(terms("ceasefire")) & set(terms("cease-fire"))
    assert set(terms("cease fire")) <= set(terms("cease-fire"))


def test_acronyms_that_look_like_stop_words_stay():
    """US and WHO are names, us and who are not."""
    assert terms("US WHO") == ["us", "who"]
    assert terms("us who") == []


def test_repeated_terms_weigh_more_but_less_than_their_count():
    """The query side of BM25 saturates."""
    weights = term_weights("flood flood flood crane")
    assert weights["crane"] == 1.0
    assert 1.0 < weights["flood"] < 3.0


def test_grams_cross_no_word():
    """Pieces have marks at the ends of words; a short word is one piece; close spellings share most of theirs."""
    assert grams("aid") == ["_aid", "aid_"]
    assert grams("2 go") == ["_2_", "_go_"]
    shared = set(grams("Pathak")) & set(grams("Pathack"))
    assert len(shared) >= 3


@given(st.text(max_size=60) | st.text("aéİßø\u0300\u0301\u0345\u3099が„-", max_size=60))
def test_all_marks_are_taken_off(text):
    """Against the definition, character by character."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLD))
    assert _folded(text) == "".join(char for char in decomposed if not unicodedata.combining(char))


@given(st.text(max_size=200))
def test_any_text_has_terms_without_spaces(text):
    """No text breaks the analysis, and what comes out can be stored separated by spaces."""
    for piece in (*terms(text), *grams(text)):
        assert piece
        assert not piece.isspace()
