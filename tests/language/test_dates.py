"""Dates inside of texts, where the date of publication comes from, and asking as of a day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.app.as_json import answer_json, document_json
from rag.errors import InputError
from rag.language.dates import mentions
from rag.language.published import date_in_name, publication_date
from rag.load import load_bytes
from rag.records import Filter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("sentence", "published", "days"),
    [
        ("The bridge was shut yesterday.", "2024-12-02", ["2024-12-01"]),
        ("Lorries crossed on Tuesday.", "2023-09-20", ["2023-09-19"]),
        ("Jets struck on Monday.", "2024-12-02", ["2024-12-02"]),
        ("The next hearing is on Thursday.", "2023-09-20", ["2023-09-21"]),
        ("It ended last Monday.", "2024-12-02", ["2024-11-25"]),
        (
            "The firm, expected to lay off staff beginning this week, confirmed on Monday that it had been asked.",
            "2019-11-18",
            ["2019-11-18/2019-11-24", "2019-11-18"],
        ),
        ("He said on Tuesday that they will vote on Thursday.", "2019-11-18", ["2019-11-12", "2019-11-21"]),
        ("It will reopen on Friday, he said on Monday.", "2019-11-18", ["2019-11-22", "2019-11-18"]),
        ("On Monday, police said they will charge him.", "2019-11-18", ["2019-11-18"]),
        ("Lawyers, who will appeal, on Monday charged him.", "2019-11-18", ["2019-11-18"]),
        ("The strike that started on Monday will end.", "2019-11-18", ["2019-11-18"]),
        ("The book is expected to be released on Monday.", "2019-11-18", []),  # a Monday: this one, or the next
        ("The book is expected to be released on Tuesday.", "2019-11-18", ["2019-11-19"]),
        ("He was due to be released in September.", "2019-11-18", ["2019-09-01/2019-09-30"]),
        ("He is due to be released in September.", "2019-11-18", ["2020-09-01/2020-09-30"]),
        ("It closed on Monday and will be shut until next Monday.", "2019-11-18", ["2019-11-18", "2019-11-25"]),
        ("No checks from 10:30 p.m. Aug. 9 to 6:30 a.m. the next day.", "2019-11-18", ["2019-08-09"]),
        ("It was shut from Aug. 9 to 6 a.m. that Friday.", None, []),
        ("The council meets this Friday.", "2024-12-04", ["2024-12-06"]),
        ("He said this Friday that he was glad.", "2024-12-04", ["2024-11-29"]),
        ("It opens every Friday, and on Good Friday.", "2024-12-04", []),
        ("The Sunday Times told it the following Tuesday.", "2024-12-04", []),
        ("He was jailed in 1990 and the next year escaped.", "2024-12-04", ["1990-01-01/1990-12-31"]),
        ("It was the last week of the war.", "2024-12-04", []),
        ("It began last week.", "2024-12-04", ["2024-11-25/2024-12-01"]),
        ("This may be a mistake, and of the 40 hostages 12 may have died.", "2024-12-04", []),
        ("On 12 May it rained, on 12 may 2023 as well.", "2024-12-04", ["2024-05-12", "2023-05-12"]),
        ("Some 1500 people came, 1200 men were paid $1000.", None, []),
        ("In 1500 workers came; the 2019 elections.", None, ["1500-01-01/1500-12-31", "2019-01-01/2019-12-31"]),
        ("1000000 days ago and 9999999999 years ago it began; it is 0000-01-01.", "2024-12-04", []),
        ("It ended last month.", "2024-01-15", ["2023-12-01/2023-12-31"]),
        ("They were killed in five days of battle.", "2024-12-02", []),
        ("He left two weeks ago.", "2024-12-15", ["2024-12-01"]),
        ("Rain fell over the past three days.", "2024-12-15", ["2024-12-12/2024-12-15"]),
        ("They walked in on 8 December.", "2024-12-21", ["2024-12-08"]),
        ("It has gone on since December.", "2020-02-18", ["2019-12-01/2019-12-31"]),
        ("Delegates met on 11 and 12 November.", "2024-11-15", ["2024-11-11/2024-11-12"]),
        ("The flood of 11 January", "2023-09-20", ["2023-01-11"]),
        ("Patrols begin on 15 March.", "2020-03-06", ["2020-03-15"]),
        ("It was adopted on 18 December 2015.", None, ["2015-12-18"]),
        ("It happened two days earlier, on Friday.", None, []),
        ("In 2016, some 2,016 people came.", None, ["2016-01-01/2016-12-31"]),
        ("On 31 February nothing happened.", "2024-12-02", []),
    ],
)
def test_dates_in_a_sentence(sentence, published, days):
    """Each date is resolved against the day of publication; what has no one reading is left alone."""
    assert [mention.iso for mention in mentions(sentence, published)] == days


@given(st.dates(dt.date(1900, 1, 1), dt.date(2090, 1, 1)), st.integers(1, 20))
def test_days_ago(published, count):
    """Counted days are exact over months and years, and lie where they are written."""
    sentence = f"It began {count} days ago."
    (mention,) = mentions(sentence, published.isoformat())
    assert mention.first == mention.last == published - dt.timedelta(days=count)
    assert mention.span.of(sentence) == f"{count} days ago"
    assert mention.relative


def test_where_the_date_comes_from():
    """The first lines, the metadata or the name of the file: it is said which."""
    dated = b"Talks\n\nPublished: 2 December 2024\n\nThe talks began.\n"
    plain = b"Talks\n\nThe talks began.\n"
    front = b"---\ndate: 2024-12-02\n---\n\n# Talks\n\nThe talks began.\n"
    page = b"<html><head><meta property='article:published_time' content='2024-12-02'></head><body><p>The talks began"
    for content, uri, origin in (
        (dated, "/talks.txt", "first lines"),
        (plain, "/talks_20241202.txt", "file name"),
        (front, "/talks.md", "metadata"),
        (page + b" in the morning and went on until the evening.</p></body></html>", "/talks.html", "metadata"),
        (plain, "/talks.txt", None),
    ):
        shown = document_json(load_bytes(content, uri))
        assert (shown["date"], shown["date_origin"]) == ("2024-12-02" if origin else None, origin), uri


@pytest.mark.parametrize(
    ("line", "date"),
    [
        (
            "Recorded on 9 May 2023 at the Café Lysholm. Interviewer: Nadia Kessler. Also present: Ingrid Moe.",
            "2023-05-09",
        ),
        ("Recorded on Tuesday, 9 May 2023. Present: many people whose names nobody wrote down at all.", "2023-05-09"),
        ("Published on 9 May 2023, the study says that people were not at all ill, and not all too well.", None),
        ("Kieler Bote, 3. Juni 2023", "2023-06-03"),
        ("Veröffentlicht am 3. März 2021", "2021-03-03"),
        ("Brest, le 22 juin 2023", "2023-06-22"),
        ("Paris, le 1er août 2023", "2023-08-01"),
        ("Publié le 14 juillet 2022 à 10h30", "2022-07-14"),
        ("Wien, 5. Jänner 2020", "2020-01-05"),
        ("Ada Hill (February 12, 1809 – April 15, 1865) was an engineer of harbours and of canals.", None),
        ("Ada Hill, 12 February 1809 – 15 April 1865, was an engineer of harbours and of canals.", None),
    ],
)
def test_dates_of_publication_in_the_first_lines(line, date):
    """In English, German and French, also at the head of a sentence that says where it was recorded."""
    assert publication_date(["Harbour", line, "Some words follow."]) == date


def test_dates_in_names():
    """A date in a name has all three parts and is one of the calendar; a longer number is none."""
    assert date_in_name("/2019-01-01/2024-12-02 talks.pdf") == "2024-12-02"
    assert date_in_name("/talks.2024_12_02.pdf") == "2024-12-02"
    assert date_in_name("/talks-20241302.pdf") is None
    assert date_in_name("/talks-1202412021.pdf") is None


@pytest.mark.parametrize(
    ("conditions", "admitted"),
    [
        (["date>=2024-05"], ["2024-05-01", "2024-12-31", "2025-01-01"]),
        (["date>2024-05"], ["2024-12-31", "2025-01-01"]),
        (["date<2024-05"], ["2023-12-31"]),
        (["date<=2024-05"], ["2023-12-31", "2024-05-01"]),
        (["date>2024"], ["2025-01-01"]),
        (["date>=2024-05-01", "date < 2025"], ["2024-05-01", "2024-12-31"]),
        (["date<=2024", "date<=2024-05"], ["2023-12-31", "2024-05-01"]),
    ],
)
def test_comparisons(conditions, admitted):
    """Comparisons count a month or a year as a whole, and hold together."""
    where = Filter.parse(conditions)
    days = ["2023-12-31", "2024-05-01", "2024-12-31", "2025-01-01"]
    assert [day for day in days if where.has_document("/a.txt", day)] == admitted
    assert not where.has_document("/a.txt", None)


@pytest.mark.parametrize("condition", ["date<0001", "date>9999", "date<0001-01-01"])
def test_no_day_lies_beyond_the_calendar(condition):
    with pytest.raises(InputError, match="no date is"):
        Filter.parse([condition])


def test_a_speaker_is_named_by_whole_words():
    """`Ford` is no part of `Crawford`; of a section, the beginning of a word is enough."""
    where = Filter.parse(["speaker=ford", "section=cost"])
    assert where.has_speaker("Robert Ford, envoy")
    assert not where.has_speaker("Anna Crawford")
    assert where.has_section("2. Costs")
    assert not where.has_section("Outcosts")


def test_as_of():
    """As of a day, later documents are left out and undated ones are not; what is no date is refused."""
    where = Filter.parse([], as_of="2024-12-02")
    assert where
    assert [day for day in ("2024-12-01", "2024-12-02", "2024-12-03") if where.has_document("/a", day)] == [
        "2024-12-01",
        "2024-12-02",
    ]
    assert where.has_document("/a", None)
    assert Filter.parse([], as_of="2024-12").has_document("/a", "2024-12-31")
    for wrong in ("yesterday", "2024-13", "2024-02-30"):
        with pytest.raises(InputError, match="cannot read the date"):
            Filter.parse([], as_of=wrong)
    with pytest.raises(InputError, match="date>="):
        Filter.parse(["date>="])


def test_as_of_changes_the_answer(library, tmp_path: Path):
    """The report that came later is neither searched nor cited; a relative date is shown as a day."""
    for day, count in (("2024-12-02", 412), ("2024-12-09", 910)):
        text = f"Count\n\nPublished: {day}\n\nThe monitor counted {count} dead in the battle on Sunday.\n"
        (tmp_path / f"count-{day}.txt").write_text(text)
    library.index(tmp_path)
    asked = "How many dead did the monitor count in the battle?"
    before = library.ask(asked, where=Filter.parse([], as_of="2024-12-08"))
    assert {citation.date for citation in before.citations} == {"2024-12-02"}
    assert {hit.passage.date for hit in library.search(asked)} == {"2024-12-02", "2024-12-09"}
    cited = answer_json(before)["citations"][0]
    (found,) = cited["dates"]
    assert found["date"] == "2024-12-01"
    text = library.document(cited["document"]).text
    assert text[found["start"] : found["end"]] == found["text"] == "on Sunday"
