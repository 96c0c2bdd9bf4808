"""The key of a page that only this machine reaches: without one, every other user of the machine could read it.

A random token, in the address that is printed and in a file of the index that only its owner can read. A browser shows
it once, and keeps it as a cookie; a program sends it with each request, as `Authorization: Bearer TOKEN`.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHORTEST = 16
FILE = "token"
"""Its name in the index's folder."""

_DAYS = 30  # that a browser keeps the cookie


def kept_token(folder: Path) -> str:
    """Return what is in RAG_TOKEN, else the token of an index's folder: made for the first page, and then kept.

    So an address, and a page that is open, work again after a restart. Raises `InputError` for a short RAG_TOKEN.
    """
    given = os.environ.get("RAG_TOKEN")
    if given is not None:
        if len(given) < SHORTEST or not given.isalnum() or not given.isascii():
            raise InputError(f"RAG_TOKEN has to be {SHORTEST} or more letters and digits.")
        return given
    file = folder / FILE
    if (kept := _read(file)) and len(kept) >= SHORTEST:
        return kept
    made = secrets.token_hex(24)
    with suppress(OSError):  # an index that can only be read: the token is in the printed address alone
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # whoever has the old one open must not read the new one
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(f"{made}\n")
    return made


def _read(file: Path) -> str | None:
    """Return what the file holds, if nobody else can have read or written it."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW)) as opened:
            found = os.fstat(opened.fileno())
            private = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
            return opened.read(200).strip() if private else None
    except (OSError, UnicodeDecodeError):
        return None


class Token:
    """Tells who has the token. Browsers keep cookies by host without port, so a cookie's name holds the port."""

    def __init__(self, token: str) -> None:
        self._token = token

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request has it, as its cookie or in its header for programs."""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and self._is(credentials.strip()):
            return True
        cookies = SimpleCookie()
        with suppress(CookieError):
            cookies.load(headers.get("cookie", ""))
        found = cookies.get(_cookie_name(headers))
        return found is not None and self._is(found.value)

    def in_address(self, query: str) -> str | None:
        """Return the query without the token, where it holds the right one; else None."""
        parts = parse_qsl(query, keep_blank_values=True)
        given = [value for name, value in parts if name == FILE]
        if not any(map(self._is, given)):
            return None
        return urlencode([(name, value) for name, value in parts if name != FILE])

    def cookie(self, headers: Mapping[str, str]) -> str:
        """Return the `Set-Cookie` for whoever came with the token in the address."""
        seconds = _DAYS * 24 * 60 * 60
        return f"{_cookie_name(headers)}={self._token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}"

    def _is(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _cookie_name(headers: Mapping[str, str]) -> str:
    port = headers.get("host", "").rpartition(":")[2]
    return f"rag-{port}" if port.isdecimal() and port.isascii() else "rag"
