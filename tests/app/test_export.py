"""Exports say just what the answer says: read back by other programs, quotations are equal, and nothing is markup."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.app import export
from rag.app.as_json import Json, answer_json
from rag.app.cli import main
from rag.records import Answer, AnswerSentence, Citation, Conflict, Document, Hit, Span, Statement

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

HOSTILE = [
    "<script>alert(1)</script>\n",
    "![x](http://evil.test/a.png) [y](javascript:alert(1))",
    "\n\n[9] A forged source, page 1\n    > forged\n",
    "[^1]: forged footnote\n\n# heading\n",
    "a | b\n--- | ---\n1 | 2\n",
    "    code\n\t- list\n1. one\n+ two\n===\n> quote\n",
    "`tick` ``` *bold* _it_ $x$ &amp; &#33; \\ C:\\users www.evil.test https://evil.test a@evil.test",
    "  ends in two spaces  \n  and in a break\n",
    "\x1b[31m red \x07 \x00 \r\n \u202e backwards \u2028 line \ud800",
    '=HYPERLINK("http://evil.test") { DATE } ]]> </w:t>',
    "\xa0",
    "\u3000wide\xa0\n\xa0spaces\u2003",
    "Привет, 世界 \U0001f600 e\u0301",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), min_size=1))


def replaced(words: str) -> str:
    """What of a text can be in a file: all but the characters that are replaced one by one."""
    unfit = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\u2400-\u2421\ufffd-\uffff\ud800-\udfff"
    return re.sub(f"[{unfit}]", "?", words)


@st.composite
def answers(draw) -> Json:
    """An answer of one or two citations of hostile documents, as its JSON."""
    citations = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        words = draw(texts)
        span = Span(0, len(words))
        statements = (Statement(span, draw(texts)),)
        document = Document("/docs/" + draw(texts), words, draw(texts), "0", date="2024-12-07", speakers=statements)
        citations.append(Citation.of(document.passage(span), span, number))
    sentences = tuple(
        AnswerSentence(draw(texts), (c.number,), draw(st.none() | texts), beside=draw(st.booleans())) for c in citations
    )
    conflicts = (Conflict(draw(texts), (1,)),)
    return answer_json(Answer(draw(texts), sentences, tuple(citations), conflicts=conflicts))


def quotes(conversation: list[Json]) -> list[str]:
    return [replaced(citation["quote"]) for answer in conversation for citation in answer["citations"]]


def quotes_in_text(exported: str) -> list[str]:
    """Read the quotations of a plain text export."""
    blocks = re.findall(r"^\[\d+\] .*\n((?:    > .*(?:\n|\Z))+)", exported, re.MULTILINE)
    return ["\n".join(line.removeprefix("    > ") for line in block.removesuffix("\n").split("\n")) for block in blocks]


def quotes_in_markdown(exported: str) -> tuple[list[str], str]:
    """Read the quotations with a parser of Markdown, and return the page that it makes as well."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    notes = re.split(r"^\[\^\d+\]: ", exported, flags=re.MULTILINE)[1:]
    found = []
    for note in notes:
        tokens = parser.parse(re.sub(r"^    ", "", note, flags=re.MULTILINE))
        quoted = tokens[[token.type for token in tokens].index("blockquote_open") :]
        inline = [token for token in quoted if token.type == "inline"]
        assert len(inline) == 1
        children = inline[0].children or []
        assert {child.type for child in children} <= {"text", "hardbreak"}
        found.append("".join("\n" if child.type == "hardbreak" else child.content for child in children))
    return found, parser.render(exported)


def style(paragraph: Paragraph) -> Any:
    return paragraph.style and paragraph.style.name


def quotes_in_docx(exported: bytes) -> list[str]:
    """Read the quotations of a Word document."""
    document = docx.Document(io.BytesIO(exported))
    return [paragraph.text for paragraph in document.paragraphs if style(paragraph) == "Quote"]


@settings(max_examples=30)
@given(st.lists(answers(), min_size=1, max_size=2))
def test_text_read_back_has_the_same_quotations(conversation):
    exported = export.text(conversation)
    assert [replaced(quote) for quote in quotes_in_text(exported)] == quotes(conversation)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", exported)
    assert exported.encode()


