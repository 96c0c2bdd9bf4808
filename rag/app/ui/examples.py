"""Example questions from a person's own documents, so that the first click shows what the page does."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.language.dates import ENGLISH_MONTHS, WEEKDAY, any_of
from rag.language.speakers.vocabulary import is_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rag.library import Library
    from rag.records import Document

SHOWN = 3
MOST_NAMED = 8
_DOCUMENTS_READ = 30  # enough to find what a collection is about
_CHARACTERS_READ = 20_000

_LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")  # inside a paragraph
_WORD = r"(?:al-|el-)?[A-Z][\w’-]+"
# A name: capitalised words in the middle of a sentence, so that no first word of a sentence is taken for one.
_NAME = re.compile(rf"(?<=[a-z,] )(?:the |(?<!the ))(?!The ){_WORD}(?: (?:of |for |of the )?{_WORD}){{1,4}}")
_CALENDAR = re.compile(rf"\b(?:{any_of(ENGLISH_MONTHS)}|{WEEKDAY})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """People who speak, and names of anything: the most frequent first."""

    people: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Examples:
    """Up to three questions that a library answers, thought of once for each state of its index.

    Each has to be tried, which takes a second or more: whoever shows them asks for one, then for two, then for three.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._generation = -1
        self._closed = False
        self._found: list[str] = []
        self._more: Iterator[str] = iter(())
        self._named: tuple[int, Named] = (-1, Named())

    def first(self, wanted: int) -> list[str]:
        """Return so many questions; fewer when the library has no more to go by."""
        with self._lock:
            try:
                generation = self._library.status().generation
                if generation != self._generation:
                    self._found, self._more, self._generation = [], self._answered(), generation
                while len(self._found) < min(wanted, SHOWN) and (question := next(self._more, None)):
                    self._found.append(question)
            except RagError:  # no index yet, or no encoder: the page says so where it is asked
                pass
            return list(self._found[:wanted])

    def named(self) -> Named:
        """Return who speaks and what is named in most of the documents."""
        generation = self._library.status().generation
        if self._named[0] != generation:
            self._named = (generation, named(self._documents()))
        return self._named[1]

    def close(self) -> None:
        """Try no further question; the one that is being tried comes to its end."""
        self._closed = True

    def _answered(self) -> Iterator[str]:
        for question in candidates(self._documents())[: 3 * SHOWN]:
            if self._closed:
                return
            answer = self._library.ask(question)
            if answer.is_plain and any(sentence.marks for sentence in answer.sentences):
                yield question

    def _documents(self) -> Iterator[Document]:
        """Read some documents from all over the collection."""
        infos = self._library.documents()
        for info in infos[:: 1 + len(infos) // _DOCUMENTS_READ]:
            yield self._library.document(info.uri)


def candidates(documents: Iterable[Document]) -> list[str]:
    """Return questions about who is named and who speaks in most of these documents, the best first."""
    found = named(documents)
    statements = [f"What did {person} say?" for person in found.people]
    topics = [f"What is known about {name}?" for name in found.names]
    mixed = chain.from_iterable(zip_longest(statements, topics))  # the first are answered more often
    return [question for question in mixed if question]


def named(documents: Iterable[Document]) -> Named:
    """Return who speaks and what is named in most of these documents, the most frequent first."""
    speakers: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for document in documents:
        text = _LINE_BREAK.sub(" ", document.text[:_CHARACTERS_READ])
        known = {statement.speaker.split(",")[0] for statement in document.speakers if statement.speaker}
        speakers.update(filter(_is_person, known))
        names.update({name for name in _NAME.findall(text) if not _CALENDAR.search(name)})
    return Named(tuple(_distinct(speakers)), tuple(_distinct(names)))


def _is_person(speaker: str) -> bool:
    """Tell a name (`Mary Smith`) from a body, a role (`a spokesperson`) and a single word."""
    words = speaker.split()
    named = all(word.removeprefix("al-").removeprefix("el-")[:1].isupper() for word in words)
    return len(words) > 1 and named and not any(map(is_body, words))


def _distinct(counts: Counter[str]) -> list[str]:
    """Return the most frequent first (of equals the longest, then by name), no name inside another one."""
    chosen: list[str] = []
    for name, _ in sorted(counts.items(), key=lambda item: (-item[1], -len(item[0]), item[0])):
        if not any(name in other or other in name for other in chosen):
            chosen.append(name)
    return chosen
