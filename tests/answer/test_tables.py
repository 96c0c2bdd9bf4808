"""Tables: the row that a question is about, and the cell of it that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rag.answer.tables.rows import are_data, cells, columns_above, pairs
from rag.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Answer

TOWNS = """Town,County,Population 2001,Population 2011,Population 2021,Mayor
Kelby,Northshire,60071,78869,26393,Carl Ellis
Otterham,Eastmarch,5639,65084,11486,Ben Drew
Penrose,Eastmarch,11078,30491,35314,Dora Kelby
Quarley,Eastmarch,35424,24244,7901,Fay Crane
Ripwell,Lowland,40242,6735,48748,Hana Judd
Torrin,Lowland,73349,43787,17620,Emil Bolt
"""
WATER = """station,sampled,nitrate_mg_l,lead_ug_l,sampler
Dunmere weir,2021-06-22,13.3,10.9,Hart
Dunmere weir,2022-08-19,25.1,9.5,Gage
Ilderton weir,2022-08-14,8.4,6.2,Drew
Ilderton weir,2023-06-11,7.7,1894,Irwin
"""
PAYMENTS = """Date,Payee,Purpose,Amount (GBP),Approved by,Invoice
2022-11-14,Brack Partners,Viability study,42500.00,S. Aurich,BW-1180
2022-12-02,Moss Lund,Architects' fees stage 2,186000.00,V. Caldmere,ML-0077
2023-03-28,Pell & Oduya,Structural survey,17400.00,S. Aurich,PO-556
"""
WAITING = """Specialty,Patients waiting (Dec 2023),Median wait (weeks)
Dermatology,2260,33
Cardiology,3105,18
"""
BUDGET = """Department,2022,2023,2024
Conservation,198000,204000,187000
Digital,150500,161000,172250

Loan,Lent on,Department
Copper globe,2024-03-01,Collections
Herbal of Odo,2023-12-12,Digital
"""
VOTES = """# Minutes

Councillors voted on the scheme for the old ropeworks.

| Member | Vote on approval |
|:---|---:|
| Cllr Roode | For |
| Cllr Ebbs | Against |
"""
DIRECTORS = """Name,Company,Role,Appointed,Resigned
Emil Archer,Lumen Bank,director,12 June 2012,8 March 2013
Ivo Archer,Delta Grain,chair,1 May 2008,12 June 2021
Fay Crane,Delta Grain,finance director,28 March 2010,15 March 2021
"""
FINES = """Company,Fined?,Amount of the fine
Delta Grain,Yes,1200
Ness Ferry,No,0
"""
TIES = """Person,Organisation,Tie,Source
Paul Ferro,Holm Estates,"a land agent whom Nadia Ferro had brought in to sell the two old mills, by the ledger",ledger
Nadia Ferro,Holm Estates,former treasurer,register
Nadia Ferro,Ness Ferry,owner,register
"""
FORM = """Tenant,Petra Lund,Flat,Third floor
Deposit,1450,Heating,Gas
Phone,555-0199,Colour of the door,Blue
Caretaker,Jan Holt,Keys,3
"""
HOURS = """Mon,9:00 - 17:30
Tue,9:00 - 17:30
Wed,Closed
Sat.,10:00 - 14:00
"""
RAIN = """Jan,112 mm
Feb,none
Apr,64 mm
Sep,dry
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("tables")
    files = {"towns.csv": TOWNS, "water.csv": WATER, "directors.csv": DIRECTORS, "votes.md": VOTES}
    files |= {"fines.csv": FINES, "ties.csv": TIES}
    files |= {"caldmere-payments.csv": PAYMENTS, "waiting.csv": WAITING, "budget.csv": BUDGET}
    for name, text in files.items():
        (folder / name).write_text(text)
    with Library.open(tmp_path_factory.mktemp("store") / "index", embedder=encoder) as library:
        library.index(folder)
        yield library


def short(answer: Answer) -> str | None:
    return answer.short_answer.text if answer.short_answer else None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What was the population of Kelby in 2021?", "26393"),  # a mayor is called Kelby as well
        ("How many people lived in Quarley in 2001?", "35424"),
        ("How much did Caldmere pay Brack Partners?", "42500.00"),  # not the number of the invoice
        ("How much was paid to Moss Lund?", "186000.00"),  # nor that of the stage
        ("What did Pell & Oduya charge for the survey?", "17400.00"),
        ("How many people are waiting for dermatology?", "2260"),  # not the weeks
        ("How many weeks is the median wait for cardiology?", "18"),
        ("Who is the mayor of Ripwell?", "Hana Judd"),
        ("mayor of torrin", "Emil Bolt"),
        ("Which county is Penrose in?", "Eastmarch"),
        ("How much lead was measured at Dunmere weir in August 2022?", "9.5"),
        ("How much lead was measured at Ilderton weir in 2023?", "1894"),  # a number that could be a year
        ("Who took the sample at Ilderton weir in 2022?", "Drew"),
        ("When did Ivo Archer resign?", "12 June 2021"),
        ("Who was appointed in March 2010?", "Fay Crane"),
        ("What was the conservation budget in 2024?", "187000"),  # the year is the name of its column
        ("What was the digital budget in 2022?", "150500"),
    ],
)
def test_cell_of_the_row_that_is_asked_about(tables, question, value):
    answer = tables.ask(question)
    assert short(answer) == value
    assert answer.citations[0].quote.count(": ") > 1, "the whole row is quoted"
    first = answer.sentences[0]
    assert [first.text[mark.start : mark.end] for mark in first.marks] == [value]
    text = tables.document(answer.citations[0].uri).text
    assert text[answer.short_answer.span.start : answer.short_answer.span.end] == value


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["Which town had the largest population in 2021?", "Which department had the lowest budget in 2024?"],
)
def test_the_most_of_something_is_in_no_single_row(tables, question):
    """No row is given for the answer: they would have to be compared."""
    assert short(tables.ask(question)) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    [
        "What was the population of Kelby in 1991?",
        "What was the population of Brockton in 2021?",
        "What was the unemployment rate in Kelby in 2021?",
        "What was the arsenic level at Ilderton weir in 2022?",
        "Who is the chair of Lumen Bank?",
        "Why did Fay Crane resign?",
        "What is the total population of the towns in 2021?",
        "How many towns are in Northshire?",
        "When was the mayor of Ripwell elected?",
        "How much did Caldmere pay for the site?",
        "Which department had its budget cut between 2023 and 2024?",
    ],
)
def test_no_row_has_what_is_asked(tables, question):
    answer = tables.ask(question)
    assert not answer.is_plain
    assert answer.short_answer is None


