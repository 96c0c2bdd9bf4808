"""Milvus alone: runs and servers that end anywhere, and each trouble in one line."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rag.app.cli import main
from rag.errors import IndexLocked, InputError, StoreError
from rag.language.terms import terms
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Document, Span
from rag.records.index import Changes, Recipe
from rag.store import open_store
from tests.store.system_calls import needed
from tests.store.test_conformance import RECIPE, TEXTS, cut, publish

pytest.importorskip("pymilvus", reason="pip install 'rag[dev]'")
from pymilvus import MilvusClient

from rag.store.milvus import MilvusStore
from rag.store.milvus import server as milvus_server
from rag.store.milvus.rows import passage_value
from rag.store.milvus.server import MilvusServer
from tests.store.milvus_server import SmallDisk, tls_in_front_of

if TYPE_CHECKING:
    from collections.abc import Callable


def test_nothing_is_left_after_a_run_that_ended_anywhere(milvus, monkeypatch):
    """A run that is given up in any call to the server is as if it had not been, or had; the next one completes it."""
    first, second, third = list(TEXTS)[1:4]
    calls = {"left": 0}
    for name in ("upsert", "delete", "delete_where"):
        plain = getattr(MilvusServer, name)

        def broken(self, *arguments, plain=plain):
            calls["left"] -= 1
            if calls["left"] == 0:
                raise StoreError("the server went away")
            return plain(self, *arguments)

        monkeypatch.setattr(MilvusServer, name, broken)
    with closing(open_store(milvus.place())) as store:
        publish(store, {first: TEXTS[first], second: TEXTS[second]})
        texts = {first: "Another text.", third: TEXTS[third]}
        for number in range(1, 30, 2):
            calls["left"] = number
            try:
                publish(store, texts, [second])
            except StoreError:
                with store.snapshot() as snapshot:
                    for uri in snapshot.uris():
                        assert all(p.span.of(snapshot.document(uri).text) == p.text for p in snapshot.passages_of(uri))
            else:
                break
            calls["left"] = 0
            publish(store, texts, [second])
            assert store.verify() == []
            with store.snapshot() as snapshot:
                assert snapshot.uris() == sorted(texts)
            publish(store, {first: TEXTS[first], second: TEXTS[second]}, [third])
        assert number > 8
        assert store.verify() == []


def harbour(folder, numbers):
    """Write a file for each number."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number}.txt").write_text(f"The crane numbered {number} lifted {number * 7 + 3} tons.\n" * 12)


@pytest.mark.parametrize("when", [2, pytest.param(5, marks=pytest.mark.slow), pytest.param(9, marks=pytest.mark.slow)])
def test_killed_server_loses_nothing(milvus, monkeypatch, tmp_path, when):
    """SIGKILL of the server in a write: one line says so; then the next run completes, without doubles."""
    harbour(tmp_path / "docs", range(4))
    place, plain, writes = milvus.place(), MilvusServer.upsert, []

    def killing(self, *arguments):
        writes.append(arguments)
        if len(writes) == when:
            milvus.kill()
        return plain(self, *arguments)

    monkeypatch.setattr(milvus_server, "SECONDS", 3.0)
    monkeypatch.setattr(milvus_server, "CONNECTING", 3.0)
    with Library.open(place, embedder=HashEmbedder(), reranker="none") as library:
        assert library.index(tmp_path / "docs").count("added") == 4
        harbour(tmp_path / "docs", range(4, 8))
        (tmp_path / "docs" / "0.txt").write_text("Nothing was lifted.")
        (tmp_path / "docs" / "1.txt").unlink()
        monkeypatch.setattr(MilvusServer, "upsert", killing)
        with pytest.raises(StoreError, match=r"no Milvus server answers at http://127\.0\.0\.1"):
            library.index(tmp_path / "docs")
        monkeypatch.undo()
        milvus.start()
        library.index(tmp_path / "docs")
        assert library.verify() == []
        kept = {Path(info.uri).name for info in library.documents()}
        assert kept == {f"{number}.txt" for number in (0, *range(2, 8))}
        hits = library.search("crane lifted tons", 100)
        assert len({hit.passage.id for hit in hits}) == len(hits) == library.status().passages
    with Library.open(tmp_path / "index", embedder=HashEmbedder(), reranker="none") as local:
        local.index(tmp_path / "docs")
        assert {hit.passage.id for hit in local.search("crane lifted tons", 100)} == {h.passage.id for h in hits}


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A server of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    server = SmallDisk(tmp_path / "disk")
    yield server
    server.kill()


