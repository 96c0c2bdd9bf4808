"""A Milvus Lite server in a process of its own: it can be killed, and started again over the same folder."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.store.system_calls import watched

if TYPE_CHECKING:
    from collections.abc import Iterator

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
