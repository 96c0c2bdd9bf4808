"""Charts in office files, the numbers that they draw as a table whose rows name series and category; diagrams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.load.pieces import Piece, line, record, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.package import Element, Package

_LONG = re.compile(r"-?\d+\.\d{12,}")  # with rounding noise: 4.4000000000000004
_MOST_POINTS = 10_000  # of a series


def charts(package: Package, part: str, page: int | None = None) -> Iterator[Piece]:
    """Yield the blocks of the charts that a part (a slide, a text) shows, in the order of their names."""
    names = (name for name in package.relations(part).values() if "/charts/chart" in name and name in package.names)
    for number, name in enumerate(sorted(names), 1):
        yield from _chart(package.xml(name), f"chart {number}", page)


def diagrams(package: Package, part: str, page: int | None = None) -> Iterator[Piece]:
    """Yield the words of the diagrams (SmartArt) of a part, one block for each shape."""
    names = (name for name in package.relations(part).values() if "/diagrams/data" in name and name in package.names)
    for number, name in enumerate(sorted(names), 1):
        for shape in package.xml(name).iter("{*}pt"):
            words = line(" ".join(each.text or "" for each in shape.iter("{*}t")))
            yield Piece(words, None, "\n", f"diagram {number}", page)


def captions(package: Package, part: str, sheet: str) -> Iterator[Piece]:
    """Yield what is written on a sheet and in no cell: text boxes and titles of charts, whose numbers are in cells."""
    for name in package.relations(part).values():
        if "/drawings/drawing" in name and name in package.names:
            for box in package.xml(name).iter("{*}txBody"):
                words = line(" ".join("".join(each.itertext("{*}t")) for each in box.iter("{*}p")))
                yield Piece(words, mark=f"{sheet}, text box")
            charts_ = (each for each in package.relations(name).values() if "/charts/chart" in each)
            for each in sorted(set(charts_) & set(package.names)):
                yield from _title(package.xml(each), f"{sheet}, chart", None)


def _title(root: Element, name: str, page: int | None) -> Iterator[Piece]:
    title = root.find("{*}chart/{*}title")
    words = "" if title is None else line("".join(each.text or "" for each in title.iter("{*}t")))
    yield Piece(words, mark=name, page=page)


def _chart(root: Element, name: str, page: int | None) -> Iterator[Piece]:
    yield from _title(root, name, page)
    series = list(root.iter("{*}ser"))
    header = ["", *(" ".join(_points(each.find("{*}tx")).values()) for each in series)]
    categories = next((found for each in series if (found := _named(each, "cat", "xVal"))), {})
    values = [_named(each, "val", "yVal") for each in series]
    if any(header):
        yield Piece(row(header[1:]), None, "\n", name, page)
    for index in sorted({*categories, *(index for points in values for index in points)}):
        cells = [categories.get(index, ""), *(points.get(index, "") for points in values)]
        yield Piece(record(header, cells), None, "\n", f"{name}, row {index + 1}", page)


def _named(series: Element, *names: str) -> dict[int, str]:
    return next((_points(found) for name in names if (found := series.find(f"{{*}}{name}")) is not None), {})


def _points(element: Element | None) -> dict[int, str]:
    """Return the cached texts of a series by their number."""
    found = {} if element is None else {point.get("idx", ""): point for point in element.iter("{*}pt")}
    texts = {
        int(key): _LONG.sub(lambda match: f"{float(match[0]):.12g}", line(point.findtext("{*}v") or ""))
        for key, point in found.items()
        if key.isascii() and key.isdigit()
    }
    return {key: text for key, text in texts.items() if key < _MOST_POINTS}
