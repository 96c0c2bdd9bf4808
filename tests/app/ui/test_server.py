"""A real server: it ends in time and in order, bears slow and many clients, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from rag.app.cli import main
from rag.app.ui import ending, server
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PATIENT = httpx.Client(timeout=120)  # on a machine that has much else to do

SERVER = """
import sys
import threading
from rag.models.encoder import HashEmbedder
from rag.library import Library
from rag.app.ui import serve
from rag.app.ui.ending import leave
with Library.open(sys.argv[1], embedder=HashEmbedder()) as library:
    serve(library, port=0, with_token=False)
leave(0)
"""


@pytest.fixture
def store(tmp_path):
    (tmp_path / "a.txt").write_text("The crane fell into the water.\n")
    assert main(["index", str(tmp_path / "a.txt"), "--store", str(tmp_path / "index"), "--model", "hash"]) == 0
    return tmp_path / "index"


@contextmanager
def served(store, command=None, handles=None, **environment):
    """Serve an index; yields address and process. What it says on standard error is in `errors` beside the index."""
    (store.parent / "tmp").mkdir(exist_ok=True)
    known = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    command = command or [sys.executable, "-c", SERVER, str(store)]

    def limit():
        if handles:
            resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))

    with (
        (store.parent / "errors").open("w") as errors,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**known, "TMPDIR": str(store.parent / "tmp"), **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=limit,  # noqa: PLW1509 - before this process has threads of its own
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1], process
        finally:
            process.kill()


def said(store: Path) -> str:
    return (store.parent / "errors").read_text()


def handles_of(process) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def index(client, folder) -> None:
    """Have the page's call index an upload that keeps it busy for long."""
    words = "".join(f"The ledger of Quarnford has {n} entries about bells.\n\n" for n in range(30_000)).encode()
    path = client.post("/gradio_api/upload", files={"files": ("ledger.txt", words, "text/plain")}).json()[0]
    file = {"path": path, "orig_name": "ledger.txt", "meta": {"_type": "gradio.FileData"}}
    client.post("/gradio_api/call/index", json={"data": [[file]]}).raise_for_status()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_time_while_it_indexes_and_loads_models(store, sent):
    """The real encoder: it is being loaded, and then embeds, when the signal comes."""
    store_option = ["--store", str(store.with_name("real")), "--port", "0", "--no-token"]
    with (
        served(store, [sys.executable, "-m", "rag", "serve", *store_option]) as (url, process),
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        index(client, store)
        time.sleep(4)
        process.send_signal(sent)
        start = time.monotonic()
        code = process.wait(30)
        assert code in {0, 130}
        assert time.monotonic() - start < (5 if os.getloadavg()[0] < 2 else 15)  # a promise for a machine that is free
    assert "Traceback" not in said(store)
    assert "terminate called" not in said(store)
    assert not list((store.parent / "tmp").glob("rag-ui-*"))
    assert main(["index", str(store.parent / "a.txt"), *store_option[:2], "--model", "hash"]) == 0


def test_work_stops_with_its_next_step():
    ending.stop_if_ending("embedding", 1, 2)
    ending.begin()
    try:
        with pytest.raises(ending.Ended, match="The program ends"):
            ending.stop_if_ending("embedding", 2, 2)
    finally:
        ending.no_longer()
    ending.stop_if_ending("embedding", 2, 2)


def test_a_killed_server_leaves_uploads_only_until_the_next_start(store):
    temporary = store.parent / "tmp"
    with served(store) as (url, process):
        PATIENT.post(f"{url}/gradio_api/upload", files={"files": ("a.txt", b"secret words", "text/plain")})
        process.kill()
        process.wait()
    left = list(temporary.glob("rag-ui-*"))
    assert len(left) == 1
    with served(store), served(store):  # and one that runs keeps its own
        assert not left[0].exists()
        assert len(list(temporary.glob("rag-ui-*"))) == 2


def test_half_sent_requests_keep_nobody_out(store):
    with served(store) as (url, process), ExitStack() as opened:
        host, port = url.split("/")[2].split(":")
        half = [opened.enter_context(socket.create_connection((host, int(port)))) for _ in range(300)]
        for number, each in enumerate(half):
            each.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" if number % 2 else b"P")
        assert PATIENT.get(url).status_code == 200
        for each in half:
            each.settimeout(server.HEAD_SECONDS + 60)  # far more than it takes on an idle machine
            assert each.recv(100) == b""  # closed by the server
        assert handles_of(process) < 150


def test_a_connection_that_is_used_stays_open(monkeypatch):
    """In this process, with a shorter time: each request has it for itself, however long the connection is kept."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def answer(_):
        return PlainTextResponse("here")

    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    config = uvicorn.Config(Starlette(routes=[Route("/", answer)]), http=server.HttpConnection, log_level="error")
    running = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        try:
            host, port = listener.getsockname()
            with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
                connection.connect()
                connection.auto_open = 0  # fail where the connection was closed
                for _ in range(40):
                    connection.request("GET", "/")
                    assert connection.getresponse().read() == b"here"
                    time.sleep(0.05)
        finally:
            running.should_exit = True
            thread.join()


def test_a_body_that_never_comes_is_given_up(store, monkeypatch):
    """In this process, with a shorter time: half a body is answered 408."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from rag.app.ui import guard

    async def read(request):
        return PlainTextResponse(str(len(await request.body())))

    monkeypatch.setattr(guard, "CALL_SECONDS", 0.2)
    guarded = guard.Guard(Starlette(routes=[Route("/", read, methods=["POST"])]), store)
    answers = []

    async def ask():
        waiting = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive():
            return waiting.pop() if waiting else await asyncio.sleep(60)

        async def send(message):
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "client": ("127.0.0.1", 1)}
        await guarded({**scope, "headers": [(b"host", b"localhost"), (b"content-length", b"9")]}, receive, send)

    asyncio.run(asyncio.wait_for(ask(), 20))
    assert answers[0]["status"] == 408


