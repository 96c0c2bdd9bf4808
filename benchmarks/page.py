"""How fast the page starts and answers, and how it holds under load.

Run: python benchmarks/page.py [--users 20] [--seconds 120]. Starts `rag serve` over the sample documents in a process
of its own and prints: the seconds until it can be asked and what they are spent on, the time to one answer, and with
many users asking at once how long the answered ones waited, how many were told that the server is busy, what went
wrong, and the most memory that the server held. Halfway, a file is added.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data"
QUESTIONS = [
    "How many civilians live in Idlib?",
    "What did Robert Ford say about the Kurds?",
    "When was the ceasefire of March 2020 agreed?",
    "How many people left Aleppo province?",
    "How many lorries crossed Bab al-Hawa?",
    "What is the Astana format?",
    "Who won the 1998 football world cup?",
]
Server = dict[str, Any]
"""Its address, and what a request to it carries: the first arguments of an `httpx.Client`."""

IDLE = 45.0  # s after which the server has given back what it does not need

NEW_FILE = "The ledger of Quarnford has {} entries about bells.\n\n"


@contextmanager
def served(store: Path) -> Iterator[tuple[Server, int, float]]:
    """Serve an index; yields where it is asked, process id and the seconds until it was ready."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "rag", "serve", "--store", str(store), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, _, token = process.stdout.readline().split()[1].partition("/?token=")
        yield (
            {"base_url": url, "headers": {"Authorization": f"Bearer {token}"}},
            process.pid,
            time.perf_counter() - start,
        )
        process.terminate()


def imports() -> list[str]:
    """Return lines of what a start imports, in seconds, each in a fresh Python."""
    lines = []
    for name in ("gradio", "torch", "sentence_transformers", "faiss"):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
        lines.append(f"  import {name:24} {time.perf_counter() - start:6.2f} s")
    return lines


def ask(client: httpx.Client, question: str) -> str:
    """Ask by the call for programs; returns `answered`, `busy` or what went wrong."""
    called = client.post("/gradio_api/call/ask", json={"data": [question, 8]})
    if called.status_code == 503:
        return "busy"
    if called.status_code != 200:
        return f"status {called.status_code}"
    result = client.get(f"/gradio_api/call/ask/{called.json()['event_id']}").text
    event = re.findall(r"^event: (\w+)$", result, re.MULTILINE)[-1]
    if event == "complete":
        data = re.findall(r"^data: (.*)$", result, re.MULTILINE)[-1]
        return "answered" if json.loads(data)[0]["question"] == question else "another question's answer"
    return "busy" if "full" in result else f"event {event}: {result[-200:]}"


def add(server: Server, passages: int) -> tuple[float, str]:
    """Upload and index a file; returns seconds and what became of it."""
    with httpx.Client(**server, timeout=600) as client:
        start = time.perf_counter()
        words = "".join(NEW_FILE.format(number) for number in range(passages)).encode()
        path = client.post("/gradio_api/upload", files={"files": ("ledger.txt", words, "text/plain")}).json()[0]
        file = {"path": path, "orig_name": "ledger.txt", "meta": {"_type": "gradio.FileData"}}
        called = client.post("/gradio_api/call/index", json={"data": [[file]]}).json()
        result = client.get(f"/gradio_api/call/index/{called['event_id']}").text
        return time.perf_counter() - start, "added" if '"added": 1' in result else result[-200:]


def memory(process: int, field: str = "VmRSS") -> float:
    """Return the resident memory of a process in MB; with `VmHWM`, the most that it ever was."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition(f"{field}:")[2].split()[0]) / 1024


def load(server: Server, process: int, users: int, seconds: float) -> None:
    """Let users ask, one question after the other, and add a file halfway; print what happened."""
    outcomes: Counter[str] = Counter()
    waits: list[tuple[float, float]] = []  # when asked and for how long, of those who were not told "busy"
    start = time.perf_counter()

    def use(user: int) -> None:
        chance = random.Random(user)
        with httpx.Client(**server, timeout=120) as client:
            while (asked := time.perf_counter() - start) < seconds:
                outcome = ask(client, chance.choice(QUESTIONS))
                outcomes[outcome] += 1
                if outcome == "busy":
                    time.sleep(0.5)
                else:
                    waits.append((asked, time.perf_counter() - start - asked))

    threads = [threading.Thread(target=use, args=(user,)) for user in range(users)]
    before = memory(process)
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    begun = time.perf_counter() - start
    took, outcome = add(server, 300)
    ended = time.perf_counter() - start
    for thread in threads:
        thread.join()
    rate = outcomes["answered"] / (time.perf_counter() - start)
    print(f"{users} users for {seconds:.0f} s: {rate:.1f} answers a second; {dict(outcomes)}")
    print(f"  all                  {_spread([wait for _, wait in waits])}")
    print(f"  while a file is added {_spread([wait for asked, wait in waits if begun <= asked < ended])}")
    print(f"  the file: {outcome} in {took:.1f} s")
    print(f"  memory in MB: {before:.0f} before, {memory(process):.0f} after, at most {memory(process, 'VmHWM'):.0f}")
    time.sleep(IDLE)
    print(f"  and when idle: {memory(process):.0f}")


def _spread(waits: list[float]) -> str:
    if not waits:
        return "nobody asked"
    ordered = sorted(waits)
    at = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.9, 0.99)]
    return f"p50 {at[0]:.2f} s, p90 {at[1]:.2f} s, p99 {at[2]:.2f} s, of {len(waits)}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        store = Path(name, "index")
        subprocess.run(
            [sys.executable, "-m", "rag", "index", str(DATA), "--store", str(store)],
            check=True,
            capture_output=True,
        )
        with served(store) as (server, process, ready), httpx.Client(**server, timeout=120) as client:
            print(f"address printed after {ready:.2f} s")
            start = time.perf_counter()
            client.get("/").raise_for_status()
            print(f"page sent after {time.perf_counter() - start:.2f} s more")
            start = time.perf_counter()
            ask(client, QUESTIONS[0])
            print(f"first answer after {time.perf_counter() - start:.2f} s more")
            waits = []
            for question in QUESTIONS * 3:
                start = time.perf_counter()
                ask(client, question)
                waits.append(time.perf_counter() - start)
            print(f"one user: {_spread(waits)}")
            load(server, process, options.users, options.seconds)
        print("\n".join(imports()))


if __name__ == "__main__":
    main()
