"""Rows of tables: each value under the name that its loader wrote before it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from rag.app.ui.render import block_views
from rag.app.ui.rows import table_rows
from rag.app.ui.typeset import typeset, typeset_text
from rag.load import load_bytes

names = st.lists(st.text("abcdef", min_size=1, max_size=5), min_size=2, max_size=5, unique=True)


def shown(text: str, blocks) -> list[list[str]]:
    """The rows of a table as they are seen, names first."""
    rows = []
    for view in block_views(text, blocks, {}):
        cells, place = {0: ""}, 0
        for run in view["runs"]:
            if run.get("look") == "cell":
                place += 1
                cells[place] = ""
            elif run.get("look") not in {"sign", "gap"}:
                cells[place] += run["text"]
        columns = view.get("columns") or range(len(cells))
        if view.get("above"):
            rows.append(list(view["above"]))
        rows.append([next((cells[n] for n, c in enumerate(columns) if c == at), "") for at in range(max(columns) + 1)])
    return rows


@given(names, st.data())
def test_a_sheet_is_shown_as_it_was_written(header, data):
    """Oracle: the rows of the file, empty cells among them."""
    value = st.sampled_from(["", "17", "x y", "Ada: Hall"])
    rows = data.draw(st.lists(st.lists(value, min_size=len(header), max_size=len(header)), min_size=3, max_size=8))
    rows = [["1", *row[1:]] for row in rows]  # a row that is all empty is none
    header = [f"{name}s" for name in header]
    file = io.StringIO()
    csv.writer(file).writerows([header, *rows])
    document = load_bytes(file.getvalue().encode(), "/fleet.csv")
    if document.text.partition("\n")[0] != " | ".join(header):
        return  # taken for a table without names
    table = shown(document.text, typeset(document))
    assert [row + [""] * (len(header) - len(row)) for row in table] == [header, *rows]


def test_rows_from_the_middle_bring_their_names_along():
    text = "Ship: Ada | Tons: 40\nShip: Bee | Port: Oz | Tons: 7\nShip: Cat | Port: Ur\n"
    assert shown(text, typeset_text(text)) == [
        ["Ship", "Port", "Tons"],
        ["Ada", "", "40"],
        ["Bee", "Oz", "7"],
        ["Cat", "Ur"],
    ]


def test_two_tables_have_their_own_names():
    lines = ["Ship | Tons", "Ship: Ada | Tons: 40", "Port | Berths", "Port: Oz | Berths: 3", "no row", "a | b", "c | d"]
    rows = table_rows(lines)
    assert [index for index, row in rows.items() if row.is_head] == [0, 2]
    assert [rows[index].named for index in (1, 3)] == [(6, 6), (6, 8)]
    assert rows[5] == rows[6]
    assert not rows[5].columns
    assert 4 not in rows
