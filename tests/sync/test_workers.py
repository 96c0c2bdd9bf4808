"""Other workers than this process: the same index, whatever happens to them, and nothing done twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import sync
from rag.app.cli import main
from rag.errors import InputError, ModelError
from rag.library import Library
from rag.models.encoder import BertEmbedder, HashEmbedder
from rag.sync.processes import Processes
from rag.sync.workers import Here
from tests.conftest import ROOT
from tests.sync.test_watch import children, until


def contents(library):
    """Return documents and passages, and of each passage's vector and words what some directions tell apart."""
    with library.store.snapshot() as snapshot:
        documents = {info.uri: snapshot.document(info.uri) for info in snapshot.documents()}
        passages = {passage.id: passage for uri in documents for passage in snapshot.passages_of(uri)}
        ids = sorted(passages)
        axes = np.random.default_rng(0).standard_normal((20, snapshot.recipe.dimension)).astype(np.float32)
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        means = [snapshot.similarities(axis, ids) for axis in axes]
        words = snapshot.word_similarities(axes, np.full(len(axes), 1 / len(axes), np.float32), ids)
    return documents, passages, np.array([[found[id_] for id_ in ids] for found in (*means, words)])


def assert_same(one, other, tolerance=1e-6):
    assert one[:2] == other[:2]
    assert np.abs(one[2] - other[2]).max() < tolerance


def without_time(report):
    return replace(report, seconds=0.0, outcomes=tuple(sorted(report.outcomes, key=lambda outcome: outcome.path)))


def workers_of_this_process():
    def runs(pid):
        return b"rag.sync.processes" in Path(f"/proc/{pid}/cmdline").read_bytes()

    return [int(pid) for pid in children(os.getpid()) if runs(pid)]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Short documents, a page, files in an archive, two of the same text, and two broken ones; left as they are."""
    folder = tmp_path_factory.mktemp("mixed")
    for number in range(200):
        text = f"Report {number} of the harbour office.\n\nThe crane numbered {number} lifted {number * 7 + 3} tons.\n"
        (folder / f"report-{number:03d}.txt").write_text(text)
    (folder / "page.html").write_text("<h1>The keeper</h1><p>The lighthouse keeper resigned.</p>")
    (folder / "same.txt").write_text("The bridge was closed in May.")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("same.txt", "The bridge was closed in May.")
        archive.writestr("table.csv", "town,people\nOr,120\nEn,90\n")
        archive.writestr("broken.docx", "no document")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory, mixed):
    """What this process makes of it, with the stand-in encoder, and its report."""
    with Library.open(tmp_path_factory.mktemp("alone") / "index", embedder=HashEmbedder()) as library:
        report = library.index(mixed)
        return contents(library), report


def test_two_processes_make_the_same_index(library, mixed, alone):
    """Documents, ids, texts and vectors; a broken file is reported as here; the processes have ended."""
    expected, said = alone
    report = library.index(mixed, workers=2)
    assert without_time(report) == without_time(said)
    assert sorted(Path(outcome.path).name for outcome in report.of("failed")) == ["broken.docx", "broken.pdf"]
    assert_same(contents(library), expected)
    assert library.verify() == []
    assert not workers_of_this_process()
    assert library.index(mixed, workers=2).embedded == 0


def test_what_was_published_is_not_done_again(library, mixed, alone, monkeypatch):
    """A run that ends in the middle leaves all documents, of which the next one passes over those with vectors."""
    monkeypatch.setattr(sync, "PART", 60)
    monkeypatch.setattr(sync, "FILLED", 60)
    monkeypatch.setattr(sync, "EMBED_BATCH", 10)

    def end(stage, done, total):
        if stage == "embedding" and done >= 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.index(mixed, workers=2, progress=end)
    assert not workers_of_this_process()
    assert len(library.documents()) == alone[1].passages
    assert library.status().waiting == alone[1].embedded - 150  # two passages have one text
    report = library.index(mixed, workers=2)
    assert report.count("unchanged") == alone[1].passages
    assert report.embedded == alone[1].embedded - 150
    assert_same(contents(library), alone[0])


def test_a_rebuild_is_one_step(library, mixed, alone, monkeypatch):
    """Nothing of it is to be seen before all of it is there."""
    monkeypatch.setattr(sync, "PART", 60)
    library.index(mixed / "same.txt")
    before = library.status().generation
    library.index(mixed, workers=2, rebuild=True)
    assert library.status().generation == before + 1
    assert_same(contents(library), alone[0])


@pytest.mark.parametrize("stage", ["reading", "embedding"])
def test_a_worker_that_is_killed_is_replaced(library, mixed, alone, monkeypatch, stage):
    """Its batch is done again, by another one."""
    monkeypatch.setattr(sync, "EMBED_BATCH", 10)
    killed: list[int] = []

    def kill(now, done, total):
        if now == stage and done >= 40 and not killed:
            killed.extend(until(workers_of_this_process))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    report = library.index(mixed, workers=2, progress=kill)
    assert len(killed) == 2
    assert without_time(report) == without_time(alone[1])
    assert_same(contents(library), alone[0])


def test_workers_that_always_die_are_an_error():
    """As where the memory is too little for them: each batch is tried three times."""
    ended = threading.Event()

    def kill():
        while not ended.wait(0.05):
            for pid in workers_of_this_process():
                os.kill(pid, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        with Processes(1, HashEmbedder()) as workers, pytest.raises(ModelError, match=r"SIGKILL\), 3 times; try fewer"):
            list(workers.embed([["The crane fell."]]))
    finally:
        ended.set()
        killing.join()


def test_an_encoder_that_only_this_process_has():
    """A worker has it by name: another one of that name is refused."""
    with (
        Processes(1, HashEmbedder(dimension=32)) as workers,
        pytest.raises(ModelError, match="the encoder hash is another one in a worker than here"),
    ):
        list(workers.embed([["The crane fell."]]))


def test_no_other_workers(library, mixed, monkeypatch, capsys):
    """What is no number of processes and no cluster; and Ray where it is not installed."""
    for wrong in ("0", "-1", "rays", "two", "milvus://here"):
        with pytest.raises(SystemExit) as ended:
            main(["index", str(mixed), "--workers", wrong])
        assert ended.value.code == 2
    with pytest.raises(InputError, match="workers cannot be 'two'"):
        library.index(mixed, workers="two")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--workers ray needs Ray: pip install 'rag\[ray\]'"):
        library.index(mixed, workers="ray")
    assert not library.root.exists()
    capsys.readouterr()
    assert main(["index", str(mixed), "--watch", "--workers", "2"]) == 1
    assert "--watch alone" in capsys.readouterr().err


def test_nobody_else_imports_ray(tmp_path, mixed):
    """Neither a run without workers nor one with processes."""
    code = (
        "import sys; from rag.app.cli import main\n"
        "for more in ([], ['--workers', '1', '--rebuild']):\n"
        "    assert main(['index', sys.argv[1], '--store', sys.argv[2], '--model', 'hash', *more]) == 0\n"
        "assert not {'ray', 'pyarrow'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(mixed / "same.txt"), str(tmp_path / "store")]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def running(mark):
    """Return the command of each process whose environment has this."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
    return found


