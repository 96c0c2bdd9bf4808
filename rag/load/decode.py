"""Bytes into text, and how much of both a document may have: beyond it is a data set or a log, which nobody quotes.

Every offset of a citation counts from the text that is decided on here.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from rag.errors import Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.records import Document

LARGEST = 200_000_000
"""Bytes of a file."""

MOST_TEXT = 50_000_000
"""Characters of a document."""

_MOST_LINES = 1_000_000
_MOST_BLOCKS = 500_000  # of a document: to cut it into passages takes some minutes at most
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# UTF-32 first: its little-endian mark starts with that of UTF-16.
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
OLE = b"\xd0\xcf\x11\xe0"  # how old binary and encrypted office files start
_BINARY_STARTS = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"\x7fELF", OLE)
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_BYTES = bytes([*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
_MOST_CONTROL = 0.02  # of all characters: random bytes have 0.11, compressed ones no less than 0.05

# What people's files are in; the detector's rarer guesses are nearly always mistakes for one of these.
# Encodings of the Latin script differ in a few accented letters, which the detector cannot tell apart in a short text:
# the right one gives letters that all belong to one language. On a tie the first wins.
_LATIN = {
    "cp1252": ("àâæçèéêëîïôœùûüÿ", "áéíñóúü", "àáâãçéêíóôõúü", "äöüßé", "àèéìíòóùú", "åäöé", "æøåéä", "äëéèïöü"),
    "cp1254": ("çğıîöşüâûİ",),
    "cp1250": ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţșț", "čćđšž"),
    "cp1257": ("āčēģīķļņšūž", "ąčęėįšųūž", "äöõüšž"),
    "iso8859_2": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž"),
}
_OTHERS = ("cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949")
_SAMPLE = 100_000  # bytes that the detector sees
_TYPOGRAPHY = frozenset("“”‘’–—…•€£©®™°§«»\u00a0")
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][¡-©«-±²³´¶-¹»-¿×÷][^\W\d_]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def decode(data: bytes, uri: str, declared: str | None = None) -> str:
    """Return the text of a file exactly as it is written there, without byte order mark.

    The encoding that the file itself has `declared` is used where the bytes do not speak for themselves.
    Raises `Skipped` for bytes that are no text, or more lines than a document has.
    """
    text = None if data.startswith(_BINARY_STARTS) else _decode(data, declared)
    if text is None or len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text):
        raise Skipped(f"{uri}: holds binary data, not text; export it as text")
    _check_lines(uri, text)
    return storable(text)


def check_size(uri: str, size: int) -> None:
    """Raise `Skipped` for a file of more bytes than one may have."""
    if size > LARGEST:
        raise Skipped(f"{uri}: {size / 1e6:.0f} MB is more than the {LARGEST / 1e6:.0f} MB of a document; split it")


def check_text(document: Document) -> None:
    """Raise `Skipped` for a document without text, or with more of it than one may have."""
    uri, text = document.uri, document.text
    if not text.strip():
        raise Skipped(f"{uri}: has no text; nothing to index")
    _check(uri, len(text), MOST_TEXT, "characters")
    _check(uri, len(document.blocks), _MOST_BLOCKS, "paragraphs or rows")
    _check_lines(uri, text)


def _check_lines(uri: str, text: str) -> None:
    _check(uri, sum(map(text.count, _LINE_ENDS)), _MOST_LINES, "lines")


def _check(uri: str, count: int, most: int, what: str) -> None:
    if count > most:
        raise Skipped(f"{uri}: holds {count:,} {what}, more than {most:,}; split it")


def storable(text: str) -> str:
    """Replace what neither SQLite nor JSON can keep (NUL, half of a surrogate pair); the length stays."""
    return _UNSTORABLE.sub("\ufffd", text)


def _decode(data: bytes, declared: str | None) -> str | None:
    if (text := wide(data)) is not None:
        return text
    if len(data) - len(data.translate(None, _CONTROL_BYTES)) > _MOST_CONTROL * len(data):
        return None
    encodings = ["iso2022_jp" if b"\x1b$" in data else "utf-8", *([declared] if declared else [])]
    strict = (_strictly(data, encoding) for encoding in encodings)
    return next((text for text in strict if text is not None), None) or _damaged_utf8(data) or _legacy(data)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def wide(data: bytes) -> str | None:
    """Read what has a mark, and UTF-16 without one, by the NULs beside its spaces and line ends; None for all else."""
    for mark, encoding in _BOMS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    for high, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        nuls, others = data[high::2].count(0), data[1 - high :: 2].count(0)
        if nuls * 20 > len(data) // 2 and others * 50 <= nuls and len(data) % 2 == 0:
            return _strictly(data, encoding)
    return None


def _damaged_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = len(text) - broken - sum(map(str.isascii, text))
    return text if sound >= 3 * broken else None


def _legacy(data: bytes) -> str:
    rough = data.decode("cp1252", "replace")
    accented = sum(not char.isascii() and char not in _TYPOGRAPHY for char in rough)
    # In mostly ASCII text the detector has too little to go on, and no other script is mostly ASCII.
    if accented * 25 <= sum(map(str.isalpha, rough)):
        return _latin(data)
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=[*_LATIN, *_OTHERS], enable_fallback=False).best()
    return data.decode(best.encoding, "replace") if best and best.encoding in _OTHERS else _latin(data)


def _latin(data: bytes) -> str:
    """Decode Latin script by the encoding whose accented letters agree best with one language."""
    read = {encoding: _strictly(data, encoding) for encoding in _LATIN}
    scores = {encoding: _agreement(text, _LATIN[encoding]) for encoding, text in read.items() if text is not None}
    best = max(scores, key=scores.__getitem__, default="cp1252")
    return data.decode(best, "replace")


def _agreement(text: str, languages: Sequence[str]) -> float:
    """Return the share of accented letters that one language has; a symbol inside a word is a letter gone wrong."""
    letters = [char for char in text if not char.isascii() and char.isalpha()]
    wrong = len(_SYMBOL_IN_WORD.findall(text))
    known = max(sum(char in language or char.lower() in language for char in letters) for language in languages)
    return known / (len(letters) + wrong) if letters or wrong else 1.0
