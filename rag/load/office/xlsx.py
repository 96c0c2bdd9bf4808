"""Excel: each sheet a section, each row a block with the names of its columns, each cell as it is shown."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, counted
from rag.load.container import Container, properties
from rag.load.office.drawings import captions, sheet_comments
from rag.load.tables import sheet_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rag.records import Document

    Sheet = Any  # openpyxl has no types
    _Cells = Mapping[int, Sequence[tuple[int, int]]]

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BOOK = "xl/workbook.xml"
_SCALED = re.compile(r"[0#?],+(?:[^0#?,]|$)")  # shows thousands or millions as units
_SIGN = re.compile(
    r'[_*].|\[\$(?P<currency>[^\]\-]*)[^\]]*\]|"(?P<words>[^"]*)"|\\(?P<sign>.)|(?P<bare>[ $€£¥])|(?P<digit>[0#?])'
)
_DAMAGED = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, SyntaxError, OSError)
_LAST_ROW = 1_048_576  # of any sheet
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
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
                down, across = _merged(source)
                blocks.append(Block(sheet.title, 2))
                blocks += sheet_table(_filled(_rows(sheet), down), f"{sheet.title}!", across)
                if part:
                    blocks += [*captions(container, part, sheet.title), *sheet_comments(container, part, sheet.title)]
                notes += _notes(sheet, source)
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise LoadError(f"{uri}: is a damaged workbook ({error}); open it and save it anew") from error
    notes += counted((sum("/media/" in name for name in container.names), "picture[s] not read"))
    title, date = properties(container.optional("docProps/core.xml"))
    return assemble(blocks, data, uri, _TYPE, title, date=_date(blocks) or date, notes=tuple(notes))


def _date(blocks: Sequence[Block]) -> str | None:
    """Return the date above the first table: that of a row says when something happened."""
    above = list(takewhile(lambda block: " | " not in block.text, blocks))
    return publication_date(block.text for block in above if not block.level) if len(above) < len(blocks) else None


def _parts(container: Container) -> dict[str, str]:
    sheets, targets = container.optional(_BOOK).iter("{*}sheet"), container.relations(_BOOK)
    pairs = ((each.get("name", ""), targets[key]) for each in sheets for key in each.attrib.values() if key in targets)
    return {name: part for name, part in pairs if part in container.names}


def _notes(sheet: Sheet, source: bytes) -> Iterator[str]:
    if sheet.sheet_state != "visible":
        yield f"the sheet {sheet.title} is hidden and was read as well"
    if count := len(_NO_RESULT.findall(source)):  # a program wrote them, and none has computed them
        yield f"{count} formulas of the sheet {sheet.title} have no result; open it in a spreadsheet and save it"


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # what the file says of its size is often wrong, and may be a bomb
    for number, cells in enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1):
        yield number, [_format_value(cell.value, getattr(cell, "number_format", "") or "") for cell in cells]


def _merged(sheet: bytes) -> tuple[_Cells, _Cells]:
    """Return the merged cells of a sheet's XML by their first row.

    Those that cover several rows have their column and last row, those that cover several columns the first and last
    of these. Columns count from 0.
    """
    from openpyxl.utils import range_boundaries

    down: dict[int, list[tuple[int, int]]] = defaultdict(list)
    across: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for match in _MERGED.finditer(sheet):
        left, top, right, bottom = range_boundaries(match[1].decode())
        if bottom > top:
            down[top].append((left - 1, bottom))
        if right > left:
            across[top].append((left - 1, right - 1))
    return down, across


def _filled(rows: Iterable[tuple[int, list[str]]], down: _Cells) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with the text of a cell that covers several of them in each; empty rows stay empty."""
    covering: dict[int, tuple[int, str]] = {}  # by column: the last row that a cell above covers, and its text
    for number, cells in rows:
        for column, (bottom, text) in covering.items() if any(cells) else ():
            if number <= bottom:
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = text
        for left, last in down.get(number, ()):
            if left < len(cells) and cells[left]:
                covering[left] = last, cells[left]
        yield number, cells


def _format_value(value: object, style: str) -> str:
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
    numbers = style.partition(";")[0]
    if _SCALED.search(numbers):
        return "", ""
    signs = ["\0" if match["digit"] else "".join(filter(None, match.groups())) for match in _SIGN.finditer(numbers)]
    before, digits, after = "".join(signs).partition("\0")
    return (before.lstrip(), after.replace("\0", "").rstrip()) if digits else ("", "")
