"""The password that the page asks for: of everybody when it can be reached from other machines, else when one is set.

HTTP's own Basic authentication (RFC 7617): the browser asks, any user name will do. The password crosses the network as
it is; where others can listen, a proxy with TLS belongs in front.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from typing import TYPE_CHECKING

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHORTEST = 8
MOST_FAILURES = 10  # of one client, before it has to wait
MOST_IN_ALL = 100  # of all addresses together
WAIT = 60.0  # seconds
COOKIE = "rag-known"
_ALL = "all addresses"
_MOST_CLIENTS = 10_000  # remembered at once


def chosen_password(file: Path | None) -> str | None:
    """Return the first line of the file, or what is in RAG_PASSWORD, if either; raises `InputError`."""
    password = os.environ.get("RAG_PASSWORD")
    if file is not None:
        try:
            password = file.read_text("utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The password file {file} cannot be read ({error}).") from error
    if password is not None and len(password) < SHORTEST:
        raise InputError(f"The password is too short: choose {SHORTEST} characters or more.")
    return password


class Password:
    """Lets in who knows the password, and bounds how often it can be guessed: by a client, and by all together.

    A browser that was let in gets a cookie, and is counted by itself from then on: guesses of others, from the same
    address or from everywhere, never keep it out.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._password = password.encode()
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._failures: dict[str, tuple[int, float]] = {}  # of a client: how many, and when the first of them was

    def client(self, cookies: str, address: str) -> str:
        """Return whom a request is counted for: a browser that was let in before, else its address."""
        for cookie in cookies.split(";"):
            name, _, value = cookie.strip().partition("=")
            number, _, proof = value.partition(".")
            if name == COOKIE and hmac.compare_digest(proof.encode(), self._proof(number).encode()):
                return f"{COOKIE} {number}"
        return address

    def cookie(self) -> str:
        """Return the `Set-Cookie` for a browser that was just let in."""
        number = secrets.token_hex(8)
        return f"{COOKIE}={number}.{self._proof(number)}; HttpOnly; SameSite=Strict; Path=/"

    def must_wait(self, client: str) -> bool:
        """Tell whether a client has failed too often to be heard now, or all whom nobody knows together have."""
        known = client.startswith(COOKIE)
        return self._failed(client) >= MOST_FAILURES or (not known and self._failed(_ALL) >= MOST_IN_ALL)

    def admits(self, authorization: str, client: str) -> bool:
        """Tell whether the header holds the password; of one that does not, note the failure. An empty one is none."""
        if hmac.compare_digest(_given(authorization), self._password):
            return True
        if authorization:
            self._note(client)
            if not client.startswith(COOKIE):
                self._note(_ALL)
        return False

    def _failed(self, client: str) -> int:
        count, since = self._failures.get(client, (0, 0.0))
        return count if self._clock() - since < WAIT else 0

    def _note(self, client: str) -> None:
        now = self._clock()
        count, since = self._failures.pop(client, (0, now))
        if now - since >= WAIT:
            count, since = 0, now
        if len(self._failures) >= _MOST_CLIENTS:
            self._failures.pop(next(iter(self._failures)))
        self._failures[client] = (count + 1, since)

    def _proof(self, number: str) -> str:
        return hmac.digest(self._secret, number.encode(), "sha256").hex()


def _given(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
