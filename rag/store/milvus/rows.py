"""What the rows of the two collections hold, and how it is written into their fields.

`COLLECTION` has records: text by key. `COLLECTION_passages_N` has a row for each passage, searched by vector and by
terms. A document is a `head`, which names one version of it, and the pieces and passages of that version, whose keys
begin with it: whoever reads finds all of one version, and writing a version twice writes the same rows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rag.errors import FormatMismatch, StoreError
from rag.language.terms import terms
from rag.records import Passage, Place, Span, Statement
from rag.records.filters import folded_words
from rag.records.index import DocumentInfo, Recipe
from rag.store.encoding import decoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rag.records import Document

FORMAT = 1
_FIELD = 65_535  # bytes of a field at most
PIECE = 60_000  # bytes that are put into one
_LONGEST = 8_000  # bytes of a heading's or of speakers' words that are searched
_STAND_FOR = str.maketrans(".:", "__")  # a server without the tokenizer `whitespace` would split there


def packed(data: bytes) -> str:
    """Return bytes as a text that a field can hold."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def unpacked(text: str) -> bytes:
    """Return what was packed; raises ValueError or zlib.error for damage."""
    return zlib.decompress(base64.b64decode(text, validate=True))


def packed_json(value: object) -> str:
    """Return a value as a text that a field can hold; half a surrogate pair stays what it is."""
    return packed(json.dumps(value).encode("ascii"))


def cut(text: str) -> list[str]:
    """Cut an ASCII text into pieces that fit into a field."""
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def term_texts(words: Iterable[str]) -> str:
    """Return terms as the server's analyzer takes them apart again."""
    return " ".join(words).translate(_STAND_FOR)


@dataclass(frozen=True, slots=True)
class Meta:
    """What a collection says of itself.

    `epoch` numbers the passages' collection that counts: a rebuild fills the next one. `writer` names whoever is
    writing, and stays where it was killed. `terms` is the length of all passages together, of which `waiting` have no
    vector yet.
    """

    recipe: Recipe | None = None
    generation: int = 0
    epoch: int = 0
    passages: int = 0
    terms: int = 0
    waiting: int = 0
    writer: str = ""
    format: int = FORMAT

    @classmethod
    def parse(cls, value: str, place: str) -> Self:
        """Read the stored form; raises `FormatMismatch` for that of another version, and `IndexCorrupt`."""
        with decoding("what it says of itself", place):
            stored = json.loads(value)
            if stored["format"] != FORMAT:
                raise FormatMismatch(
                    f"the index at {place} has format {stored['format']}, this program needs {FORMAT}; "
                    "fill a new collection with: rag index FOLDER"
                )
            recipe = stored.pop("recipe")
            return cls(Recipe(**recipe) if recipe else None, **stored)

    def to_json(self) -> str:
        """Return the form in which it is stored."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Head:
    """A document's entry: which version of it counts, and what is said of it without reading it.

    Attributes:
        info: its line in the list of documents.
        version: hash of its text, its layout and its passages.
        pieces: number of records that hold it.
        terms: number of terms of its passages together.
        waiting: number of its passages without a vector.
        mean: direction of the mean of its vectors, where it has several.
        before: the version that it replaced, with its numbers of passages and of pieces.
        generation: in which it was written.
    """

    info: DocumentInfo
    version: str
    pieces: int
    terms: int
    waiting: int
    mean: bytes | None = None
    before: tuple[str, int, int] | None = None
    generation: int = field(default=0, compare=False)

    @property
    def document(self) -> str:
        """The document's part of keys."""
        return document_key(self.info.uri)

    @property
    def present(self) -> tuple[str, int, int]:
        """This version, with its numbers of passages and of pieces."""
        return self.version, self.info.passages, self.pieces

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> Self:
        """Read the stored form; raises `IndexCorrupt`."""
        with decoding(f"the entry {row['key']}", "the collection"):
            stored = json.loads(unpacked(row["value"]))
            info, mean, before = DocumentInfo(**stored.pop("info")), stored.pop("mean"), stored.pop("before")
            return cls(
                info,
                mean=None if mean is None else base64.b64decode(mean),
                before=tuple(before) if before else None,
                generation=row["generation"],
                **stored,
            )

    def to_value(self) -> str:
        """Return the form in which it is stored."""
        stored = asdict(self)
        del stored["generation"]
        stored["mean"] = None if self.mean is None else base64.b64encode(self.mean).decode("ascii")
        return packed_json(stored)


