"""A document as JSON and back: what goes through the pipe between a worker and its owner."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rag.records import Document, Mark, Section, Span, Statement


def to_json(document: Document) -> bytes:
    """Write a document down."""
    return json.dumps(asdict(document), ensure_ascii=False).encode("utf-8", "surrogatepass")


def from_json(data: bytes) -> Document:
    """Read what `to_json` wrote."""
    fields: dict[str, Any] = json.loads(data)
    fields["page_starts"] = tuple(fields["page_starts"])
    fields["notes"] = tuple(fields["notes"])
    fields["blocks"] = tuple(Span(**span) for span in fields["blocks"])
    fields["sections"] = tuple(
        Section(Span(**s["span"]), Span(**s["heading"]), s["title"], s["level"]) for s in fields["sections"]
    )
    fields["speakers"] = tuple(Statement(Span(**s["span"]), s["speaker"]) for s in fields["speakers"])
    fields["marks"] = tuple(Mark(Span(**m["span"]), m["name"]) for m in fields["marks"])
    return Document(**fields)
