"""What an LLM is given to read: whole passages with their neighbours, as numbered sentences, as many as it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rag.records import Hit, Passage, Span

_BYTES_OF_TOKEN = 3.5  # of UTF-8; English has more than 4: a prompt that is too long is refused, or cut in silence
_TOKENS_OF_MARKS = 4  # the number in front of a sentence
_WITH_NEIGHBOURS = 3  # passages, the best ones


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """A sentence of a source with the passage it stands in; its number is its place in the list, from 1."""

    passage: Passage
    span: Span

    @property
    def text(self) -> str:
        """The sentence on one line."""
        return " ".join(self.passage.quote(self.span).split())


def tokens(text: str) -> int:
    """Estimate, rather too high, how many tokens a text has for an LLM whose tokenizer is not known."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_OF_TOKEN)


def read_together(
    hits: Sequence[Hit], room: int, neighbours: Callable[[Passage], Iterable[Passage]] = lambda _: ()
) -> list[Passage]:
    """Return the passages that fit into `room` tokens: the best ones, then those beside the first of them.

    Documents come in the order of their best passage, the passages of one as they stand in it. The first passage is
    there even if it does not fit.
    """
    chosen: dict[str, Passage] = {}
    ranks: dict[str, int] = {}
    best = [hit.passage for hit in hits]
    beside = (near for passage in best[:_WITH_NEIGHBOURS] for near in neighbours(passage))
    for passage in _each_once([*best, *beside]):
        size = sum(tokens(sentence.text) + _TOKENS_OF_MARKS for sentence in sentences_of(passage))
        size += tokens(passage.context)
        if size <= room or not chosen:
            chosen[passage.id] = passage
            ranks.setdefault(passage.uri, len(ranks))
            room -= size
    return sorted(chosen.values(), key=lambda passage: (ranks[passage.uri], passage.span))


def _each_once(passages: Iterable[Passage]) -> Iterator[Passage]:
    yield from {passage.id: passage for passage in passages}.values()


def sentences_of(passage: Passage) -> list[SourceSentence]:
    """Return the sentences of a passage."""
    return [SourceSentence(passage, span) for span in passage.sentences]


def source_sentences(passages: Iterable[Passage]) -> list[SourceSentence]:
    """Return the sentences of passages in order, each text once."""
    found: dict[str, SourceSentence] = {}
    for passage in passages:
        for sentence in sentences_of(passage):
            found.setdefault(sentence.text, sentence)
    return list(found.values())
