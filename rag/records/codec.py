"""A document as JSON and back: through the pipe between a worker and its owner, and in the columns of a store."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.records import Document, Mark, Omission, Section, Span, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN = ("uri", "text", "title", "digest", "media_type", "date")  # all else is the layout


def document_to_json(document: Document) -> bytes:
    """Write a whole document down, as UTF-8; half a surrogate pair stays what it is."""
    own = {name: getattr(document, name) for name in _OWN}
    return json.dumps({**own, **layout(document)}, ensure_ascii=False).encode("utf-8", "surrogatepass")


def document_from_json(data: bytes) -> Document:
    """Read what `document_to_json` wrote."""
    stored: dict[str, Any] = json.loads(data)
    return with_layout(Document(**{name: stored[name] for name in _OWN}), stored)


def layout(document: Document) -> dict[str, Any]:
    """Return what a document knows about places in its text, as JSON has it: each place a flat list of its fields."""
    return {
        "page_starts": document.page_starts,
        "sections": [
            (s.span.start, s.span.end, s.heading.start, s.heading.end, s.title, s.level) for s in document.sections
        ],
        "blocks": [(block.start, block.end) for block in document.blocks],
        "speakers": [(s.span.start, s.span.end, s.speaker) for s in document.speakers],
        "marks": [(mark.span.start, mark.span.end, mark.name) for mark in document.marks],
        "notes": document.notes,
        "set_aside": [(each.why, each.text) for each in document.set_aside],
    }


def with_layout(document: Document, stored: Mapping[str, Any]) -> Document:
    """Return a document with the layout that `layout` gave; raises ValueError, LookupError or TypeError for damage."""
    sections = (Section(Span(a, b), Span(c, d), title, level) for a, b, c, d, title, level in stored["sections"])
    return replace(
        document,
        page_starts=tuple(stored["page_starts"]),
        sections=tuple(sections),
        blocks=tuple(Span(a, b) for a, b in stored["blocks"]),
        speakers=tuple(Statement(Span(a, b), speaker) for a, b, speaker in stored["speakers"]),
        marks=tuple(Mark(Span(a, b), name) for a, b, name in stored.get("marks", ())),
        notes=tuple(stored.get("notes", ())),
        set_aside=tuple(Omission(why, text) for why, text in stored.get("set_aside", ())),
    )
