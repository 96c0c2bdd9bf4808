"""Comments in presentations and workbooks: what somebody wrote beside the text, with the name of who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.load.pieces import Piece, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.load.package import Element, Package


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


def sheet_comments(package: Package, part: str, sheet: str) -> Iterator[Piece]:
    """Yield the comments of a workbook's sheet, and the discussions in their place where there are some."""
    people = package.optional("xl/persons/person.xml")
    names = {} if people is None else {each.get("id"): each.get("displayName") for each in people.iter("{*}person")}
    threads = [each for root in _parts(package, part, "threadedComment") for each in root.iter("{*}threadedComment")]
    for each in threads:
        yield from _comment(
            each.findtext("{*}text") or "", names.get(each.get("personId")), f"{sheet}!{each.get('ref')}"
        )
    for found in _parts(package, part):
        authors = dict(enumerate(line(each.text or "") for each in found.iter("{*}author")))
        for each in found.iter("{*}comment"):
            number = each.get("authorId", "")
            author = authors.get(int(number)) if number.isascii() and number.isdigit() else None
            threaded = author is not None and author.startswith("tc=")  # a copy of a discussion for old programs
            if not (threaded and threads):
                words = "".join(t.text or "" for t in each.iter("{*}t"))
                yield from _comment(words, None if threaded else author, f"{sheet}!{each.get('ref')}")


def _parts(package: Package, part: str, kind: str = "omment") -> Iterator[Element]:
    for name in package.relations(part).values():
        threaded = "threaded" in name and kind != "threadedComment"
        if kind in name and not threaded and name.endswith(".xml") and name in package.names:
            yield package.xml(name)


def _comment(words: str, author: str | None, place: str, page: int | None = None) -> Iterator[Piece]:
    text = line(words)
    if text:
        yield Piece(text, mark=f"{place}, comment by {line(author)}" if author else f"{place}, comment", page=page)