@needed
@pytest.mark.slow
def test_a_full_disk_of_the_server_loses_nothing(small_disk, tmp_path, capsys):
    """Torn in the texts or in the passages: one line; what was there is found; then the next run completes."""
    docs = tmp_path / "docs"
    harbour(docs, range(4))
    complete = {f"{number}.txt" for number in (0, *range(2, 40))}
    for left in (15_000, 60_000):
        place = f"milvus://127.0.0.1:{small_disk.port}/full_{left}"
        command = ["index", str(docs), "--store", place, "--model", "hash"]
        small_disk.left = math.inf
        shutil.rmtree(docs)
        harbour(docs, range(4))
        assert main(command) == 0
        harbour(docs, range(4, 40))
        (docs / "0.txt").write_text("Nothing was lifted.")
        (docs / "1.txt").unlink()
        capsys.readouterr()
        small_disk.left = left
        for _ in range(2):
            assert main(command) == 1
            told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("rag: ")]
            assert len(told) == 1
            assert "has no space left; make room on its disk" in told[0]
            with Library.open(place, embedder=HashEmbedder(), reranker="none") as library:
                assert {Path(info.uri).name for info in library.documents()} >= {"2.txt", "3.txt"}
                assert Path(library.search("crane numbered 3")[0].passage.uri).name == "3.txt"
        small_disk.left = math.inf
        assert main(command) == 0
        assert main(["verify", "--store", place]) == 0
        small_disk.kill()
        small_disk.start()  # Milvus Lite forgets what it took behind a torn write
        assert main(command) == 0
        assert main(["verify", "--store", place]) == 0
        with Library.open(place, embedder=HashEmbedder(), reranker="none") as library:
            assert {Path(info.uri).name for info in library.documents()} == complete
            hits = library.search("crane lifted tons", 100)
            assert len({hit.passage.id for hit in hits}) == len(hits) == library.status().passages


def test_damage_is_named(milvus):
    """A text, a passage, or a piece that is not as it was written."""
    place = milvus.place()
    with closing(MilvusStore(place)) as store:
        publish(store, TEXTS)
        server, first = store._server, min(TEXTS)
        name = server.address.collection
        (head,) = (head for head in _heads(store) if head.info.uri == first)
        passage = f"{head.document}:{head.version}:{0:07d}"
        row = server.get(f"{name}_passages_1", [passage], ("*",))[passage]
        server.delete(f"{name}_passages_1", [passage])
        assert any(first in line and "1 of" in line for line in store.verify())
        changed = {key: value for key, value in row.items() if key != "sparse"}
        forged = passage_value(Document(first, "Forged.", None, "0").passage(Span(0, 7)))
        server.upsert(f"{name}_passages_1", [{**changed, "value": forged}])
        assert store.verify() == [f"{first}: its text or its passages are not as they were written"]
        server.delete(name, [f"piece:1:{head.document}:{head.version}:0"])
        assert any(first in line and "are missing" in line for line in store.verify())


def _heads(store):
    with store.snapshot() as snapshot:
        return snapshot.heads()


def test_someone_else_began_to_write(milvus, tmp_path, monkeypatch):
    """Of two machines, the one that began last may go on; the other one is told, and has changed nothing."""
    place = milvus.place()
    with closing(open_store(place)) as one, closing(open_store(place)) as other:
        publish(one, {"/a.txt": "One line."})
        first = one.writer()
        writer = first.__enter__()  # and never left: it was overtaken
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # as on another machine, whose lock is another
        with other.writer(), pytest.raises(IndexLocked, match="is being written by process"):
            writer.apply(Changes(removals=["/a.txt"]), RECIPE)
        with other.snapshot() as snapshot:
            assert snapshot.uris() == ["/a.txt"]


