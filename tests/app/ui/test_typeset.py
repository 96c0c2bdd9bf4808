"""Layout of texts: nothing is lost, and Markdown's signs are told from its words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.app.ui.typeset import MARKDOWN, TypesetBlock, typeset, typeset_text
from rag.load import load, load_bytes
from tests.conftest import ROOT

DATA = ROOT / "data"
SIGNS = ["**bold**", "*it*", "`code`", "[a](http://b.c)", "# head", "- item", "> quote", "| a | b |", "|---|---|", "\n"]
words = st.lists(st.one_of(st.sampled_from([*SIGNS, "\n\n", " ", "&amp;", "\\*", "1. one"]), st.text()), max_size=12)


def told(text: str, block: TypesetBlock) -> str:
    """The words of a block that are seen."""
    hidden = {"sign", "gap"}
    return "".join(" " if run.look == "cell" else run.span.of(text) for run in block.runs if run.look not in hidden)


def assert_whole(text: str, blocks: list[TypesetBlock]) -> None:
    runs = [run.span for block in blocks for run in block.runs]
    assert "".join(span.of(text) for span in runs) == text
    assert all(one.end == next_.start for one, next_ in pairwise(runs))


@given(words.map("".join), st.sampled_from([MARKDOWN, "text/plain"]))
def test_nothing_is_lost(text, media_type):
    assert_whole(text, typeset_text(text, media_type))


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_sample_documents_are_whole(path):
    document = load(path)
    blocks = typeset(document)
    assert_whole(document.text, blocks)
    headings = [document.text[s.heading.start : s.heading.end].lstrip("# ") for s in document.sections]
    assert [told(document.text, block) for block in blocks if block.kind == "heading"] == headings


@pytest.mark.parametrize("path", sorted(DATA.glob("*.md")), ids=lambda path: path.name)
def test_words_are_those_of_a_markdown_parser(path):
    """Oracle: the words that markdown-it gives to a reader, one after the other."""
    document = load(path)
    body = document.text.partition("\n---\n")[2] if document.text.startswith("---") else document.text
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    inline = [child for token in tokens for child in token.children or []]
    expected = "".join(child.content or (" " if child.type == "softbreak" else "") for child in inline)
    blocks = [block for block in typeset(document) if block.kind not in {"front", "rule"}]
    numbered = [replace(block, runs=block.runs[1:]) if block.kind == "number" else block for block in blocks]
    seen = "".join(told(document.text, block) for block in numbered)
    assert seen.split()
    assert "".join(seen.split()) == "".join(expected.split())


def looks(text: str) -> list[tuple[str, str]]:
    return [(run.look, run.span.of(text)) for block in typeset_text(text, MARKDOWN) for run in block.runs]


def test_emphasis_links_and_code_are_told_from_their_signs():
    assert looks("A **b** [c](http://d.e) `f`") == [
        ("", "A "),
        ("sign", "**"),
        ("strong", "b"),
        ("sign", "**"),
        ("", " "),
        ("sign", "["),
        ("link", "c"),
        ("sign", "](http://d.e)"),
        ("", " "),
        ("sign", "`"),
        ("code", "f"),
        ("sign", "`"),
    ]


def test_lists_and_headings():
    text = "## Head ##\n\n- one\n- **two**\n\n1. first\n"
    blocks = typeset_text(text, MARKDOWN)
    assert [(block.kind, told(text, block)) for block in blocks] == [
        ("heading", "Head"),
        ("bullet", "one"),
        ("bullet", "two"),
        ("number", "1. first"),
    ]


def test_tables_of_every_format_have_cells():
    markdown = "| a | **b** |\n|---|---|\n| c | d |\n"
    assert [block.kind for block in typeset_text(markdown, MARKDOWN)] == ["row", "rule", "row"]
    document = load_bytes(b"name,year\nAda,1843\nGrace,1952\n", "/x/table.csv")
    rows = [block for block in typeset(document) if block.kind == "row"]
    assert [sum(run.look == "cell" for run in row.runs) for row in rows] == [1, 1, 1]
    part = "| c | d |\n| e | f |"  # of a passage that begins inside a table
    assert [told(part, block).split() for block in typeset_text(part, MARKDOWN)] == [["c", "d"], ["e", "f"]]


def test_rows_without_a_head_are_rows_of_their_own():
    """As in a passage that opens within a table."""
    text = "| Oz | 40 |\n| Ix | 9 |\n| Ur | 7 |\n\nThe end."
    blocks = typeset_text(text, MARKDOWN)
    assert [block.kind for block in blocks] == ["row", "row", "row", "paragraph"]
    assert ["".join(run.span.of(text) for run in row.runs if not run.look) for row in blocks[:3]] == [
        "Oz40",
        "Ix9",
        "Ur7",
    ]


def test_hand_wrapped_lines_are_one_paragraph():
    text = "This is the first line of a paragraph that was wrapped by hand\nand goes on in the second line of it."
    assert [block.kind for block in typeset_text(text)] == ["paragraph"]
