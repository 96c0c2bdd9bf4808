"""One damage anywhere in an index: no crash, no other answer without a word, and `rag verify` names the file.

Each damage is tried in a process of its own, which says what it read. Soak: RAG_MUTATIONS=10000 pytest -m soak.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import traceback
from pathlib import Path
from typing import Any

import pytest

from rag.errors import RagError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.history import History

# a process of its own for each damage, without 0.7 s of imports
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["faiss", "tantivy", "rag.library", __name__])
SECONDS = 60  # that one may take
HOLDS_NOTHING = {"LOCK", "token", "catalog.db-shm"}  # whose turn, the key, SQLite's own
QUESTIONS = ("How many tons did the crane lift?", "Who closed the harbour?", "What did Brook say of the buoys?")
TEXTS = {
    "harbour.txt": "Harbour report\n\nThe crane lifted 412 tons on Monday. The office closed the harbour at noon.\n",
    "minutes.md": "# Minutes\n\n## Buoys\n\nAda Brook: The buoys are green. They were red.\n\n## Pier\n\nNone.\n",
    "tides.csv": "day,height\n2024-05-01,3.2\n2024-05-02,3.4\n",
}


def read_all(root: Path) -> dict[str, Any]:
    """What somebody is told about an index: documents, hits and conversations; or the error in place of each."""
    told: dict[str, Any] = {}

    def tell(what, read):
        try:
            told[what] = read()
        except RagError as error:
            told[what] = {"error": str(error)}

    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        tell("documents", lambda: sorted(map(str, library.documents())))
        for name in TEXTS:
            tell(name, lambda name=name: str(library.document(name)))
        for question in QUESTIONS:
            tell(question, lambda question=question: found(library, question))
        history = History(root / "history.db")
        tell("conversations", lambda: list(map(str, history.conversations())))
        tell("turns", lambda: [str(turn) for c in history.conversations() for turn in history.turns(c.id)])
        tell("quoted", lambda: sorted(map(str, history.quoted().items())))
        tell("judged", lambda: history.question_file(set()))
        tell("damages", library.verify)
    return told


def found(library: Library, question: str) -> list[tuple[str, float]]:
    return [(str(hit.passage), round(hit.score, 4)) for hit in library.search(question)]


def _say(root: str, out: str) -> None:
    try:
        told = read_all(Path(root))
    except BaseException:  # noqa: BLE001 - tantivy's panics, too
        told = {"crash": traceback.format_exc()}
    Path(out).write_text(json.dumps(told))


def told_by_a_process(root: Path, out: Path) -> dict[str, Any]:
    out.unlink(missing_ok=True)
    process = FORKS.Process(target=_say, args=(str(root), str(out)))
    process.start()
    process.join(SECONDS)
    if process.exitcode is None:
        process.kill()
        return {"crash": f"no end after {SECONDS} s"}
    return json.loads(out.read_text()) if out.exists() else {"crash": f"exit {process.exitcode}"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """An index with all kinds of files, moved away from its place: damaged copies stand there, as added files do."""
    folder = tmp_path_factory.mktemp("mutations")
    (folder / "docs").mkdir()
    for name, text in TEXTS.items():
        (folder / "docs" / name).write_text(text)
    (folder / "upload.txt").write_text("The uploaded note says that the pilot likes green buoys.\n")
    with Library.open(folder / "index", embedder=HashEmbedder(), reranker="none") as library:
        library.index(folder / "docs")
        library.add(folder / "upload.txt")
        history = History(library.root / "history.db")
        for question in QUESTIONS:
            hits = library.search(question, 2)
            cited = [{"document": hit.passage.uri, "quote": hit.passage.text} for hit in hits]
            record = {"question": question, "abstained": False, "short_answer": None, "citations": cited, "nearest": []}
            turn = history.add(record)
            history.judge(turn.id, "helpful")
            history.add(record, turn.conversation)
    return (folder / "index").rename(folder / "sound")


def damage(path: Path, chance: random.Random) -> str:
    """Damage a file in one of the ways in which files are damaged; tell how."""
    data = bytearray(path.read_bytes())
    kind = chance.choice(["bit", "bit", "bit", "byte", "cut", "zeros", "noise", "empty", "missing", "letter"])
    at = chance.randrange(max(len(data), 1))
    if kind == "missing":
        path.unlink()
        return kind
    if kind == "bit" and data:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "byte" and data:
        data[at] = chance.randrange(256)
    elif kind == "letter" and data:  # what is hardest to notice: another letter or digit in a text
        places = [i for i, byte in enumerate(data) if chr(byte).isalnum()]
        at = chance.choice(places) if places else at
        data[at] = ord("7") if chr(data[at]).isdecimal() else ord("x")
    elif kind == "cut":
        del data[at:]
    elif kind == "zeros":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif kind == "noise":
        data[at : at + 16] = chance.randbytes(len(data[at : at + 16]))
    elif kind == "empty":
        data.clear()
    path.write_bytes(data)
    return f"{kind} at {at}"


def mutate(sound: Path, number: int, seed: int) -> list[str]:
    """Damage copies of the index; return what was wrong with how that was told."""
    copy, out = sound.with_name("index"), sound.with_name("told.json")
    shutil.copytree(sound, copy)
    plain = told_by_a_process(copy, out)
    assert plain["damages"] == []
    assert "crash" not in plain
    files = [path for path in sound.rglob("*") if path.is_file() and path.stat().st_size]
    names = sorted(str(path.relative_to(sound)) for path in files if path.name not in HOLDS_NOTHING)
    assert {"catalog.db", "catalog.seal", "history.db", "lexical/meta.json", "files/upload.txt"} <= set(names)
    chance, wrong, tried = random.Random(seed), [], 0
    while tried < number:
        name = names[tried % len(names)]
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(sound, copy)
        how = damage(copy / name, chance)
        if (copy / name).exists() and (copy / name).read_bytes() == (sound / name).read_bytes():
            continue  # it hit bytes that were so before
        tried += 1
        told = told_by_a_process(copy, out)
        where = f"{name}, {how}"
        # without it there is no conversation, which is plain to see, or no seal, as after a killed writer
        gone = how == "missing" and name in {"history.db", "catalog.seal"}
        if "crash" in told:
            wrong.append(f"{where}: {told['crash']}")
            continue
        wrong += [
            f"{where}: {what} is another without a word: {told[what]}"
            for what, before in plain.items()
            if what != "damages" and told[what] != before and "error" not in told[what]
            if not gone
        ]
        same = all(told[what] == plain[what] for what in plain if what != "damages")
        named = any(Path(name).name in line for line in told["damages"])
        if (
            not named and not gone and not (name == "history.db" and same)
        ):  # bytes of it that hold nothing have no checksum
            wrong.append(f"{where}: not named by verify: {told['damages']}")
    shutil.rmtree(copy)
    return wrong


def test_no_damage_passes_in_silence(sound):
    wrong = mutate(sound, int(os.environ.get("RAG_MUTATIONS", "60")), 1)
    assert "\n".join(wrong) == ""


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_no_damage_of_10000_passes_in_silence(sound):
    number = int(os.environ.get("RAG_MUTATIONS", "10000"))
    wrong = mutate(sound, number, 3)
    assert "\n".join(wrong) == ""
