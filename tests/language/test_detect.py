"""The guess at a text's language, and what a refusal over foreign passages says."""

from __future__ import annotations

import pytest

from rag.language.detect import asked_in_english, language, not_english
from rag.library import Library
from tests.conftest import ROOT

GERMAN = "Die Hafenbehörde hat den Vertrag mit der Firma gekündigt. Der Schaden ist nach dem Bericht nicht hoch.\n"
ENGLISH = "The harbour office has ended the contract with the company. The damage is not high.\n"


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        (ENGLISH, "English"),
        (GERMAN, "German"),
        ("L'association a été fondée pour défendre la baie, et les pêcheurs sont dans le conseil.", "French"),
        ("El alcalde dijo que los barcos de la ciudad no son para la pesca en el río.", "Spanish"),
        ("Il sindaco ha detto che le barche della città non sono per la pesca nel fiume.", "Italian"),
        ("De burgemeester zei dat het schip van de stad niet voor de visserij is.", "Dutch"),
        ("O prefeito disse que os barcos da cidade não são para a pesca no rio.", "Portuguese"),
        ("Мэр сказал, что порт закрыт.", "Cyrillic script"),
        ("قال رئيس البلدية إن الميناء مغلق.", "Arabic script"),
        ("市长说港口已经关闭。", "Chinese"),
        ("港は閉鎖されたと市長は述べた。", "Japanese"),
        ("시장은 항구가 폐쇄되었다고 말했다.", "Korean"),
        ("412", None),
        ("", None),
        ("Hotel Rosenkrantz 1,200", None),
        ("Country: Cap de la Hague | Area: de la Sarthe | Capital: La Rue", None),
    ],
)
def test_guess(text, guess):
    assert language(text) == guess


def test_the_samples_are_english():
    """No passage of the samples, which have Arabic and English names in them, is taken for another language."""
    for path in (ROOT / "data").glob("*.md"):
        paragraphs = [each for each in path.read_text("utf-8").split("\n\n") if len(each) > 200]
        assert {language(each) for each in paragraphs} <= {"English", None}, path


def test_what_is_said_of_several():
    assert not_english([GERMAN, GERMAN]) == "These passages seem to be in German"
    assert not_english([GERMAN, ENGLISH, ENGLISH]) == "One of these passages seems to be in German"
    assert not_english([ENGLISH, GERMAN, ENGLISH]) is None
    assert not_english([ENGLISH, GERMAN, GERMAN]) == "Some of these passages seem to be in German"
    assert not_english([]) is None


def test_refusal_names_the_language(tmp_path, hasher):
    (tmp_path / "de.txt").write_text(GERMAN, "utf-8")
    asked = "Who won the chess tournament in Wijk?"
    said = "These passages seem to be in German; the built-in reader knows English only."
    with Library.open(tmp_path / "index", embedder=hasher) as library:
        library.index(tmp_path / "de.txt")
        answer = library.ask(asked)
        assert answer.abstained
        assert answer.reason is not None
        assert answer.reason.endswith(said)
    with Library.open(tmp_path / "index", embedder=hasher, reader="none") as library:
        assert said not in str(library.ask(asked).reason)


@pytest.mark.parametrize(
    ("question", "is_english"),
    [
        ("How many ships lie at the pier?", True),
        ("Was the pier closed?", True),
        ("pier repairs 2021", True),
        ("Wie viele Schiffe liegen am Kai?", False),
        ("¿Cuántos barcos hay?", False),
        ("Combien de navires sont au port ?", False),
        ("Сколько кораблей?", False),
        ("", True),
    ],
)
def test_the_language_of_a_question(question, is_english):
    assert asked_in_english(question) == is_english
