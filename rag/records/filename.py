"""Words in a file's name: that of `sotu-2014-obama.txt` alone may say who spoke (dates: `language.published`)."""

from __future__ import annotations

import re

_PART = re.compile(r"[^\W\d_]+|\d+")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_EMPTY = frozenset(
    "and article attachment chapter copy dat data doc document download draft dsc edit entry export file final foo for"
    " image img index item message msg new note notes old page part pdf post scan screenshot section temp test text the"
    " tmp txt unnamed untitled version www".split()
)


def words_of_name(uri: str) -> str:
    """Return the words and years of a file's name, without its ending; nothing where it has no telling word.

    Args:
        uri: of a document; of one in an archive, that of the archive and its own name.
    """
    name = uri.rstrip("/").rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    parts: list[str] = _PART.findall(stem if dot else name)
    if len(parts) > 3 and sum(map(len, parts)) < 3 * len(parts):  # a hash: `3f9a-b27c`
        return ""
    telling = [part for part in parts if len(part) > 1 and part.isalpha() and part.lower() not in _EMPTY]
    kept = [part for part in parts if part in telling or _YEAR.fullmatch(part)]
    return " ".join(kept) if any(len(part) > 2 for part in telling) else ""
