"""The HTTP server under the page: so many connections and no more, none that takes for ever, and an end in time."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from rag.app.ui import ending

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from fastapi import FastAPI

HEAD_SECONDS = 10.0  # that the head of a request may take to come
MOST_CONNECTIONS = 500
LEAST_CONNECTIONS = 20
OWN_HANDLES = 100  # of files, that are not connections
SAID_EVERY = 60.0  # s

_log = logging.getLogger(__name__)


class HttpConnection(H11Protocol):
    """One connection: closed when a request's head does not come in time, and at once where there are too many."""

    most = MOST_CONNECTIONS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a request."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Expect the rest of a request whose first bytes come; once its head is there, nothing more."""
        self._expect_request()
        super().data_received(data)
        if self._is_answering():
            self._expect_nothing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_nothing(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None

    def _expect_request(self) -> None:
        if self._deadline is None and not self._is_answering():
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        return cycle is not None and not cycle.response_complete


class Server(uvicorn.Server):
    """Prints a line once it can be reached, and tells work under way when it is to end."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        asyncio.get_running_loop().set_exception_handler(_Complaints())
        await super().startup(sockets)
        sys.stdout.write(self._ready)
        sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, and have work end."""
        ending.begin()
        super().handle_exit(sig, frame)


class _Complaints:
    """What goes wrong outside of requests; that no file handle is left is said once a minute, in a line."""

    def __init__(self) -> None:
        self._said = -SAID_EVERY

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in {errno.EMFILE, errno.ENFILE}:
            loop.default_exception_handler(context)
        elif time.monotonic() - self._said >= SAID_EVERY:
            self._said = time.monotonic()
            _log.warning("too many connections or open files: some have to wait (ulimit -n allows more)")


def run(app: FastAPI, listener: socket.socket, ready: str, proxy: str | None = None) -> None:
    """Serve an application until interrupted; print a line once it can be reached, and ended.

    `proxy` is the IP address whose word is taken for where a request came from; nobody's without it.
    """
    ending.no_longer()
    HttpConnection.most = most = _most_connections()
    config = uvicorn.Config(
        app,
        http=HttpConnection,
        ws="none",
        log_level="warning",
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        server_header=False,
        backlog=min(most, 128),
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):  # the usual way to end it
        Server(config, ready).run([listener])


def end_on_signals() -> None:
    """Let SIGTERM end the program as Ctrl-C does, from the first moment on."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _most_connections() -> int:
    """Return how many connections the file handles of this process allow for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS + OWN_HANDLES
    with suppress(ValueError, OSError):
        soft = max(soft, min(hard, wanted)) if hard != resource.RLIM_INFINITY else max(soft, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, (soft - OWN_HANDLES) // 2))
