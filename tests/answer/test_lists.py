"""A list is answered as one: the sentence that introduces it, and its items, each with a citation of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag import Library
from rag.answer.lists import introduced, with_items
from rag.answer.question import Question
from rag.answer.settings import Quoting
from rag.chunk import Chunker
from rag.records import Candidate, Document, Hit, Span

AUDIT = """The auditors made four recommendations:

- Publish every contract. That helps bidders.
  It did so before.
- Rotate the members of the board
- Keep minutes
- Audit the crane fund

The director accepted them."""

MARKUP = {
    "audit.md": "# Audit\n\n" + AUDIT,
    "audit.html": "<h1>Audit</h1><p>The auditors made four recommendations:</p><ol><li>Publish every contract.</li>"
    "<li>Rotate the members of the board</li><li>Keep minutes</li><li>Audit the crane fund</li></ol>"
    "<p>The director accepted them.</p>",
}
ITEMS = ["Publish every contract.", "Rotate the members of the board", "Keep minutes", "Audit the crane fund"]


def hits_of(text: str, tokens: int = 200) -> list[Hit]:
    """The passages of a plain text, one token a word."""
    document = Document("/a.txt", text, None, "0" * 64)
    chunker = Chunker(lambda texts: [len(text.split()) for text in texts], tokens)
    return [Hit(passage, 1.0) for passage in chunker.passages(document)]


def sentence(hits: list[Hit], beginning: str) -> Candidate:
    """The sentence that begins so."""
    hit, span = next((h, s) for h in hits for s in h.passage.sentences if h.passage.quote(s).startswith(beginning))
    return Candidate(hit, span, hit.passage.quote(span), 0.9)


def words(candidates: list[Candidate]) -> list[str]:
    return [" ".join(c.text.split()) for c in candidates]


def test_an_introduction_brings_its_items():
    """The first sentence of each, and not what follows the list; every span cuts its text out of the document."""
    hits = hits_of(AUDIT)
    found = introduced(sentence(hits, "The auditors"), hits)
    assert words(found) == ITEMS
    assert [c.text for c in found] == [AUDIT[c.span.start : c.span.end] for c in found]


def test_a_list_goes_on_in_the_next_passage_that_was_found():
    """Only there: a passage that was not found is not read."""
    text = "The port wants:\n\n" + "".join(f"- a new pier number {n} in the outer harbour\n" for n in range(1, 8))
    hits = hits_of(text, 30)
    assert len(hits) > 1
    intro = sentence(hits, "The port")
    every = [f"a new pier number {n} in the outer harbour" for n in range(1, 8)]
    assert words(introduced(intro, hits[::-1])) == every
    inside = sum(text[: hits[0].passage.span.end].count(item) for item in every)
    assert words(introduced(intro, hits[:1])) == every[:inside]


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("He put it so:\n\nNobody came. Nobody called.", ["Nobody came."]),
        ("The board has two members:\n\nThe director left.\n- a note", ["The director left."]),
        ("It has a table:\n\n| one | two |\n| --- | --- |", []),
        ("It has no colon.\n\n- one item", []),
        ("It ends here:", []),
    ],
)
def test_what_follows_where_there_is_no_list(text, following):
    hits = hits_of(text)
    assert words(introduced(sentence(hits, text.partition("\n")[0]), hits)) == following


def test_a_long_list_is_cut():
    hits = hits_of("All of them:\n" + "".join(f"- name {n}\n" for n in range(Quoting().items + 5)))
    assert words(introduced(sentence(hits, "All"), hits)) == [f"name {n}" for n in range(Quoting().items)]


@pytest.mark.parametrize(
    ("question", "leading", "whole"),
    [
        ("What did the auditors recommend?", "Keep", True),
        ("Which recommendations did they make?", "Keep", True),
        ("What does the audit ask for?", "The auditors", True),
        ("Who audited?", "The auditors", True),
        ("Who keeps minutes?", "Keep", False),
        ("Which fund is audited?", "Audit", False),
        ("What is the name of the fund?", "Audit", False),
        ("How many recommendations were made?", "The auditors", False),
        ("When were they made?", "The auditors", False),
    ],
)
def test_a_question_for_one_thing_gets_one(question, leading, whole):
    """A list belongs to questions for several things, and to those that its introduction answers best."""
    hits = hits_of(AUDIT)
    intro, best = sentence(hits, "The auditors"), sentence(hits, leading)
    best = intro if best == intro else best
    chosen = list(dict.fromkeys([intro, best]))
    found = with_items(Question.parse(question), chosen, best, hits)
    assert found == [intro, *introduced(intro, hits)] if whole else found == chosen


def test_an_introduction_that_names_who_is_asked_for_stays_alone():
    text = "The board met Ana Velic, its new auditor, and spoke about:\n\n- the crane fund\n- the minutes"
    hits = hits_of(text)
    intro = sentence(hits, "The board")
    named = replace(intro, short=Span(text.index("Ana"), text.index(", its")))
    question = Question.parse("Who is the auditor?")
    assert with_items(question, [named], named, hits) == [named]
    assert words(with_items(question, [intro], intro, hits))[1:] == ["the crane fund", "the minutes"]


def test_what_was_chosen_stays_itself():
    """An item that was among the answer keeps its score, and stands once."""
    hits = hits_of(AUDIT)
    intro, item = sentence(hits, "The auditors"), sentence(hits, "Keep")
    found = with_items(Question.parse("What was recommended?"), [intro, item], item, hits)
    assert found[3] is item
    assert words(found) == ["The auditors made four recommendations:", *ITEMS]


@pytest.mark.parametrize("name", MARKUP)
def test_the_answer_is_the_whole_list(tmp_path, encoder, name):
    """With the real encoder and reader: every item is cited, and none of them is the short answer."""
    (tmp_path / name).write_text(MARKUP[name], "utf-8")
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / name)
        answer = library.ask("What did the auditors recommend?")
        source = library.document(answer.citations[0].uri).text
    assert [" ".join(c.quote.split()) for c in answer.citations] == ["The auditors made four recommendations:", *ITEMS]
    assert [c.quote for c in answer.citations] == [source[c.span.start : c.span.end] for c in answer.citations]
    assert answer.short_answer is None


REPORT = """# Report on the Harrow ferry

