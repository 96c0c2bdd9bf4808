"""How fast beside others, in one run: python benchmarks/speed.py FOLDER [--passages N] [--place PLACE] [--rivals ...].

FOLDER is a question set in BEIR form. So many of its documents become text files; this project and each rival build an
index of them, build it again though nothing has changed, answer the first question of a new process, and then all (see
`rivals.py`). Each rival has an environment of its own in PLACE (made with pip where it is not there yet; a temporary
folder by default), on top of the present one: torch, sentence-transformers and the weights of the encoder are the same
for all. Every step is a process of its own, all in turns, with one thread; medians of processor seconds (user and
system, of the process and those that it started), clock seconds, and the most memory a process held.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rag.evaluate import read_folder
from rag.models import bert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RIVALS = {
    "langchain": ("langchain-community", "langchain-huggingface"),
    "llamaindex": ("llama-index-core", "llama-index-embeddings-huggingface"),
    "haystack": ("haystack-ai", "sentence-transformers-haystack"),
    "txtai": ("txtai",),
    "chroma": ("chromadb",),
}
"""What pip installs for each."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "HAYSTACK_TELEMETRY_ENABLED": "False"}


@dataclass
class Found:
    """What was measured of one program, a number a round: seconds of processor and clock, megabytes, milliseconds."""

    numbers: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Note a number."""
        self.numbers.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """Return the median of all rounds."""
        return median(self.numbers[name])


@dataclass(frozen=True)
class Contest:
    """One folder of texts, and how to run the programs over it."""

    place: Path
    texts: Path

    def python(self, name: str) -> str:
        """Return the interpreter of a program, in an environment that is made where there is none."""
        if name in {"rag", "fused"}:
            return sys.executable
        folder = self.place / name
        if not folder.exists():
            venv.create(folder, with_pip=True)
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            (folder / "lib" / version / "site-packages" / "base.pth").write_text(sysconfig.get_path("purelib"))
            subprocess.run([folder / "bin" / "pip", "install", "-q", *RIVALS[name]], check=True)
        return str(folder / "bin" / "python")

    def run(self, name: str, what: str, store: Path, found: Found) -> None:
        """Let a program do something in a process, and note what it took."""
        script = str(Path(__file__).with_name("rivals.py"))
        places = [self.texts, store, bert.folder(), self.texts.with_suffix(".txt")]
        rest = [what.partition(" ")[0], *map(str, places)]
        environment = {**os.environ, **ONE_THREAD, **OFFLINE}
        began = time.perf_counter()
        with tempfile.TemporaryFile("w+") as output:
            command = [self.python(name), script, name, *rest]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed; run it by hand")
            output.seek(0)
            times = output.read().strip().rpartition("\n")[2]
        found.add(f"{what} CPU s", used.ru_utime + used.ru_stime)
        found.add(f"{what} wall s", time.perf_counter() - began)
        found.add(f"{what} MB", used.ru_maxrss / 1000)
        if what == "warm":
            found.add("question ms", median(json.loads(times)))


def measured(contest: Contest, names: Sequence[str], rounds: int) -> dict[str, Found]:
    """Run all programs in turns."""
    found = {name: Found() for name in names}
    for number in range(rounds):
        for what in ("build", "build again", "first", "warm"):
            for name in names:
                if name == "fused" and what.startswith("build"):
                    continue
                store = contest.place / f"index-{'rag' if name == 'fused' else name}-{number}"
                contest.run(name, what, store, found[name])
                print(f"{what} {name}", {n: round(v[-1], 3) for n, v in found[name].numbers.items()}, file=sys.stderr)
    return found


def table(found: dict[str, Found], texts: int) -> None:
    """Print the medians, and how they relate to the best rival's."""
    columns: dict[str, Callable[[Found], float]] = {
        "texts a CPU s": lambda each: texts / each.median("build CPU s"),
        "unchanged CPU s": lambda each: each.median("build again CPU s"),
        "first CPU s": lambda each: each.median("first CPU s"),
        "first wall s": lambda each: each.median("first wall s"),
        "question CPU ms": lambda each: each.median("question ms"),
        "build MB": lambda each: each.median("build MB"),
        "asked MB": lambda each: each.median("warm MB"),
    }
    print(f"{'':12}", *(f"{name:>16}" for name in columns))
    for name, each in found.items():
        cells = []
        for column, of in columns.items():
            values = {rival: of(other) for rival, other in found.items() if rival in RIVALS}
            if name == "fused" and ("build" in column or "unchanged" in column or "texts" in column):
                cells.append("")
                continue
            best = (max if column.startswith("texts") else min)(values.values(), default=of(each))
            cells.append(f"{of(each):.3g}" + ("" if name in RIVALS else f" ({of(each) / best:.2f})"))
        print(f"{name:12}", *(f"{cell:>16}" for cell in cells))
    print("in brackets: times the best rival's")


def main() -> None:
    """Write the texts, run everything, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a question set in BEIR form")
    parser.add_argument("--passages", type=int, default=250)
    parser.add_argument("--place", type=Path, help="where environments stay for the next time")
    parser.add_argument("--rivals", nargs="*", default=[*RIVALS], choices=[*RIVALS])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = options.place or Path(temporary)
        texts = Path(temporary) / "texts"
        texts.mkdir()
        dataset = read_folder(options.folder)
        for number, document in zip(range(options.passages), dataset.documents(), strict=False):
            (texts / f"{number:05}.txt").write_text(document.text, "utf-8")
        questions = [" ".join(each.text.split()) for each in dataset.limited(options.questions).questions]
        texts.with_suffix(".txt").write_text("\n".join(questions), "utf-8")
        table(measured(Contest(place, texts), ["rag", "fused", *options.rivals], options.rounds), options.passages)


if __name__ == "__main__":
    main()
