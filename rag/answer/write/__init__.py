"""Answers that an LLM writes, each sentence checked on this machine before anybody sees it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from rag.answer.answerer import NO_ANSWER, Asked, refusal
from rag.answer.check import OTHER_LANGUAGE, SentenceChecker
from rag.answer.check.likeness import Likeness
from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.scorer import ReaderScorer
from rag.answer.write.context import read_together, source_sentences
from rag.answer.write.endpoint import Endpoint
from rag.answer.write.forms import Form
from rag.answer.write.growing import GrowingAnswer
from rag.answer.write.parse import Draft, NotFound, Search, replies
from rag.answer.write.prompt import STANDALONE, is_copied, is_own_search, messages, schema, standalone
from rag.answer.write.summary import Summary, asked_for
from rag.errors import ContextExceeded, InputError, LlmError
from rag.models.encoder import embedder
from rag.models.reader import shipped_network
from rag.records import Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rag.answer.answerer import Answerer
    from rag.answer.question import Question
    from rag.answer.write.context import SourceSentence
    from rag.answer.write.endpoint import Settings
    from rag.records import Answer, Filter, Passage
    from rag.retrieve import Retriever

MOST_SEARCHES = 2
"""Searches that the LLM may ask for, besides the first."""

_LONGEST_QUESTION = 400  # characters of a question that was rewritten
_ROOM_TO_SEARCH = 1500  # tokens of sources: with less, passages of a second search drive out those of the first
_LEAST_ROOM = 200  # tokens of sources, below which no shorter prompt is tried


_ALONE = "Only {} takes this for an answer; the built-in reader finds none in these passages."


@dataclass(frozen=True, slots=True)
class LlmAnswerer:
    """Lets an LLM write the answer, whatever the built-in reader found, and quotes as long as it does not.

    It sees nothing but the question, the conversation and passages, has no tools but another search, and what it writes
    is shown as plain text with what `checker` found. Sources that differ are shown beside its answer too.

    Attributes:
        llm: writes.
        quoting: quotes.
        checker: holds what was written against the sources.
        retriever: knows what stands beside a passage, and all of a document; without it nobody does.
        today: tells the date.
    """

    llm: Endpoint
    quoting: Answerer
    checker: SentenceChecker
    retriever: Retriever | None = None
    today: Callable[[], dt.date] = dt.date.today

    def answer(self, question: Question, hits: Sequence[Hit]) -> Answer:
        """Return the last answer of `stream`."""
        quoted = self.quoting.answer(question, hits)
        *_, last = self.stream(Asked(question, hits, quoted, question.text))
        return last

    def stream(self, asked: Asked) -> Iterator[Answer]:
        """Yield the quoted answer, then what is written in its place; the last one may be a refusal.

        It is the quoted one again, with the reason why, where the LLM fails or the sources support nothing it wrote.
        """
        yield asked.quoted
        try:
            yield from self._written(asked)
        except LlmError as error:
            yield _instead(asked.quoted, f"{error}")

    def _written(self, asked: Asked) -> Iterator[Answer]:
        question, found = self._standalone(asked)
        hits: Sequence[Hit] = _nearest_first(asked.quoted, found) if found is asked.hits else found
        form = Form.of(question)
        growing = GrowingAnswer(question, asked.quoted, self.checker, self.llm.name, form.kind)
        passages = asked_for(self.retriever, question, asked.where) if self.retriever and form.kind == "summary" else []
        if passages:
            yield from Summary(self.llm, growing, form, self.today()).of(passages)
            yield self._final(growing)
        elif hits:  # else the quoted answer says that nothing was found
            yield from self._searching(asked, growing, hits, form)

    def _searching(self, asked: Asked, growing: GrowingAnswer, hits: Sequence[Hit], form: Form) -> Iterator[Answer]:
        """Yield the answer as it is written from these passages and those of the searches that the LLM asks for."""
        before: GrowingAnswer | None = None
        while True:
            again = len(growing.searches) < MOST_SEARCHES and self.llm.room >= _ROOM_TO_SEARCH
            verdict = yield from self._reply(growing, hits, form, asked.where, again=again)
            query = verdict.query if isinstance(verdict, Search) and again else ""
            more = self._searched(asked, query) if query and query not in growing.searches else []
            if not more:
                break
            before, hits = growing, _alternating(more, hits)
            growing = replace(growing, searches=(*growing.searches, query), sentences=[], cited=[])
            yield growing.with_quotations()
        if before and not growing.sentences:  # what was found at last says nothing more
            growing = replace(before, searches=growing.searches)
        yield self._ended(growing, hits, is_refusal=verdict is not None and not growing.sentences)

    def _standalone(self, asked: Asked) -> tuple[str, Sequence[Hit]]:
        """Return the question as it stands by itself, in the LLM's words where it leans on others, and its passages."""
        question = asked.question.text
        if not asked.history:
            return question, asked.hits
        written = "".join(self.llm.write(standalone(asked.typed, asked.history), STANDALONE))
        rewritten = _question_in(written)
        if not rewritten or rewritten.casefold() == question.casefold():
            return question, asked.hits
        hits = self._searched(asked, rewritten)
        return (rewritten, hits) if hits else (question, asked.hits)

    def _searched(self, asked: Asked, query: str) -> Sequence[Hit]:
        try:
            return asked.search(query)
        except InputError:  # the LLM wrote nothing that can be searched for
            return []

    def _reply(
        self, growing: GrowingAnswer, hits: Sequence[Hit], form: Form, where: Filter | None, *, again: bool
    ) -> Generator[Answer, None, NotFound | Search | None]:
        """Yield the answer as it is written from these passages; return what the LLM says instead of one."""
        room = self.llm.room
        limited = where is not None and bool(where.section or where.speaker)  # what stands beside may be outside
        while True:
            sources = source_sentences(read_together(hits, room, *([] if limited else [self._beside])))
            try:
                return (yield from self._read(growing, sources, form, again=again))
            except ContextExceeded:
                if room < _LEAST_ROOM:
                    raise
                room //= 2  # the server takes less than it tells

    def _read(
        self, growing: GrowingAnswer, sources: Sequence[SourceSentence], form: Form, *, again: bool
    ) -> Generator[Answer, None, NotFound | Search | None]:
        told = messages(growing.question, sources, form, self.today(), again=again)
        for said in replies(self.llm.write(told, schema(len(sources), form, again=again)), again=again):
            if isinstance(said, Draft) and is_copied(said.text, told):
                continue
            if isinstance(said, Search) and not is_own_search(said.query):
                continue
            if not isinstance(said, Draft):
                return said
            if len(growing.sentences) < form.most:
                growing.add(said, [sources[n - 1] for n in said.numbers if 1 <= n <= len(sources)], sources)
                yield growing.with_quotations()
        return None

    def _beside(self, passage: Passage) -> list[Passage]:
        return self.retriever.beside(passage) if self.retriever else []

    def _not_found(self, growing: GrowingAnswer, hits: Sequence[Hit]) -> Answer:
        """Refuse, with the nearest passages: what was copied, then what would have been quoted first."""
        copied = [Hit(one.passage, 0.0, sentence=one.span) for sources in growing.cited for one in sources]
        nearest = _nearest_first(growing.quoted, hits, copied)
        refused = refusal(growing.question, f"{NO_ANSWER} ({growing.writer} read them.)", nearest)
        return replace(refused, confidence=0.0, searches=growing.searches)

    def _ended(self, growing: GrowingAnswer, hits: Sequence[Hit], *, is_refusal: bool) -> Answer:
        if growing.only_copies and growing.quoted.closest:
            return _instead(growing.quoted, f"{growing.writer} only copied")
        return self._not_found(growing, hits) if is_refusal or growing.only_copies else self._final(growing)

    def _final(self, growing: GrowingAnswer) -> Answer:
        if not growing.sentences:
            return _instead(growing.quoted, f"{growing.writer} wrote nothing")
        if all(each.support == "unsupported" and each.fault != OTHER_LANGUAGE for each in growing.sentences):
            return _instead(growing.quoted, f"the sources support nothing of what {growing.writer} wrote")
        answer = growing.with_conflicts()
        return replace(answer, reason=_ALONE.format(growing.writer)) if growing.reader_disagrees else answer


