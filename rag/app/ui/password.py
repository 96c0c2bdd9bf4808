"""The password that the page asks for: of everybody when it can be reached from other machines, else when one is set.

HTTP's own Basic authentication (RFC 7617): the browser asks, any user name will do. The password crosses the network as
it is; where others can listen, a proxy with TLS belongs in front.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import time
from typing import TYPE_CHECKING

from rag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHORTEST = 8
MOST_FAILURES = 10  # of one address, before it has to wait
WAIT = 60.0  # seconds
_MOST_ADDRESSES = 10_000  # remembered at once


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
    """Lets in who knows the password; an address that fails ten times in a minute waits for a minute."""

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._password = password.encode()
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}  # how many, and when the first of them was

    def must_wait(self, address: str) -> bool:
        """Tell whether an address has failed too often to be heard now."""
        count, since = self._failures.get(address, (0, 0.0))
        return count >= MOST_FAILURES and self._clock() - since < WAIT

    def admits(self, authorization: str, address: str) -> bool:
        """Tell whether the header holds the password; of one that does not, note the failure. An empty one is none."""
        if hmac.compare_digest(_given(authorization), self._password):
            return True
        if not authorization:
            return False
        now = self._clock()
        count, since = self._failures.get(address, (0, now))
        if now - since >= WAIT:
            count, since = 0, now
        if len(self._failures) >= _MOST_ADDRESSES:
            self._failures.pop(next(iter(self._failures)))
        self._failures[address] = (count + 1, since)
        return False


def _given(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
