"""A process of this package beside this one: asked over a pipe, killed at will, and started anew when it is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any

from rag.load.worker import receive, send

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

_START = (
    "import json, sys; from importlib import import_module; sys.path[:] = json.loads(sys.argv[1]);"
    "import_module(sys.argv[2]).main(*sys.argv[3:])"
)


class ChildLost(Exception):  # noqa: N818 - says what happened, not that somebody erred
    """The process ended, or took too long and was ended; the text says which."""


class Child:
    """One process, started when it is needed.

    Args:
        module: whose `main` it runs, with the descriptor of its end of the pipe and then `arguments`.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._module, self._arguments = module, arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def ask(self, header: Mapping[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a header and bytes, and return those that come back; raises `ChildLost`."""
        process, pipe = self._running()
        try:
            return _answer(pipe, header, data, seconds)
        except (OSError, EOFError) as error:
            raise ChildLost(self._cause(process, late=isinstance(error, TimeoutError), seconds=seconds)) from None

    def _running(self) -> tuple[subprocess.Popen[bytes], Connection]:
        if self._process is None or self._pipe is None or self._process.poll() is not None:
            self._pipe, other = Pipe()
            # Isolated, so that no file in the working folder passes for a module; by itself, so that Ctrl-C does not
            # reach it and the owner decides; one thread for numpy, whose buffers would fill the memory it may have.
            path = [entry for entry in sys.path if entry] or [os.getcwd()]  # noqa: PTH109
            start = ["-I", "-c", _START, json.dumps(path), self._module, str(other.fileno()), *self._arguments]
            with other:
                self._process = subprocess.Popen(  # noqa: S603 - this same Python
                    [sys.executable, *start],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[other.fileno()],
                    start_new_session=True,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
                )
        return self._process, self._pipe

    def _cause(self, process: subprocess.Popen[bytes], *, late: bool, seconds: float) -> str:
        try:
            code = process.wait(0 if late else 1)  # it may be about to end, with a code that says more than a kill does
        except subprocess.TimeoutExpired:
            code = _kill(process)
        self.stop()
        if late or code == -signal.SIGXCPU:
            return f"took more than {seconds:.0f} s to read"
        if code < 0:
            return f"brought its reader down ({signal.Signals(-code).name})"
        return f"its reader gave up (exit {code})"

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process, self._pipe = self._process, None, None
        if process is not None:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> int:
    """End a process and those that it started, since it leads a group of its own; return its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it was faster
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _answer(pipe: Connection, header: Mapping[str, Any], data: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
    """Send a message and wait for the answer; raises TimeoutError, and OSError or EOFError when the process is gone."""
    send(pipe, header, data)
    while pipe.poll(seconds):
        outcome, content = receive(pipe)
        if "wait" not in outcome:
            return outcome, content
        seconds = outcome["wait"]  # for one page of many
    raise TimeoutError
