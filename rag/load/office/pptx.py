"""PowerPoint: slides as pages, their titles as headings, tables, charts, comments, and the speaker's notes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, counted, line
from rag.load.container import Container, integer, local_name, properties
from rag.load.office.drawings import charts, diagrams, slide_comments
from rag.load.office.numbering import format_number
from rag.load.tables import text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rag.load.container import Element
    from rag.records import Document

_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_TITLES = frozenset({"title", "ctrTitle"})
_DECORATION = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})


def parse(data: bytes, uri: str) -> Document:
    """Read a presentation; raises `LoadError` for a damaged or encrypted one."""
    container = Container(data, uri)
    main = "ppt/presentation.xml"
    targets = container.relations(main)
    attributes = (pair for each in container.xml(main).iter("{*}sldId") for pair in each.items())
    ids = [value for name, value in attributes if name.endswith("/relationships}id")]
    slides = [targets[key] for key in ids if key in targets] or ids
    blocks: list[Block] = []
    pictures = hidden = 0
    for number, name in enumerate(slides, 1):
        slide = container.xml(name)
        blocks += _slide(slide, number)
        for part in (charts, diagrams, _speaker_notes, slide_comments):
            blocks += part(container, name, number)
        pictures += sum(1 for _ in slide.iter("{*}pic"))
        hidden += slide.get("show") == "0"
    title, date = properties(container.optional("docProps/core.xml"))
    shown = None if title in {"PowerPoint Presentation", "Presentation"} else title
    notes = counted((pictures, "picture[s] not read"), (hidden, "hidden slides were read as well"))
    made = publication_date(block.text for block in blocks if block.page == 1 and not block.level) or date
    return assemble(blocks, data, uri, _TYPE, shown, date=made, notes=notes)


def _slide(slide: Element, number: int) -> Iterator[Block]:
    tables = count(1)
    for shape in sorted(_shapes(slide), key=lambda shape: _kind(shape) not in _TITLES):
        level = None if _kind(shape) not in _TITLES else 1 if number == 1 else 2
        for element in shape.iter("{*}tbl"):
            yield from text_table(list(_rows(element)), f"slide {number}, table {next(tables)}", page=number)
        for index, text in enumerate(_paragraphs(shape.iterfind("{*}txBody//{*}p"))):
            yield Block(text, level, "\n" if index else "\n\n", page=number)


def _shapes(slide: Element) -> Iterator[Element]:
    """Yield the shapes with text or tables, also those in groups, without slide numbers and copies for old programs."""
    for shape in slide.iter("{*}sp", "{*}graphicFrame"):
        if _kind(shape) not in _DECORATION and next(shape.iterancestors("{*}Fallback"), None) is None:
            yield shape


def _kind(shape: Element) -> str:
    place = next(shape.iter("{*}ph"), None)
    return "" if place is None else place.get("type", "")


def _paragraphs(paragraphs: Iterable[Element]) -> Iterator[str]:
    """Yield the words of paragraphs that have some, those of a numbered list with their numbers."""
    counts: dict[int, int] = {}  # by level
    for paragraph in paragraphs:
        parts = paragraph.iter("{*}t", "{*}br", "{*}tab")
        if text := line("".join(part.text or "" if local_name(part) == "t" else " " for part in parts)):
            looks = next(paragraph.iterchildren("{*}pPr"), paragraph)
            level = integer(looks.get("lvl", ""))
            counts = {key: count for key, count in counts.items() if key <= level}
            numbered = looks.find("{*}buAutoNum")
            if numbered is None:
                counts.pop(level, None)
                yield text
            else:
                counts[level] = counts.get(level, integer(numbered.get("startAt", "1")) - 1) + 1
                yield f"{_numbered(counts[level], numbered.get('type', ''))} {text}"


def _numbered(number: int, form: str) -> str:
    """Return a number as PowerPoint writes it: `arabicPeriod` is `1.`, `alphaLcParenR` is `a)`."""
    case = "upper" if "Uc" in form else "lower"
    kind = f"{case}Letter" if form.startswith("alpha") else f"{case}Roman" if form.startswith("roman") else "decimal"
    before, after = "(" if "Both" in form else "", "." if form.endswith("Period") else ")" if "Paren" in form else ""
    return f"{before}{format_number(number, kind)}{after}"


def _rows(element: Element) -> Iterator[list[str]]:
    cells: list[str] = []
    for each in element.iter("{*}tr"):
        above = dict(enumerate(cells))  # a cell that spans several rows is in each of them
        cells = [
            above.get(column, "") if cell.get("vMerge") in {"1", "true"} else " ".join(_paragraphs(cell.iter("{*}p")))
            for column, cell in enumerate(each.iter("{*}tc"))
        ]
        yield cells


def _speaker_notes(container: Container, slide: str, number: int) -> Iterator[Block]:
    for name in container.related(slide, "notesSlide"):
        for shape in _shapes(container.xml(name)):
            for text in _paragraphs(shape.iterfind("{*}txBody//{*}p")):
                yield Block(text, mark=f"notes of slide {number}", page=number)
