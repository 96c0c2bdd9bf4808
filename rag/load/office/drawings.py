"""What stands beside the text of slides, sheets and Word files: charts, diagrams, text boxes and comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.load.blocks import Block, line
from rag.load.tables import record, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.container import Container, Element

_LONG = re.compile(r"-?\d+\.\d{12,}")  # with rounding noise: 4.4000000000000004


def charts(container: Container, part: str, page: int | None = None) -> Iterator[Block]:
    """Yield the blocks of the charts that a part (a slide, a text) shows, in the order of their names.

    The numbers that a chart draws are a table whose rows name series and category.
    """
    for number, name in enumerate(sorted(container.related(part, "/charts/chart")), 1):
        yield from _chart(container.xml(name), f"chart {number}", page)


def diagrams(container: Container, part: str, page: int | None = None) -> Iterator[Block]:
    """Yield the words of the diagrams (SmartArt) of a part, one block for each shape."""
    for number, name in enumerate(sorted(container.related(part, "/diagrams/data")), 1):
        for shape in container.xml(name).iter("{*}pt"):
            yield Block(line(_words(shape, " ")), None, "\n", f"diagram {number}", page)


def captions(container: Container, part: str, sheet: str) -> Iterator[Block]:
    """Yield what is written on a sheet and in no cell: text boxes and titles of charts, whose numbers are in cells."""
    for name in container.related(part, "/drawings/drawing"):
        for box in container.xml(name).iter("{*}txBody"):
            yield Block(line(" ".join(map(_words, box.iter("{*}p")))), mark=f"{sheet}, text box")
        for each in sorted(set(container.related(name, "/charts/chart"))):
            yield from _title(container.xml(each), f"{sheet}, chart", None)


def slide_comments(container: Container, slide: str, page: int) -> Iterator[Block]:
    """Yield the comments of a slide."""
    roots = map(container.optional, ("ppt/commentAuthors.xml", "ppt/authors.xml"))
    authors = {each.get("id", ""): each.get("name", "") for root in roots for each in root}
    for root in _comment_parts(container, slide):
        for each in root.iter("{*}cm", "{*}reply"):
            words = "".join(map(_words, each.iterchildren("{*}text", "{*}txBody")))
            yield from _comment(words, authors.get(each.get("authorId", "")), f"slide {page}", page)


def sheet_comments(container: Container, part: str, sheet: str) -> Iterator[Block]:
    """Yield the comments of a workbook's sheet, and the discussions in their place where there are some."""
    people = container.optional("xl/persons/person.xml").iter("{*}person")
    names = {each.get("id"): each.get("displayName") for each in people}
    roots = _comment_parts(container, part, "threadedComment")
    threads = [each for root in roots for each in root.iter("{*}threadedComment")]
    for each in threads:
        words, author = each.findtext("{*}text") or "", names.get(each.get("personId"))
        yield from _comment(words, author, f"{sheet}!{each.get('ref')}")
    for root in _comment_parts(container, part):
        authors = {str(index): line(each.text or "") for index, each in enumerate(root.iter("{*}author"))}
        for each in root.iter("{*}comment"):
            author = authors.get(each.get("authorId"), "")
            copied = author.startswith("tc=")  # from a discussion, for old programs
            if not (copied and threads):
                yield from _comment(_words(each), None if copied else author, f"{sheet}!{each.get('ref')}")


def _words(element: Element, between: str = "") -> str:
    return between.join(each.text or "" for each in element.iter("{*}t", "{*}text"))


def _chart(root: Element, name: str, page: int | None) -> Iterator[Block]:
    yield from _title(root, name, page)
    series = list(root.iter("{*}ser"))
    header = ["", *(" ".join(_points(each.find("{*}tx")).values()) for each in series)]
    categories = next((found for each in series if (found := _named(each, "cat", "xVal"))), {})
    values = [_named(each, "val", "yVal") for each in series]
    if any(header):
        yield Block(row(header[1:]), None, "\n", name, page)
    for index in sorted({*categories, *(index for points in values for index in points)}):
        cells = [categories.get(index, ""), *(points.get(index, "") for points in values)]
        yield Block(record(header, cells), None, "\n", f"{name}, row {index + 1}", page)


def _title(root: Element, name: str, page: int | None) -> Iterator[Block]:
    yield Block(line("".join(map(_words, root.iterfind("{*}chart/{*}title")))), mark=name, page=page)


def _named(series: Element, *names: str) -> dict[int, str]:
    return next((_points(found) for name in names if (found := series.find(f"{{*}}{name}")) is not None), {})


def _points(element: Element | None) -> dict[int, str]:
    """Return the cached texts of a series by their number, which is below 10,000."""
    return {
        int(key): _LONG.sub(lambda match: f"{float(match[0]):.12g}", line(point.findtext("{*}v") or ""))
        for point in (() if element is None else element.iter("{*}pt"))
        if (key := point.get("idx", "")).isascii() and key.isdigit() and len(key) < 5
    }


def _comment_parts(container: Container, part: str, kind: str = "omment") -> Iterator[Element]:
    for name in container.related(part, kind):
        if name.endswith(".xml") and ("threaded" not in name or kind == "threadedComment"):
            yield container.xml(name)


def _comment(words: str, author: str | None, place: str, page: int | None = None) -> Iterator[Block]:
    if text := line(words):
        yield Block(text, mark=f"{place}, comment by {line(author)}" if author else f"{place}, comment", page=page)
