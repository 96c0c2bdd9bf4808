"""Excel: each sheet a section, each row a block with the names of its columns, each cell as it is shown."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.language.published import publication_date
from rag.load.office.chart import captions
from rag.load.office.comments import sheet_comments
from rag.load.office.merged import across, filled, ranges, without_result
from rag.load.package import Package, properties
from rag.load.pieces import Piece, assemble
from rag.load.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.records import Document

    Cell = Any  # openpyxl has no types
    Sheet = Any

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOOK = "xl/workbook.xml"
_SCALED = re.compile(r"[0#?],+(?:[^0#?,]|$)")  # shows thousands or millions as units
_SIGN = re.compile(
    r'[_*].|\[\$(?P<currency>[^\]\-]*)[^\]]*\]|"(?P<words>[^"]*)"|\\(?P<sign>.)|(?P<bare>[ $€£¥])|(?P<digit>[0#?])'
)
_DAMAGED = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, SyntaxError, OSError)
_LAST_ROW = 1_048_576  # of any sheet


def parse(data: bytes, uri: str) -> Document:
    """Read a workbook; of formulas their last results. Raises `LoadError` for a damaged or encrypted one."""
    import openpyxl

    package = Package(data, uri)
    pieces: list[Piece] = []
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about looks that are not read
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            parts = _parts(package)
            for sheet in book.worksheets:
                source = package.read(parts[sheet.title]) if sheet.title in parts else b""
                pieces += _sheet(sheet, source)
                pieces += _beside(package, parts.get(sheet.title), sheet.title)
                notes += _lost(sheet, source)
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise LoadError(f"{uri}: is a damaged workbook ({error}); open it and save it anew") from error
    pictures = sum("/media/" in name for name in package.names)
    if pictures:
        notes.append(f"{pictures} pictures were not read")
    title, date = properties(package.optional("docProps/core.xml"))
    return assemble(pieces, data, uri, _TYPE, title=title, date=_date(pieces) or date, notes=tuple(notes))


def _date(pieces: Sequence[Piece]) -> str | None:
    """Return the date above the first table: that of a row says when something happened."""
    above = list(takewhile(lambda piece: " | " not in piece.text, pieces))
    return publication_date(piece.text for piece in above if not piece.level) if len(above) < len(pieces) else None


def _parts(package: Package) -> dict[str, str]:
    """Return the member that holds each sheet, by the sheet's name."""
    book, targets = package.optional(_BOOK), package.relations(_BOOK)
    named = () if book is None else book.iter("{*}sheet")
    pairs = ((each.get("name", ""), targets[key]) for each in named for key in each.attrib.values() if key in targets)
    return {name: part for name, part in pairs if part in package.names}


def _sheet(sheet: Sheet, source: bytes) -> Iterator[Piece]:
    """Yield the name of a sheet and its rows; `source` is its XML."""
    merged = ranges(source)
    yield Piece(sheet.title, 2)
    yield from table(filled(_rows(sheet), merged), f"{sheet.title}!", across(merged))


def _beside(package: Package, part: str | None, sheet: str) -> Iterator[Piece]:
    """Yield what stands on a sheet and in no cell."""
    if part:
        yield from captions(package, part, sheet)
        yield from sheet_comments(package, part, sheet)


def _lost(sheet: Sheet, source: bytes) -> Iterator[str]:
    if sheet.sheet_state != "visible":
        yield f"the sheet {sheet.title} is hidden and was read as well"
    if count := without_result(source):
        yield f"{count} formulas of the sheet {sheet.title} have no result; open it in a spreadsheet and save it"


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Yield number and shown texts of each row."""
    sheet.reset_dimensions()  # what the file says of its size is often wrong, and may be a bomb
    for number, cells in enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1):
        yield number, [shown(cell.value, getattr(cell, "number_format", "") or "") for cell in cells]


def shown(value: object, style: str) -> str:
    """Return a value nearly as a spreadsheet shows it: dates in ISO form, percent and units, no rounding noise."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, bool):
        return str(value).upper()
    if not isinstance(value, int | float):
        return str(value)
    if "%" in style:
        return f"{value * 100:.10g}%"
    before, after = _units(style)
    return f"{before}{value:.12g}{after}" if isinstance(value, float) else f"{before}{value}{after}"


def _units(style: str) -> tuple[str, str]:
    """Return what a number's format puts before and after it, as a currency."""
    numbers = style.partition(";")[0]
    if _SCALED.search(numbers):
        return "", ""
    signs = ["\0" if match["digit"] else "".join(filter(None, match.groups())) for match in _SIGN.finditer(numbers)]
    before, digits, after = "".join(signs).partition("\0")
    return (before.lstrip(), after.replace("\0", "").rstrip()) if digits else ("", "")
