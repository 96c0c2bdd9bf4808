"""A server under load gives back what it takes.

The hour is run by `pytest -m soak -s`, which prints its figures; RAG_SOAK_SECONDS shortens it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from rag.app.cli import main
from rag.app.ui import MOST_SESSIONS
from tests.app.ui.test_server import handles_of, said, served
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

USERS = 20
POOL = 40  # threads that anyio keeps for work at most
SECONDS = float(os.environ.get("RAG_SOAK_SECONDS", "3600"))
QUESTIONS = [
    "How many civilians live in Idlib?",
    "Who won the cup?",
    "What happened in Aleppo?",
    "What is in ledger 3?",
]


@pytest.fixture
def store(tmp_path):
    """The index of the sample documents, with the stand-in encoder."""
    assert main(["index", str(ROOT / "data"), "--store", str(tmp_path / "index"), "--model", "hash"]) == 0
    return tmp_path / "index"


def threads_of(process) -> int:
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


def memory_of(process) -> int:
    """Resident memory in kB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[0])


def called(client: httpx.Client, name: str, data: list[object]) -> int:
    """Call a function of the page, read its answer to the end, and return the first status that is not 200."""
    begun = client.post(f"/gradio_api/call/{name}", json={"data": data})
    if begun.status_code != 200:
        return begun.status_code
    return client.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}").status_code


def upload(client: httpx.Client, number: int) -> int:
    words = f"Ledger {number} of Quarnford.\n\n" + "".join(f"Entry {n} is about bells.\n\n" for n in range(200))
    name = f"ledger-{number % 5}.txt"
    path = client.post("/gradio_api/upload", files={"files": (name, words.encode(), "text/plain")}).json()[0]
    return called(client, "index", [[{"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}]])


def until_level(measure: Callable[[], int], most: int, seconds: float = 90) -> int:
    """Wait until a number is back at `most`, as long as is allowed; return it."""
    end = time.monotonic() + seconds
    while measure() > most and time.monotonic() < end:
        time.sleep(0.5)
    return measure()


def ask_and_leave(url: str) -> int:
    """Ask, and hang up while the answer is being made; return the status of the question."""
    with httpx.Client(base_url=url, timeout=300) as client:
        begun = client.post("/gradio_api/call/ask", json={"data": [QUESTIONS[0], 8]})
        if begun.status_code == 200:
            with client.stream("GET", f"/gradio_api/call/ask/{begun.json()['event_id']}"):
                pass
        return begun.status_code


@pytest.mark.parametrize("number", [25, pytest.param(1000, marks=pytest.mark.soak)])
def test_who_hangs_up_leaves_nothing_behind(store, number):
    """Asked, and gone before the answer: no handle and no thread of it stays, and the next one is answered."""
    with served(store) as (url, process), httpx.Client(base_url=url, timeout=120) as client:
        for _ in range(3):
            assert called(client, "ask", [QUESTIONS[0], 8]) == 200
        handles, threads = handles_of(process), threads_of(process)
        statuses = Counter(ask_and_leave(url) for _ in range(number))
        assert set(statuses) <= {200, 503}
        assert statuses[200] > number / 10
        assert until_level(lambda: handles_of(process), handles + 2) <= handles + 2
        assert until_level(lambda: threads_of(process), threads + POOL) <= threads + POOL
        while (status := called(client, "ask", [QUESTIONS[0], 8])) == 503:  # as long as others are before it
            time.sleep(1)
        assert status == 200
    assert "Traceback" not in said(store)


@pytest.mark.soak
@pytest.mark.timeout(2 * 3600)
def test_an_hour_of_twenty_users(store):
    """Questions without pause, and uploads: memory does not grow after the first quarter, and nothing is left open."""
    statuses: Counter[int] = Counter()
    samples: list[tuple[float, int]] = []
    with served(store) as (url, process), httpx.Client(base_url=url, timeout=600) as client:
        assert called(client, "ask", [QUESTIONS[0], 8]) == 200
        handles = handles_of(process)
        begun = time.monotonic()

        def use(user: int) -> None:
            with httpx.Client(base_url=url, timeout=600) as own:
                while time.monotonic() - begun < SECONDS:
                    status = called(own, "ask", [QUESTIONS[(user + sum(statuses.values())) % len(QUESTIONS)], 8])
                    statuses[status] += 1
                    time.sleep(1 if status == 503 else 0.1)

        users = [threading.Thread(target=use, args=(user,)) for user in range(USERS)]
        for user in users:
            user.start()
        number = 0
        while (now := time.monotonic() - begun) < SECONDS:
            samples.append((now, memory_of(process)))
            if number % 6 == 0:
                statuses[upload(client, number // 6)] += 1
            number += 1
            time.sleep(5)
        for user in users:
            user.join()
        later = np.array([sample for sample in samples if sample[0] > SECONDS / 4])
        slope = np.polyfit(later[:, 0], later[:, 1], 1)[0] * SECONDS * 3 / 4 / later[:, 1].mean()
        mean = later[:, 1].mean() / 1024
        print(f"{dict(statuses)}; {mean:.0f} MB, {slope:+.1%} in three quarters of {SECONDS:.0f} s")  # noqa: T201
        print("MB every five minutes:", *(size // 1024 for _, size in samples[::60]))  # noqa: T201
        assert slope < 0.05
        assert set(statuses) <= {200, 503}
        assert statuses[200] > SECONDS / 10
        assert until_level(lambda: handles_of(process), handles + 5) <= handles + 5
        left = [path for path in (store.parent / "tmp").rglob("*") if path.is_file()]
        assert len(left) <= 5, left
    assert "Traceback" not in said(store)


SESSIONS = """
import sys
from rag.app.ui import build
from rag.app.ui.memory import forget_sessions
from rag.library import Library
app = build(Library.open(sys.argv[1]))
(gradio,) = (route.app for route in app.routes if hasattr(getattr(route, "app", None), "state_holder"))
for number in range(300):
    gradio.state_holder[f"call {number}"]
queue = gradio.get_blocks()._queue
for number in range(3000):
    queue.pending_messages_per_session[f"call {number}"] = None
    queue.pending_event_ids_session[f"call {number}"] = set()
forget_sessions(gradio.get_blocks())
assert queue.ANALYTICS_MAX_EVENTS == 1 and queue.ANAYLTICS_CACHE_FREQUENCY > 1_000_000
print(len(queue.pending_event_ids_session), len(gradio.state_holder.session_data))
"""


def test_programs_that_call_once_each_are_forgotten(store):
    """Gradio makes a session of 40 kB for each call of a program that names none, and would keep 10,000."""
    command = [sys.executable, "-c", SESSIONS, str(store)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert list(map(int, made.stdout.split()[-2:])) == [2000, MOST_SESSIONS]
