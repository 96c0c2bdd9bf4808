"""What is filled in on a page: the values of its form's fields, as runs of characters where they stand."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from rag.load.decode import storable
from rag.load.pdf.characters import CharacterRun, placing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pdfium = Any  # its page, its raw functions and what they take

_SIZE = 12.0  # points of a value's letters, at most


def values(page: Pdfium) -> Iterator[CharacterRun]:
    """Yield what is filled in; a ticked box is ☒, an empty one ☐. Letters of a long value are as wide as its field."""
    from pypdfium2 import raw

    placed, box = placing(page), raw.FS_RECTF()
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        field = raw.FPDFPage_GetAnnot(page, index)
        value = _value(page.formenv, field, raw)
        if value and raw.FPDFAnnot_GetRect(field, box):
            x0, y0, x1, y1 = placed((box.left, box.bottom, box.right, box.top))
            height = min(_SIZE, y1 - y0)
            step, top = height / 2, (y0 + y1 - height) / 2
            edges = [(x0 + step * at, x0 + step * (at + 1)) for at in range(len(value))]
            if edges[-1][1] > x1:
                top, edges = y0 if y1 - y0 > 2 * height else top, [(x0, x1)] * len(value)
            yield CharacterRun(value, (x0, top, x1, top + height), edges, filled=True)
        raw.FPDFPage_CloseAnnot(field)


def _value(form: Pdfium, field: Pdfium, raw: Pdfium) -> str:
    hidden = raw.FPDFAnnot_GetFlags(field) & (raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW)
    if raw.FPDFAnnot_GetSubtype(field) == raw.FPDF_ANNOT_FREETEXT and not hidden:  # typed onto the page
        return _text(lambda buffer, size: raw.FPDFAnnot_GetStringValue(field, b"Contents", buffer, size))
    kind = raw.FPDFAnnot_GetFormFieldType(form, field) if form else raw.FPDF_FORMFIELD_UNKNOWN
    if kind in {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON} and not hidden:
        return "☒" if raw.FPDFAnnot_IsChecked(form, field) else "☐"
    written = {raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
    if hidden or kind not in written or raw.FPDFAnnot_GetFormFieldFlags(form, field) & raw.FPDF_FORMFLAG_TEXT_PASSWORD:
        return ""
    return _text(lambda buffer, size: raw.FPDFAnnot_GetFormFieldValue(form, field, buffer, size))


def _text(read: Callable[[Any, int], int]) -> str:
    """Return what a function of pdfium writes into a buffer, once it has told how large that must be."""
    buffer = (ctypes.c_ushort * (read(None, 0) // 2))()
    read(buffer, ctypes.sizeof(buffer))
    return storable(" ".join(bytes(buffer).decode("utf-16-le", "replace").rstrip("\0").split()))
