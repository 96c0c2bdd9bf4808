"""How hits and answers look in a terminal; complaints in one line, progress as bars."""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Self, TextIO

from rag.app.as_json import dates_json
from rag.app.display import ACTING, ALSO, one_line, printable, speaker_before
from rag.language.terms import matched_words

if TYPE_CHECKING:
    from tqdm import tqdm

    from rag.records import Answer, AnswerSentence, Document, Hit, Span

_ACTING = re.compile(f"[{ACTING}]")
_BOLD, _PLAIN = "\ue000", "\ue001"
_ANSI = str.maketrans({_BOLD: "\x1b[1m", _PLAIN: "\x1b[22m"})
"""Characters that no document needs, and the codes of bold print that `say` puts in their place in a terminal."""


def say(text: str, end: str = "\n", file: TextIO | None = None) -> None:
    """Print text; what would act on the terminal is shown instead, for much of it comes from documents."""
    is_terminal = (file or sys.stdout).isatty()
    shown = printable(text).translate(_ANSI if is_terminal else {ord(_BOLD): None, ord(_PLAIN): None})
    print(shown, end=end, file=file, flush=True)


def complain(message: str, code: int = 1) -> int:
    """Print a complaint in one line, and return the exit code."""
    say(f"rag: {' '.join(message.split())}", file=sys.stderr)
    return code


class Notes(logging.Handler):
    """What the library notes, for whoever sees the terminal: a line each, shown as all that may hold a file's name."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it."""
        complain(self.format(record))


def print_json(data: object, indent: int | None = 2) -> None:
    """Print JSON."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    text = _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    # half a surrogate pair becomes an escape, as JSON has it
    print(text.encode("utf-8", "backslashreplace").decode(), flush=True)


class Bars:
    """A progress bar on standard error for each stage that takes longer than a second, with rate and time left."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm[None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        from tqdm import tqdm

        if stage not in self._bars:
            unit = {"reading": " files", "asking": " questions", "copying": " documents"}.get(stage, " passages")
            self._bars[stage] = tqdm(total=total, desc=stage, unit=unit, delay=1, file=sys.stderr, dynamic_ncols=True)
        self._bars[stage].total = total  # it grows where a run is done in parts
        self._bars[stage].update(done - self._bars[stage].n)


def hit_lines(rank: int, hit: Hit, question: str) -> str:
    """Return a hit with its reference, its text, and why it was found."""
    words = ", ".join(matched_words(question, hit.passage.retrieval_text)) or "none"
    halves = f"by meaning: {hit.dense_rank or '-'}, by words: {hit.lexical_rank or '-'}"
    read = "" if hit.reranker_score is None else f"; read: {hit.reranker_score:.2f}"
    text = " ".join(hit.passage.text.split())
    return (
        f"{rank}. {one_line(str(hit.citation))}  ({hit.score:.3f})\n   {text}\n   [rank {halves}{read}; words: {words}]"
    )


def lost_lines(document: Document) -> str:
    """Return what of a file is not in its text: each reason with its pieces, a line each."""
    groups = (
        [f"{why} ({count}):", *(f"  {one_line(each.text)}" for each in document.set_aside if each.why == why)]
        for why, count in document.aside.items()
    )
    notes = [f"note: {note}" for note in document.notes]
    return "\n".join([*chain.from_iterable(groups), *notes]) or "nothing was set aside"


def _nearest_line(hit: Hit) -> str:
    if hit.sentence:
        return f"nearest: {' '.join(hit.passage.quote(hit.sentence).split())}"
    return " ".join(hit.passage.text.split())[:200]


def answer_lines(answer: Answer) -> str:
    """Return an answer as text, with its sides and sources."""
    meant = meant_lines(answer)
    if answer.abstained:
        nearest = (f"  {one_line(str(hit.citation))}\n    {_nearest_line(hit)}" for hit in answer.nearest)
        return "\n".join([*meant, answer.text, *nearest])
    notice = [answer.reason, ""] if answer.reason else []
    said = [sentence_line(sentence) for sentence in answer.sentences if not sentence.beside]
    beside = [sentence_line(sentence) for sentence in answer.sentences if sentence.beside]
    said += ["", ALSO, *beside] if beside else []
    return "\n".join([*written_lines(answer), *notice, *said, *side_lines(answer), "", *source_lines(answer)])


def meant_lines(answer: Answer) -> list[str]:
    """Return what a follow-up was taken to mean, and what an LLM had searched besides."""
    meant = [f"searched for: {answer.searched_for}"] if answer.searched_for else []
    meant += [f"searched also for: {query}" for query in answer.searches]
    return [*meant, ""] if meant else []


def written_lines(answer: Answer) -> list[str]:
    """Return what a question was taken to mean, and who wrote the answer, where somebody did."""
    return [*meant_lines(answer), *([f"written by {answer.writer}, checked:"] if answer.writer else [])]


def source_lines(answer: Answer) -> list[str]:
    """Return the sources, each with its file and the days that `on Tuesday` and the like mean in it."""
    lines = []
    for c in answer.citations:
        days = [f"“{' '.join(found['text'].split())}”: {found['date']}" for found in dates_json(c)]
        lines += [f"  [{c.number}] {one_line(str(c))}", f"      {one_line(c.uri)}"]
        lines += [f"      {', '.join(days)}"] if days else []
    return lines


def side_lines(answer: Answer) -> list[str]:
    """Return what sources differ on, each side with its date, document and speaker."""
    cited = {citation.number: citation for citation in answer.citations}
    lines = []
    for conflict in answer.conflicts:
        lines += ["", f"Sources differ on “{conflict.about}”:"]
        for c in (cited[number] for number in conflict.sides):
            speaker = speaker_before(c.speaker, c.quote)
            who = ", ".join(part for part in (c.date or "no date", c.title, speaker) if part)
            lines.append(f"  {who}: {' '.join(c.quote.split())} [{c.number}]")
    return lines


def sentence_line(sentence: AnswerSentence) -> str:
    """Return a sentence with who said it."""
    named = speaker_before(sentence.speaker, sentence.text)
    words = str(replace(sentence, text=_set_off(sentence)))
    return f"{named}: {words}" if named else words


def _set_off(sentence: AnswerSentence) -> str:
    """Return a sentence with the words that answer in bold, where the terminal can show it (see `say`)."""
    text = sentence.text
    for mark in reversed(sentence.marks):
        text = f"{text[: mark.start]}{_BOLD}{mark.of(text)}{_PLAIN}{text[mark.end :]}"
    return text


def marked(document: Document, span: Span, around: int = 300) -> str:
    """Return the span in its context, ready to print, between marks that stand out in a terminal."""
    text = document.text
    start, end = max(0, span.start - around), min(len(text), span.end + around)
    on, off = ("\x1b[7m", "\x1b[0m") if sys.stdout.isatty() else (">>>", "<<<")
    before, words, after = map(printable, (text[start : span.start], span.of(text), text[span.end : end]))
    return f"{before}{on}{words}{off}{after}"
