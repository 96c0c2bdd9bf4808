"""Questions about sheets, forms and transcripts of odd makes: is what a person reads off them the first thing shown?

    python benchmarks/sheets.py [--wrong]

Each file stands for a kind: titles and empty rows above the names, names over two rows, units below them, groups in
rows of their own or named once, merged cells, several tables, forms, formats of numbers, CSV as programs write it,
minutes, captions that roll. `right` counts the questions whose first sentence shown has the value and no other row's.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from rag.library import Library

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = Sequence[Sequence[object]]

DAY = dt.date(2024, 3, 9)
SHEETS: dict[str, tuple[Rows, Sequence[str], dict[str, str]]] = {  # rows, merged cells, formats of cells
    "parishes": (
        [
            ["Parish", "Priest", "Patron", "Roof"],
            ["Ulmgate", "Tom Arber", "Saint Anne", "leaking"],
            ["Sorrel", "Ina Bolt", "Saint Giles", "sound"],
            ["Wickholm", "Jan Corse", "Saint Mark", "new"],
        ],
        [],
        {},
    ),
    "ferries": (
        [
            ["Fleet of the ferry company, spring 2024"],
            [],
            ["Ship", "Captain", "Seats", "Built"],
            ["Heronsgate", "Ola Berg", 120, 1998],
            ["Ternvale", "Ulf Dahl", 80, 2004],
        ],
        [],
        {},
    ),
    "mills": (
        [
            ["Mill", "Owner", None, "Tenant", None],
            [None, "Name", "Town", "Name", "Town"],
            ["Oskmill", "Ada Lor", "Velm", "Per Sund", "Harrow"],
            ["Rillmill", "Bo Ruud", "Lund", "Siv Moe", "Perth"],
        ],
        ["B1:C1", "D1:E1", "A1:A2"],
        {},
    ),
    "wells": (
        [
            ["Table 4. Wells of the district"],
            ["Source: county survey"],
            ["Well", "Depth", "Yield", "Keeper"],
            [None, "m", "l/min", None],
            ["Dorwell", 42, 18, "Iver Moe"],
            ["Hagwell", 61, 9, "Else Tang"],
        ],
        [],
        {},
    ),
    "clerks": (
        [
            ["Department", "Clerk", "Salary"],
            ["Harbour", "Ida Vik", 41000],
            [None, "Leo Dorn", 39500],
            ["Schools", "Uma Fry", 44200],
            [None, "Kay Orr", 40100],
        ],
        [],
        {},
    ),
    "works": (
        [
            ["Item", "Planned", "Spent"],
            ["Roads"],
            ["Signs", 300, 420],
            ["Paint", 90, 77],
            ["Parks"],
            ["Signs", 120, 95],
            ["Trees", 700, 655],
        ],
        [],
        {},
    ),
    "moorings": (
        [
            ["Boats"],
            ["Boat", "Owner"],
            ["Skuabelle", "Ann Poe"],
            ["Gullwing", "Max Orr"],
            [],
            ["Berths"],
            ["Berth", "Fee", "Length"],
            ["Kappa1", 300, 12],
            ["Kappa2", 350, 14],
        ],
        [],
        {},
    ),
    "shops": (
        [
            ["Shop", "Sales", None, "Driver", "Van"],
            ["Osktrade", 517, None, "Lena Toft", "V-12"],
            ["Rilltrade", 423, None, "Kai Berg", "V-15"],
            ["Velmtrade", 611, None, "Mio Sand", "V-19"],
        ],
        [],
        {},
    ),
    "claim": (
        [
            ["Claim form"],
            ["Policy number", "KV-30211"],
            ["Insured", "Mara Lindqvist"],
            ["Date of loss", DAY],
            ["Place of loss", "Quay 4, Brennick"],
            ["Amount claimed", 4250.5],
        ],
        [],
        {"B6": "$#,##0.00"},
    ),
    "order": (
        [
            ["Customer", "Arne Holt", "Order no.", "A-5512"],
            ["Street", "12 Mill Lane", "Ordered on", DAY],
            ["Town", "Saltash", "Carrier", "Brisk Vans"],
            ["Phone", "555-0188", "Total due", 1299.5],
        ],
        [],
        {"D4": "[$€-407] #,##0.00"},
    ),
    "survey": (
        [
            ["Respondent", "Do you own a boat?", "How old is it?"],
            ["Resp31", "yes", 12],
            ["Resp32", "no", None],
            ["Resp33", "yes", 3],
        ],
        [],
        {},
    ),
    "parts": (
        [
            ["No.", "Item desc.", "Qty.", "Unit price"],
            [1, "Halyard", 3, 12.5],
            [2, "Rowlock", 2, 40],
            [3, "Fairlead", 1, 210],
        ],
        [],
        {"D2": "£0.00", "D3": "£0.00", "D4": "£0.00"},
    ),
    "heating": (
        [
            ["Municipality", "Share of households that heat with wood or pellets, per cent of occupied dwellings"],
            ["Oskdorf", 0.125],
            ["Rilldorf", 0.3025],
        ],
        [],
        {"B2": "0.0%", "B3": "0.0%"},
    ),
    "rain": (
        [
            ["Station", dt.date(2024, 1, 1), dt.date(2024, 2, 1), dt.date(2024, 3, 1)],
            ["Karlow", 31, 28, 40],
            ["Pellow", 12, 16, 11],
        ],
        [],
        {"B1": "mmm-yy", "C1": "mmm-yy", "D1": "mmm-yy"},
    ),
    "voters": (
        [["Ward", "Votes for", "Votes against"], ["Northam", 210, 180], ["Southam", 305, 99], ["Total", 515, 279]],
        [],
        {},
    ),
}
TEXTS = {
    "towns.csv": "Ort;Einwohner;Fläche (km²)\nUlmheim;12.340;45,7\nSorrheim;3.210;9,25\n".encode("utf-8-sig"),
    "ships.csv": b"Report of the port\nAs of 2024-05-06\n\nVessel,Tonnage,Flag\nMolly,420,Norway\nBetty,980,Malta\n",
    "cases.csv": b'Case,Officer,Notes\r\n1017,"Lind, Mara","Seen twice.\nThen gone."\r\n1018,"Orr, Max","Nothing."\r\n',
    "minutes.txt": b"""HEARING ON THE LOCK AT VASTERN