@pytest.mark.parametrize("same_recipe", [True, False])
def test_a_question_while_the_index_is_rebuilt(milvus, same_recipe):
    """It is answered from what is there now, since the rest is gone; with another encoder, the reader is told."""
    names = [f"/pier {number}.txt" for number in range(5)]
    other = HashEmbedder("other", 32)
    recipe = RECIPE if same_recipe else Recipe(other.name, other.fingerprint, other.dimension, "any", "any")
    asked: dict[str, Callable[[Any], object]] = {
        "near": lambda snapshot: len(snapshot.dense(HashEmbedder().embed_query("ferry"), 10)),
        "literal": lambda snapshot: len(snapshot.lexical("ferry", 10)),
        "text": lambda snapshot: snapshot.document(names[0]).text,
        "passages": lambda snapshot: len(snapshot.passages_of(names[0])),
        "counted": lambda snapshot: sum(snapshot.frequencies(terms("ferry")).values()),
    }
    with closing(open_store(milvus.place())) as store, ExitStack() as stack:
        publish(store, {name: f"The ferry waits at {name}." for name in names})
        snapshots = {name: stack.enter_context(store.snapshot()) for name in asked}
        publish(store, {name: f"The ferry has left {name}." for name in names}, recipe=recipe, fresh=True)
        for name, ask in asked.items():
            if same_recipe:
                found = {"text": f"The ferry has left {names[0]}.", "passages": 1}.get(name, len(names))
                assert (name, ask(snapshots[name])) == (name, found)
            else:
                with pytest.raises(StoreError, match="has just been rebuilt with other settings; ask again"):
                    ask(snapshots[name])


def test_a_text_in_more_documents_than_a_server_returns_at_once(milvus, monkeypatch):
    """It is embedded once, and its vector found among however many rows."""
    rows_at_once: list[int] = []
    plain = MilvusServer.scan

    def counting(self, collection, condition, fields):
        rows_at_once.append(0)
        for row in plain(self, collection, condition, fields):
            rows_at_once[-1] += 1
            yield row

    with closing(open_store(milvus.place())) as store:
        assert publish(store, {f"/{number}.txt": "The same line." for number in range(30)}) == 1
        monkeypatch.setattr(MilvusServer, "scan", counting)
        with store.writer() as writer:
            ((_, passages),) = cut({"/new.txt": "The same line."})
            rows_at_once.clear()
            assert writer.missing(passages, RECIPE.fingerprint) == []
            assert rows_at_once == [1]


def test_another_programs_collection(milvus, capsys, tmp_path):
    """It is neither read nor written."""
    place = milvus.place()
    with closing(MilvusClient(f"http://127.0.0.1:{milvus.port}")) as client:
        client.create_collection(place.rpartition("/")[2], dimension=4)
    harbour(tmp_path / "docs", range(1))
    for command in (["status"], ["index", str(tmp_path / "docs"), "--model", "hash"]):
        assert f"{place} is a collection of another program" in said(capsys, *command, "--store", place)


def test_a_server_that_was_started_again_between_two_questions(milvus, tmp_path):
    """Nobody notices: it had loaded nothing, and is asked to."""
    harbour(tmp_path / "docs", range(3))
    with Library.open(milvus.place(), embedder=HashEmbedder(), reranker="none") as library:
        library.index(tmp_path / "docs")
        before = library.search("crane numbered 2", 3)
        milvus.kill()
        milvus.start()
        assert library.search("crane numbered 2", 3) == before
        milvus.kill()
        milvus.start()
        assert library.index(tmp_path / "docs").count("unchanged") == 3


def test_an_error_is_that_of_one_thread_alone(milvus, tmp_path):
    """Others that share the connection go on."""
    harbour(tmp_path / "docs", range(3))
    failures: list[Exception] = []
    with Library.open(milvus.place(), embedder=HashEmbedder(), reranker="none") as library:
        library.index(tmp_path / "docs")
        assert isinstance(library.store, MilvusStore)
        server, done = library.store._server, threading.Event()

        def ask():
            try:
                while not done.is_set():
                    assert len(library.search("crane lifted", 3)) == 3
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is to say it
                failures.append(error)

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        for _ in range(20):
            with pytest.raises(StoreError):
                server.count("none_such")
        done.set()
        for thread in asking:
            thread.join()
    assert not failures


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(milvus_server, "SECONDS", 1.0)
    monkeypatch.setattr(milvus_server, "CONNECTING", 1.0)


def said(capsys, *arguments):
    """Run a command that fails, and return its one line."""
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_no_server(quick, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = said(capsys, "status", "--store", f"milvus://127.0.0.1:{port}/none")
    assert f"no Milvus server answers at http://127.0.0.1:{port}; start it" in line


@pytest.mark.slow
def test_a_server_over_tls(milvus, tmp_path):
    """With a certificate of one's own, and without trusting it: gRPC reads whom it trusts once a process."""
    (tmp_path / "ferry.txt").write_text("The last ferry to the island leaves at 22.10.")
    roots = tmp_path / "authority.pem"
    with tls_in_front_of(milvus.port, roots) as port:
        place = f"https://localhost:{port}/{milvus.place().rpartition('/')[2]}"

        def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "rag", *arguments, "--store", place]
            return subprocess.run(
                command, env=os.environ | environment, cwd=tmp_path, capture_output=True, text=True, check=False
            )

        trusted = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(roots)}
        indexed = run("index", "ferry.txt", **trusted)
        assert indexed.returncode == 0, indexed.stderr
        assert "22.10" in run("ask", "When does the last ferry leave?", **trusted).stdout
        refused = run("status")
    trust = "start it, or trust its certificate by GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=FILE"
    line = f"rag: no Milvus server answers at https://localhost:{port}; {trust}, or name another place with --store\n"
    assert (refused.returncode, refused.stderr) == (1, line)


