"""PowerPoint: slides as pages, their titles as headings, tables, charts, comments, and the speaker's notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.language.published import publication_date
from rag.load.office.chart import charts, diagrams
from rag.load.office.comments import slide_comments
from rag.load.office.numbering import written
from rag.load.package import Package, attribute, local, properties, whole
from rag.load.pieces import Piece, assemble, line, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.records import Document

    Element = Any  # lxml has no types

_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_DECORATION = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})


def parse(data: bytes, uri: str) -> Document:
    """Read a presentation; raises `LoadError` for a damaged or encrypted one."""
    package = Package(data, uri)
    main = "ppt/presentation.xml"
    targets = package.relations(main)
    ids = (attribute(each, "id") for each in package.xml(main).iter("{*}sldId"))
    slides = [targets[key] for key in _relation_ids(package, main) if key in targets] or sorted(map(str, ids))
    pieces: list[Piece] = []
    pictures = hidden = 0
    for number, name in enumerate(slides, 1):
        slide = package.xml(name)
        pieces += _slide(slide, number)
        pieces += [*charts(package, name, number), *diagrams(package, name, number)]
        pieces += _speaker_notes(package, name, number)
        pieces += slide_comments(package, name, number)
        pictures += sum(1 for _ in slide.iter("{*}pic"))
        hidden += slide.get("show") == "0"
    title, date = properties(package.optional("docProps/core.xml"))
    shown = None if title in {"PowerPoint Presentation", "Presentation"} else title
    lost = [f"{pictures} pictures were not read"] if pictures else []
    lost += [f"{hidden} hidden slides were read as well"] if hidden else []
    made = publication_date(piece.text for piece in pieces if piece.page == 1 and not piece.level) or date
    return assemble(pieces, data, uri, _TYPE, title=shown, date=made, notes=tuple(lost))


def _relation_ids(package: Package, main: str) -> list[str]:
    """Return the relationship of each slide in the order of the show."""
    space = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    strict = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
    return [each.get(space) or each.get(strict) or "" for each in package.xml(main).iter("{*}sldId")]


def _slide(slide: Element, number: int) -> Iterator[Piece]:
    """Yield the blocks of a slide, its title first."""
    shapes = list(_shapes(slide))
    shapes.sort(key=lambda shape: _kind(shape) not in {"title", "ctrTitle"})
    tables = 0
    for shape in shapes:
        title = _kind(shape) in {"title", "ctrTitle"}
        for element in shape.iter("{*}tbl"):
            tables += 1
            yield from _table(element, tables, number)
        body = shape.find("{*}txBody")
        for index, text in enumerate(_paragraphs(body) if body is not None else ()):
            yield Piece(text, (1 if number == 1 else 2) if title else None, "\n" if index else "\n\n", page=number)


def _shapes(slide: Element) -> Iterator[Element]:
    """Yield the shapes with text or tables, also those in groups, without slide numbers and copies for old programs."""
    for shape in slide.iter("{*}sp", "{*}graphicFrame"):
        if _kind(shape) not in _DECORATION and next(shape.iterancestors("{*}Fallback"), None) is None:
            yield shape


def _kind(shape: Element) -> str:
    place = next(shape.iter("{*}ph"), None)
    return "" if place is None else place.get("type", "")


def _paragraphs(body: Element) -> Iterator[str]:
    """Yield the paragraphs with words, those of a numbered list with their numbers."""
    counts: dict[int, int] = {}  # by level
    for paragraph in body.iter("{*}p"):
        words = (part.text or "" if local(part) == "t" else " " for part in paragraph.iter("{*}t", "{*}br", "{*}tab"))
        text = line("".join(words))
        if text:
            level = whole(next((each.get("lvl", "0") for each in paragraph.iterfind("{*}pPr")), "0"))
            counts = {key: count for key, count in counts.items() if key <= level}
            numbered = paragraph.find("{*}pPr/{*}buAutoNum")
            if numbered is None:
                counts.pop(level, None)
                yield text
            else:
                counts[level] = counts.get(level, whole(numbered.get("startAt", "1")) - 1) + 1
                yield f"{_numbered(counts[level], numbered.get('type', ''))} {text}"


def _numbered(number: int, form: str) -> str:
    """Return a number as PowerPoint writes it: `arabicPeriod` is `1.`, `alphaLcParenR` is `a)`."""
    case = "upper" if "Uc" in form else "lower"
    kind = f"{case}Letter" if form.startswith("alpha") else f"{case}Roman" if form.startswith("roman") else "decimal"
    before, after = "(" if "Both" in form else "", "." if form.endswith("Period") else ")" if "Paren" in form else ""
    return f"{before}{written(number, kind)}{after}"


def _table(element: Element, table: int, number: int) -> Iterator[Piece]:
    cells: list[str] = []
    for index, each in enumerate(element.iter("{*}tr"), 1):
        above = dict(enumerate(cells))  # a cell that spans several rows is in each of them
        cells = [
            above.get(column, "") if cell.get("vMerge") in {"1", "true"} else " ".join(_paragraphs(cell))
            for column, cell in enumerate(each.iter("{*}tc"))
        ]
        mark = f"slide {number}, table {table}, row {index}"
        yield Piece(row(cells), None, "\n" if index > 1 else "\n\n", mark, number)


def _speaker_notes(package: Package, slide: str, number: int) -> Iterator[Piece]:
    for name in package.relations(slide).values():
        if "notesSlide" in name and name in package.names:
            for shape in _shapes(package.xml(name)):
                body = shape.find("{*}txBody")
                for text in _paragraphs(body) if body is not None else ():
                    yield Piece(text, mark=f"notes of slide {number}", page=number)