def llm_answerer(retriever: Retriever, settings: Settings, quoting: Answerer | None = None) -> LlmAnswerer:
    """Return an answerer that asks the LLM of these settings; raises `InputError` without OpenAI's client.

    `quoting` gives the quotations: without it, the package's reader.
    """
    checker = SentenceChecker(Likeness(shipped_network()[0]), embedder())
    return LlmAnswerer(Endpoint(settings), quoting or ExtractiveAnswerer(ReaderScorer(retriever)), checker, retriever)


def _instead(quoted: Answer, reason: str) -> Answer:
    """Return the quoted answer, or the refusal, with one line that says why nothing was written."""
    shown = "these passages come nearest" if quoted.abstained else "this answer is quoted from the documents"
    own = f" {quoted.reason}" if quoted.reason and not quoted.abstained else ""
    return replace(quoted, reason=f"{reason[:1].upper()}{reason[1:]}: {shown} instead.{own}")


def _question_in(written: str) -> str:
    """Read the question that was rewritten; nothing where there is none, or more than a question."""
    try:
        found = json.loads(written)
    except (json.JSONDecodeError, RecursionError):
        lines = written.strip().splitlines()
        found = {"question": lines[0] if len(lines) == 1 else ""}
    text = found.get("question") if isinstance(found, dict) else None
    words = " ".join(text.split()).encode("utf-8", "replace").decode() if isinstance(text, str) else ""
    return words if len(words) <= _LONGEST_QUESTION else ""


def _nearest_first(quoted: Answer, hits: Sequence[Hit], copied: Sequence[Hit] = ()) -> list[Hit]:
    """Put first what the built-in reader quotes, or takes for nearest: a prompt and a page hold a few passages only."""
    near = [Hit(c.passage, c.score, sentence=c.span) for c in quoted.citations]
    first: dict[str, Hit] = {}
    for hit in (*copied, *near, *quoted.nearest, *hits):
        first.setdefault(hit.passage.id, hit)
    return list(first.values())


def _alternating(more: Sequence[Hit], hits: Sequence[Hit]) -> list[Hit]:
    """Take passages from two searches in turn, each once."""
    pairs = zip_longest(more, hits)
    return list({hit.passage.id: hit for pair in pairs for hit in pair if hit}.values())
