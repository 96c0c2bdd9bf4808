"""Records as rows of the catalog and back. A row that does not decode is damage, and says so."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import IndexCorrupt
from rag.records import Document, Passage, Place, Span, Statement
from rag.records.codec import with_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turn whatever decoding trips over into `IndexCorrupt`."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise IndexCorrupt(f"catalog.db: {what} is damaged ({reason}); rebuild with: rag index --rebuild") from error


def text_key(passage: Passage) -> str:
    """Return the key under which the vector of this passage's retrieval text is kept."""
    return hashlib.sha256(passage.retrieval_text.encode("utf-8", "surrogatepass")).hexdigest()


def to_passage(row: tuple[str, int, int, str, str, int, str, str], document: Document) -> Passage:
    """Decode a passage and cut it out of its document; raises `IndexCorrupt`."""
    id_, start, end, section, speaker, page, encoded, statements = row
    with decoding(f"passage {id_} of {document.uri}"):
        span = Span(start, end)
        stored = json.loads(encoded)
        flat, where = (stored["spans"], stored["places"]) if isinstance(stored, dict) else (stored, ())
        spans = tuple(Span(a, b) for a, b in zip(flat[::2], flat[1::2], strict=True))
        places = tuple(Place(*place) for place in where)
        own = (document.title, section, speaker, document.date, page)
        return Passage(id_, document.uri, span, span.of(document.text), *own, spans, places, _statements(statements))


def encoded_sentences(passage: Passage) -> str:
    """Encode the sentences of a passage, with their places where it has several."""
    flat = [offset for span in passage.sentences for offset in (span.start, span.end)]
    places = [(place.page, place.section) for place in passage.places]
    return json.dumps({"spans": flat, "places": places} if places else flat)


def encoded_statements(statements: Iterable[Statement]) -> str:
    """Encode who says what."""
    return json.dumps([(s.span.start, s.span.end, s.speaker) for s in statements])


def _statements(stored: str) -> tuple[Statement, ...]:
    return tuple(Statement(Span(start, end), speaker) for start, end, speaker in json.loads(stored))


def to_document(row: tuple[str, str, str, str, str, str, str]) -> Document:
    """Decode a document; raises `IndexCorrupt`."""
    with decoding(f"the document {row[0]}"):
        if not isinstance(row[1], str):
            raise TypeError("its text is no text")
        return with_layout(Document(*row[:6]), json.loads(row[6]))
