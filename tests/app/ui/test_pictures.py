"""The map and the timeline: right by an independent computation, and the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from rag.app.ui.map import MOST_POINTS, CurrentMap, Projection
from rag.app.ui.timeline import MOST_BARS, describe, timeline
from rag.records.index import DocumentInfo


def info(uri: str, date: str | None, title: str = "") -> DocumentInfo:
    return DocumentInfo(uri, title or uri, "0", "text/plain", date, 10, 1)


@pytest.mark.parametrize(("count", "dimension"), [(50, 8), (3, 8), (300, 384)])
def test_projection_is_that_of_principal_components(count, dimension):
    vectors = np.random.default_rng(count).normal(size=(count, dimension)).astype(np.float32)
    vectors[:, 0] *= 5
    expected = PCA(2, svd_solver="full").fit_transform(vectors.astype(np.float64))
    expected = (expected - expected.min(axis=0)) / np.ptp(expected, axis=0)
    places = Projection.of(vectors)(vectors)
    for axis in range(2):
        turned = 1 - expected[:, axis]
        assert np.allclose(places[:, axis], expected[:, axis], atol=1e-4) or np.allclose(
            places[:, axis], turned, atol=1e-4
        )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_passages_have_places(count):
    vectors = np.eye(8, dtype=np.float32)[:count]
    places = Projection.of(vectors)(vectors)
    assert places.shape == (count, 2)
    assert np.all((places >= 0) & (places <= 1))
    assert np.isfinite(places).all()


def test_map_of_an_index(library, corpus):
    library.index(corpus)
    hits = library.search("What did the crane numbered 17 lift?", 3)
    current = CurrentMap(library.store)
    map_, found = current.of([hit.passage for hit in hits])
    assert map_.total == len(map_.points) == 200
    assert [(p.document, p.start, p.end) for p in found] == [
        (h.passage.uri, h.passage.span.start, h.passage.span.end) for h in hits
    ]
    assert set(found) <= set(map_.points)
    assert current.of()[0] is map_  # kept as long as the index stays
    library.remove("report-000.txt")
    assert current.of()[0].total == 199


def test_large_index_is_sampled_evenly(library, corpus, monkeypatch):
    library.index(corpus)
    monkeypatch.setattr("rag.app.ui.map.MOST_POINTS", 40)
    map_, _ = CurrentMap(library.store).of()
    assert (len(map_.points), map_.total, len(set(map_.points))) == (40, 200, 40)
    assert MOST_POINTS * 12 < 100_000  # bytes of a picture


def test_empty_map(library, tmp_path):
    (tmp_path / "a.txt").write_text("One short sentence.\n")
    library.index(tmp_path / "a.txt")
    library.remove("a.txt")
    map_, found = CurrentMap(library.store).of()
    assert (map_.points, found) == ((), ())


def test_months_without_gaps():
    documents = [info("a", "2020-03-05"), info("b", "2020-03-31"), info("c", "2020-05-01"), info("d", None)]
    time = timeline([*documents, info("e", "last spring"), info("f", "")], found={"b", "d"})
    assert [(bar.name, bar.documents, bar.found) for bar in time.bars] == [
        ("March 2020", 2, 1),
        ("April 2020", 0, 0),
        ("May 2020", 1, 0),
    ]
    assert time.undated == 3
    assert describe(time) == (
        "3 documents: from March 2020 to May 2020, most of them in March 2020 (2); 3 without a date; 1 found."
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.dates().map(str), max_size=30))
def test_every_document_is_counted(dates):
    documents = [info(str(number), date) for number, date in enumerate(dates)]
    time = timeline(documents, {"0", "1"})
    assert sum(bar.documents for bar in time.bars) + time.undated == len(dates)
    assert all(0 <= bar.found <= bar.documents for bar in time.bars)
    assert len({bar.name for bar in time.bars}) == len(time.bars)


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ("2004-12-31", ("January 2000", "December 2004")),
        ("2005-01-01", ("2000", "2005")),
        ("2060-01-01", ("2000s", "2060s")),
    ],
)
def test_long_times_have_larger_steps(last, names):
    bars = timeline([info("a", "2000-01-01"), info("b", last)]).bars
    assert (bars[0].name, bars[-1].name) == names
    assert len(bars) <= MOST_BARS


def test_nothing_dated_is_said():
    assert describe(timeline([])) == "There are no documents."
    assert describe(timeline([info("a", None)])) == "No document has a date: 1 without a date."
    assert describe(timeline([info("a", "2020-03-05")])) == "1 document: March 2020."
