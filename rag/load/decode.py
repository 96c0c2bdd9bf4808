"""Bytes into text. Every offset of a citation counts from what is decided here."""

# ruff: noqa: RUF001 - the quotation marks and dashes that writers use

from __future__ import annotations

import codecs
import re

from rag.errors import Skipped

# UTF-32 first: its little-endian mark starts with that of UTF-16.
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BINARY_STARTS = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
    b"\x7fELF",
    b"\xd0\xcf\x11\xe0",
)
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_BYTES = bytes([*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
_MOST_CONTROL = 0.02  # of all characters: random bytes have 0.11, compressed ones no less than 0.05

# What people's files are in; the detector's rarer guesses are nearly always mistakes for one of these.
_LEGACY = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "koi8_r", "iso8859_2"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_SAMPLE = 100_000  # bytes that the detector sees
_TYPOGRAPHY = frozenset("“”‘’–—…•€£©®™°§«»\u00a0")
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][¡-©«-±²³´¶-¹»-¿×÷][^\W\d_]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def decode(data: bytes, uri: str, declared: str | None = None) -> str:
    """Return the text of a file exactly as it is written there, without byte order mark.

    Args:
        data: the bytes of the file.
        uri: names the file in the error.
        declared: the encoding that the file itself claims; used where the bytes do not speak for themselves.

    Raises:
        Skipped: the bytes are no text.
    """
    text = None if data.startswith(_BINARY_STARTS) else _decode(data, declared)
    if text is None or len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text):
        raise Skipped(f"{uri}: holds binary data, not text; export it as text")
    return storable(text)


def storable(text: str) -> str:
    """Replace what neither SQLite nor JSON can keep (NUL, half of a surrogate pair); the length stays."""
    return _UNSTORABLE.sub("\ufffd", text)


def _decode(data: bytes, declared: str | None) -> str | None:
    for mark, encoding in _BOMS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    wide = _wide(data)
    if wide:
        return wide
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


def _wide(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark by the NULs beside its spaces and line ends."""
    for high, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        nuls, others = data[high::2].count(0), data[1 - high :: 2].count(0)
        if nuls * 20 > len(data) // 2 and others * 50 <= nuls and len(data) % 2 == 0:
            return _strictly(data, encoding)
    return None


def _damaged_utf8(data: bytes) -> str | None:
    """Return UTF-8 with a few broken places, as a file that was cut off has."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    sound = len(text) - broken - sum(map(str.isascii, text))
    return text if sound >= 3 * broken else None


def _legacy(data: bytes) -> str:
    """Decode one of the encodings from before Unicode."""
    western = _strictly(data, "cp1252")
    if western is not None and _is_plain_western(western):
        return western
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=list(_LEGACY), enable_fallback=False).best()
    return data.decode(best.encoding if best else "cp1252", "replace")


def _is_plain_western(text: str) -> bool:
    """Tell whether cp1252 gives mostly ASCII with typographic quotation marks and the odd accented letter.

    Such text says too little for the detector, which then takes a neighbour (`£5` becomes `Ł5`).
    """
    special = [char for char in text if not char.isascii()]
    letters = sum(map(str.isalpha, text))
    accented = sum(char not in _TYPOGRAPHY for char in special)
    return accented * 25 <= letters and not _SYMBOL_IN_WORD.search(text)