def vectors_kept(index):
    catalog = f"file:{index}/catalog.db?mode=ro"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(catalog, uri=True)) as connected:
        return connected.execute("SELECT count(*) FROM vectors").fetchone()[0]
    return 0  # there is none yet


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "sent"), [("2", "SIGINT"), ("2", "SIGTERM"), ("ray", "SIGINT")])
def test_a_signal_ends_all(tmp_path, workers, sent):
    """In the middle of encoding: it ends soon, with all that it started; what was kept is kept."""
    if workers == "ray":
        pytest.importorskip("ray", reason="the extra ray is not installed")
    corpus, index = tmp_path / "corpus", tmp_path / "i"
    corpus.mkdir()
    for number in range(200):
        (corpus / f"more-{number}.txt").write_text(f"The ferry numbered {number} carried {number * 3} people. " * 6)
    command = [sys.executable, "-m", "rag", "index", str(corpus), "--store", str(index), "--workers", workers]
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)  # shells have background jobs ignore it, and children inherit
    marked = os.environ | {"RAG_STARTED_BY": str(tmp_path)}
    process = subprocess.Popen(command, cwd=ROOT, env=marked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    signal.signal(signal.SIGINT, heard)
    assert process.stderr
    try:
        until(lambda: vectors_kept(index), 180)
        assert len(running(str(tmp_path))) > 2
        process.send_signal(signal.Signals[sent])
        assert process.wait(30) == (130 if sent == "SIGINT" else -signal.SIGTERM)
        assert sent == "SIGTERM" or b"interrupted" in process.stderr.read()
        until(lambda: not running(str(tmp_path)))
        kept = vectors_kept(index)
        with Library.open(index) as library:
            report = library.index(corpus)
            assert report.embedded == 200 - kept < 200
            assert library.verify() == []
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_here_and_there_encode_alike():
    """A batch of one process and of another, with the real encoder."""
    texts = [f"The crane numbered {number} lifted {number} tons." for number in range(8)]
    with Processes(1, BertEmbedder()) as there, Here(BertEmbedder()) as here:
        (one, words), (other, others) = next(there.embed([texts])), next(here.embed([texts]))
    assert np.abs(one - other).max() < 1e-4
    assert [each.texts for each in words] == [each.texts for each in others]
    for a, b in zip(words, others, strict=True):  # of which a worker sends the signs
        assert np.mean((a.vectors > 0) == (b.vectors > 0)) > 0.999
        assert np.abs(np.linalg.norm(a.vectors, axis=1) - 1).max() < 1e-4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_a_machine_of_a_cluster_dies(tmp_path, mixed, monkeypatch):
    """Three simulated machines, one of which is killed while they encode: the index is what one process makes."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(sync, "EMBED_BATCH", 4)
    files = sorted(mixed.iterdir())[:50]  # the broken one and the archive first
    head = {"num_cpus": 1, "_system_config": {"health_check_period_ms": 1000, "health_check_failure_threshold": 3}}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    with pytest.raises(InputError, match=r"no Ray cluster at localhost:1 .*refused"):
        Library.open(tmp_path / "none").index(mixed, workers="ray://localhost:1")
    try:
        machines = [cluster.add_node(num_cpus=1) for _ in range(2)]
        killed: list[object] = []

        def kill(stage, done, total):
            if stage == "embedding" and 0 < done < total and not killed:
                killed.append(machines[1])
                cluster.remove_node(machines[1], allow_graceful=False)

        with Library.open(tmp_path / "ray", embedder=BertEmbedder()) as library:
            report = library.index(*files, workers=f"ray://{cluster.address}", progress=kill)
            found = contents(library)
            assert library.verify() == []
        assert killed
    finally:
        cluster.shutdown()
    with Library.open(tmp_path / "one", embedder=BertEmbedder()) as library:
        assert without_time(library.index(*files)) == without_time(report)
        assert_same(found, contents(library), tolerance=2e-3)
