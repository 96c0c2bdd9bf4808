"""Sheets as a person reads them: what names what, which group a row is of, and each number as it is shown."""

import datetime as dt
import io

import openpyxl
import pytest

from rag.answer.tables.rows import cells
from rag.load import load_bytes
from rag.load.office.number_format import shown
from rag.load.sheets import sheet_table
from tests.load.test_load import check


def lines(*rows):
    return [block.text for block in sheet_table(enumerate((list(row) for row in rows), 1))]


MONEY = '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"_);_(@_)'


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1234.5, "$#,##0.00", "$1,234.50"),
        (-1234.5, MONEY, "$(1,234.50)"),
        (0, MONEY, "$-"),
        (98000, "[$€-407]#,##0", "€98,000"),
        (12, '#,##0 "kg"', "12 kg"),
        (0.1234, "0.0%", "12.3%"),
        (0.125, "0.00", "0.13"),
        (12_345_678, '0.0,,"M"', "12.3M"),
        (-7, "#,##0", "-7"),
        (-7, "0;[Red]0", "7"),
        (4217, "000000", "004217"),
        (2.5, "0.0##", "2.5"),
        (0.1 + 0.2, "General", "0.3"),
        (5, "# ?/?", "5"),
        (1e300, "0.00", "1e+300"),
        (dt.datetime(2024, 3, 1), "mmm yyyy", "March 2024"),  # noqa: DTZ001
        (dt.datetime(2024, 3, 9), "dd/mm/yyyy", "2024-03-09"),  # noqa: DTZ001
        (dt.datetime(2024, 3, 9, 8, 5), "d mmm h:mm", "2024-03-09 08:05"),  # noqa: DTZ001
        (dt.time(14, 5), "h:mm", "14:05"),
        (dt.timedelta(hours=31, minutes=20), "[h]:mm", "31:20"),
        (True, "General", "TRUE"),
        (None, "0", ""),
    ],
)
def test_numbers_are_as_their_sheet_shows_them(value, code, text):
    """Signs, thousands, places behind the point, sections of a format; what it cannot show stays what it is."""
    assert shown(value, code) == text


def test_groups_are_said_with_their_rows():
    """Named in a row of their own, or once in the first column; a total is of no group, a gap in the data none."""
    head = ("Item", "Planned", "Spent")
    apart = lines(head, ("Roads",), ("Signs", "3", "4"), ("Parks",), ("Signs", "1", "2"), ("Total", "4", "6"))
    assert apart[2:] == [
        "Roads | Item: Signs | Planned: 3 | Spent: 4",
        "Parks",
        "Parks | Item: Signs | Planned: 1 | Spent: 2",
        "Item: Total | Planned: 4 | Spent: 6",
    ]
    once = lines(("Office", "Clerk", "Pay"), ("Quay", "Ida", "41"), ("", "Leo", "39"), ("School", "Uma", "44"))
    assert once[2:] == ["Office: Quay | Clerk: Leo | Pay: 39", "Office: School | Clerk: Uma | Pay: 44"]
    gaps = lines(("Name", "Town", "Phone"), ("Ada", "Osk", "12"), ("Bo",), ("", "", "15"), ("Cy", "Velm", "13"))
    assert gaps[2:] == ["Name: Bo", "Phone: 15", "Name: Cy | Town: Velm | Phone: 13"]


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        (
            [("Well", "Depth", "Keeper"), ("", "m", "h/day"), ("W1", "42", "8")],
            "Well: W1 | Depth (m): 42 | Keeper (h/day): 8",
        ),
        ([("Who", "Do you row?"), ("R1", "yes"), ("R2", "no")], "Who: R2 | Do you row?: no"),
        ([("Team", "Goals", "Team", "Goals"), ("A", "3", "B", "1")], "Team: A | Goals: 3 | Team: B | Goals: 1"),
        (
            [("Site", "2024-01-01", "2024-02-01", "2024-03-01"), ("A", "3", "4", "5")],
            "Site: A | 2024-01-01: 3 | 2024-02-01: 4 | 2024-03-01: 5",
        ),
        ([("No.", "Item desc.", "Qty."), ("1", "Oar", "2")], "No.: 1 | Item desc.: Oar | Qty.: 2"),
        ([("R1", "yes", "12"), ("R2", "no"), ("R3", "yes", "3")], "R3 | yes | 3"),
        (
            [("Holt, Ann", "Dover", "yes"), ("Bell, Tom", "Deal", "no"), ("Moe, Cy", "Hythe", "yes")],
            "Moe, Cy | Hythe | yes",
        ),
        (
            [
                ("Claim",),
                ("Policy", "KV-3"),
                ("Insured", "Mara L"),
                ("Loss", "2024-03-09"),
                ("Place", "Quay 4"),
                ("Sum", "42"),
            ],
            "Sum | 42",
        ),
        (
            [
                ("Town", "Share of households that heat their homes with wood, pellets or something like them"),
                ("Osk", "12"),
            ],
            "Town: Osk | Share of households that heat their homes with wood, pellets or something like them: 12",
        ),
    ],
)
def test_what_names_the_columns(rows, last):
    """Units below names, questions, names that come twice, days, short forms; neither a row of data nor a form's."""
    assert lines(*rows)[-1] == last


