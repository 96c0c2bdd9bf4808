"""The token of a page on loopback: who has it is let in, nobody else is; another user of the machine sees nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.app.cli.options import parser
from rag.app.ui.guard import HEADERS, Guard
from rag.app.ui.token import FILE, Token, kept_token
from rag.errors import InputError
from tests.conftest import ROOT

TOKEN = "0123456789abcdef0123"


async def _seen(request):
    return PlainTextResponse(str(request.url.query))


@pytest.fixture
def client(tmp_path):
    app = Starlette(routes=[Route("/{path:path}", _seen, methods=["GET", "POST"])])
    guarded = Guard(app, tmp_path, token=Token(TOKEN))
    return TestClient(guarded, base_url="http://localhost:7860", follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/info", "/gradio_api/upload", "/web/page.js", "/?token=", f"/?token={TOKEN}x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_it_nothing_is_served(client, method, path):
    for headers in (
        {},
        {"Authorization": "Bearer " + TOKEN[:-1]},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer \xe9"},
        {"Cookie": f"rag-7861={TOKEN}"},
        {"Cookie": "rag-7860=; \xff=;;;"},
    ):
        refused = client.request(method, path, headers={k: v.encode("latin-1") for k, v in headers.items()})
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers
        assert TOKEN not in refused.text
        for name, value in HEADERS.items():
            assert refused.headers[name] == value


def test_the_printed_address_opens_it_once_and_for_all(client):
    entered = client.get(f"/?a=1&token={TOKEN}&b=%26x")
    assert entered.status_code == 303
    assert entered.headers["location"] == "/?a=1&b=%26x"
    name, *attributes = entered.headers["set-cookie"].split("; ")
    assert name == f"rag-7860={TOKEN}"
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert client.get("/").status_code == 200  # the client keeps the cookie
    assert client.get("/gradio_api/info").status_code == 200


def test_it_never_leads_to_another_site(client):
    assert client.get(f"http://localhost:7860//evil.test/?token={TOKEN}").headers.get("location") == "/evil.test/"


def test_programs_send_it(client):
    assert client.post("/gradio_api/call/ask", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_it_is_kept_where_only_its_owner_reads_it(tmp_path, monkeypatch):
    monkeypatch.delenv("RAG_TOKEN", raising=False)
    before = os.umask(0)
    try:
        made = kept_token(tmp_path / "index")
    finally:
        os.umask(before)
    file = tmp_path / "index" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(made) >= 40
    assert kept_token(tmp_path / "index") == made == file.read_text().strip()
    assert kept_token(tmp_path / "other") != made

    file.chmod(0o644)  # somebody may have read it
    anew = kept_token(tmp_path / "index")
    assert anew != made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    (tmp_path / "planted").write_text("planted" * 10)
    file.symlink_to(tmp_path / "planted")
    assert "planted" not in kept_token(tmp_path / "index")
    assert not file.is_symlink()


def test_it_may_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("RAG_TOKEN", TOKEN)
    assert kept_token(tmp_path) == TOKEN
    assert not (tmp_path / FILE).exists()
    for unfit in ("", "short", "with a space in it", "x;y" * 10):
        monkeypatch.setenv("RAG_TOKEN", unfit)
        with pytest.raises(InputError, match="RAG_TOKEN"):
            kept_token(tmp_path)


def test_help_says_what_it_opens(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--no-token open the page to every user and program of this machine: all documents" in told


# another user of this machine

SERVER = """
import sys
from rag.models.encoder import HashEmbedder
from rag.library import Library
from rag.app.ui import serve
from rag.store.history import History
with Library.open(sys.argv[1], embedder=HashEmbedder()) as library:
    library.index(sys.argv[2])
    library.add(sys.argv[3])
    History(library.store.root / "history.db").add({"question": "Where is the zanzibar ledger?", "citations": []})
    serve(library, port=0)
"""

# Run by the other user with the system's own Python: what can be had of the index, of temporary files and by HTTP.
OTHER = r"""
import json, os, sys, urllib.error, urllib.request
store, temporary, url, outside = sys.argv[1:]
found = []
for folder in (store, temporary):
    for place, folders, files in os.walk(folder):
        found += [os.path.join(place, name) for name in (*folders, *files)]
        for name in files:
            try:
                found.append(open(os.path.join(place, name), "rb").read().decode("latin-1"))
            except OSError:
                pass
calls = [
    ("", None), ("config", None), ("gradio_api/info", None), ("openapi.json", None), ("web/page.js", None),
    ("gradio_api/call/ask", {"data": ["Where is the zanzibar ledger?", 5]}),
    ("gradio_api/call/search", {"data": ["zanzibar", 5]}),
    ("gradio_api/file=" + outside, None), ("gradio_api/upload", {}), ("gradio_api/queue/join", {"data": []}),
]
for path, data in calls:
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
    try:
        found.append([200, urllib.request.urlopen(request, timeout=20).read().decode("latin-1")])
    except urllib.error.HTTPError as error:
        found.append([error.code, error.read().decode("latin-1")])
print(json.dumps(found))
"""


@pytest.fixture
def open_folder():
    """A folder that everybody may enter and list, as /tmp and many homes are."""
    folder = Path(tempfile.mkdtemp(prefix="owner-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_sees_no_document_no_conversation_no_name(open_folder):
    docs, tmp = open_folder / "docs", open_folder / "tmp"
    docs.mkdir(mode=0o700)
    tmp.mkdir()
    (docs / "zanzibar.txt").write_text("The zanzibar ledger is in the green cabinet.\n")
    (docs / "uploaded-zanzibar.txt").write_text("The zanzibar key hangs behind it.\n")
    store = open_folder / "index"
    arguments = [str(store), str(docs / "zanzibar.txt"), str(docs / "uploaded-zanzibar.txt")]
    environment = {k: v for k, v in os.environ.items() if k not in {"GRADIO_TEMP_DIR", "RAG_TOKEN"}}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, *arguments],
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp)},
        stdout=subprocess.PIPE,
        text=True,
        umask=0,
    ) as process:
        assert process.stdout is not None
        url, _, token = process.stdout.readline().split()[1].partition("?token=")
        try:
            assert httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200
            assert (store / FILE).read_text().strip() == token
            other = subprocess.run(
                ["/usr/bin/python3", "-I", "-c", OTHER, str(store), str(tmp), url, str(docs / "zanzibar.txt")],
                cwd="/",
                user=65534,
                group=65534,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            process.send_signal(signal.SIGTERM)
    found = json.loads(other.stdout)
    assert {answer[0] for answer in found if isinstance(answer, list)} == {401}
    assert "zanzibar" not in other.stdout.lower()
    assert token not in other.stdout
