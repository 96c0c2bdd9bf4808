"""Every call by which a process changes files is seen before the kernel does it: recorded, refused, or the last one.

The process asks the kernel itself (seccomp, user notification) to tell another one of these calls and to wait for its
decision. So nothing passes unseen, whichever library or thread it comes from, and the product needs no hooks for tests.
Linux 5.5 and later, x86-64.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import multiprocessing
import os
import platform
import select
import signal
import struct
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import reduction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

FORKS = multiprocessing.get_context("forkserver")  # a process of its own for each run, without 0.7 s of imports
FORKS.set_forkserver_preload(
    ["faiss", "tantivy", "tqdm", "rag.app.cli", "rag.store.local", "rag.library", "rag.load", "rag.sync", __name__]
)

needed = pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() != "x86_64", reason="the numbers of system calls are of x86-64"
)

KILL = -1
"""What `watched` may be told in place of an error's number: the process ends before the call is done."""

_NUMBERS = {
    "open": 2, "openat": 257, "creat": 85, "write": 1, "pwrite64": 18, "writev": 20, "sendfile": 40,
    "fsync": 74, "fdatasync": 75, "ftruncate": 77, "rename": 82, "renameat": 264,
    "renameat2": 316, "unlink": 87, "unlinkat": 263, "rmdir": 84, "mkdir": 83, "mkdirat": 258, "link": 86,
    "linkat": 265, "flock": 73,
}  # fmt: skip
_NAMES = {number: name for name, number in _NUMBERS.items()}
_AT_CWD = -100
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
_SET_FILTER, _NEW_LISTENER, _SECCOMP, _NO_NEW_PRIVILEGES = 1, 8, 317, 38
_LOAD, _IF_EQUAL, _RETURN, _ALLOW, _NOTIFY = 0x20, 0x15, 0x06, 0x7FFF0000, 0x7FC00000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class Call:
    """One call: open, write, sync, truncate, rename, unlink, rmdir, mkdir, link or lock.

    `flags` are of open, `at` is the offset of a write or the size after a truncation, `other` the new name.
    """

    kind: str
    path: str
    other: str = ""
    flags: int = 0
    at: int = 0
    data: bytes = b""

    @property
    def changes(self) -> bool:
        """Whether it may change files, or make them last."""
        return self.kind != "lock" and (self.kind != "open" or bool(self.flags & _WRITING))


def watched(folder: Path, decide: Callable[[Call], int], work: Callable[..., object], *args: object) -> int | None:
    """Run work in a process of its own and return its exit code.

    `decide` is asked about each call on something below the folder: 0 lets it happen, an error's number refuses it,
    and `KILL` ends the process before it.
    """
    ours, theirs = FORKS.Pipe()
    process = FORKS.Process(target=_run, args=(theirs, work, args))
    process.start()
    theirs.close()
    with ours:
        listener = reduction.recv_handle(ours)
    try:
        _serve(listener, process.pid or 0, str(folder), decide)
    finally:
        os.close(listener)
    process.join()
    return process.exitcode


def _run(pipe: Connection, work: Callable[..., object], args: tuple[object, ...]) -> None:
    listener = _listener()
    reduction.send_handle(pipe, listener, None)  # the process is needed on Windows only
    os.close(listener)
    pipe.close()
    raise SystemExit(work(*args))


