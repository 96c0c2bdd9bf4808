"""What grows with an index: python benchmarks/growth.py FOLDER [--sizes 1000 10000 100000] [--keep PLACE].

FOLDER is a question set in BEIR form. Its passages are encoded once, then mixed into as many as are asked for:
sentences of two neighbours with other names and numbers, and the vector between theirs with noise, so that words,
vectors and their neighbourhoods are those of real text. They are written through the store's own writer and asked for
by the set's questions. The encoder is a stand-in that knows all these vectors: what is measured is the store, with the
encoding of a question beside it. CPU milliseconds of one thread; each size and phase in a process of its own. What is
in PLACE is not built again. benchmarks/growth.md has the last figures.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.evaluate import read_folder
from rag.language.sentences import sentences as sentence_spans
from rag.language.terms import ANALYSIS
from rag.models.encoder import BertEmbedder, WordVectors
from rag.records import Document, Span
from rag.records.index import Changes, Recipe
from rag.retrieve import Retriever
from rag.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.models.encoder import Vectors
    from rag.records import Passage

BASE, QUESTIONS = 300, 100  # passages and questions of the set that are encoded
PASSAGES = 5  # of a document
STEP = 20_000  # passages of a publish
TOGETHER = 13  # documents whose vectors are kept at once: about as many passages as in a run of `rag index`
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
NUMBER = re.compile(r"\d+")
SYLLABLES = "ba do ri ka len mor tis sha vel nu gra po zin far tok".split()


@dataclass(frozen=True)
class Base:
    """The encoded passages of a set by sentences, and its questions; a file from `encode`."""

    file: Path

    @cached_property
    def data(self) -> dict[str, Any]:
        """All arrays by name: `vectors` of passages and their `near` ones, `words` of sentences, and so on."""
        with np.load(self.file) as stored:
            found = dict(stored)
        texts: dict[str, Any] = json.loads(str(found["texts"]))
        return {**found, **texts}

    def sentence(self, number: int) -> Vectors:
        """Return the vectors of the words of a sentence."""
        starts = self.data["word_starts"]
        words: Vectors = self.data["words"][starts[number] : starts[number + 1]].astype(np.float32)
        return words


class Known:
    """The stand-in for the encoder: knows the set's questions, and nothing else."""

    name, dimension, fingerprint, max_tokens = "made", 384, "made-1", 256

    def __init__(self, base: Base) -> None:
        self._number = {text: number for number, text in enumerate(base.data["questions"])}
        self._base = base

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count words."""
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of questions."""
        return np.array([self._base.data["asked"][self._number[text]] for text in texts], np.float32)

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question."""
        return self.embed([text]).ravel()

    def embed_words(self, texts: Sequence[str]) -> tuple[Vectors, list[WordVectors]]:
        """Return the vectors of questions, and of their words."""
        data, starts = self._base.data, self._base.data["asked_starts"]
        numbers = [self._number[text] for text in texts]
        words = [
            WordVectors(tuple(data["asked_words"][n]), np.asarray(data["asked_vectors"][starts[n] : starts[n + 1]]))
            for n in numbers
        ]
        return self.embed(texts), words


def encode(folder: Path, file: Path) -> None:
    """Encode the passages and questions of a set."""
    dataset, encoder = read_folder(folder), BertEmbedder()
    texts = [document.text for document in dataset.documents() if len(document.text) > 200]
    texts = texts[:: max(1, len(texts) // BASE)][:BASE]
    vectors = np.concatenate([encoder.embed(texts[i : i + 64]) for i in range(0, len(texts), 64)])
    spans = [[span.of(text) for span in sentence_spans(text, Span(0, len(text)))] for text in texts]
    sentences = [sentence for each in spans for sentence in each]
    words = [w for i in range(0, len(sentences), 64) for w in encoder.embed_words(sentences[i : i + 64])[1]]
    questions = [question.text for question in dataset.limited(QUESTIONS).questions]
    asked, asked_words = encoder.embed_words(questions)
    np.savez(
        file,
        vectors=vectors,
        near=np.argsort(-vectors @ vectors.T, axis=1)[:, 1:21],
        of=np.cumsum([0, *map(len, spans)]),
        words=np.concatenate([w.vectors for w in words]).astype(np.float16),
        word_starts=np.cumsum([0, *(len(w.texts) for w in words)]),
        asked=asked,
        asked_vectors=np.concatenate([w.vectors for w in asked_words]),
        asked_starts=np.cumsum([0, *(len(w.texts) for w in asked_words)]),
        texts=json.dumps(
            {"sentences": sentences, "questions": questions, "asked_words": [w.texts for w in asked_words]}
        ),
    )


class Mixer:
    """Makes documents, the same ones each time for the same base."""

    def __init__(self, base: Base) -> None:
        self.base = base
        chance = np.random.default_rng(0)
        self._names = ["".join(chance.choice(SYLLABLES, size)).title() for size in chance.integers(2, 5, 50_000)]

    def document(self, number: int, version: int = 0) -> tuple[Document, list[Passage], Vectors, list[WordVectors]]:
        """Return a document, its passages, and their vectors and words."""
        chance = np.random.default_rng([number, version])
        made = [self._passage(chance) for _ in range(PASSAGES)]
        text, starts = "", []
        for sentences, _, _ in made:
            spans = []
            for sentence in sentences:
                spans.append(Span(len(text), len(text) + len(sentence)))
                text += f"{sentence} "
            starts.append(spans)
        uri = f"/made/{number // 1000:04}/{number:07}.txt"
        document = Document(uri, text, f"Report {number}", f"{number}-{version}")
        passages = [document.passage(Span(spans[0].start, spans[-1].end), spans) for spans in starts]
        return document, passages, np.stack([vector for _, vector, _ in made]), [words for _, _, words in made]

    def _passage(self, chance: np.random.Generator) -> tuple[list[str], Vectors, WordVectors]:
        data = self.base.data
        one = int(chance.integers(len(data["vectors"])))
        other = int(chance.choice(data["near"][one]))
        noise = chance.standard_normal(data["vectors"].shape[1])
        vector = data["vectors"][one] + 0.5 * data["vectors"][other] + 0.25 * noise / np.linalg.norm(noise)
        of = data["of"]
        own = [n for p in (one, other) for n in range(of[p], of[p + 1])]
        chosen = [own[i] for i in sorted(chance.permutation(len(own))[: int(chance.integers(3, 7))])]
        words = np.concatenate([self.base.sentence(n) for n in chosen])
        texts = [self._changed(data["sentences"][n], chance) for n in chosen]
        return texts, np.asarray(vector / np.linalg.norm(vector), np.float32), WordVectors((), words)

    def _changed(self, sentence: str, chance: np.random.Generator) -> str:
        name = lambda match: self._names[int(50_000 * chance.random() ** 3)] if chance.random() < 0.5 else match[0]  # noqa: E731
        return NAME.sub(name, NUMBER.sub(lambda match: str(int(chance.integers(10 ** len(match[0])))), sentence))


def recipe(encoder: Known) -> Recipe:
    """Return the recipe of all indexes here."""
    return Recipe(encoder.name, encoder.fingerprint, encoder.dimension, "made", ANALYSIS)


def build(base: Base, store: Path, size: int) -> dict[str, Any]:
    """Write an index of so many passages, and the vectors for `recall` beside it."""
    mixer, encoder, spent = Mixer(base), Known(base), 0.0
    exact, ids = store.with_suffix(".float16"), list[str]()  # not mapped: its pages would count as this process's
    exact.unlink(missing_ok=True)
    for start in range(0, size // PASSAGES, STEP // PASSAGES):
        numbers = range(start, min(start + STEP // PASSAGES, size // PASSAGES))
        with LocalStore(store).writer() as writer:
            published: list[tuple[Document, list[Passage]]] = []
            for first in numbers[::TOGETHER]:
                made = [mixer.document(number) for number in numbers[first - start : first - start + TOGETHER]]
                passages = [passage for _, own, _, _ in made for passage in own]
                vectors = np.concatenate([vectors for _, _, vectors, _ in made])
                with exact.open("ab") as file:
                    file.write(vectors.astype(np.float16).tobytes())
                ids += [passage.id for passage in passages]
                published += [(document, own) for document, own, _, _ in made]
                spent += _seconds(put, writer, passages, vectors, [w for *_, words in made for w in words])
            spent += _seconds(writer.apply, Changes(published), recipe(encoder))
        print(f"{len(ids):,} passages, {spent:.0f} CPU s, peak {_peak():.0f} MB", file=sys.stderr, flush=True)
    np.save(store.with_suffix(".ids.npy"), np.array(ids))
    on_disk = {name: _bytes(store.glob(f"{name}*")) / size for name in ("catalog", "vectors", "lexical")}
    return {"build s": spent, "build peak MB": _peak(), **{f"{name} B/passage": n for name, n in on_disk.items()}}


def _seconds(work: Callable[..., object], *what: object) -> float:
    began = time.process_time()
    work(*what)
    return time.process_time() - began


def put(writer: Any, passages: Sequence[Passage], vectors: Vectors, words: list[WordVectors]) -> None:  # noqa: ANN401
    """Keep the vectors of passages that are not known yet, as a run does."""
    missing = {passage.id for passage in writer.missing(passages, Known.fingerprint)}
    rows = [row for row, passage in enumerate(passages) if passage.id in missing]
    writer.add_vectors([passages[r] for r in rows], vectors[rows], [words[r] for r in rows], Known.fingerprint)


def read(base: Base, store: Path, _: int) -> dict[str, Any]:
    """Ask an index: the first question, many, filtered ones, one after a change; then the recall of its dense half."""
    retriever = Retriever(LocalStore(store), Known(base))
    questions = base.data["questions"]
    before = _resident()
    found: dict[str, Any] = {"open ms": _ms(lambda: _open(retriever))}
    found["first ms"] = _ms(lambda: retriever.fused(questions[0]))
    found["opened MB"] = _resident() - before
    times = [_ms(lambda question=question: retriever.fused(question)) for question in questions]  # type: ignore[misc]
    found["p50 ms"], found["p95 ms"], found["p99 ms"] = np.percentile(times, [50, 95, 99])
    found["asked MB"] = _resident() - before
    found.update(_changes(base, retriever))
    found["recall"] = _recall(retriever, base, store)
    return found


def _open(retriever: Retriever) -> None:
    with retriever.store.snapshot() as snapshot:
        snapshot.passage_count()


def _changes(base: Base, retriever: Retriever) -> dict[str, float]:
    """Change one document three times, then run over nothing."""
    mixer, published, asked = Mixer(base), [], []
    for version in (1, 2, 3):
        document = mixer.document(7, version)

        def publish(document: Any = document) -> None:  # noqa: ANN401
            with LocalStore(retriever.store.root).writer() as writer:
                writer.catalog.digests()
                put(writer, *document[1:])
                writer.apply(Changes([document[:2]]), recipe(Known(base)))

        published.append(_ms(publish))
        asked.append(_ms(lambda version=version: retriever.fused(base.data["questions"][version])))  # type: ignore[misc]

    def nothing() -> None:
        with LocalStore(retriever.store.root).writer() as writer:
            writer.catalog.digests()

    return {"change ms": min(published), "next ms": min(asked), "unchanged ms": _ms(nothing)}


def _recall(retriever: Retriever, base: Base, store: Path) -> float:
    """Return the share of the ten nearest passages of each question that the dense half finds."""
    ids = np.load(store.with_suffix(".ids.npy"))
    vectors = np.memmap(store.with_suffix(".float16"), np.float16, "r").reshape(len(ids), -1)
    asked = np.asarray(base.data["asked"], np.float32)
    blocks = range(0, len(vectors), 50_000)
    scores = np.concatenate([np.asarray(vectors[i : i + 50_000], np.float32) @ asked.T for i in blocks])
    hits = []
    with retriever.store.snapshot() as snapshot:
        for number, query in enumerate(asked):
            best = {str(ids[row]) for row in np.argsort(-scores[:, number])[:10]}
            hits.append(len(best & {found.id for found in snapshot.dense(query, 10)}) / 10)
    return float(np.mean(hits))


def bare(base: Base) -> float:
    """Return the median time to encode a question and its words."""
    encoder, questions = BertEmbedder(), base.data["questions"]
    encoder.embed_words(questions[:1])
    return float(np.median([_ms(lambda q=q: encoder.embed_words([q])) for q in questions]))  # type: ignore[misc]


def _ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _bytes(paths: Iterator[Path]) -> int:
    files = (file for path in paths for file in (path, *path.rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file())


def main() -> None:
    """Measure each size, each phase in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a question set in BEIR form")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--keep", type=Path, help="where encoded passages and indexes stay for the next time")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase:
        work = {"build": build, "read": read}[options.phase]
        print(json.dumps(work(Base(options.keep / "base.npz"), options.keep / f"{options.sizes[0]}", options.sizes[0])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        _measure(options.folder, options.sizes, options.keep or Path(temporary))


def _measure(folder: Path, sizes: Sequence[int], place: Path) -> None:
    place.mkdir(exist_ok=True)
    if not (place / "base.npz").exists():
        encode(folder, place / "base.npz")
    print(f"a bare encoding of a question: {bare(Base(place / 'base.npz')):.1f} ms")
    rows: dict[str, list[float]] = {}
    for size in sizes:
        built = place / f"{size}.json"
        if not built.exists():
            built.write_text(_run(folder, size, place, "build"), "utf-8")
        for found in (built.read_text("utf-8"), _run(folder, size, place, "read")):
            for name, value in json.loads(found).items():
                rows.setdefault(name, []).append(value)
    print(f"{'passages':20}", *(f"{size:>11,}" for size in sizes))
    for name, values in rows.items():
        print(f"{name:20}", *(f"{value:11.2f}" for value in values))


def _run(folder: Path, size: int, place: Path, phase: str) -> str:
    """Run a phase in a process of its own and return what it printed."""
    command = [sys.executable, __file__, str(folder), "--sizes", str(size), "--keep", str(place), "--phase", phase]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
