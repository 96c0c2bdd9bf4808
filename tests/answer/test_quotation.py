"""Quotations: exact words in their order, marks inside, nothing that is no text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.quotation import displayed, quotations
from rag.records import Candidate, Document, Hit, Span, Statement

PIECES = st.sampled_from(
    [
        "**",
        "__",
        "`",
        "# ",
        "- ",
        "> ",
        "|",
        " | ",
        "| a | b |",
        "<b>",
        "</td>",
        "[x](http://y)",
        "“",
        "”",
        '"',
        "\n",
        "\t",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join)


def passage(*sentences: str, between: str = " "):
    """A passage of one document with these sentences."""
    text = between.join(sentences)
    spans, at = [], 0
    for sentence in sentences:
        spans.append(Span(at, at + len(sentence)))
        at += len(sentence) + len(between)
    return Document("/a.txt", text, None, "0" * 64).passage(Span(0, len(text)), spans)


def candidate(found, number: int, short: str | None = None) -> Candidate:
    span = found.sentences[number]
    at = found.text.index(short, span.start) if short else 0
    return Candidate(Hit(found, 1.0), span, found.quote(span), 0.5, short=Span(at, at + len(short)) if short else None)


@given(TEXTS, st.data())
def test_what_is_shown_is_of_the_document(text, data):
    """The characters are the document's, in its order, but for the end of a cell and the partner of a quotation mark.

    Marks lie inside; no markup is left.
    """
    start = data.draw(st.integers(0, len(text)))
    mark = Span(start, data.draw(st.integers(start, len(text))))
    shown, marks = displayed(text, [mark])
    rest = iter(text)
    plain = re.sub('[;"“”„«»]', "", shown).split()
    assert all(char in rest for char in "".join(plain)), (text, shown)
    assert not re.search(r"\*\*|\||</?(?:b|td|p|span)>", shown), (text, shown)
    assert not any(unicodedata.category(char) == "Cc" for char in shown)
    for each in marks:
        assert each.end <= len(shown)
        assert each.of(shown).strip() == each.of(shown) != ""


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("**5 December 2024** They take Hama.", "5 December 2024 They take Hama."),
        ("| Turkey | about 2.9 million |", "Turkey; about 2.9 million"),
        ("Town: Kelby | County: Lowland", "Town: Kelby; County: Lowland"),
        ("“We go, he said.", "“We go, he said.”"),
        ('“We go." He left for the pier.', '“We go." He left for the pier.'),
        ('"We go,” he said. “Or not."', '"We go,” he said. “Or not."'),
        (
            "The board may per-\nform it in a well-\n known way, as pre- and post-war ones did.",
            "The board may per-form it in a well-known way, as pre- and post-war ones did.",
        ),
        ('He said "no" and "yes.', 'He said "no" and "yes."'),
        ('all is well," she said.', '"all is well," she said.'),
        ("all is well,” she said.", "“all is well,” she said."),
        ('She said: "We go. "We come," he said.', 'She said: "We go. "We come," he said.'),
        ("“We go. “We come,” he said.", "“We go. “We come,” he said."),
        ("He read “the “old” book” twice.", "He read “the “old” book” twice."),
        ('A pipe of 5" broke.', "A pipe of 5 broke."),
        ("It is *very* late.", "It is very late."),
        ("*Taken from **all** minutes.*", "Taken from all minutes."),
        ("*It is late.", "It is late."),
        ("The value is *CHANGE here.", "The value is *CHANGE here."),
        ("See [the map](http://a.b) <b>now</b>.", "See the map now."),
        ("The [rule 12 (on\n  moorings)](http://a.b/c_(d)) stands.", "The rule 12 (on moorings) stands."),
        ('It is [on the map](a.png "The map"), [see there][map].', "It is on the map, see there."),
        ("[[1]](#one) is at <https://a.b/c>.", "[1] is at https://a.b/c."),
        ("As the sources [12][13] say.", "As the sources [12][13] say."),
        ("two\n  lines", "two lines"),
        ("- **5 June** He came.\n- **6 June** He left.", "5 June He came. 6 June He left."),
        ("Ann <ann@example.org> wrote: x < y and y > z.", "Ann <ann@example.org> wrote: x < y and y > z."),
        ("*`*bold*`*", "bold"),
    ],
)
def test_markup_goes(quote, shown):
    assert displayed(quote)[0] == shown


def test_a_sentence_that_leans_brings_its_owner():
    found = passage("The mill was built in 1840.", "It closed in 1931.", "Nobody wept.")
    (one,) = quotations([candidate(found, 1, "1931")])
    shown = one.sentences(1)[0]
    text, marks = shown.text, shown.marks
    assert text == "The mill was built in 1840. It closed in 1931."
    assert [mark.of(text) for mark in marks] == ["1931"]


def texts(quoted):
    return [part.text for quotation in quoted for part in quotation.sentences(1)]


def test_what_touches_is_one_quotation():
    found = passage("Ann built it.", "Ben paid for it.", "Eve left.", "Dan came.")
    chosen = [candidate(found, 1, "Ben"), candidate(found, 0, "Ann"), candidate(found, 3)]
    assert texts(quotations(chosen)) == ["Ann built it. Ben paid for it.", "Dan came."]


def test_a_reply_of_few_words_brings_the_question():
    """As one quotation, with the signs of who speaks that stand in the source."""
    text = (
        "Q. Who guarded the gate? A. Keith Marsh. Q. And who paid? A. The board paid, as it always had for all of them."
    )
    spans = [
        Span(text.index(part), text.index(part) + len(part)) for part in re.findall(r"(?<=[QA]\. )[^.?]+[.?]", text)
    ]
    document = Document("/a.txt", text, None, "0" * 64, speakers=tuple(Statement(span, None) for span in spans))
    found = document.passage(Span(0, len(text)), spans)
    (short,) = quotations([candidate(found, 1, "Keith Marsh")])
    (shown,) = short.sentences(1)
    assert shown.text == "Who guarded the gate? A. Keith Marsh."
    assert [mark.of(shown.text) for mark in shown.marks] == ["Keith Marsh"]
    (long,) = quotations([candidate(found, 3)])
    assert long.sentences(1)[0].text == "The board paid, as it always had for all of them."


def test_a_heading_is_no_part_of_the_sentence_below_it():
    headed = passage("Friday 6 May", "It was closed.", between="\n\n")
    assert texts(quotations([candidate(headed, 1)])) == ["It was closed."]
    both = quotations([candidate(headed, 1), candidate(headed, 0)])
    assert texts(both) == ["It was closed.", "Friday 6 May"]
    paragraphs = passage("The pier was old.", "It was closed.", between="\n\n")
    assert texts(quotations([candidate(paragraphs, 1)])) == ["The pier was old.", "It was closed."]


def test_paragraphs_of_one_quotation_are_shown_one_by_one():
    """They have one citation; what is said over two of them opens with a mark in each, and closes in each."""
    found = passage('She said: "We are six.', '"But seven came," she added.', between="\n\n")
    (one,) = quotations([candidate(found, 0, "six"), candidate(found, 1, "seven")])
    shown = one.sentences(1)
    assert [each.text for each in shown] == ['She said: "We are six."', '"But seven came," she added.']
    assert [mark.of(each.text) for each in shown for mark in each.marks] == ["six", "seven"]
    assert {each.citations for each in shown} == {(1,)}


@pytest.mark.parametrize(
    ("sentences", "number", "shown"),
    [
        (("Ann left.", "On Friday she came back.", "It rained."), 1, "Ann left. On Friday she came back."),
        (
            ("Ann ran the mill.", "Until last week she was well.", "It closed."),
            1,
            "Ann ran the mill. Until last week she was well.",
        ),
        (("Ann left.", "In May Ann came back."), 1, "In May Ann came back."),
        (("Ann spoke.", "“We won.", "They lost,” she said."), 1, "“We won. They lost,” she said."),
        (
            ("Ann spoke.", "“We won.", "They lost.", "All is well,” she said."),
            3,
            "“We won. They lost. All is well,” she said.",
        ),
        (('"We won.', 'They lost," she said.', "It rained."), 0, '"We won. They lost," she said.'),
        (("„Wir kommen.", "Alle“, sagte sie.", "Es regnet."), 0, "„Wir kommen. Alle“, sagte sie."),
        (("It was late.", "“We won.”"), 1, "“We won.”"),
    ],
)
def test_a_quotation_brings_what_it_needs(sentences, number, shown):
    """Whoever a pronoun means, and the other half of a pair of quotation marks."""
    (one,) = quotations([candidate(passage(*sentences), number)])
    assert one.sentences(1)[0].text == shown


@pytest.mark.parametrize(
    ("sentence", "marked", "shown"),
    [
        ("HAYWARD, Calif. (AP) — A man was stabbed.", "A man", "A man was stabbed."),
        ("WASHINGTON (Reuters) - Scientists met.", None, "Scientists met."),
        ("(Reuters) — “We won,” she said.", None, "“We won,” she said."),
        ("HAYWARD, Calif. (AP) — A man was stabbed.", "HAYWARD", "HAYWARD, Calif. (AP) — A man was stabbed."),
        ("RWA (Water Authority) – looks after dams.", None, "RWA (Water Authority) – looks after dams."),
        ("NATO – the alliance – was founded in 1949.", None, "NATO – the alliance – was founded in 1949."),
    ],
)
def test_a_dateline_is_shown_only_where_it_answers(sentence, marked, shown):
    (one,) = quotations([candidate(passage(sentence), 0, marked)])
    found = one.sentences(1)[0]
    assert found.text == shown
    assert [mark.of(shown) for mark in found.marks] == ([marked] if marked else [])


@pytest.mark.parametrize(("row", "columns"), [("Town: Oz | Beds: 40", ()), ("| **Oz** | 40 |", ("Town", "Beds"))])
def test_a_row_is_shown_with_the_names_of_its_columns(row, columns):
    (one,) = quotations([replace(candidate(passage(row), 0, "40"), columns=columns)])
    shown = one.sentences(1)[0]
    assert shown.text == "Town: Oz; Beds: 40"
    assert [mark.of(shown.text) for mark in shown.marks] == ["40"]
    cells = [(name.of(shown.text), value.of(shown.text)) for name, value in shown.cells]
    assert cells == [("Town", "Oz"), ("Beds", "40")]


def test_sides_stay_apart():
    found = passage("Ann counted six.", "Ben counted nine.")
    both = [candidate(found, 0, "six"), candidate(found, 1, "nine")]
    assert texts(quotations(both, apart=both)) == ["Ann counted six.", "Ben counted nine."]
