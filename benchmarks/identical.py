"""Whether documents, passages and search results are the same as before, to the byte.

    python benchmarks/identical.py --write BEFORE.json [PATH...]   # with the code of before: PYTHONPATH=OLD_CHECKOUT
    python benchmarks/identical.py BEFORE.json [PATH...]           # with that of now, from the same folder

PATHs are files and folders; without any, data/, ../shared/seeds and ../shared/eval, without files of more than 3 MB. Of
each file the text of its document is compared, the document with all its fields, and its passages; without PATHs also
the passages found for each question of QUESTIONS in an index of the first two folders, with their scores. Prints what
differs and exits 1.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import Library
from rag.chunk import Chunker
from rag.errors import RagError
from rag.load import SUFFIXES, load_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("data", "../shared/seeds")
QUESTIONS = ("tests/data/premises.json", "tests/data/yes_no.jsonl", "../shared/seeds/questions.jsonl")
LARGEST = 3_000_000  # bytes; a whole collection in one file says little more


def digest(value: object) -> str:
    """Return a hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files in folders that have a name that is read, in order; compressed ones as well."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.name.removesuffix(".gz").lower()
            if Path(name).suffix in SUFFIXES and file.is_file() and file.stat().st_size < LARGEST:
                yield file


def of_file(file: Path, chunker: Chunker) -> dict[str, str]:
    """Return the hashes of a file's document, or what is said of it when it gives none."""
    content = file.read_bytes()
    if file.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        document = load_bytes(content, str(file).removesuffix(".gz"))
    except RagError as error:
        return {"error": str(error)}
    passages = [asdict(passage) for passage in chunker.passages(document)]
    return {"text": digest(document.text), "document": digest(asdict(document)), "passages": digest(passages)}


def of_questions(embedder: Any) -> Iterator[tuple[str, dict[str, str]]]:  # noqa: ANN401 - its module has moved
    """Yield each question with the hash of what it finds."""
    asked = [read["question"] for name in QUESTIONS if Path(name).exists() for read in records(Path(name))]
    with tempfile.TemporaryDirectory() as store, Library.open(store, embedder=embedder) as library:
        library.index(*(folder for folder in FOLDERS if Path(folder).exists()))
        for question in dict.fromkeys(asked):
            found = [(hit.passage.id, round(hit.score, 6)) for hit in library.search(question, 10)]
            yield question, {"found": digest(found)}


def records(file: Path) -> list[dict[str, Any]]:
    """Read a JSON list, or JSON lines."""
    text = file.read_text("utf-8")
    return json.loads(text) if file.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]


def main() -> int:
    """Write hashes down, or compare with those of before; return 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("reference", type=Path)
    parser.add_argument("paths", type=Path, nargs="*")
    options = parser.parse_args()
    module = "rag.models.encoder" if importlib.util.find_spec("rag.models") else "rag.embed"  # before and after a move
    embedder = importlib.import_module(module).BertEmbedder()
    chunker = Chunker(embedder.count_tokens)
    now = {
        str(file): of_file(file, chunker)
        for file in files(options.paths or [Path(name) for name in (*FOLDERS, "../shared/eval")])
    }
    if not options.paths:
        now |= of_questions(embedder)
    if options.write:
        options.reference.write_text(json.dumps(now, indent=1), "utf-8")
        print(f"{len(now)} files and questions written down")
        return 0
    before = json.loads(options.reference.read_text("utf-8"))
    differing = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    for name in differing:
        old, new = before.get(name, {}), now.get(name, {})
        print(f"{name}: {', '.join(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))}")
    print(f"{len(now) - len(differing)} of {len(now)} the same")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