def test_few_file_handles_are_borne_with_a_line(store):
    with served(store, handles=200) as (url, process):
        host, port = url.split("/")[2].split(":")
        many = [socket.create_connection((host, int(port))) for _ in range(400)]
        time.sleep(3)
        for each in many:
            each.close()
        time.sleep(2)
        assert PATIENT.get(url).status_code == 200
        assert process.poll() is None
    assert "Traceback" not in said(store)
    assert said(store).count("\n") <= 5


def test_nothing_describes_what_is_served(store):
    with served(store) as (url, _):
        for path in ("/openapi.json", "/gradio_api/openapi.json", "/docs", "/redoc", "/docs/"):
            assert PATIENT.get(url + path).status_code == 404, path
        assert "server" not in PATIENT.get(url).headers


def test_ten_thousand_fields_are_refused_in_a_word(store):
    with served(store) as (url, _):
        fields = [(f"field-{number}", (None, b"x")) for number in range(10_000)]
        answer = PATIENT.post(f"{url}/gradio_api/upload", files=fields)
        assert answer.status_code in {400, 413}
        assert len(answer.text) < 200
        parts = [("files", (f"{number}.txt", b"x")) for number in range(10_000)]
        assert PATIENT.post(f"{url}/gradio_api/upload", files=parts).status_code in {400, 413}
        assert PATIENT.get(url).status_code == 200
    assert "Traceback" not in said(store)


def test_nobody_says_for_another_where_he_asks_from(store):
    """Guesses with a forged X-Forwarded-For are all of one address."""
    password = store.with_name("password")
    password.write_text("correct horse battery")
    command = [sys.executable, "-m", "rag", "serve", "--store", str(store), "--port", "0", "--model", "hash"]
    with served(store, [*command, "--password-file", str(password)]) as (url, _):
        codes = [
            PATIENT.get(url, auth=("me", f"guess {n}"), headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
            for n in range(12)
        ]
    assert codes == [401] * 10 + [429] * 2


PINNED = """
import re, sys
from rag.app.ui.memory import give_back
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
taken = [bytes(60_000) + bytes([number % 256]) for number in range(5000)]  # 300 MB in pieces that C's heap keeps
taken = taken[-1:]  # the last holds the end of the heap where it is
before = resident()
give_back()
print(before, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc can do it")
def test_memory_is_given_back():
    run = subprocess.run([sys.executable, "-c", PINNED], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(float, run.stdout.split())
    assert before > 250
    assert after < before - 200