def _listener() -> int:
    """Ask the kernel to tell of the calls of this process and of all that it starts; return where it tells."""
    steps = [(_LOAD, 0, 0, 0)]
    steps += [(_IF_EQUAL, len(_NAMES) - place, 0, number) for place, number in enumerate(_NAMES)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOTIFY)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    listener = int(system.syscall(_SECCOMP, _SET_FILTER, _NEW_LISTENER, program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no seccomp with notifications")
    return listener


def _serve(listener: int, process: int, folder: str, decide: Callable[[Call], int]) -> None:
    ready = select.poll()
    ready.register(listener, select.POLLIN)
    while ready.poll()[0][1] & select.POLLIN:
        told = bytearray(80)
        try:
            fcntl.ioctl(listener, _RECEIVE, told)
        except FileNotFoundError:  # it was ended meanwhile
            continue
        number, task, _, which, _, _, *values = struct.unpack("QIIiIQ6Q", told)
        try:
            call = _call(_NAMES[which], task, values)
        except (FileNotFoundError, ProcessLookupError):  # the same, while its memory was being read
            if Path(f"/proc/{task}").exists():
                raise
            continue
        inside = call is not None and any(f"{name}/".startswith(f"{folder}/") for name in (call.path, call.other))
        decided = decide(call) if call and inside else 0
        if decided == KILL:
            os.kill(process, signal.SIGKILL)
            continue
        answer = struct.pack("QqiI", number, 0, -decided, 0 if decided else _CONTINUE)
        with suppress(FileNotFoundError):
            fcntl.ioctl(listener, _SEND, bytearray(answer))


def _call(name: str, task: int, values: list[int]) -> Call | None:
    """Read what a task asks for out of its memory; None where that is no file."""
    kind = name.removesuffix("2").removesuffix("at").removesuffix("64")
    signed = [value - (1 << 32) if value & 0x80000000 and value < (1 << 32) else value for value in values]
    if name.endswith(("at", "at2")):
        first, rest = signed[0], values[1:]
    else:
        first, rest = _AT_CWD, values
    if kind in {"open", "creat"}:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC if kind == "creat" else rest[1]
        return Call("open", _path(task, first, rest[0]), flags=flags)
    if kind in {"rename", "link"}:
        second, new = (signed[2], values[3]) if name.endswith(("at", "at2")) else (_AT_CWD, values[1])
        return Call(kind, _path(task, first, rest[0]), _path(task, second, new))
    if kind == "unlink" and name == "unlinkat":
        return Call("rmdir" if values[2] else "unlink", _path(task, first, rest[0]))
    if kind in {"unlink", "rmdir", "mkdir"}:
        return Call(kind, _path(task, first, rest[0]))
    return _call_on_open_file(name, task, values)


def _call_on_open_file(name: str, task: int, values: list[int]) -> Call | None:
    descriptor = values[0]
    path = _link(task, f"fd/{descriptor}")
    if not path.startswith("/"):
        return None  # a pipe or a socket
    if name in {"fsync", "fdatasync"}:
        return Call("sync", path)
    if name == "ftruncate":
        return Call("truncate", path, at=values[1])
    if name == "flock":
        return Call("lock", path)
    if name == "pwrite64":
        return Call("write", path, at=values[3], data=_memory(task, values[1], values[2]))
    if name == "write":
        data = _memory(task, values[1], values[2])
    elif name == "writev":
        parts = struct.iter_unpack("QQ", _memory(task, values[1], 16 * values[2]))
        data = b"".join(_memory(task, start, size) for start, size in parts)
    else:  # sendfile: from another file
        source = values[1]
        start = struct.unpack("Q", _memory(task, values[2], 8))[0] if values[2] else _offset(task, source)
        with open(_link(task, f"fd/{source}"), "rb") as file:  # noqa: PTH123
            data = os.pread(file.fileno(), values[3], start)
    return Call("write", path, at=_offset(task, descriptor), data=data)


def _memory(task: int, start: int, size: int) -> bytes:
    with open(f"/proc/{task}/mem", "rb", buffering=0) as file:  # noqa: PTH123
        return os.pread(file.fileno(), size, start)


def _path(task: int, folder: int, start: int) -> str:
    name = os.fsdecode(_memory(task, start, 4096 - start % 4096).partition(b"\0")[0])  # to the end of a page
    if len(name) == 4096 - start % 4096:
        name = os.fsdecode(_memory(task, start, 4096).partition(b"\0")[0])
    return os.path.normpath(os.path.join(_link(task, "cwd" if folder == _AT_CWD else f"fd/{folder}"), name))  # noqa: PTH118


def _link(task: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{task}/{name}")  # noqa: PTH115
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.EBADF}:
            raise
        return ""


def _offset(task: int, descriptor: int) -> int:
    with open(f"/proc/{task}/fdinfo/{descriptor}", encoding="ascii") as file:  # noqa: PTH123
        found = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    if int(found["flags"], 8) & os.O_APPEND:
        return os.stat(f"/proc/{task}/fd/{descriptor}").st_size  # noqa: PTH116
    return int(found["pos"])
