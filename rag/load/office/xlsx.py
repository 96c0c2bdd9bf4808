"""Excel: each sheet a section, each row a block with the names of its columns, each cell as it is shown."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.blocks import Block, assemble, counted
from rag.load.container import Container, properties
from rag.load.office.drawings import captions, sheet_comments
from rag.load.office.number_format import shown
from rag.load.sheets import date_above, sheet_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Sheet = Any  # openpyxl has no types

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOOK = "xl/workbook.xml"
_DAMAGED = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, SyntaxError, OSError)
_LAST_ROW = 1_048_576  # of any sheet
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_HIDDEN = {
    what: re.compile(rb'<(?:\w+:)?%s\s[^>]*\bhidden="(?:1|true)"' % tag)
    for what, tag in (("row", b"row"), ("column", b"col"))
}
_NO_RESULT = re.compile(rb'<c\s(?![^>]*\bt="str")[^>]*>\s*<f[^<]*(?:</f>)?\s*(?:<v\s*/>|<v></v>)?\s*</c>')


def parse(data: bytes, uri: str) -> Document:
    """Read a workbook; of formulas their last results. Raises `LoadError` for a damaged or encrypted one."""
    import openpyxl

    container = Container(data, uri)
    blocks: list[Block] = []
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about looks that are not read
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            parts = _parts(container)
            for sheet in book.worksheets:
                part = parts.get(sheet.title)
                source = container.read(part) if part else b""
                blocks.append(Block(sheet.title, 2))
                blocks += sheet_table(_rows(sheet), f"{sheet.title}!", _merged(source), level=3)
                if part:
                    blocks += [*captions(container, part, sheet.title), *sheet_comments(container, part, sheet.title)]
                notes += _notes(sheet, source)
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise LoadError(f"{uri}: is a damaged workbook ({error}); open it and save it anew") from error
    notes += counted((sum("/media/" in name for name in container.names), "picture[s] not read"))
    title, date = properties(container.optional("docProps/core.xml"))
    return assemble(blocks, data, uri, _TYPE, title, date=date_above(blocks[1:]) or date, notes=tuple(notes))


def _parts(container: Container) -> dict[str, str]:
    sheets, targets = container.optional(_BOOK).iter("{*}sheet"), container.relations(_BOOK)
    pairs = ((each.get("name", ""), targets[key]) for each in sheets for key in each.attrib.values() if key in targets)
    return {name: part for name, part in pairs if part in container.names}


def _notes(sheet: Sheet, source: bytes) -> Iterator[str]:
    if sheet.sheet_state != "visible":
        yield f"the sheet {sheet.title} is hidden and was read as well"
    hidden = counted(*((len(found.findall(source)), f"hidden {what}[s]") for what, found in _HIDDEN.items()))
    if hidden:
        yield f"{' and '.join(hidden)} of the sheet {sheet.title} read as well"
    if count := len(_NO_RESULT.findall(source)):  # a program wrote them, and none has computed them
        yield f"{count} formulas of the sheet {sheet.title} have no result; open it in a spreadsheet and save it"


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # what the file says of its size is often wrong, and may be a bomb
    for number, cells in enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1):
        yield number, [shown(cell.value, getattr(cell, "number_format", "") or "") for cell in cells]


def _merged(sheet: bytes) -> Iterator[tuple[int, int, int, int]]:
    from openpyxl.utils import range_boundaries

    return (range_boundaries(match[1].decode()) for match in _MERGED.finditer(sheet))
