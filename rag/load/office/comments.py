"""Comments in presentations and workbooks: what somebody wrote beside the text, with the name of who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.load.pieces import Piece, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.package import Element, Package


_BOOK = "xl/workbook.xml"


def slide_comments(package: Package, slide: str, page: int) -> Iterator[Piece]:
    """Yield the comments of a slide."""
    authors: dict[str, str] = {}
    for name in ("ppt/commentAuthors.xml", "ppt/authors.xml"):
        root = package.optional(name)
        authors |= {each.get("id", ""): each.get("name", "") for each in (root if root is not None else ())}
    for root in _parts(package, slide):
        for each in root.iter("{*}cm", "{*}reply"):
            own = each.iterchildren("{*}text", "{*}txBody")
            words = "".join(t.text or "" for part in own for t in part.iter("{*}text", "{*}t"))
            yield from _comment(words, authors.get(each.get("authorId", "")), f"slide {page}", page)


def sheet_comments(package: Package, sheet: str) -> Iterator[Piece]:
    """Yield the comments of a workbook's sheet, by its name; of discussions, what they leave for old programs."""
    part = _sheet_part(package, sheet)
    for found in _parts(package, part) if part else ():
        authors = dict(enumerate(line(each.text or "") for each in found.iter("{*}author")))
        for each in found.iter("{*}comment"):
            number = each.get("authorId", "")
            author = authors.get(int(number)) if number.isascii() and number.isdigit() else None
            words = "".join(t.text or "" for t in each.iter("{*}t"))
            known = None if author is None or author.startswith("tc=") else author  # the second is a number of theirs
            yield from _comment(words, known, f"{sheet}!{each.get('ref')}")


def _sheet_part(package: Package, sheet: str) -> str | None:
    book = package.optional(_BOOK)
    targets = package.relations(_BOOK)
    named = () if book is None else (each for each in book.iter("{*}sheet") if each.get("name") == sheet)
    return next((targets[key] for each in named for key in each.attrib.values() if key in targets), None)


def _parts(package: Package, part: str) -> Iterator[Element]:
    for name in package.relations(part).values():
        if "omment" in name and "threaded" not in name and name.endswith(".xml") and name in package.names:
            yield package.xml(name)


def _comment(words: str, author: str | None, place: str, page: int | None = None) -> Iterator[Piece]:
    text = line(words)
    if text:
        yield Piece(text, mark=f"{place}, comment by {line(author)}" if author else f"{place}, comment", page=page)
