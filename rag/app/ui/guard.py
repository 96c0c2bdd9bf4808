"""What stands between the network and the page: who may ask, how much they may send, what a browser may load.

Gradio checks neither the Host header (a foreign name that resolves to 127.0.0.1 would be served) nor the origin of an
upload, limits no request body and sends no security headers; mounted in another application it does not even check
that a file named in a call was uploaded, and would copy any file of this machine. This ASGI middleware does.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from rag.load import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.app.ui.password import Password
    from rag.app.ui.token import Token

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
UPLOAD_BYTES = LARGEST + 1024 * 1024  # all files of one upload, with what stands around them in the request
CALL_BYTES = 1024 * 1024  # any other request
CALL_SECONDS = 30.0  # until the last byte of a request is here
UPLOAD_SECONDS = 600.0  # or of an upload
UNSERVED = frozenset({"/openapi.json", "/gradio_api/openapi.json", "/docs", "/redoc"})  # descriptions that nobody needs
WAITING_BYTES = 1024 * 1024 * 1024  # all uploads that no call has taken yet
WAITING_FILES = 2000  # and their number

# 'unsafe-eval' and 'unsafe-inline' are what Gradio's own front end needs: the policy keeps requests from leaving this
# machine, while inert rendering (text nodes only) is what keeps scripts of documents from running.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


HOW_TO_ENTER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Ask your documents</title>
<p>This page belongs to whoever started it. Open it at the address that the program printed, which ends in
<code>?token=…</code>. <a href="/">Try again</a></p></html>
"""

# Document text (all of Gradio's calls) is not to stay in a browser's cache, and a script of ours not to be an old one.
CACHED = {"/gradio_api/": "no-store", "/web/": "no-cache"}


