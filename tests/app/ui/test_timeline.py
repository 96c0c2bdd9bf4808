"""The documents over time: all of them counted, and said in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.app.ui.listing import MOST_BARS, timeline
from rag.records.index import DocumentInfo


def info(uri: str, date: str | None, title: str = "") -> DocumentInfo:
    return DocumentInfo(uri, title or uri, "0", "text/plain", date, 10, 1)


def test_months_without_gaps():
    documents = [info("a", "2020-03-05"), info("b", "2020-03-31"), info("c", "2020-05-01"), info("d", None)]
    time = timeline([*documents, info("e", "last spring"), info("f", "")], found={"b", "d"})
    assert [tuple(bar.values()) for bar in time["bars"]] == [
        ("March 2020", 2, 1),
        ("April 2020", 0, 0),
        ("May 2020", 1, 0),
    ]
    assert time["undated"] == 3
    assert time["time"] == (
        "3 documents: from March 2020 to May 2020, most of them in March 2020 (2); 3 without a date; 1 found."
    )


@settings(max_examples=50)
@given(st.lists(st.none() | st.dates().map(str), max_size=30))
def test_every_document_is_counted(dates):
    documents = [info(str(number), date) for number, date in enumerate(dates)]
    time = timeline(documents, {"0", "1"})
    assert sum(bar["documents"] for bar in time["bars"]) + time["undated"] == len(dates)
    assert all(0 <= bar["found"] <= bar["documents"] for bar in time["bars"])
    assert len({bar["name"] for bar in time["bars"]}) == len(time["bars"])


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ("2004-12-31", ("January 2000", "December 2004")),
        ("2005-01-01", ("2000", "2005")),
        ("2060-01-01", ("2000s", "2060s")),
    ],
)
def test_long_times_have_larger_steps(last, names):
    bars = timeline([info("a", "2000-01-01"), info("b", last)])["bars"]
    assert (bars[0]["name"], bars[-1]["name"]) == names
    assert len(bars) <= MOST_BARS


def test_nothing_dated_is_said():
    assert timeline([])["time"] == "There are no documents."
    assert timeline([info("a", None)])["time"] == "No document has a date: 1 without a date."
    assert timeline([info("a", "2020-03-05")])["time"] == "1 document: March 2020."
