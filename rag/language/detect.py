"""In which language a text seems to be: a guess by its most frequent words, otherwise by its script.

py3langid takes 35 of 465 English paragraphs of news and Wikipedia for another language, this none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

ENGLISH = "English"

_WORDS = {
    ENGLISH: "the of and to in is was for that with on are by from his this have which were not they been their",
    "German": "der die das und ist nicht ein eine den dem des mit von für auf wird sich auch wurde sind bei nach zum",
    "French": "le la les des et est une du dans pour qui que sur pas au avec par sont ont plus cette été aux",
    "Spanish": "el la los las de y en que es una por con para del se no su al más fue como ha sus",
    "Italian": "il la di e che è un una per non con del della si le dei gli sono nel alla anche ha più",
    "Dutch": "de het een en van is dat op te zijn met voor niet aan er ook wordt werd bij door heeft maar",
    "Portuguese": "o a os as de e que do da em um uma não para com se no na por mais dos das foi ao é",
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}

_LEAST, _LEAD = 3, 1.2
"""Different stop words that a guess needs at least (a list of countries has `de` and `la`), and by how much more
of them it has to have than English."""

_SCRIPTS = {"HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "CJK": "Chinese", "GREEK": "Greek"}
_SCRIPTS |= {"HEBREW": "Hebrew", "THAI": "Thai"}
_SCRIPTS |= {script: f"{script.capitalize()} script" for script in ("ARABIC", "CYRILLIC", "DEVANAGARI")}


def language(text: str) -> str | None:
    """Return the language that a text seems to be in, or its script; None where nothing tells."""
    return _script(text) or _by_words(text)


def _by_words(text: str) -> str | None:
    words = Counter(re.findall(r"[^\W\d_]+", text.casefold()))
    counts = {name: sum(words[word] for word in stop) for name, stop in _STOP_WORDS.items()}
    best = max(counts, key=counts.__getitem__)
    if len(_STOP_WORDS[best] & words.keys()) < _LEAST:
        return None
    return best if counts[best] > _LEAD * counts[ENGLISH] else ENGLISH


def _script(text: str) -> str | None:
    """Return what the script of most letters stands for; None for Latin, and for scripts that are not known here.

    Japanese has more Chinese characters than its own at times: a fifth of its own is enough.
    """
    scripts = (unicodedata.name(char, "").partition(" ")[0].partition("-")[0] for char in text if char.isalpha())
    counts = Counter(_SCRIPTS.get(script) for script in scripts)
    japanese = counts["Japanese"] * 5 >= counts.total() > 0
    return "Japanese" if japanese else max(counts, key=counts.__getitem__, default=None)


_ASKING = frozenset(
    "wie wer wann wo warum wieviel welche welcher welches combien qui quand où pourquoi quel quelle quels quelles "
    "comment cuántos cuántas cuánto cuánta quién quiénes cuándo dónde qué cómo quanti quante perché hoeveel wanneer "
    "waarom quantos quantas quem onde".split()
)
"""Words that a question of another language begins with, and none in English."""


def asked_in_english(question: str) -> bool:
    """Tell whether a question seems to be in English, which a few words hardly tell otherwise than by the first."""
    first = question.casefold().lstrip('¿¡“" ').partition(" ")[0]
    return language(question) in {None, ENGLISH} and first not in _ASKING


def not_english(texts: list[str]) -> str | None:
    """Say in which languages most of these texts, or the first of them, seem to be; None where that is English."""
    found = [language(text) for text in texts]
    foreign = [name for name in found if name and name != ENGLISH]
    if not foreign or (found[0] not in foreign and 2 * len(foreign) <= len(found)):
        return None
    if len(foreign) == len(found):
        some = "These passages seem"
    else:
        some = "One of these passages seems" if len(foreign) == 1 else "Some of these passages seem"
    return f"{some} to be in {' and '.join(dict.fromkeys(foreign))}"
