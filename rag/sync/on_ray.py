"""Workers of a Ray cluster: two stages of Ray Data, files -> passages and texts -> vectors, each a pool of actors.

Files are read here and sent, so that the cluster needs no folder in common with this machine; what comes back is kept
by the one writer, here. What a machine was doing when it died is done again on another, by Ray.

Ray itself is in a process beside this one (`main`). It leads a process group with all of Ray's own processes of this
machine, so that one signal ends them all, however this one ends.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import secrets
import socket
import threading
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Self

from rag.errors import InputError, RagError
from rag.load.child import Child, ChildLost
from rag.load.worker import end_with, receive, send
from rag.sync.workers import Served, answered, received

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rag.errors import LoadError
    from rag.models.encoder import Embedder
    from rag.sync.workers import Cut, Encoded, File

_FILES, _BYTES = 5_000, 256_000_000  # of one job: they fit into Ray's memory, and the start of its actors hardly counts
_BATCHES = 1_000  # of texts, likewise
_TOGETHER = 8  # files that go to a worker at once
_FOR_EVER, _SOON = 1_000_000, 3.0  # seconds that a call may take, as Ray has limits of its own; and to leave a cluster


class OnRay:
    """Workers on Ray. Use it as a context manager: it leaves the cluster, or ends one that it began.

    Args:
        where: `ray` for the cluster that RAY_ADDRESS names, or else one of this machine alone, made for the run;
            `ray://HOST:PORT` for one whose head has this address, and which this machine is a part of.
        encoder: known to the other machines by its name.

    Raises:
        InputError: Ray is not installed, or no cluster answers there.
    """

    def __init__(self, where: str, encoder: Embedder) -> None:
        if importlib.util.find_spec("ray") is None:
            raise InputError("--workers ray needs Ray: pip install 'rag[ray]'")
        address = where.removeprefix("ray").removeprefix("://") or os.environ.get("RAY_ADDRESS") or "local"
        self._child = Child(__name__, address, encoder.name, encoder.fingerprint)
        try:
            self._ask("join")
        except BaseException:  # Ctrl-C as well: half a cluster would stay
            self._child.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            with suppress(ChildLost):  # a cluster elsewhere is told; one of this machine ends anyway
                self._child.ask({"do": "leave"}, b"", _SOON)
        self._child.stop()

    def cut(self, files: Iterable[File]) -> Iterator[tuple[str, Cut | LoadError]]:
        """Yield the URI of each file, in order, with its document and passages, or with the reason for having none."""
        for part in _parts(files):
            # All at once, for what is yielded may be embedded before the next comes, and needs the same processors.
            found = list(self._done("cut", part))
            yield from zip([file.uri for file in part], found, strict=True)

    def embed(self, batches: Iterable[Sequence[str]]) -> Iterator[Encoded]:
        """Yield what `embed_with_words` returns for each batch of texts, in order; raises `ModelError`."""
        all_batches = iter(batches)
        while part := list(islice(all_batches, _BATCHES)):
            yield from self._done("embed", part)

    def _done(self, what: str, given: Sequence[object]) -> Iterator[Any]:
        """Yield what a worker's method returns for each of these, in order."""
        self._ask(what, pickle.dumps([pickle.dumps(each) for each in given]))
        while (answers := self._ask("next")) is not None:
            yield from map(received, answers)

    def _ask(self, what: str, data: bytes = b"") -> Any:  # noqa: ANN401 - what the other process returns
        try:
            return received(self._child.ask({"do": what}, data, _FOR_EVER)[1])
        except ChildLost as lost:
            raise RagError(f"Ray gave up: the process that asks it {lost}; run it again, or with --workers 2") from None


def main(descriptor: str, address: str, model: str, fingerprint: str) -> None:
    """Be the process that asks Ray, until the owner is gone or closes the pipe (open as this descriptor)."""
    pipe = Connection(int(descriptor))
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    driver = _Driver(address, model, fingerprint)
    while True:
        try:
            header, data = receive(pipe)
        except EOFError:
            return
        send(pipe, {}, answered(lambda: driver.do(header["do"], data)))  # noqa: B023 - called at once


class _Driver:
    """What is asked of Ray."""

    def __init__(self, address: str, *made_of: str) -> None:
        self._address, self._made_of = address, made_of
        self._answers: Iterator[list[bytes]] = iter(())

    def do(self, what: str, data: bytes) -> list[bytes] | None:
        """Join or leave the cluster, begin to cut or to embed, or return the next answers, None at the end."""
        if what == "join":
            _join(self._address)
        elif what == "leave":
            import ray

            ray.shutdown()
        elif what == "next":
            return next(self._answers, None)
        else:
            self._answers = self._done(what, pickle.loads(data))  # noqa: S301 - of this program
        return None

    def _done(self, what: str, requests: Sequence[bytes]) -> Iterator[list[bytes]]:
        """Yield the answers of workers to these requests, in order; so many go to a worker at once."""
        import pyarrow as pa
        import ray.data

        together = _TOGETHER if what == "cut" else 1
        blocks = [requests[start : start + together] for start in range(0, len(requests), together)]
        there = ray.cluster_resources()
        needs = {"num_cpus": 1} | ({"num_gpus": 1} if what == "embed" and there.get("GPU") else {})
        most = int(min(there.get("GPU" if "num_gpus" in needs else "CPU", 1), len(blocks)))
        done = ray.data.from_arrow([pa.table({"request": block}) for block in blocks]).map_batches(
            _Actor,
            fn_constructor_args=(what, *self._made_of),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
            **needs,
        )
        try:
            for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
                yield batch["answer"].to_pylist()
        except ray.exceptions.RayError as error:
            last = str(error).strip().rpartition("\n")[2]
            raise RagError(f"Ray gave up: {last}; is rag[ray] installed on all machines of the cluster?") from error


class _Actor:
    """What Ray keeps on another machine: a worker, and what it is for."""

    def __init__(self, what: str, model: str, fingerprint: str) -> None:
        self._what, self._served = what, Served(model, fingerprint)

    def __call__(self, batch: Any) -> Any:  # noqa: ANN401 - tables of pyarrow, which has no types
        import pyarrow as pa

        answers = [self._served.answer(self._what, request) for request in batch["request"].to_pylist()]
        return pa.table({"answer": pa.array(answers, pa.large_binary())})


def _join(address: str) -> None:
    """Become part of a cluster, or begin one of this machine; raises `InputError`.

    Ray tells nobody of itself, and a cluster of this machine, whose ports are open to the network, admits nobody else.
    """
    host, colon, port = address.rpartition(":")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == "local":
        own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        os.environ |= own | {"RAY_process_group_cleanup_enabled": "0"}  # or each worker would lead a group of its own
    try:
        if colon:  # Ray itself tries for ten minutes
            socket.create_connection((host, int(port)), timeout=5).close()
        import ray.data  # reads the environment

        ray.init(address, include_dashboard=None if colon else False, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        what = str(error).strip().partition("\n")[0]
        raise InputError(f"no Ray cluster at {address} ({what}); give the address that ray start printed") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # there are our own
    context.execution_options.preserve_order = True


def _parts(files: Iterable[File]) -> Iterator[list[File]]:
    """Divide files among executions."""
    part: list[File] = []
    size = 0
    for file in files:
        part.append(file)
        size += len(file.data)
        if len(part) == _FILES or size > _BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
