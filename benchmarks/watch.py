"""How long it takes until a change of a file is in the answers, while `rag index --watch` runs.

Run: python benchmarks/watch.py [MODEL]. Prints seconds from saving (or deleting) a file until a search in
another process finds it (or no longer does): as median and worst of ten, in an index of 200 documents with the
default encoder; and how many publishes 500 files took that were written at once.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rag.library import Library
from rag.models.encoder import DEFAULT_MODEL, embedder

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = "harbour crane bridge river mayor flood council budget school report ceasefire highway".split()
TIMES = 10


def until(holds: Callable[[], bool]) -> float:
    """Return the seconds until something holds, looked at twenty times a second."""
    start = time.perf_counter()
    while not holds():
        time.sleep(0.05)
    return time.perf_counter() - start


def found(library: Library, phrase: str) -> bool:
    """Tell whether the best passage has these words."""
    return phrase in library.search(phrase, 1)[0].passage.text


def measure(library: Library, folder: Path) -> None:
    """Save and delete files of two formats, then write many at once."""
    for suffix, form in ((".txt", "{}"), (".html", "<p>{}</p>")):
        saved, deleted = [], []
        for number in range(TIMES):
            phrase = f"Lighthouse keeper {suffix[1:]} {number} resigned."
            path = folder / f"new-{number}{suffix}"
            path.write_text(form.format(phrase))
            saved.append(until(lambda phrase=phrase: found(library, phrase)))  # type: ignore[misc]
            path.unlink()
            deleted.append(until(lambda phrase=phrase: not found(library, phrase)))  # type: ignore[misc]
        for what, took in (("saved", saved), ("deleted", deleted)):
            print(f"{suffix:5} {what:8} median {median(took):.2f} s   worst {max(took):.2f} s")
    before, have = library.status().generation, library.status().documents
    for number in range(500):
        (folder / f"many-{number}.txt").write_text(f"The crane numbered {number} fell into the river.")
    seconds = until(lambda: library.status().documents == have + 500)
    print(f"500 files at once: {library.status().generation - before} publishes, {seconds:.1f} s")


def main() -> None:
    """Make the files, watch them, measure."""
    model = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_MODEL
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder, store = Path(name, "documents"), Path(name, "index")
        folder.mkdir()
        for number in range(200):
            sentences = (f"The {' '.join(chance.choices(WORDS, k=12))} of {number}." for _ in range(5))
            (folder / f"{number:04}.txt").write_text(" ".join(sentences))
        command = [sys.executable, "-m", "rag", "index", str(folder), "--store", str(store), "--model", model]
        with subprocess.Popen([*command, "--watch"], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            print(process.stdout.readline().strip())
            with Library.open(store, embedder=embedder(model)) as library:
                library.warm()
                measure(library, folder)
            process.send_signal(signal.SIGINT)
            print(f"ended with {process.wait()}")


if __name__ == "__main__":
    main()