MS. QUILL: What did the keeper tell you that night?
MR. OLSEN: He told me that the gate had been stuck since noon and that nobody had
come from the office in Lund.
MS. QUILL: Who paid for the repair?
MR. OLSEN: Dr. No of the canal board paid 8,400 crowns for it, out of the winter fund.
MS. QUILL: When was the gate opened again?
MR. OLSEN: On 17 April, a Tuesday.
""",
    "talk.vtt": b"""WEBVTT

00:00:01.000 --> 00:00:03.000
the first beacon at Skarholm was lit

00:00:03.000 --> 00:00:05.000
the first beacon at Skarholm was lit
in the year 1771 by two sisters

00:00:05.000 --> 00:00:07.000
in the year 1771 by two sisters
from the island of Runo.
""",
}
QUESTIONS = (
    ("Who is the priest of Sorrel?", "Ina Bolt"),
    ("What is the state of the roof at Ulmgate?", "leaking"),
    ("Who is the captain of the Ternvale?", "Ulf Dahl"),
    ("How many seats does the Heronsgate have?", "120"),
    ("Who owns Rillmill?", "Bo Ruud"),
    ("In which town does the tenant of Oskmill live?", "Harrow"),
    ("How deep is Hagwell?", "61"),
    ("What does Dorwell yield?", "18"),
    ("Which department does Leo Dorn work in?", "Harbour"),
    ("What is the salary of Kay Orr?", "40100"),
    ("How much was spent on signs in parks?", "95"),
    ("How much was spent on signs for roads?", "420"),
    ("What is the fee for berth Kappa2?", "350"),
    ("Who owns the Skuabelle?", "Ann Poe"),
    ("Which van does Kai Berg drive?", "V-15"),
    ("What were the sales of Velmtrade?", "611"),
    ("When was the date of loss in the claim of Mara Lindqvist?", "2024-03-09"),
    ("How much does Mara Lindqvist claim?", "$4,250.50"),
    ("Who is the carrier of order A-5512?", "Brisk Vans"),
    ("What is the total due from Arne Holt?", "€ 1,299.50"),
    ("How old is the boat of Resp33?", "3"),
    ("What is the unit price of a rowlock?", "£40.00"),
    ("What share of households in Rilldorf heats with wood?", "30.3%"),
    ("How much rain fell at Pellow in February 2024?", "16"),
    ("How many votes were cast against in Northam?", "180"),
    ("How many Einwohner does Sorrheim have?", "3.210"),
    ("Under which flag does the Betty sail?", "Malta"),
    ("Who was the officer in case 1017?", "Lind, Mara"),
    ("Who paid for the repair of the gate?", "Dr. No"),
    ("Since when had the gate been stuck?", "noon"),
    ("When was the gate opened again?", "17 April"),
    ("When was the first beacon at Skarholm lit?", "1771"),
    ("Who lit the beacon at Skarholm?", "two sisters"),
)


def write(folder: Path) -> None:
    """Write all files."""
    for name, (rows, merged, formats) in SHEETS.items():
        book = Workbook()
        sheet: Any = book.active
        for row in rows:
            sheet.append(list(row) or [None])
        for cells in merged:
            sheet.merge_cells(cells)
        for cell, code in formats.items():
            sheet[cell].number_format = code
        book.save(folder / f"{name}.xlsx")
    for name, content in TEXTS.items():
        (folder / name).write_bytes(content)


def main() -> None:
    """Print the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="list what was not answered right")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Library.open(f"{folder}/index") as library:
        documents = Path(folder, "documents")
        documents.mkdir()
        write(documents)
        library.index(documents)
        right = plain = 0
        for question, value in QUESTIONS:
            answer = library.ask(question)
            shown = answer.sentences[0].text if answer.sentences else ""
            good = bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", shown))
            right += good
            plain += good and answer.is_plain
            if options.wrong and not (good and answer.is_plain):
                kind = "closest" if shown and not answer.is_plain else ""
                print(f"{question}\n  wanted {value}, got {kind} {shown or answer.reason}")
    print(f"of {len(QUESTIONS)}: right {right}, plainly {plain}")


if __name__ == "__main__":
    main()
