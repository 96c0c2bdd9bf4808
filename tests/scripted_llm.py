"""A server on loopback that speaks OpenAI's chat protocol and says what a test tells it to say."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Script:
    """What the server does with a request, and what it was sent."""

    act: Callable[[BaseHTTPRequestHandler], None]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(act: Callable[[BaseHTTPRequestHandler], None], port: int = 0) -> Iterator[Script]:
    """Run a server for as long as the block lasts; port 0 takes a free one."""
    script = Script(act)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.requests.append(json.loads(body or b"{}"))
            script.headers.append(dict(self.headers))
            script.act(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def event(text: str | None, end: str | None = None) -> bytes:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": end}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def says(text: str, *, ends: bool = True, hangs: float = 0.0) -> Callable[[BaseHTTPRequestHandler], None]:
    """Stream a text in small pieces; without an end the connection is closed in the middle."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        start(handler, "text/event-stream")
        for place in range(0, len(text), 7):
            handler.wfile.write(event(text[place : place + 7]))
        handler.wfile.flush()
        time.sleep(hangs)
        if ends:
            handler.wfile.write(event(None, "stop") + b"data: [DONE]\n\n")

    return act


def answers(
    status: int, body: str, kind: str = "text/html", **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with a status and a body."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        start(handler, kind, status, **headers)
        handler.wfile.write(body.encode())

    return act


def lists(
    told: dict[str, Any], act: Callable[[BaseHTTPRequestHandler], None]
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with JSON what is asked for at these paths, and act otherwise."""

    def either(handler: BaseHTTPRequestHandler) -> None:
        if handler.path in told:
            answers(200, json.dumps(told[handler.path]), "application/json")(handler)
        elif handler.path.endswith("/chat/completions"):
            act(handler)
        else:
            answers(404, "nothing here")(handler)

    return either


def start(handler: BaseHTTPRequestHandler, kind: str, status: int = 200, **headers: str) -> None:
    """Send the head of a response; the connection is closed after it."""
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Connection": "close", **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = True