The ferry sank on 3 May 2021 with 41 people on board.

## Recommendations

- The port should inspect each hull twice a year.
- Crews should train with life rafts.

## Members of the panel

1. Nora Selk, chair
2. Tom Abara
3. Ines Roth
"""


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        (
            "What are the recommendations?",
            ["Recommendations: The port should inspect each hull twice a year.", "Crews should train with life rafts."],
        ),
        ("Who was on the panel?", ["Members of the panel: Nora Selk, chair", "Tom Abara", "Ines Roth"]),
    ],
)
def test_a_list_is_answered_under_its_heading(tmp_path, encoder, question, shown):
    """The heading says what is asked, and stands in front of the first item; each item has its own citation."""
    (tmp_path / "report.md").write_text(REPORT)
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / "report.md")
        answer = library.ask(question)
    assert answer.is_plain
    assert [sentence.text for sentence in answer.sentences] == shown
    assert all(REPORT[c.span.start : c.span.end] == c.quote for c in answer.citations)
    assert [c.quote for c in answer.citations] == [text.rpartition(": ")[2] for text in shown]


def test_an_item_that_alone_has_what_is_asked_leads(tmp_path, encoder):
    (tmp_path / "report.md").write_text(REPORT)
    with Library.open(tmp_path / "index", embedder=encoder) as library:
        library.index(tmp_path / "report.md")
        assert library.ask("Who is the chair of the panel?").sentences[0].text == "Nora Selk, chair"
