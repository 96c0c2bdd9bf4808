"""Excel: each sheet a section, each row a block with the names of its columns, each cell as it is shown."""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.office.comments import sheet_comments
from rag.load.office.tables import table
from rag.load.package import Package, properties
from rag.load.pieces import Piece, assemble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Cell = Any  # openpyxl has no types
    Sheet = Any

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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
            for sheet in book.worksheets:
                pieces += [Piece(sheet.title, 2), *table(_rows(sheet), f"{sheet.title}!")]
                pieces += sheet_comments(package, sheet.title)
                if sheet.sheet_state != "visible":
                    notes.append(f"the sheet {sheet.title} is hidden and was read as well")
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, zipfile.BadZipFile) as error:
        raise LoadError(f"{uri}: is a damaged workbook ({error}); open it and save it anew") from error
    pictures = sum("/media/" in name or "/charts/chart" in name for name in package.names)
    if pictures:
        notes.append(f"{pictures} pictures and charts were not read")
    title, date = properties(package.optional("docProps/core.xml"))
    return assemble(pieces, data, uri, _TYPE, title=title, date=date, notes=tuple(notes))


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Yield number and shown texts of each row."""
    sheet.reset_dimensions()  # what the file says of its size is often wrong, and may be a bomb
    for number, cells in enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1):
        yield number, [shown(cell.value, getattr(cell, "number_format", "") or "") for cell in cells]


def shown(value: object, style: str) -> str:
    """Return a value nearly as a spreadsheet shows it: dates in ISO form, shares in percent, no rounding noise."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float) and "%" in style:
        return f"{value * 100:.10g}%"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
