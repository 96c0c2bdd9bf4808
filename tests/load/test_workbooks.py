"""Workbooks of earlier Excel and of other programs are read as sheets."""

import io
import zipfile

import pytest
import xlwt

from rag.errors import LoadError
from rag.load import load_bytes


def test_an_old_workbook_is_read_as_a_sheet():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Beds")
    for row, cells in enumerate([("Ward", "Beds"), ("North", 40), ("South", 22.5)]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    sheet.write_merge(3, 4, 0, 0, "East")
    sheet.write(3, 1, 7)
    sheet.write(4, 1, 8)
    file = io.BytesIO()
    book.save(file)
    found = load_bytes(file.getvalue(), "/sheets/beds.xls")
    rows = [line for line in found.text.splitlines() if " | " in line]
    assert rows == [
        "Ward | Beds",
        "Ward: North | Beds: 40",
        "Ward: South | Beds: 22.5",
        "Ward: East | Beds: 7",
        "Ward: East | Beds: 8",
    ]
    assert found.place_at(found.text.index("Beds: 40")) == "Beds!A2:B2"


def test_a_sheet_of_opendocument_is_read():
    found = load_bytes(opendocument([("Ward", "Beds"), ("North", 40), ("South", 22)]), "/sheets/beds.ods")
    assert "Ward: North | Beds: 40" in found.text.splitlines()
    assert found.media_type == "application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize("name", ["beds.xls", "beds.xlsb", "beds.ods"])
def test_a_damaged_workbook_is_said(name):
    with pytest.raises(LoadError, match=name):
        load_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"PK\x03\x04" * 200, f"/sheets/{name}")


def opendocument(rows):
    """Return an ODS file with one sheet."""

    def cell(value):
        kind = f'float" office:value="{value}' if isinstance(value, int) else "string"
        return f'<table:table-cell office:value-type="{kind}"><text:p>{value}</text:p></table:table-cell>'

    inside = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Beds">{inside}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return file.getvalue()
