"""Whether a sentence says what its source says: rewordings pass, planted errors do not."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from rag.answer.check import SentenceChecker, unquoted
from rag.answer.check.faults import CitedText, faults, names, numbers
from rag.answer.check.likeness import Likeness
from rag.chunk import Chunker
from rag.load import load, load_bytes
from rag.models.encoder import embedder
from rag.models.reader import WEIGHTS_SHA256, shipped_network
from rag.records import Citation
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def checker():
    return SentenceChecker(Likeness(shipped_network()[0]), embedder())


def written():
    """The sentences of tests/data/paraphrases.jsonl: (kind of error or None, sentence, citations)."""
    rows = [json.loads(line) for line in (ROOT / "tests/data/paraphrases.jsonl").read_text("utf-8").splitlines()]
    chunker = Chunker(lambda texts: [len(text.split()) for text in texts])
    passages = {row["document"]: chunker.passages(load(ROOT / "data" / row["document"])) for row in rows}
    for row in rows:
        places = [(p, s, " ".join(p.quote(s).split())) for p in passages[row["document"]] for s in p.sentences]
        citations = [Citation.of(p, s) for p, s, text in places if any(part in text for part in row["source"])]
        assert citations, row["source"]
        yield None, row["true"], citations
        yield from ((kind, text, citations) for kind, text in row["false"].items())


@pytest.mark.slow
def test_planted_errors_are_caught_and_rewordings_pass(checker):
    """At least 95% of planted swaps and negations are flagged, and at most 5% of correct rewordings."""
    total: Counter[bool] = Counter()
    flagged: Counter[bool] = Counter()
    for kind, sentence, citations in written():
        verdict = checker.check(sentence, citations)
        assert verdict.support != "verbatim"
        total[kind is None] += 1
        flagged[kind is None] += verdict.support == "unsupported"
    assert total[True] >= 60
    assert flagged[True] <= 0.05 * total[True]
    assert flagged[False] >= 0.95 * total[False]


def test_what_stands_in_the_source_is_verbatim(checker):
    """Every cited sentence is verbatim for itself; a part of one is not."""
    for _, _, citations in list(written())[::40]:
        quote = " ".join(citations[0].quote.split())
        assert checker.check(quote, citations).support == "verbatim"
        assert checker.check(" ".join(quote.split()[:-2]), citations).support != "verbatim"
    assert checker.check("Anything.", []).support == "unsupported"


def test_a_question_supports_nothing(checker):
    """What only asks is flagged, though all of its words stand in the source."""
    _, _, citations = next(written())
    asked = checker.check(f"{citations[0].quote.rstrip('. ')}, is it?", citations)
    assert (asked.support, asked.fault) == ("unsupported", "it asks and answers nothing")


PUMPS = "She and her crew tried to start the pump by hand, which is heavy work. The pump stalled after ten minutes."


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The elevator stalled after ten minutes.", "the source says pump, not elevator"),
        ("The baker and her crew tried to start the pump by hand, which is heavy work.", None),  # for a pronoun
        ("The pump stopped after ten minutes.", None),
        (
            "She and her children tried to start the pump by hand, which is heavy work.",
            "the source says crew, not children",
        ),
        ("She and her crew tried to start the pump by hand, which is hard work.", None),
        ("The pump of her crew stalled after ten minutes.", None),  # of the other sentence that it cites
    ],
)
def test_a_copy_may_have_a_synonym_and_no_other_thing(checker, sentence, fault):
    document = load_bytes(PUMPS.encode(), "/pumps.txt")
    (passage,) = Chunker(lambda texts: [len(text.split()) for text in texts]).passages(document)
    checked = checker.check(sentence, [Citation.of(passage, span) for span in passage.sentences])
    assert (checked.fault, checked.support) == (fault, "unsupported" if fault else "supported")


def test_the_head_is_of_this_reader():
    """New weights of the reader need a new head: python benchmarks/verify.py ../shared/eval --fit."""
    assert Likeness(None).reader == WEIGHTS_SHA256


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("About three million people and 3.6 million more", [3e6, 3.6e6]),
        ("1,200 of them, half a dozen boats, twenty-one days", [1200, 6, 21]),
        ("at 22:45 on 28 January 2020", [22.0045, 28, 2020]),
        ("one of the first, in the second week", []),
        ("a two-year plan of 5km", [2, 5]),
        ("Resolution 2254, the 1990s, 12%", [2254, 1990, 12]),
    ],
)
def test_numbers(text, values):
    """Numbers are read as values, in digits and in words."""
    assert [number.value for number in numbers(text)] == values


def test_names():
    """Names are capitalised words, but not what merely begins a sentence."""
    found = names("Fighting went on. Mr Lowcock of H-T-S left Hull on Monday. Soldiers came.")
    assert found == ("lowcock", "hts", "hull", "monday")


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("Nearly 600 people came.", True),
        ("Exactly 600 people came.", False),
        ("586 people came and 40 tents were lost.", True),
        ("40 people came and 586 tents were lost.", False),
        ("Ruth Hill said that 586 people came.", True),
    ],
)
def test_rules(claim, right):
    """Rounded numbers, and numbers of other things."""
    source = CitedText("586 people came, she said, and 40 tents were lost.", "Ruth Hill met Bo Marsh.", ("Ruth Hill",))
    assert (next(faults(claim, source), None) is None) is right


def test_quotations():
    """Only what a source has letter by letter keeps its marks; those without a partner go."""
    source = "We lost three nets\nand a boat, and the boys' tent."
    assert unquoted("He “lost three nets and a boat”.", source) == "He “lost three nets and a boat”."
    assert unquoted('He "lost two nets" and «a boat.»', source) == "He lost two nets and «a boat»."
    assert unquoted("“We lost it all, and the boys' tent", source) == "We lost it all, and the boys' tent"


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        ("Sales in Marrow were 4,210 million crowns.", None),
        ("Sales in Marrow were 4,210,000,000 crowns.", None),
        ("Sales in Marrow were 4,210 billion crowns.", "4,210,000,000,000 is not in the source"),
        ("Sales in Marrow were 4,120 million crowns.", "4,120,000,000 is not in the source"),
    ],
)
def test_a_row_has_its_columns_scale_and_more_cells_than_a_sentence(claim, fault):
    """Behind a cell stands the name of the next column, and no sentence names all cells."""
    row = "In millions of crowns: Marrow | Sales 2023: 4,210 | Profit 2023: 310 | Chair: Ada Quill"
    assert next(faults(claim, CitedText(row, f"Half-year report of Tidewater\n{row}")), None) == fault