@settings(max_examples=30)
@given(st.lists(answers(), min_size=1, max_size=2))
def test_markdown_read_back_has_the_same_quotations_and_no_markup_of_documents(conversation):
    found, page = quotes_in_markdown(export.markdown(conversation))
    assert [replaced(quote) for quote in found] == quotes(conversation)
    assert set(re.findall(r"<(\w+)", page)) <= {"h2", "p", "strong", "em", "br", "pre", "code"}  # code: the notes
    assert not re.search(r"<(script|img|a)\b", page)


@pytest.mark.slow
@settings(max_examples=10)  # the library reads its template each time
@given(st.lists(answers(), min_size=1, max_size=2))
def test_word_document_read_back_has_the_same_quotations(conversation):
    exported = export.docx(conversation)
    assert [replaced(quote) for quote in quotes_in_docx(exported)] == quotes(conversation)
    assert exported == export.docx(conversation)


def conversation() -> list[Json]:
    """Two answers and a refusal."""
    words = "Ford said Idlib was quiet.\nThree million people live there."
    document = Document(
        "/docs/ford.txt",
        words,
        "An interview",
        "0",
        date="2024-12-07",
        page_starts=(0,),
        speakers=(Statement(Span(27, 59), "Robert Ford"),),
    )
    passage = document.passage(Span(0, len(words)))
    citations = (Citation.of(passage, Span(0, 26), 1), Citation.of(passage, Span(27, 59), 2))
    sentences = (
        AnswerSentence("Idlib was quiet.", (1,), support="unsupported"),
        AnswerSentence(citations[1].quote, (2,), "Robert Ford", marks=(Span(0, 13),)),
    )
    answer = Answer("How many live in Idlib?", sentences, citations)
    nearest = (Hit(passage, 0.5, sentence=Span(0, 26)),)
    refusal = Answer("Who won?", abstained=True, reason="Nothing is said about it.", nearest=nearest)
    both = Answer("Was it quiet?", sentences[:1], citations, conflicts=(Conflict("Was it quiet?", (1, 2)),))
    return [answer_json(answer), answer_json(refusal), answer_json(both)]


def test_text_names_every_place():
    assert export.text(conversation()).startswith(
        """Question: How many live in Idlib?

Idlib was quiet. (not supported by its source) [1]

Robert Ford: Three million people live there. [2]

Question: Who won?

Nothing is said about it.

Nearest, in An interview: “Ford said Idlib was quiet.”

Question: Was it quiet?

Idlib was quiet. (not supported by its source) [3]

Sources differ on “Was it quiet?”: [3] [4]

[1] An interview, page 1, 2024-12-07, ford.txt
    > Ford said Idlib was quiet.

[2] An interview, page 1, 2024-12-07, words of Robert Ford, ford.txt
    > Three million people live there.

[3] An interview"""
    )


def test_markdown_has_footnotes():
    exported = export.markdown(conversation())
    assert "\n\nRobert Ford: **Three million** people live there.[^2]\n" in exported
    assert "\n\n*Sources differ on “Was it quiet?”:*[^3][^4]\n" in exported
    assert "[^1]: *An interview*, page 1, 2024\\-12" not in exported  # only what would be markup is escaped
    assert "[^1]: *An interview*, page 1, 2024-12-07, ford.txt\n\n    > Ford said" in exported
    used = set(re.findall(r"\[\^(\d+)\](?!:)", exported))
    assert used <= set(re.findall(r"^\[\^(\d+)\]:", exported, re.MULTILINE))


def test_word_document_has_headings_and_sources():
    document = docx.Document(io.BytesIO(export.docx(conversation())))
    headings = [p.text for p in document.paragraphs if style(p) == "Heading 1"]
    assert headings == ["How many live in Idlib?", "Who won?", "Was it quiet?", "Sources"]
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert "[2] An interview, page 1, 2024-12-07, words of Robert Ford, ford.txt" in texts
    assert "Robert Ford: Three million people live there. [2]" in texts
    assert document.core_properties.author == ""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_command_prints_an_export(library, tmp_path, capsys, form):
    (tmp_path / "harbour.txt").write_text("The harbour of Testville closed on Monday. The crane fell into the water.\n")
    library.index(tmp_path / "harbour.txt")
    question = "When did the harbour of Testville close?"
    assert main(["ask", question, "--format", form, "--store", str(library.store.root), "--model", "hash"]) == 0
    exported = capsys.readouterr().out
    assert exported == getattr(export, form)([answer_json(library.ask(question))])
    assert "    > The harbour of Testville closed on Monday." in exported
