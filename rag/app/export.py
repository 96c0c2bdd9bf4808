"""Answers as documents that people send on: plain text, Markdown with footnotes, DOCX.

The same answers give the same bytes. All take them in the form of `as_json.answer_json`, one or a conversation; the
sources of later answers are numbered on. Text of documents stays text: nothing in it becomes markup, a link, a line of
ours or a field of a word processor. Characters that no text file should hold (control characters, half surrogate pairs)
are replaced one by one, by their pictures (U+2400 and on) or by U+FFFD, so that positions still count.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.app.display import ALSO, is_own_speech, marked_pieces, printable, speaker_before
from rag.records import title_and_section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.app.as_json import Json

# would turn around what stands beside it in the same line
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\ue000]")
_MARK = "\ue000"  # stands for the bold of a mark while the words of documents are escaped
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_LINE_START = re.compile(r"^(\d*)([-+=:.)])", re.MULTILINE)  # of lists, rules and underlined headings
_ADDRESS = re.compile(r"(?i)((?<=\w):(?=//)|(?<=\bwww)\.|@)")  # what becomes a link by itself


@dataclass(frozen=True, slots=True)
class _Line:
    """A paragraph of an export, and the numbers of its sources."""

    kind: Literal["question", "meant", "sentence", "conflict", "refusal", "nearest"]
    text: str
    sources: tuple[int, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """A source: its number, its exact words, and where they stand."""

    number: int
    quote: str
    title: str
    place: str


def text(answers: Sequence[Json]) -> str:
    """Return answers as plain text; every line of a quotation begins with four spaces and `> `."""
    leads = {"question": "Question: "}
    lines, sources = _parts(answers)
    paragraphs = [" ".join([leads.get(line.kind, "") + line.text, *_marks(line)]) for line in lines]
    for source in sources:
        quote = "\n".join(f"    > {line}" for line in source.quote.split("\n"))
        paragraphs.append(f"[{source.number}] {source.title}, {source.place}\n{quote}")
    return "\n\n".join(paragraphs) + "\n"


def markdown(answers: Sequence[Json]) -> str:
    """Return answers as Markdown with footnotes, as GitHub, Pandoc and Obsidian read them."""
    forms = {"question": "## {}", "conflict": "*{}*"}
    lines, sources = _parts(answers)
    paragraphs = []
    for line in lines:
        notes = "".join(f"[^{number}]" for number in line.sources)
        marked = "".join(
            f"{_MARK}{run}{_MARK}" if is_marked else run for run, is_marked in marked_pieces(line.text, line.marks)
        )
        words = _escaped(marked).replace(_MARK, "**")
        paragraphs.append(forms.get(line.kind, "{}").format(words) + notes)
    for source in sources:
        quote = _escaped(source.quote).replace("\n", "\\\n    > ")
        paragraphs.append(f"[^{source.number}]: *{_escaped(source.title)}*, {_escaped(source.place)}\n\n    > {quote}")
    return "\n\n".join(paragraphs) + "\n"


def docx(answers: Sequence[Json]) -> bytes:
    """Return answers as a Word document with a list of sources at its end."""
    from docx import Document

    lines, sources = _parts(answers)
    document = Document()
    document.core_properties.author = document.core_properties.comments = ""
    for line in lines:
        if line.kind == "question":
            document.add_heading(line.text, level=1)
            continue
        paragraph = document.add_paragraph()
        for words, is_marked in marked_pieces(line.text, line.marks):
            run = paragraph.add_run(words)
            run.bold, run.italic = is_marked, line.kind == "conflict"
        paragraph.add_run("".join(f" {mark}" for mark in _marks(line))).font.superscript = True
    if sources:
        document.add_heading("Sources", level=1)
    for source in sources:
        paragraph = document.add_paragraph(f"[{source.number}] ")
        paragraph.add_run(source.title).bold = True
        paragraph.add_run(f", {source.place}")
        document.add_paragraph(source.quote, style="Quote")
    file = io.BytesIO()
    document.save(file)
    return _without_times(file)


def _parts(answers: Sequence[Json]) -> tuple[list[_Line], list[_Source]]:
    lines: list[_Line] = []
    sources: list[_Source] = []
    for answer in answers:
        lines += _lines(answer, len(sources))
        sources += [_source(citation, len(sources)) for citation in answer["citations"]]
    return lines, sources


def _lines(answer: Json, before: int) -> Iterator[_Line]:
    yield _Line("question", _flat(answer["question"]))
    if answer["searched_for"] and answer["searched_for"] != answer["question"]:
        yield _Line("meant", _flat(f"Searched for: {answer['searched_for']}"))
    for query in answer.get("searches", ()):
        yield _Line("meant", _flat(f"Searched also for: {query}"))
    if writer := answer.get("writer"):
        yield _Line("meant", _flat(f"Written by {writer}, checked"))
    if reason := answer["reason"] or (answer["abstained"] and "Nothing in the documents answers this question."):
        yield _Line("refusal", _flat(reason))
    yield from _said(answer["sentences"], before)
    for conflict in answer["conflicts"]:
        about = f" on “{conflict['about']}”" if conflict["about"] else ""
        sides = tuple(before + number for number in conflict["sides"])
        yield _Line("conflict", _flat(f"Sources differ{about}:"), sides)
    for near in answer["nearest"] if answer["abstained"] else ():
        words = near["sentence"]["text"] if near["sentence"] else near["text"]
        yield _Line("nearest", _flat(f"Nearest, in {near['title']}: “{words}”"))


def _said(sentences: Sequence[Json], before: int) -> Iterator[_Line]:
    is_beside = False
    for sentence in sentences:
        if sentence.get("beside") and not is_beside:  # conversations kept by an earlier version do not say
            is_beside = True
            yield _Line("meant", ALSO)
        named = speaker_before(sentence["speaker"], sentence["text"])
        speaker = f"{named}: " if named else ""
        doubt = " (not supported by its source)" if sentence["support"] == "unsupported" else ""
        numbers = tuple(before + number for number in sentence["citations"])
        marks = tuple((len(speaker) + start, len(speaker) + end) for start, end in sentence.get("marks", ()))
        yield _Line("sentence", _flat(f"{speaker}{sentence['text']}{doubt}"), numbers, marks)


def _source(citation: Json, before: int) -> _Source:
    file = citation["document"].rstrip("/").rpartition("/")[2]
    title, section = title_and_section(citation["title"], citation["section"])
    facts = (
        section,
        f"page {citation['page']}" if citation["page"] else None,
        citation["date"],
        f"words of {citation['speaker']}" if is_own_speech(citation["speaker"], citation["quote"]) else None,
        file if file != citation["title"] else None,
    )
    place = ", ".join(_flat(fact) for fact in facts if fact)
    return _Source(before + citation["number"], printable(citation["quote"]), _flat(title), place)


def _marks(line: _Line) -> list[str]:
    return [f"[{number}]" for number in line.sources]


def _flat(words: str) -> str:
    """Return words fit to stand in a line with others: on one line, reading in one direction."""
    return _DIRECTION.sub("", printable(" ".join(words.split())))


def _escaped(words: str) -> str:
    """Return words that Markdown reads as just these words, spaces and line breaks at the ends included."""
    words = _LINE_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", words))
    words = _ADDRESS.sub(r"\\\1", words).replace("\t", "&#9;")
    words = re.sub(r"(?m)^[^\S\n]|[^\S\n]$", lambda space: f"&#{ord(space[0])};", words)  # of any width
    return f"{words[:-1]}&#10;" if words.endswith("\n") else words


def _without_times(file: io.BytesIO) -> bytes:
    """Return a ZIP file without the times at which its members were written."""
    anew = io.BytesIO()
    with zipfile.ZipFile(file) as made, zipfile.ZipFile(anew, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in made.namelist():
            fixed.writestr(zipfile.ZipInfo(name), made.read(name), zipfile.ZIP_DEFLATED)
    return anew.getvalue()
