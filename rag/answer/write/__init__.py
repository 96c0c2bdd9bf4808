"""Answers that an LLM writes, each sentence checked on this machine before anybody sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from rag.answer.answerer import NO_ANSWER, refusal
from rag.answer.write.parse import drafts
from rag.answer.write.prompt import Numbered, messages, numbered, schema
from rag.errors import LlmError
from rag.language.terms import terms
from rag.records import Answer, AnswerSentence, Citation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.answer.check import Judge, Verdict
    from rag.answer.question import Question
    from rag.answer.quote import ExtractiveAnswerer
    from rag.answer.write.parse import Draft
    from rag.records import Hit

MOST_CITATIONS = 4
"""Sources that one sentence may name."""

_REFUSED = re.compile(
    r"not (?:in|found in|contained in|mentioned in|answered (?:by|in)) the (?:\w+ )?(?:sources?|documents?|passages?)"
    r"|the (?:\w+ )?(?:sources?|documents?|passages?) (?:do|does) not (?:answer|say|mention|contain|provide|give)",
    re.IGNORECASE,
)


class Writer(Protocol):
    """Whatever writes text for a conversation; `rag.answer.write.endpoint.Endpoint` is one."""

    def write(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Iterator[str]:
        """Yield text as it comes; raises `LlmError`."""


@dataclass(frozen=True, slots=True)
class LlmAnswerer:
    """Lets an LLM write the answer, and keeps the quoted one for when it fails.

    The LLM is asked only where the extractive answerer finds an answer, and sources that differ are shown beside its
    answer as they are beside that. It sees nothing but the retrieved sentences,
    has no tools, and what it writes is shown as plain text with the verdict of `judge`.

    Attributes:
        writer: the LLM.
        extractive: decides whether there is an answer, and gives the one that is shown when the LLM has none.
        judge: holds each sentence against the sources that it names.
    """

    writer: Writer
    extractive: ExtractiveAnswerer
    judge: Judge

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Return the whole answer."""
        *_, last = self.stream(question, hits)
        return last

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Yield the answer as it grows, each sentence checked; the last one is the answer.

        The last one may be another: a refusal, or the quoted answer with the reason why.
        """
        quoted = self.extractive.answer(question, hits)
        if quoted.abstained:
            yield quoted
            return
        draft = _Composition(question.text, numbered(_cited_first(hits, quoted)), self.judge)
        try:
            for sentence in drafts(
                self.writer.write(messages(question.text, draft.sources), schema(len(draft.sources)))
            ):
                if _REFUSED.search(sentence.text) and not draft.sentences:
                    yield replace(refusal(question, f"{NO_ANSWER} (the LLM's verdict)", hits), confidence=0.0)
                    return
                draft.add(sentence)
                yield draft.answer(quoted.confidence)
        except LlmError as error:
            yield _instead(quoted, f"{error}")
            return
        if not draft.sentences:
            yield _instead(quoted, "The LLM wrote nothing")
        elif all(sentence.support == "unsupported" for sentence in draft.sentences):
            yield _instead(quoted, "The sources support nothing of what the LLM wrote")
        elif quoted.conflicts:
            yield draft.with_conflicts(quoted)


def _cited_first(hits: Sequence[Hit], quoted: Answer) -> list[Hit]:
    """Put the passages that the quoted answer cites first: a prompt holds the sentences of the first few only."""
    places = {citation.passage.id: place for place, citation in reversed(list(enumerate(quoted.citations)))}
    return sorted(hits, key=lambda hit: places.get(hit.passage.id, len(places)))


def _instead(quoted: Answer, reason: str) -> Answer:
    return replace(quoted, reason=f"{reason[:1].upper()}{reason[1:]}: this answer is quoted from the sources instead.")


@dataclass(slots=True)
class _Composition:
    """An answer in the making: its sentences, and the citations in the order of their first use."""

    question: str
    sources: Sequence[Numbered]
    judge: Judge
    sentences: list[AnswerSentence] = field(default_factory=list)
    citations: dict[Numbered, Citation] = field(default_factory=dict)

    def answer(self, confidence: float | None) -> Answer:
        return Answer(self.question, tuple(self.sentences), tuple(self.citations.values()), confidence=confidence)

    def with_conflicts(self, quoted: Answer) -> Answer:
        """Return the whole answer with the conflicts of the quoted one, their sides cited behind its own sources."""
        cited = {citation.number: Numbered(citation.passage, citation.span) for citation in quoted.citations}
        conflicts = tuple(
            replace(conflict, sides=tuple(self._cite(cited[number]).number for number in conflict.sides))
            for conflict in quoted.conflicts
        )
        return replace(self.answer(quoted.confidence), conflicts=conflicts)

    def add(self, draft: Draft) -> None:
        """Check a sentence against the sources that it names, or else against those that come nearest to it."""
        named = [self.sources[n - 1] for n in draft.numbers if 1 <= n <= len(self.sources)][:MOST_CITATIONS]
        verdict = self._verdict(draft.text, named)
        if verdict.support == "unsupported":
            others = ([source] for source in self._nearest(draft.text))
            judged = ((other, self._verdict(draft.text, other)) for other in others)
            better = ((other, found) for other, found in judged if found.support != "unsupported")
            named, verdict = next(better, (named, verdict))
        cited = [self._cite(source) for source in named]
        speakers = {citation.speaker for citation in cited}
        speaker = next(iter(speakers)) if len(speakers) == 1 else None
        numbers = tuple(citation.number for citation in cited)
        self.sentences.append(AnswerSentence(verdict.text, numbers, speaker, verdict.support, verdict.fault))

    def _verdict(self, text: str, sources: Sequence[Numbered]) -> Verdict:
        return self.judge.check(text, [Citation.of(source.passage, source.span) for source in sources])

    def _nearest(self, text: str, most: int = 3) -> list[Numbered]:
        """Return the source sentences that share most words with a text."""
        wanted = set(terms(text))
        shared = {source: len(wanted & set(terms(source.text))) for source in self.sources}
        return sorted((s for s in self.sources if 2 * shared[s] >= len(wanted)), key=lambda s: -shared[s])[:most]

    def _cite(self, source: Numbered) -> Citation:
        if source not in self.citations:
            self.citations[source] = Citation.of(source.passage, source.span, len(self.citations) + 1)
        return self.citations[source]
