"""A summary of whole documents: the points of each part, then the most important of them; each line cited."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from rag.answer.write.context import source_sentences, tokens
from rag.answer.write.forms import Form
from rag.answer.write.parse import Draft, replies
from rag.answer.write.prompt import MOST_CITATIONS, merging, messages, schema
from rag.records import Filter

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from rag.answer.write.context import SourceSentence
    from rag.answer.write.endpoint import Endpoint
    from rag.answer.write.growing import GrowingAnswer
    from rag.records import Answer, Passage
    from rag.retrieve import Retriever

MOST_PARTS = 20
"""Parts that are read for a summary; of a longer text as many, evenly spread."""

_POINTS = Form("summary", 3)  # of one part
_WORD = re.compile(r"[^\W_]+")


def asked_for(retriever: Retriever, question: str, where: Filter | None) -> list[Passage]:
    """Return the passages of all that is to be summarised: what the filter admits, or the document that is named.

    Nothing where there is no filter and the question names no document by its file's name or by its title.
    """
    if where:
        return retriever.admitted(where)
    with retriever.store.snapshot() as snapshot:
        known = [(info.uri, info.name, PurePath(info.uri)) for info in snapshot.documents()]
    asked = _words(question)
    named = [uri for uri, name, file in known if any(_names(asked, each) for each in (name, file.name, file.stem))]
    return retriever.admitted(Filter(document=tuple(named))) if named else []


def _names(asked: str, name: str) -> bool:
    """Tell whether a question has all of a name, which is more than one plain word."""
    words = _words(name).strip()
    return len(words) > 3 and (" " in words or "." in name or "-" in name) and f" {words} " in asked


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


@dataclass(frozen=True, slots=True)
class Summary:
    """Reads passages in parts that the LLM takes, and merges what it wrote about each.

    Attributes:
        llm: reads and writes.
        growing: the answer, which holds the points of the parts first, and at last the summary.
        form: how long the summary may be.
        today: tells the date.
    """

    llm: Endpoint
    growing: GrowingAnswer
    form: Form
    today: dt.date

    def of(self, passages: Sequence[Passage]) -> Iterator[Answer]:
        """Yield the answer as it grows; raises `LlmError`."""
        growing = self.growing
        parts = _parts(passages, self.llm.room)
        if len(parts) > MOST_PARTS:
            growing.note = f"{MOST_PARTS} of {len(parts)} parts of this text were read, evenly spread."
        for part in _spread(parts):
            sources = source_sentences(part)
            told = messages(growing.question, sources, _POINTS, self.today)
            for said in replies(self.llm.write(told, schema(len(sources), _POINTS))):
                if isinstance(said, Draft):
                    growing.add(said, [sources[n - 1] for n in said.numbers if 1 <= n <= len(sources)], sources)
                    yield growing.answer()
        if len(growing.sentences) > self.form.most:
            yield from self._merged()

    def _merged(self) -> Iterator[Answer]:
        """Put one summary in the place of the points, each line with the sources of the points that it rests on."""
        growing = self.growing
        kept = [n for n, sentence in enumerate(growing.sentences) if sentence.support != "unsupported"]
        notes = [growing.sentences[n].text for n in kept]
        while sum(map(tokens, notes)) > self.llm.room:
            kept, notes = kept[::2], notes[::2]
        cited = [growing.cited[n] for n in kept]
        whole = replace(growing, sentences=[], cited=[])
        told = merging(growing.question, notes, self.form)
        for said in replies(self.llm.write(told, schema(len(notes), self.form))):
            if isinstance(said, Draft) and len(whole.sentences) < self.form.most:
                whole.add(said, _sources(said, cited))
                yield whole.answer()
        if any(sentence.support != "unsupported" for sentence in whole.sentences):
            growing.sentences, growing.cited = whole.sentences, whole.cited


def _sources(draft: Draft, cited: Sequence[Sequence[SourceSentence]]) -> list[SourceSentence]:
    named = [source for n in draft.numbers if 1 <= n <= len(cited) for source in cited[n - 1]]
    return list(dict.fromkeys(named))[:MOST_CITATIONS]


def _parts(passages: Sequence[Passage], room: int) -> list[list[Passage]]:
    """Cut passages into parts that fit into `room` tokens, each of one document."""
    parts: list[list[Passage]] = []
    left = 0
    for passage in passages:
        size = tokens(passage.context) + sum(tokens(passage.quote(span)) + 4 for span in passage.sentences)
        if not parts or size > left or parts[-1][-1].uri != passage.uri:
            parts.append([])
            left = room
        parts[-1].append(passage)
        left -= size
    return [part for part in parts if any(passage.sentences for passage in part)]


def _spread(parts: Sequence[list[Passage]]) -> list[list[Passage]]:
    most = min(MOST_PARTS, len(parts))
    return [parts[n * len(parts) // most] for n in range(most)]
