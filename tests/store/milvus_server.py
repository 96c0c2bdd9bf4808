"""A Milvus Lite server in a process of its own: it can be killed, and started again over the same folder."""

from __future__ import annotations

import asyncio
import errno
import importlib
import importlib.util
import math
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.store.system_calls import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.store.system_calls import Call

START = (
    "import sys; from milvus_lite.adapter.grpc.server import run_server; "
    "run_server(sys.argv[1], '127.0.0.1', int(sys.argv[2]), 1)"
)
"""What `milvus-lite server --max-workers 1` does, without a warning about the address."""


def run(folder: str, port: int, mark: str) -> None:
    """Be the server, in a process whose number is left in a file."""
    Path(mark).write_text(str(os.getpid()), "ascii")
    importlib.import_module("milvus_lite.adapter.grpc.server").run_server(folder, "127.0.0.1", port, 1)


class SmallDisk:
    """Another server, whose folder takes only so many bytes more: `left`. Skips as `ServerProcess` does."""

    def __init__(self, folder: Path) -> None:
        _skip_where_missing()
        self.left = math.inf
        self._folder = folder
        self.port = _free_port()
        self._thread: threading.Thread | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(exist_ok=True)
        arguments = (self._folder, self._decide, run, str(self._folder), self.port, str(self._mark))
        self._thread = threading.Thread(target=watched, args=arguments, daemon=True)
        self._thread.start()
        _wait_for(self.port)

    @property
    def _mark(self) -> Path:
        return self._folder.with_suffix(".pid")

    def _decide(self, call: Call) -> int:
        self.left -= len(call.data)
        return errno.ENOSPC if self.left < 0 and call.kind in {"write", "mkdir"} else 0

    def kill(self) -> None:
        """Kill it with SIGKILL, and wait until it is gone."""
        if self._thread is not None:
            os.kill(int(self._mark.read_text("ascii")), signal.SIGKILL)
            self._thread.join()
            self._thread = None


@contextmanager
def tls_in_front_of(port: int, certificates: Path) -> Iterator[int]:
    """Give a port that speaks TLS for one that does not, and leave in a file whose signature to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(certificates))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])  # gRPC asks for HTTP/2 by it
    authority.issue_cert("localhost").configure_cert(context)
    ready: Future[tuple[int, Callable[[], object]]] = Future()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copied(reader, behind[1]), _copied(behind[0], writer))

    async def serve() -> None:
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(between, "127.0.0.1", 0, ssl=context)
        ready.set_result((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(done.set)))
        await done.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    own, stop = ready.result()
    try:
        yield own
    finally:
        stop()
        thread.join()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _skip_where_missing() -> None:
    missing = [name for name in ("pymilvus", "milvus_lite") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: pip install 'rag[dev]'")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(1_200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the Milvus server did not start within a minute")


class ServerProcess:
    """The server, once started. Skips the test where Milvus Lite is not installed."""

    def __init__(self, folder: Path) -> None:
        _skip_where_missing()
        self._folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = 0
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(exist_ok=True)
        with self._folder.with_suffix(".log").open("ab") as log:
            command = [sys.executable, "-c", START, str(self._folder), str(self.port)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        _wait_for(self.port)

    def kill(self) -> None:
        """Kill it with SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it stand still, as one that has too much to do."""
        if self._process is None:
            raise RuntimeError("not started")
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def place(self) -> str:
        """Return the address of a collection that nobody has used."""
        self._names += 1
        return f"milvus://127.0.0.1:{self.port}/test_{self._names}"