def test_rows_that_fit_equally_well_are_all_shown(tables):
    answer = tables.ask("What was the population of Kelby?")  # in one of three years
    assert "Town: Kelby" in answer.sentences[0].text
    assert short(answer) is None
    answer = tables.ask("Which towns are in Lowland?")
    assert {sentence.text.split("; ")[0] for sentence in answer.sentences} == {"Town: Ripwell", "Town: Torrin"}


def test_the_row_of_both_names_comes_closest_where_no_column_is_asked_for(tables):
    """Also before a row whose long value says much about them."""
    answer = tables.ask("What is the position of Nadia Ferro at Holm Estates?")
    assert "Tie: former treasurer" in answer.sentences[0].text
    assert not answer.abstained


def test_yes_or_no_is_answered_by_the_column_that_is_asked_about(tables):
    """Other tables have rows of the company as well."""
    answer = tables.ask("Was Delta Grain fined?")
    first = answer.sentences[0]
    assert first.text.startswith("Company: Delta Grain; Fined?: Yes")
    assert [first.text[mark.start : mark.end] for mark in first.marks] == ["Yes"]


def test_a_row_of_markdown_has_the_names_above_it(tables):
    answer = tables.ask("How did Cllr Ebbs vote on approval?")
    assert [citation.quote for citation in answer.citations] == ["| Cllr Ebbs | Against |"]


def test_columns_stand_above_the_rows_of_markdown():
    head = "Text.\n\n| Member | **Vote** |\n|:---|---:|\n| Roode | For |\n"
    assert columns_above(head) == ["Member", "Vote"]
    assert columns_above("Text.\n\n| Member | Vote |\n") == []
    assert columns_above(head + "\nText.\n") == []
    row = "| Ebbs |  Against |"
    assert [(c.name, c.value, row[c.start :][: len(c.value)]) for c in cells(row, ["Member", "Vote"])] == [
        ("Member", "Ebbs", "Ebbs"),
        ("Vote", "Against", "Against"),
    ]
    assert cells(row, ["Member", "Vote", "Ward"]) == []


def test_yes_or_no_of_a_row(tables):
    answer = tables.ask("Was Ivo Archer chair of Delta Grain?")
    assert answer.sentences[0].text.startswith("Name: Ivo Archer")
    assert "Emil Archer" not in " ".join(sentence.text for sentence in answer.sentences)


def test_cells_have_their_places():
    text = "Kelby | County: Lowland | At: 10:30 | Note: none: yet"
    assert [(c.name, c.value) for c in cells(text)] == [
        ("", "Kelby"),
        ("County", "Lowland"),
        ("At", "10:30"),
        ("Note", "none: yet"),
    ]
    assert all(text[c.start :].startswith(c.value) for c in cells(text))
    assert cells("He said: it rained.") == []
    assert cells("one | two | three: 3") == []  # most values have no name
    assert not are_data(cells(f"Question: why? | Answer: {'word ' * 13}"))  # prose is read, not looked up


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory, encoder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("forms")
    for name, text in {"lease.csv": FORM, "library-hours.csv": HOURS, "rain.csv": RAIN}.items():
        (folder / name).write_text(text)
    with Library.open(tmp_path_factory.mktemp("store") / "index", embedder=encoder) as library:
        library.index(folder)
        yield library


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Who is the caretaker?", "Jan Holt"),
        ("What colour is Petra Lund's door?", "Blue"),
        ("What is Petra Lund's phone?", "555-0199"),
        ("When does the library open on Saturday?", "10:00 - 14:00"),
        ("How much rain fell in January?", "112 mm"),
    ],
)
def test_a_label_is_answered_by_its_value(forms, question, value):
    """Labels and values in two columns or four are one record; the short form of a day or a month is the whole word."""
    answer = forms.ask(question)
    assert answer.is_plain
    assert value in answer.citations[0].quote
    text = forms.document(answer.citations[0].uri).text
    if answer.short_answer:
        assert answer.short_answer.text == value
        assert text[answer.short_answer.span.start : answer.short_answer.span.end] == value


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["What colour is Bruno Kahl's door?", "When did Petra Lund phone?", "When does the library open on Friday?"],
)
def test_no_label_has_what_is_asked(forms, question):
    assert not forms.ask(question).is_plain


def test_pairs_of_labels_and_values():
    line = "Town: | Kelby | Colour | dark red"
    assert [(c.name, c.value, line[c.start :][: len(c.value)]) for c in pairs(line)] == [
        ("Town", "Kelby", "Kelby"),
        ("Colour", "dark red", "dark red"),
    ]
    assert pairs("They sold the crane that was\n  left over from the war.") == []  # it goes on in an indented line
    assert pairs("North | 12553 | 9800 | 2753") == []  # numbers are no labels
    assert pairs("one | two | three") == pairs("| Ebbs | Against |") == pairs("Town: Kelby | Mayor: Ebbs") == []
