"""What workers gain on this machine: python benchmarks/workers.py [--files 150] [--rounds 2] [--workers none 1 2 ray].

Whole runs of `rag index` on made-up text with the default encoder, in turns, each into a new index: seconds by the
clock and of all processors, of every process that a run started (those of Ray as well), and passages for each of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

WORDS = (
    "harbour crane bridge river mayor flood council budget school report ceasefire highway engineer minister".split()
)
TICKS = os.sysconf("SC_CLK_TCK")


def write(folder: Path, files: int) -> None:
    """Write files of four paragraphs, about three passages each."""
    chance = random.Random(0)
    for number in range(files):
        paragraphs = (" ".join(f"The {' '.join(chance.choices(WORDS, k=11))}." for _ in range(10)) for _ in range(4))
        (folder / f"{number:05}.txt").write_text("\n\n".join(paragraphs), "utf-8")


def spent(mark: str, known: dict[str, float]) -> None:
    """Note the CPU seconds so far of each process whose environment has the mark."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if mark.encode() in (process / "environ").read_bytes():
                times = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
                known[process.name] = (int(times[11]) + int(times[12])) / TICKS


def index(folder: Path, store: Path, workers: str) -> tuple[dict[str, float], float, float]:
    """Run `rag index`; return its report, and the seconds by the clock and of the processors."""
    mark = f"RAG_MEASURED={store}"
    command = [sys.executable, "-m", "rag", "index", str(folder), "--store", str(store), "--json"]
    more = [] if workers == "none" else ["--workers", workers]
    name, _, value = mark.partition("=")
    known: dict[str, float] = {}
    began = time.monotonic()
    with subprocess.Popen(
        [*command, *more], env={**os.environ, name: value}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        while run.poll() is None:
            spent(mark, known)
            time.sleep(0.2)
        assert run.stdout
        return json.load(run.stdout), time.monotonic() - began, sum(known.values())


def main() -> None:
    """Run each kind in turns, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", nargs="+", default=["none", "1", "2", "ray"])
    options = parser.parse_args()
    best: dict[str, tuple[float, float]] = {}
    passages = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "documents")
        folder.mkdir()
        write(folder, options.files)
        for turn in range(options.rounds):
            for workers in options.workers:
                report, wall, cpu = index(folder, Path(name, f"{workers}-{turn}"), workers)
                passages = report["passages"]
                before = best.get(workers, (wall, cpu))
                best[workers] = min(wall, before[0]), min(cpu, before[1])
                load = os.getloadavg()[0]
                print(f"{workers}: {wall:.1f} s, {cpu:.1f} CPU s; load of the machine {load:.1f}", file=sys.stderr)
    print(f"{passages:.0f} passages; best of {options.rounds}\n")
    print("| workers | seconds | CPU seconds | passages/s | passages a CPU second |\n|---|--:|--:|--:|--:|")
    for workers, (wall, cpu) in best.items():
        print(f"| {workers} | {wall:.1f} | {cpu:.1f} | {passages / wall:.1f} | {passages / cpu:.1f} |")


if __name__ == "__main__":
    main()
