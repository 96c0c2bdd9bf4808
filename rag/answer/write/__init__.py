"""Answers that an LLM writes, each sentence checked on this machine before anybody sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from rag.answer.answerer import NO_ANSWER, refusal
from rag.answer.check import SentenceChecker
from rag.answer.check.likeness import Likeness
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.scorer import ReaderScorer
from rag.answer.write.endpoint import Endpoint
from rag.answer.write.parse import drafts
from rag.answer.write.prompt import SourceSentence, messages, schema, source_sentences
from rag.errors import LlmError
from rag.language.terms import terms
from rag.models.reader import shipped_network
from rag.records import Answer, AnswerSentence, Citation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.answer.check import CheckedSentence
    from rag.answer.question import Question
    from rag.answer.write.endpoint import Settings
    from rag.answer.write.parse import Draft
    from rag.records import Hit
    from rag.retrieve import Retriever

_MOST_CITATIONS = 4  # of one sentence
_REFUSED = re.compile(
    r"not (?:in|found in|contained in|mentioned in|answered (?:by|in)) the (?:\w+ )?(?:sources?|documents?|passages?)"
    r"|the (?:\w+ )?(?:sources?|documents?|passages?) (?:do|does) not (?:answer|say|mention|contain|provide|give)",
    re.IGNORECASE,
)


class LanguageModel(Protocol):
    """Whatever writes text for a conversation; `rag.answer.write.endpoint.Endpoint` is one."""

    def write(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Iterator[str]:
        """Yield text as it comes; raises `LlmError`."""


@dataclass(frozen=True, slots=True)
class LlmAnswerer:
    """Lets an LLM write the answer, and keeps the quoted one for when it fails.

    The LLM is asked only where `extractive` finds an answer, and sources that differ are shown beside its answer too.
    It sees nothing but the retrieved sentences, has no tools, and what it writes is shown as plain text with what
    `checker` found.
    """

    llm: LanguageModel
    extractive: ExtractiveAnswerer
    checker: SentenceChecker

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Return the last answer of `stream`."""
        *_, last = self.stream(question, hits)
        return last

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one may be a refusal, or the quoted one with the reason why."""
        quoted = self.extractive.answer(question, hits)
        if quoted.abstained:
            yield quoted
            return
        places = {citation.passage.id: place for place, citation in reversed(list(enumerate(quoted.citations)))}
        cited_first = sorted(hits, key=lambda hit: places.get(hit.passage.id, len(places)))  # a prompt holds a few only
        growing = _GrowingAnswer(question.text, source_sentences(cited_first), self.checker)
        try:
            written = self.llm.write(messages(question.text, growing.sources), schema(len(growing.sources)))
            for draft in drafts(written):
                if _REFUSED.search(draft.text) and not growing.sentences:
                    yield replace(refusal(question, f"{NO_ANSWER} (the LLM's verdict)", hits), confidence=0.0)
                    return
                growing.add(draft)
                yield growing.answer(quoted.confidence)
        except LlmError as error:
            yield _instead(quoted, f"{error}")
            return
        if not growing.sentences:
            yield _instead(quoted, "The LLM wrote nothing")
        elif all(sentence.support == "unsupported" for sentence in growing.sentences):
            yield _instead(quoted, "The sources support nothing of what the LLM wrote")
        elif quoted.conflicts:
            yield growing.with_conflicts(quoted)


def llm_answerer(retriever: Retriever, settings: Settings) -> LlmAnswerer:
    """Return an answerer that asks the LLM of these settings; raises `InputError` without OpenAI's client."""
    checker = SentenceChecker(Likeness(shipped_network()[0]))
    return LlmAnswerer(Endpoint(settings), ExtractiveAnswerer(ReaderScorer(retriever)), checker)


def _instead(quoted: Answer, reason: str) -> Answer:
    return replace(quoted, reason=f"{reason[:1].upper()}{reason[1:]}: this answer is quoted from the sources instead.")


@dataclass(slots=True)
class _GrowingAnswer:
    question: str
    sources: Sequence[SourceSentence]
    checker: SentenceChecker
    sentences: list[AnswerSentence] = field(default_factory=list)
    citations: dict[SourceSentence, Citation] = field(default_factory=dict)

    def answer(self, confidence: float | None) -> Answer:
        return Answer(self.question, tuple(self.sentences), tuple(self.citations.values()), confidence=confidence)

    def with_conflicts(self, quoted: Answer) -> Answer:
        """Add the conflicts of the quoted answer, their sides cited behind this one's own sources."""
        cited = {citation.number: SourceSentence(citation.passage, citation.span) for citation in quoted.citations}
        conflicts = tuple(
            replace(conflict, sides=tuple(self._cite(cited[number]).number for number in conflict.sides))
            for conflict in quoted.conflicts
        )
        return replace(self.answer(quoted.confidence), conflicts=conflicts)

    def add(self, draft: Draft) -> None:
        """Check a sentence against the sources that it names, or else against those that come nearest to it."""
        named = [self.sources[n - 1] for n in draft.numbers if 1 <= n <= len(self.sources)][:_MOST_CITATIONS]
        checked = self._check(draft.text, named)
        for source in self._nearest(draft.text) if checked.support == "unsupported" else ():
            other = self._check(draft.text, [source])
            if other.support != "unsupported":
                named, checked = [source], other
                break
        cited = [self._cite(source) for source in named]
        speakers = {citation.speaker for citation in cited}
        speaker = speakers.pop() if len(speakers) == 1 else None
        numbers = tuple(citation.number for citation in cited)
        self.sentences.append(AnswerSentence(checked.text, numbers, speaker, checked.support, checked.fault))

    def _check(self, text: str, sources: Sequence[SourceSentence]) -> CheckedSentence:
        return self.checker.check(text, [Citation.of(source.passage, source.span) for source in sources])

    def _nearest(self, text: str, most: int = 3) -> list[SourceSentence]:
        wanted = set(terms(text))
        shared = {source: len(wanted & set(terms(source.text))) for source in self.sources}
        near = [source for source in self.sources if 2 * shared[source] >= len(wanted)]
        return sorted(near, key=lambda source: -shared[source])[:most]

    def _cite(self, source: SourceSentence) -> Citation:
        if source not in self.citations:
            self.citations[source] = Citation.of(source.passage, source.span, len(self.citations) + 1)
        return self.citations[source]