class Guard:
    """ASGI middleware: Host, origin, size and content of requests; security headers on every answer.

    Args:
        app: what is guarded.
        uploads: the only folder whose files a call may name.
        names: under which it answers besides those of this machine to itself.
        password: what to know to be let in; with it, all IP addresses are good names, too: nobody can make a
            browser take a foreign page for one of them, as they can with names.
        token: what to have to be let in, where there is no password.
    """

    def __init__(
        self,
        app: ASGIApp,
        uploads: Path,
        names: Iterable[str] = (),
        password: Password | None = None,
        token: Token | None = None,
    ) -> None:
        self._app = app
        self._uploads = uploads.resolve()
        self._names = LOOPBACK | {name.casefold() for name in names if name}
        self._password = password
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 400, 401, 403, 404, 408, 413 or 429."""
        if scope["type"] == "websocket":  # the page uses none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":  # start and end of the server
            await self._app(scope, receive, send)
            return
        answer = _with_headers(scope["path"], send)
        try:
            headers = Headers(scope=scope)
            self._check_sender(headers)
            answer = _with_headers(scope["path"], send, self._check_password(headers, scope["client"]))
            response = self._entry(headers, scope)
            receive = receive if response else await self._checked_body(headers, scope, receive)
        except HTTPException as refusal:
            response = PlainTextResponse(f"{refusal.detail}\n", refusal.status_code, refusal.headers)
        except ClientDisconnect:
            return
        await (response or self._app)(scope, receive, answer)

    def _check_sender(self, headers: Headers) -> None:
        host = headers.get("host", "")
        name = _name(host)
        if name not in self._names and not (self._password and _is_address(name)):
            raise HTTPException(400, "This server answers only to its own name.")
        origin = headers.get("origin")
        if origin is not None and origin.casefold() not in {f"http://{host}".casefold(), f"https://{host}".casefold()}:
            raise HTTPException(403, "Requests from other sites are refused.")
        site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
        if site not in {"same-origin", "none"} and mode != "navigate":
            raise HTTPException(403, "Requests from other sites are refused.")

    def _check_password(self, headers: Headers, sender: tuple[str, int] | None) -> str | None:
        """Return the cookie for a browser that is let in for the first time."""
        if self._password is None:
            return None
        address = sender[0] if sender else ""
        client = self._password.client(headers.get("cookie", ""), address)
        if self._password.must_wait(client):
            raise HTTPException(429, "Too many wrong passwords: wait a minute.")
        if not self._password.admits(headers.get("authorization", ""), client):
            ask = {"WWW-Authenticate": 'Basic realm="rag", charset="UTF-8"'}
            raise HTTPException(401, "This page asks for a password.", ask)
        return self._password.cookie() if client == address else None

    def _entry(self, headers: Headers, scope: Scope) -> Response | None:
        """Return what whoever does not show the token is sent, or shows it in the address; None for all others."""
        if self._token is None or self._token.admits(headers):
            return PlainTextResponse("There is nothing here.\n", 404) if _is_unserved(scope["path"]) else None
        rest = self._token.in_address(scope["query_string"].decode("latin-1"))
        if rest is None:
            return HTMLResponse(HOW_TO_ENTER, 401, {"WWW-Authenticate": 'Bearer realm="rag"'})
        cookie = {"Set-Cookie": self._token.cookie(headers), "Cache-Control": "no-store"}
        path = "/" + scope["path"].lstrip("/\\")  # "//evil.test" would be another site
        return RedirectResponse(f"{path}?{rest}" if rest else path, 303, cookie)

    async def _checked_body(self, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """Return a `receive` that is limited; a call is read at once and searched for files that nobody uploaded."""
        upload = headers.get("content-type", "").startswith("multipart/form-data")
        limit = UPLOAD_BYTES if upload else CALL_BYTES
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise _too_large(limit)
        if upload:
            self._check_waiting()
        limited = _limited(receive, limit, UPLOAD_SECONDS if upload else CALL_SECONDS)
        if upload or (length in {"", "0"} and "transfer-encoding" not in headers):
            return limited
        body = await Request(scope, limited).body()
        if not all(map(self._is_upload, _file_paths(body))):
            raise HTTPException(400, "A call may name only files that were uploaded.")
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def again() -> Message:
            return messages.pop() if messages else await limited()

        return again

    def _check_waiting(self) -> None:
        """Refuse uploads while too many wait: whoever uploads and never indexes must not fill the disk."""
        sizes = [path.stat().st_size for path in self._uploads.rglob("*") if path.is_file()]
        if len(sizes) > WAITING_FILES or sum(sizes) > WAITING_BYTES:
            raise HTTPException(413, "Too many uploaded files are waiting to be indexed: try again in an hour.")

    def _is_upload(self, path: str) -> bool:
        try:
            return Path(path).resolve().is_relative_to(self._uploads)
        except (OSError, ValueError):  # too long, or not a path at all
            return False


def _with_headers(path: str, send: Send, cookie: str | None = None) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if cookie:
                headers.append("Set-Cookie", cookie)
            for start, rule in CACHED.items():
                if path.startswith(start):
                    headers["Cache-Control"] = rule
        await send(message)

    return answer


def _is_unserved(path: str) -> bool:
    return path.rstrip("/") in UNSERVED


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].casefold()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"The request is larger than {limit // 1024 // 1024} MB.")


def _limited(receive: Receive, limit: int, seconds: float) -> Receive:
    """Count the bytes of the body as they come, for Content-Length may be missing, and the seconds until its end."""
    received, last, whole = 0, time.monotonic() + seconds, False

    async def counted() -> Message:
        nonlocal received, whole
        try:  # after the body there comes but the end of the connection, whenever that is
            message = await (receive() if whole else asyncio.wait_for(receive(), last - time.monotonic()))
        except TimeoutError:
            raise HTTPException(408, "The request did not come in time.", {"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return counted


def _file_paths(body: bytes) -> Iterator[str]:
    """Yield the path of every file value anywhere in JSON; what is no JSON, Gradio refuses."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("path"), str):
                yield item["path"]
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