def test_tables_side_by_side_are_read_one_after_the_other():
    """Where each has names and begins with words; a column left free for the eye parts no table."""
    rows = [("Shop", "Sales", "", "Driver", "Van"), ("Osk", "5", "", "Lena", "V1"), ("Rill", "4", "", "Kai", "V2")]
    blocks = list(sheet_table(enumerate(map(list, rows), 1), "S!"))
    assert [(block.text, block.mark) for block in blocks[2:4]] == [
        ("Shop: Rill | Sales: 4", "S!A3:B3"),
        ("Driver | Van", "S!D1:E1"),
    ]
    spaced = lines(("Shop", "", "Sales", "Costs"), ("Osk", "", "5", "3"), ("Rill", "", "4", "2"))
    assert spaced[-1] == "Shop: Rill | Sales: 4 | Costs: 2"


def test_a_caption_over_the_names_is_no_part_of_them():
    """Over some columns of two tables side by side, where each has one; a short one is a group's name."""
    rows = [["Country", "Crop", "Sold", "", "Rank"], ["Austria", "8", "9", "", "1"], ["Belize", "2", "3", "", "2"]]
    merged = [(1, 1, 3, 1)]
    caption = "Total production and exports of cabbage and other brassicas for countries eligible to ship in 2005"
    for over, before in ((caption, ""), ("Cabbage", "Cabbage ")):
        table = enumerate([[over, "", "", "", "World"], *rows], 1)
        found = [block.text for block in sheet_table(table, merged=merged)]
        assert found[2] == f"{before}Country: Austria | {before}Crop: 8 | {before}Sold: 9 | World Rank: 1"


def test_the_cell_above_a_table_is_its_heading():
    """So the rows below are found by it; a note below the table is none, and of a CSV it is the title."""
    book = openpyxl.Workbook()
    for row in (
        ["Boats"],
        ["Boat", "Owner"],
        ["Gull", "Max"],
        [],
        ["A note."],
        [],
        ["Berths"],
        [],
        ["Berth", "Fee"],
        ["A1", 3],
    ):
        book.active.append(row or [None])
    book.active.row_dimensions[3].hidden = True
    out = io.BytesIO()
    book.save(out)
    doc = load_bytes(out.getvalue(), "/a.xlsx")
    check(doc)
    assert [section.title for section in doc.sections] == ["Sheet", "Boats", "Berths"]
    assert doc.notes == ("1 hidden row of the sheet Sheet read as well",)
    doc = load_bytes(b"Ships in port\nAs of 3 June 2023\n\nShip,Flag,Crew\nMolly,Malta,7\n", "/a.csv")
    assert (doc.title, doc.date) == ("Ships in port", "2023-06-03")


def test_a_bar_inside_of_a_cell_parts_no_cells():
    """The names of one firm stay the value of one column."""
    text = load_bytes(b"id,amount,names\n7,12.5,Alba | Alba Ltd\n8,3.0,Bore\n", "/firms.csv").text
    assert "id: 7 | amount: 12.5 | names: Alba|Alba Ltd\n" in text
    assert [(cell.name, cell.value) for cell in cells("id: 7 | amount: 12.5 | names: Alba|Alba Ltd")] == [
        ("id", "7"),
        ("amount", "12.5"),
        ("names", "Alba|Alba Ltd"),
    ]