@pytest.mark.parametrize(
    ("version", "why"), [("v2.3.5-lite", "is Milvus v2.3.5-lite, which"), ("v2.5.1", "no index at")]
)
def test_a_server_that_cannot_search_by_words(milvus, monkeypatch, capsys, version, why):
    """As the real server of 2.3.5 writes its version."""
    monkeypatch.setattr(MilvusClient, "get_server_version", lambda *_, **__: version)
    assert why in said(capsys, "status", "--store", milvus.place())


def test_a_server_that_never_answers(quick, capsys):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        line = said(capsys, "status", "--store", f"milvus://127.0.0.1:{port}/none")
    assert f"http://127.0.0.1:{port}" in line
    assert "no Milvus server answers" in line or "took longer than" in line


def test_a_slow_server(milvus, quick, capsys, monkeypatch):
    """A server that stops in the middle: SIGSTOP."""
    place = milvus.place()
    with closing(open_store(place)) as store:
        monkeypatch.setattr(milvus_server, "SECONDS", 60.0)
        publish(store, {"/a.txt": "One line."})
        monkeypatch.setattr(milvus_server, "SECONDS", 1.0)
        said = "took longer than 1 s; nothing is lost|no Milvus server answers"  # by whether the connection was renewed
        with milvus.stopped(), pytest.raises(StoreError, match=said):
            store.status()
        monkeypatch.setattr(milvus_server, "SECONDS", 60.0)
        assert store.status().documents == 1


def test_a_refused_password(refusing, quick, capsys):
    line = said(capsys, "status", "--store", f"milvus://127.0.0.1:{refusing}/none")
    assert line.endswith("refuses the password: set RAG_MILVUS_TOKEN to USER:PASSWORD or to an API key")


@pytest.fixture
def refusing():
    """A server that lets nobody in, as Milvus does it: by a gRPC status."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    class Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]  # the package has no types
        def service(self, handler_call_details):
            def refuse(_request, context):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure, please check username and password")

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def test_another_model(milvus, capsys, tmp_path):
    place = milvus.place()
    with closing(open_store(place)) as store:
        publish(store, {"/a.txt": "One line."})
    with Library.open(place, embedder=HashEmbedder("other")) as library:
        harbour(tmp_path / "docs", range(1))
        for act in (lambda: library.search("line"), lambda: library.index(tmp_path / "docs")):
            with pytest.raises(StoreError, match="made with the encoder hash, not other; use that one, or rebuild"):
                act()
    assert "no index at" in said(capsys, "status", "--store", milvus.place())


def test_without_the_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    line = said(capsys, "status", "--store", "milvus://127.0.0.1:19530/any")
    assert line.endswith("a store on Milvus needs the package pymilvus: pip install 'rag[milvus]'")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("milvus://host", "a collection's name"),
        ("milvus://host/a-b", "a collection's name"),
        ("milvus://host/docs_passages_1", "choose another name"),
        ("milvus://host:port/a", "no engine for"),
        ("postgres://host/a", "no engine for"),
        ("milvus://host/a?token=secret", "no engine for milvus://host/a:"),
        ("milvus://me:secret@host/a", "put USER:PASSWORD into RAG_MILVUS_TOKEN"),
    ],
)
def test_addresses_that_are_none(place, why):
    with pytest.raises(InputError, match=why) as caught:
        open_store(place)
    assert "secret" not in str(caught.value)


def test_addresses():
    parse = milvus_server.Address.parse
    assert parse("milvus://there/docs").is_passages("docs_passages_3")
    others = ("docs_passages_passages_3", "docs_passages_", "docs_passages_x", "docs", "my_docs_passages_3")
    assert not any(parse("milvus://there/docs").is_passages(name) for name in others)
    assert parse("milvus://there:9/docs").uri == "http://there:9"
    assert (parse("milvus://[::1]/docs").uri, parse("https://there/docs").uri) == (
        "http://[::1]:19530",
        "https://there:443",
    )
