"""Workbooks of other programs and of earlier Excel: XLS, XLSB and ODS, by calamine; XLSX has a module of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.load.blocks import Block, assemble
from rag.load.office.number_format import shown
from rag.load.sheets import date_above, sheet_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from python_calamine import CalamineSheet

    from rag.records import Document

TYPES = {
    ".xls": "application/vnd.ms-excel",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def parse(data: bytes, uri: str) -> Document:
    """Read a workbook; of formulas their last results. Raises `LoadError` for a damaged or encrypted one."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    blocks: list[Block] = []
    notes: list[str] = []
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            for about in book.sheets_metadata:
                if about.typ is not SheetTypeEnum.WorkSheet:
                    notes.append(f"{about.name} is no sheet of cells and was not read")
                    continue
                sheet = book.get_sheet_by_name(about.name)
                blocks.append(Block(about.name, 2))
                blocks += sheet_table(_rows(sheet), f"{about.name}!", _merged(sheet), level=3)
                if about.visible is not SheetVisibleEnum.Visible:
                    notes.append(f"the sheet {about.name} is hidden and was read as well")
    except PasswordError as error:
        raise LoadError(f"{uri}: is encrypted; save it without a password") from error
    except (CalamineError, ValueError, OverflowError) as error:
        raise LoadError(f"{uri}: is a damaged workbook ({error}); open it and save it anew") from error
    kind = next(kind for suffix, kind in TYPES.items() if uri.lower().endswith(suffix))
    return assemble(blocks, data, uri, kind, date=date_above(blocks[1:]), notes=tuple(notes))


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    rows = sheet.to_python(skip_empty_area=False)
    return ((number, [shown(value, "") for value in cells]) for number, cells in enumerate(rows, 1))


def _merged(sheet: CalamineSheet) -> Iterator[tuple[int, int, int, int]]:
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        yield left + 1, top + 1, right + 1, bottom + 1
