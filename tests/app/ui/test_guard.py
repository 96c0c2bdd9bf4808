"""What the guard lets through, on an application that answers everything; and the password in a real process."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.app.cli import main
from rag.app.ui import guard
from rag.app.ui.guard import HEADERS, Guard
from rag.app.ui.password import MOST_FAILURES, MOST_IN_ALL, WAIT, Password, chosen_password
from rag.errors import InputError
from tests.conftest import ROOT

PASSWORD = "correct horse"


async def _echo(request):
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def uploads(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


@pytest.fixture
def guarded(uploads):
    """Make a client of a guarded application."""

    def make(base="http://localhost:7860", **settings):
        app = Starlette(routes=[Route("/{path:path}", _echo, methods=["GET", "POST"])])
        return TestClient(Guard(app, uploads, **settings), base_url=base, client=("192.0.2.1", 1))

    return make


def basic(password: str, user: str = "me") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("archive.example", 200),
        ("evil.test", 400),
        ("archive.example.evil.test", 400),
        ("192.0.2.7", 400),
        ("", 400),
        ("127.0.0.1@evil.test", 400),
    ],
)
def test_it_answers_to_its_own_names_only(guarded, host, status):
    client = guarded(names=["Archive.example", ""])
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(("host", "status"), [("192.0.2.7:7860", 200), ("[2001:db8::1]", 200), ("evil.test", 400)])
def test_with_a_password_addresses_are_names_too(guarded, host, status):
    client = guarded(password=Password(PASSWORD))
    assert client.get("/", headers={"Host": host, **basic(PASSWORD)}).status_code == status


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Origin": "http://localhost:7860"}, 200),
        ("POST", {"Origin": "https://localhost:7860"}, 200),  # behind a proxy with TLS
        ("POST", {"Origin": "http://localhost:7861"}, 403),
        ("POST", {"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ("GET", {"Origin": "null"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_other_sites_cannot_ask(guarded, method, headers, status):
    answer = guarded().request(method, "/gradio_api/call/ask", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/", "/gradio_api/call/ask", "/refused"])
def test_every_answer_has_the_headers(guarded, path):
    answer = guarded().get(path, headers={"Host": "evil.test"} if path == "/refused" else {})
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert (answer.headers.get("cache-control") == "no-store") == path.startswith("/gradio_api/")


def test_password_is_asked_for_everywhere(guarded):
    client = guarded(password=Password(PASSWORD))
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/page.js"):
        refused = client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert refused.headers["content-security-policy"]
        assert client.get(path, headers=basic(PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !!!", "Bearer " + PASSWORD, "Basic " + base64.b64encode(PASSWORD.encode()).decode(), "\xff"],
)
def test_what_is_no_password_is_none(guarded, authorization):
    client = guarded(password=Password(PASSWORD))
    assert client.get("/", headers={"Authorization": authorization.encode("latin-1")}).status_code == 401


def test_password_may_hold_any_characters(guarded):
    client = guarded(password=Password("säße: : 密码 \U0001f511"))
    assert client.get("/", headers=basic("säße: : 密码 \U0001f511")).status_code == 200
    assert client.get("/", headers=basic("säße: : 密码")).status_code == 401


def test_guessing_is_slowed_down(guarded):
    now = [0.0]
    client = guarded(password=Password(PASSWORD, clock=lambda: now[0]))
    for _ in range(50):
        assert client.get("/").status_code == 401  # a browser that has not asked its person yet
    for number in range(MOST_FAILURES):
        assert client.get("/", headers=basic(f"guess {number}")).status_code == 401
    assert client.get("/", headers=basic(PASSWORD)).status_code == 429
    now[0] = WAIT + 1
    assert client.get("/", headers=basic(PASSWORD)).status_code == 200


def test_one_guesser_does_not_lock_out_others():
    password = Password(PASSWORD)
    for _ in range(MOST_FAILURES):
        password.admits("Basic x", "192.0.2.1")
    assert password.must_wait("192.0.2.1")
    assert not password.must_wait("192.0.2.2")


def test_guesses_from_everywhere_are_bounded_together():
    now = [0.0]
    password = Password(PASSWORD, clock=lambda: now[0])
    for number in range(MOST_IN_ALL):
        assert not password.must_wait(f"192.0.2.{number}")
        password.admits("Basic x", f"192.0.2.{number}")
    assert password.must_wait("198.51.100.1")
    now[0] = WAIT + 1
    assert not password.must_wait("198.51.100.1")
    for number in range(25_000):
        password.admits("Basic x", f"192.0.2.{number}")
    assert len(password._failures) <= 10_000


def test_who_was_let_in_is_not_kept_out_by_guesses_of_the_same_address(guarded):
    password = Password(PASSWORD)
    known, guesser = (guarded(password=password) for _ in range(2))
    entered = known.get("/", headers=basic(PASSWORD))
    assert "HttpOnly; SameSite=Strict" in entered.headers["set-cookie"]
    assert "set-cookie" not in known.get("/", headers=basic(PASSWORD)).headers
    for number in range(MOST_FAILURES):
        assert guesser.get("/", headers=basic(f"guess {number}")).status_code == 401
    assert guesser.get("/", headers=basic(PASSWORD)).status_code == 429
    assert known.get("/", headers=basic(PASSWORD)).status_code == 200
    for forged in ("rag-known=1.2", "rag-known=", "rag-known=\xff.\xff"):
        headers = {**basic(PASSWORD), "Cookie": forged}
        assert guesser.get("/", headers={k: v.encode("latin-1") for k, v in headers.items()}).status_code == 429
    for number in range(MOST_FAILURES):  # nor can a known browser guess without end
        assert known.get("/", headers=basic(f"guess {number}")).status_code == 401
    assert known.get("/", headers=basic(PASSWORD)).status_code == 429


def test_passwords_come_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("RAG_PASSWORD", raising=False)
    assert chosen_password(None) is None
    monkeypatch.setenv("RAG_PASSWORD", "from the environment")
    assert chosen_password(None) == "from the environment"
    file = tmp_path / "password"
    file.write_text("from the file\nsecond line\n")
    assert chosen_password(file) == "from the file"
    for words, message in (("short\n", "8 characters"), ("\n", "8 characters")):
        file.write_text(words)
        with pytest.raises(InputError, match=message):
            chosen_password(file)
    with pytest.raises(InputError, match=r"nowhere cannot be read"):
        chosen_password(tmp_path / "nowhere")
    monkeypatch.setenv("RAG_PASSWORD", "")
    with pytest.raises(InputError, match="too short"):
        chosen_password(None)


def test_command_refuses_to_start_without_a_password(library, monkeypatch, capsys):
    monkeypatch.delenv("RAG_PASSWORD", raising=False)
    assert main(["serve", "--store", str(library.store.root), "--host", "127.0.0.2"]) == 1
    assert "needs a password" in capsys.readouterr().err


def test_calls_are_bounded(guarded):
    client = guarded()
    assert client.post("/x", content=b"1" * guard.CALL_BYTES).status_code == 200
    assert client.post("/x", content=b"1" * (guard.CALL_BYTES + 1)).status_code == 413
    assert client.post("/x", headers={"Content-Length": "99999999999"}).status_code == 413


def test_uploads_are_bounded(guarded, uploads, monkeypatch):
    client = guarded()
    file = {"files": ("a.txt", b"x" * 2000, "text/plain")}
    assert client.post("/upload", files=file).status_code == 200
    monkeypatch.setattr(guard, "UPLOAD_BYTES", 1000)
    assert client.post("/upload", files=file).status_code == 413
    monkeypatch.undo()
    monkeypatch.setattr(guard, "WAITING_BYTES", 5000)
    (uploads / "hash").mkdir()
    (uploads / "hash" / "waiting.txt").write_bytes(b"x" * 5001)
    assert "waiting to be indexed" in client.post("/upload", files=file).text
    (uploads / "hash" / "waiting.txt").unlink()
    assert client.post("/upload", files=file).status_code == 200
    monkeypatch.setattr(guard, "WAITING_FILES", 3)
    for number in range(4):
        (uploads / "hash" / f"{number}.txt").touch()
    assert client.post("/upload", files=file).status_code == 413


def test_a_call_may_name_only_uploads(guarded, uploads):
    (uploads / "a.txt").touch()
    client = guarded()
    for path, status in (
        (str(uploads / "a.txt"), 200),
        ("/etc/passwd", 400),
        ("https://evil.test/a.txt", 400),
        (f"{uploads}/../a.txt", 400),
    ):
        assert client.post("/x", json={"data": [{"deep": [{"path": path}]}]}).status_code == status
    (uploads / "link.txt").symlink_to("/etc/passwd")
    assert client.post("/x", json=[{"path": str(uploads / "link.txt")}]).status_code == 400


@pytest.mark.slow
def test_page_with_a_password_in_a_real_process(tmp_path):
    (tmp_path / "a.txt").write_text("The crane fell into the water.\n")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    store = ["--store", str(tmp_path / "index"), "--model", "hash"]
    assert main(["index", str(tmp_path / "a.txt"), *store]) == 0
    serve = ["serve", *store, "--host", "127.0.0.2", "--port", "0", "--password-file", str(tmp_path / "password")]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    with subprocess.Popen(
        [sys.executable, "-m", "rag", *serve], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.2:")
        url = line.split()[1]
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers=basic("wrong password")).status_code == 401
        from gradio_client import Client

        client = Client(url, verbose=False, analytics_enabled=False, headers=basic(PASSWORD))
        assert client.predict("What fell?", 1, api_name="/search")["hits"][0]["title"] == "a.txt"
        client.close()
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.slow
def test_gradio_is_imported_without_writing_into_its_folder(tmp_path):
    """No stub is opened while it is imported, its classes have their events, and `inspect` is as before."""
    code = (
        "import sys, inspect; from rag.app.ui import import_gradio; before = inspect.getfile;"
        "written = []; sys.addaudithook(lambda e, a: e == 'open' and str(a[0]).endswith('.pyi') and written.append(a));"
        "import_gradio(); import gradio; assert inspect.getfile is before;"
        "gradio.HTML().click; print(len(written), gradio.component_meta.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "gradio.component_meta"]
