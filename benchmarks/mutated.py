"""What damaged files of every format do: each is reported, and the process that asked for them lives.

Run: python benchmarks/mutated.py [FILES [SHARED]]. Damages the files of SHARED/eval/docparse_docling and the small ones
of `broken.py` at random (bytes changed, cut, doubled, taken out), FILES in all (default: 10,000), reads them in the
pool of worker processes, and prints what became of them by format, with all reasons that are not a sentence for people.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from concurrent.futures import wait
from pathlib import Path

from broken import KINDS

from rag.errors import LoadError
from rag.load.pool import Pool

_LARGEST = 300_000  # bytes; of larger files a few fill an hour
_AT_ONCE = 64


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Return bytes with a few faults of one kind."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 3, 20))):
        at, size = draw.randrange(len(found) or 1), draw.choice((1, 4, 200))
        kind = draw.randrange(4)
        if kind == 0:
            found[at : at + size] = draw.randbytes(size)
        elif kind == 1:
            del found[at : at + size]
        elif kind == 2:
            found[at:at] = found[at : at + size] * 3
        elif len(found) > 10:
            del found[-draw.randrange(1, len(found) // 2) :]
    return bytes(found)


def sources(shared: Path) -> list[tuple[str, bytes]]:
    """Return suffix and bytes of each sound file."""
    small = [(f".{suffix}", make("The crane fell into the river on Monday.")) for suffix, make in KINDS.items()]
    folder = shared / "eval" / "docparse_docling"
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size < _LARGEST]
    return small + [(path.suffix.lower(), path.read_bytes()) for path in paths if "expected" not in path.name]


def main() -> None:
    """Damage, read, count."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    shared = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[2] / "shared"
    draw, sound, outcomes = random.Random(0), sources(shared), Counter[tuple[str, str]]()
    with Pool(2) as pool:
        for start in range(0, count, _AT_ONCE):
            drawn = [draw.choice(sound) for _ in range(min(_AT_ONCE, count - start))]
            names = [(suffix, f"/damaged/{start + at}{suffix}") for at, (suffix, _) in enumerate(drawn)]
            reading = [pool.submit(damaged(data, draw), uri) for (_, uri), (_, data) in zip(names, drawn, strict=True)]
            wait(reading)
            for (suffix, _), future in zip(names, reading, strict=True):
                outcomes[suffix, _outcome(future.exception())] += 1
    for (suffix, what), number in sorted(outcomes.items()):
        print(f"{suffix:6} {number:5} {what}")
    print(f"{outcomes.total()} of {count} reported")


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "read"
    return type(error).__name__ if isinstance(error, LoadError) else f"NOT REPORTED: {error!r}"


if __name__ == "__main__":
    main()