def document_key(uri: str) -> str:
    """Return the part of a key that stands for a document."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def head_key(epoch: int, document: str) -> str:
    """Return the key of a document's head."""
    return f"head:{epoch}:{document}"


def piece_keys(epoch: int, document: str, version: str, count: int) -> list[str]:
    """Return the keys of the records that hold a version of a document."""
    return [f"piece:{epoch}:{document}:{version}:{number}" for number in range(count)]


def passage_keys(document: str, version: str, count: int) -> list[str]:
    """Return the keys of the passages of a version of a document, in the order of its text."""
    return [f"{document}:{version}:{number:07d}" for number in range(count)]


def version_of(document: bytes, passages: Iterable[str]) -> str:
    """Return the name of a version, from all that is stored of it but vectors."""
    found = hashlib.sha256(document)
    for passage in passages:
        found.update(passage.encode("ascii"))
    return found.hexdigest()[:16]


def passage_value(passage: Passage) -> str:
    """Return all that a passage is as a text; where that is too long for a field, its own text is left out of it."""
    value = _passage_value(passage, passage.text)
    return value if len(value) <= _FIELD else _passage_value(passage, None)


def _passage_value(p: Passage, text: str | None) -> str:
    own = {name: getattr(p, name) for name in ("id", "uri", "text", "title", "section", "speaker", "date", "page")}
    spans = [p.span, *p.sentences]
    value = packed_json(
        {
            **own,
            "text": text,  # in its place, for versions are named by these bytes
            "spans": [(span.start, span.end) for span in spans],
            "places": [(place.page, place.section) for place in p.places],
            "statements": [(said.span.start, said.span.end, said.speaker) for said in p.statements],
        }
    )
    if text is None and len(value) > _FIELD:
        raise StoreError(f"a passage of {p.uri} is too long for a Milvus server ({len(value)} bytes); keep it locally")
    return value


def passage_from(value: str, whole: Callable[[], str]) -> Passage:
    """Return the passage that `passage_value` wrote; `whole` gives the document's text. Raises `IndexCorrupt`."""
    with decoding("a passage", "the collection"):
        stored = json.loads(unpacked(value))
        span, *sentences = (Span(*each) for each in stored.pop("spans"))
        stored["text"] = span.of(whole()) if stored["text"] is None else stored["text"]
        return Passage(
            span=span,
            sentences=tuple(sentences),
            places=tuple(Place(*place) for place in stored.pop("places")),
            statements=tuple(Statement(Span(a, b), who) for a, b, who in stored.pop("statements")),
            **stored,
        )


def searched_fields(passage: Passage, document: Document) -> dict[str, Any]:
    """Return the fields by which a passage is found and filtered."""
    speakers = dict.fromkeys(said.speaker for said in passage.statements if said.speaker)
    return {
        "id": passage.id,
        "uri": _fitting(passage.uri, 16_000),
        "kind": _fitting(document.media_type, 200),
        "date": passage.date or "",
        "section": _fitting(folded_words(passage.section or ""), _LONGEST),
        "speaker": _fitting(" ".join(map(folded_words, speakers)), _LONGEST),
        "terms": _fitting(term_texts(terms(passage.retrieval_text)), 65_000),
    }


def _fitting(text: str, most: int) -> str:
    """Return a text in valid UTF-8 of so many bytes at most."""
    data = text.encode("utf-8", "replace")
    return text if len(data) == len(text) <= most else data[:most].decode("utf-8", "ignore")
