"""The power goes at any call of indexing, updating, removing, rebuilding, adding and asking: nothing done is lost.

All calls of real runs are recorded, one run after the other; a model of the disk (`power.py`) is stopped at one of
them, and what it then holds must open as before the run or after it, and be brought level by the next run.
"""

from __future__ import annotations

import random
import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import FormatMismatch, IndexMissing, StoreError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.store.history import History
from tests.store.power import Chance, Disk, OneOfThem
from tests.store.system_calls import Call, needed, watched
from tests.store.test_formats import unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = needed

HALF_WRITTEN = {"half written": "in the first moment, or while an earlier format is taken over"}
LAST = 12
"""Calls of a run from the last of its log to the end: emptied and deleted, then the seal."""
RUNS = ("index", "update", "remove", "rebuild", "add", "converse", "converse again", "replace", "grow", "forget")


def documents(folder: Path, run: str) -> None:
    """Write the documents as they are at a run."""
    texts = {
        "one": "The crane at the first pier lifted nine tons.",
        "two": f"The crane at the second pier {'rested' if run == 'index' else 'lifted ten tons'}.",
        "three": "The crane at the third pier is green.",
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    for number in range(30 if run in {"grow", "forget"} else 0):
        (folder / f"{number}.txt").write_text(f"Report {number} of the crane: {number} tons, {'all is well, ' * 50}.")
    if run == "remove":
        (folder / "three.txt").unlink()
    (folder.with_name("upload.txt")).write_text(f"The uploaded crane is {'red' if run == 'replace' else 'blue'}.\n")


def do(run: str, root: str, folder: str) -> None:
    """Do one run in this process."""
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        if run in {"add", "replace"}:
            library.add(Path(folder).with_name("upload.txt"))
        elif run == "forget":
            library.remove("upload.txt")
        elif run == "take over":
            with library.store.writer():
                pass
        elif run.startswith("converse"):
            answer = {"question": run, "citations": [], "nearest": []}
            History(library.root / "history.db").add(answer)
        else:
            library.index(folder, rebuild=run == "rebuild")


def shown(root: Path, *, halfway: bool = False) -> dict[str, str]:
    """What a reader is shown: texts and questions, checked against what is found; and the files that were added.

    Halfway, a file may be another one than its text in the index says, which `verify` tells.
    """
    with Library.open(root, embedder=HashEmbedder(), reranker="none") as library:
        try:
            texts = {Path(info.uri).name: library.document(info.uri).text for info in library.documents()}
        except IndexMissing:
            return {}
        except FormatMismatch:
            return {"of an earlier format": ""}
        except StoreError as error:
            assert "left half written by a stopped run" in str(error)  # noqa: PT017
            return HALF_WRITTEN
        assert [line for line in library.verify() if not (halfway and "files/upload.txt" in line)] == []
        hits = library.search("crane pier tons report", 100)
        assert {Path(hit.passage.uri).name for hit in hits} == texts.keys()
        assert all(hit.passage.text in texts[Path(hit.passage.uri).name] for hit in hits)
        asked = [each.title for each in History(root / "history.db").conversations()]
        added = [] if halfway or not library.files.exists() else sorted(library.files.iterdir())
    return texts | dict.fromkeys(asked, "asked") | {f"added {file.name}": file.read_text() for file in added}


def record(place: Path, order: Sequence[str]) -> tuple[list[tuple[str, list[Call]]], list[dict[str, str]]]:
    """Do all runs; return the calls of each, and what is shown before the first and after each."""
    root, folder, disk = place / "disk" / "index", place / "documents", Disk(place / "disk")
    runs: list[tuple[str, list[Call]]] = []
    states = [shown_of_a_copy(root)]
    for run in order:
        documents(folder, run)
        calls: list[Call] = []
        assert watched(place / "disk", noted_in(calls), do, run, str(root), str(folder)) == 0
        runs.append((run, calls))
        for call in calls:
            disk.do(call)
        (place / "model").mkdir()
        disk.write(place / "model")
        assert files(place / "model") == files(place / "disk"), "the model is not what the calls did"
        shutil.rmtree(place / "model")
        states.append(shown_of_a_copy(root))
    return runs, states


def shown_of_a_copy(root: Path) -> dict[str, str]:
    """Look at an index, and take back the files that SQLite makes for that: they are in no record."""
    shutil.copytree(root.parent, root.parent.with_name("kept"))
    found = shown(root)
    shutil.rmtree(root.parent)
    root.parent.with_name("kept").rename(root.parent)
    return found


def noted_in(calls: list[Call]):
    def note(call: Call) -> int:
        if call.changes:
            calls.append(call)
        return 0

    return note


def files(place: Path) -> dict[str, bytes]:
    """All files and folders but SQLite's shared memory, which it makes anew after a crash."""
    found = [path for path in place.rglob("*") if not path.name.endswith("-shm")]
    return {str(path.relative_to(place)): path.read_bytes() if path.is_file() else b"" for path in found}


def lose_power(place: Path, losses: int, seed: int, order: Sequence[str] = RUNS) -> list[str]:
    """Lose power so many times, in runs over what is on the disk; return what was wrong."""
    (place / "disk").mkdir(exist_ok=True)
    shutil.copytree(place / "disk", place / "begun")
    runs, states = record(place, order)
    chance, wrong = random.Random(seed), []
    every = [(number, at) for number, (_, calls) in enumerate(runs) for at in range(len(calls) + 1)]
    points = sorted(chance.choices(every, k=losses))
    shutil.rmtree(place / "disk")
    (place / "begun").rename(place / "disk")
    disk, done = Disk(place / "disk"), (0, 0)
    for number, at in points:
        while done < (number, at):
            if done[1] == len(runs[done[0]][1]):
                done = (done[0] + 1, 0)
            else:
                disk.do(runs[done[0]][1][done[1]])
                done = (done[0], done[1] + 1)
        run, calls = runs[number]
        is_done = at == len(calls)
        may_be = states[number + is_done : number + 2]
        where = f"{run}, {'after the end' if is_done else f'before {at}: {calls[at].kind} {calls[at].path}'}"
        shutil.rmtree(place / "disk")
        (place / "disk").mkdir()
        disk.write(place / "disk", Chance(chance))
        try:
            check(place, run, may_be)
        except Exception as error:  # noqa: BLE001 - all are listed at the end
            wrong.append(f"{where}: {error!r}"[:600])
    return wrong


def check(place: Path, run: str, may_be: list[dict[str, str]]) -> None:
    """Look at what is left, and go on with the same run, unless it is done."""
    root, folder = place / "disk" / "index", place / "documents"
    if len(may_be) == 1:
        assert shown(root) == may_be[0]
        return
    texts = [{name: text for name, text in state.items() if not name.startswith("added")} for state in may_be]
    found = shown(root, halfway=True)
    assert found in texts or (found == HALF_WRITTEN and run in {"index", "take over"})
    documents(folder, run)
    if not (run == "forget" and found == texts[1]) and not (run.startswith("converse") and found == texts[1]):
        do(run, str(root), str(folder))
    assert shown(root) == may_be[1]


@pytest.mark.slow
@pytest.mark.parametrize("alone", [True, False])
def test_of_the_last_calls_of_a_run_one_change_lasts_or_all_but_one(tmp_path, alone):
    """While the index is sealed, whatever the order in which a disk writes."""
    (tmp_path / "disk").mkdir()
    runs, states = record(tmp_path, ["index", "update"])
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    disk, (run, calls) = Disk(tmp_path / "disk"), runs[1]
    for call in [*runs[0][1], *calls[:-LAST]]:
        disk.do(call)
    for call in calls[-LAST:]:
        disk.do(call)
        for place in count():
            shutil.rmtree(tmp_path / "disk")
            (tmp_path / "disk").mkdir()
            luck = OneOfThem(place, alone=alone)
            disk.write(tmp_path / "disk", luck)
            if luck.place >= 0:
                break
            check(tmp_path, run, states[1:])


@pytest.mark.slow
def test_power_lost_sixty_times(tmp_path):
    assert "\n".join(lose_power(tmp_path, 60, 1)) == ""


@pytest.mark.slow
def test_power_lost_while_an_earlier_format_is_taken_over(tmp_path):
    unpacked(3, tmp_path / "disk")
    assert "\n".join(lose_power(tmp_path, 15, 3, ["take over"])) == ""


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_power_lost_2000_times(tmp_path):
    assert "\n".join(lose_power(tmp_path, 2000, 2)) == ""
    unpacked(3, tmp_path / "migration" / "disk")
    assert "\n".join(lose_power(tmp_path / "migration", 300, 4, ["take over"])) == ""
