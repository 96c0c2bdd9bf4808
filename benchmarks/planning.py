"""What 10 million, 100 million and 1 billion passages need: python benchmarks/planning.py [--core-rate N ...].

Prints the tables of planning.md from measured figures and from assumptions, each with where it comes from; any can be
given as an option. `--simulate FOLDER... [--plot FILE]` measures recall and time of kinds of index by the size of a
segment, on vectors mixed from the passages of question sets in BEIR form and asked for by their questions.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.models.encoder import Vectors

HOUR, MONTH = 3600, 730  # seconds; hours


def figure(default: float, unit: str, source: str) -> Any:  # noqa: ANN401 - a field of any dataclass
    """Return a field with its unit and source."""
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Figures:
    """All that the plan is computed from."""

    core_rate: float = figure(
        6.5, "passages/s a core", "measured: cluster_planning.md, 6.0 to 6.8; AVX2, float32, start included"
    )
    bf16_gain: float = figure(1.9, "times", "measured: benchmarks/README.md, encoder.py; cores with bfloat16")
    gpu_rate: float = figure(3_000, "passages/s a GPU", "assumed: 4.4 GFLOP a passage at 13 TFLOP/s, a tenth of an A10")
    write_rate: float = figure(700, "passages/s", "measured: the local writer, growth.py: 20,000 passages in 28 CPU s")
    upsert_rate: float = figure(3_500, "rows/s", "measured once: 10,000 rows in 2.8 s, Milvus 2.3.5, without BM25")
    stored: float = figure(
        3_600, "bytes a passage", "measured: benchmarks/README.md, growth.py: text, vector, words of 12 bytes, terms"
    )
    dimension: float = figure(384, "numbers", "the default encoder")
    lexical: float = figure(
        600, "bytes a passage", "measured: tantivy on disk, by an earlier format; BM25 of a server taken alike"
    )
    lexical_cost: float = figure(34, "CPU ms a million", "measured: tantivy, 6.6 ms at 195,000; assumed to be linear")
    overhead: float = figure(1.3, "times", "assumed: growing segments, compaction, deleted rows not yet gone")
    usable: float = figure(0.7, "of a machine's memory", "assumed: the rest is the system's and the server's own")
    memory: float = figure(64, "GB a machine", "assumed")
    cores: float = figure(16, "cores a machine", "assumed")
    replicas: float = figure(2, "copies", "assumed: one machine may die; queries are shared")
    questions: float = figure(10, "questions/s", "assumed: at the busiest time")
    busy: float = figure(0.5, "of the cores", "assumed: above that, queues grow")
    core_hour: float = figure(0.04, "$", "assumed: put in your own")
    gpu_hour: float = figure(1.00, "$", "assumed: put in your own")
    memory_hour: float = figure(0.005, "$ a GB", "assumed: put in your own")
    disk_month: float = figure(0.08, "$ a GB", "assumed: put in your own")


@dataclass(frozen=True)
class Plan:
    """How a number of passages is indexed: `bytes_in_memory` of a vector, and what a query costs."""

    passages: int
    index: str
    parameters: str
    bytes_in_memory: float
    segment: int  # passages
    at_300_000: float  # milliseconds of a core, a query in a segment of so many: from `simulate`
    slope: float  # of the logarithm of that over the logarithm of the segment's size: likewise
    shards: int
    build_cores: int


def plans(dimension: float) -> list[Plan]:
    """Return one plan for each size."""
    return [
        Plan(10**7, "HNSW", "M 16, efConstruction 128, ef 256", 4 * dimension + 136, 300_000, 0.74, 0.20, 1, 64),
        Plan(10**8, "IVF_SQ8", "nlist 4,096, nprobe 64", dimension + 8, 1_000_000, 1.88, 0.57, 2, 256),
        Plan(
            10**9,
            "IVF_RABITQ",
            "nlist 8,192, nprobe 64, refine_k 20",
            dimension / 8 + 16,
            4_000_000,
            0.71,
            0.28,
            8,
            1024,
        ),
    ]


def rows(plan: Plan, given: Figures) -> Iterator[tuple[str, str]]:
    """Yield the lines of a plan's column: what, and how much."""
    n = plan.passages
    vectors, words = (n * size * given.overhead / 1e9 for size in (plan.bytes_in_memory, given.lexical))
    segments = math.ceil(n / plan.segment)
    by_meaning = segments * plan.at_300_000 * (plan.segment / 300_000) ** plan.slope / 1000
    by_words = n / 1e6 * given.lexical_cost / 1000
    by_memory = math.ceil((vectors + words) / given.memory / given.usable)
    by_load = math.ceil(given.questions * (by_meaning + by_words) / given.busy / given.cores)
    nodes = max(by_memory * given.replicas, by_load)
    disk = n * (given.stored + 2 * given.dimension) / 1e9
    core_hours = n / given.core_rate / HOUR
    gpu_hours = n / given.gpu_rate / HOUR
    serving = nodes * (given.cores * given.core_hour + given.memory * given.memory_hour) * MONTH
    yield "index", plan.index
    yield "parameters", plan.parameters
    yield "in memory, GB, one copy: vectors; words", f"{vectors:,.0f}; {words:,.0f}"
    yield "texts, vectors, words on disk, GB, one copy", f"{disk:,.0f}"
    yield "shards; replicas", f"{plan.shards}; {given.replicas:.0f}"
    yield "segments, passages of each", f"{segments}, {plan.segment:,}"
    yield "a query, CPU seconds: by meaning; by words", f"{by_meaning:.2f}; {by_words:.2f}"
    yield "machines: for memory, each copy; for load, in all", f"{by_memory}; {by_load}"
    yield f"query machines of {given.cores:.0f} cores, {given.memory:.0f} GB, in all", f"{nodes:.0f}"
    yield "encoding, core hours", f"{core_hours:,.0f}"
    yield "the same with bfloat16", f"{core_hours / given.bf16_gain:,.0f}"
    yield "the same, GPU hours", f"{gpu_hours:,.1f}"
    yield "hours on so many cores", f"{core_hours / plan.build_cores:,.0f} on {plan.build_cores:,}"
    yield (
        "hours of one writer: local; into Milvus",
        f"{n / given.write_rate / HOUR:,.0f}; {n / given.upsert_rate / HOUR:,.0f}",
    )
    yield "to build once: cores; GPUs, $", f"{core_hours * given.core_hour:,.0f}; {gpu_hours * given.gpu_hour:,.0f}"
    yield "to serve: machines; disk, $ a month", f"{serving:,.0f}; {disk * given.replicas * given.disk_month:,.0f}"


def print_plans(given: Figures) -> None:
    """Print the figures with their sources, and a column for each size."""
    print("| figure | value | unit | from |\n|---|--:|---|---|")
    for each in fields(given):
        print(f"| {each.name} | {getattr(given, each.name):,g} | {each.metadata['unit']} | {each.metadata['source']} |")
    columns = [dict(rows(plan, given)) for plan in plans(given.dimension)]
    print("\n| | " + " | ".join(f"{plan.passages:,}" for plan in plans(given.dimension)) + " |\n|---|--:|--:|--:|")
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "HNSW16": ("efConstruction=128", ("efSearch=64", "efSearch=256")),
    "IVF{lists},SQ8": ("", ("nprobe=16", "nprobe=64")),
    "IVF{lists},RaBitQ,RFlat": ("", ("nprobe=64,k_factor_rf=1", "nprobe=64,k_factor_rf=20")),
}
"""The FAISS name of each kind, how it is built, and settings of a search; k_factor_rf=1 is as good as not refined."""


def lists(size: int) -> int:
    """Return the lists of an inverted file: a power of 2 near four times the root of the size."""
    return int(2 ** round(math.log2(4 * math.sqrt(size))))


def real(folders: list[Path]) -> tuple[Vectors, Vectors]:
    """Return the vectors of the passages and of up to 100 questions of each set."""
    from rag.evaluate import opened, read_folder
    from rag.models.encoder import BertEmbedder
    from rag.store.encoding import matrix
    from rag.store.local import LocalStore

    encoder, passages, asked = BertEmbedder(), [], []
    for folder in folders:
        dataset = read_folder(folder)
        with opened(dataset, encoder) as library, LocalStore(library.store.root).snapshot() as snapshot:
            passages.append(matrix((row for _, row in snapshot.catalog.vectors()), encoder.dimension))
        asked.append(encoder.embed([question.text for question in dataset.limited(100).questions]))
    return np.concatenate(passages), np.concatenate(asked)


def mixed(base: Vectors, size: int) -> Vectors:
    """Return vectors between a passage's and one of its twenty nearest, with noise a quarter as long."""
    chance = np.random.default_rng(0)
    near = np.argsort(-base @ base.T, axis=1)[:, 1:21]
    one = chance.integers(len(base), size=size)
    noise = chance.standard_normal((size, base.shape[1]), np.float32)
    noise *= 0.25 / np.linalg.norm(noise, axis=1, keepdims=True)
    found = base[one] + 0.5 * base[near[one, chance.integers(20, size=size)]] + noise
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def measured(vectors: Vectors, asked: Vectors) -> Iterator[dict[str, Any]]:
    """Build each kind of index over vectors and ask it, one question after the other on one thread."""
    exact = np.concatenate(
        [np.argsort(-asked[i : i + 50] @ vectors.T, axis=1)[:, :10] for i in range(0, len(asked), 50)]
    )
    for name, (building, searching) in KINDS.items():
        began = time.process_time()
        kind = name.format(lists=lists(len(vectors)))
        index = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        settings: Any = faiss.ParameterSpace()  # its types know only one of the ways to call it
        settings.set_index_parameters(index, building)
        index.train(vectors[:: max(1, len(vectors) // 20_000)])
        index.add(vectors)
        built = time.process_time() - began
        for how in searching:
            settings.set_index_parameters(index, how)
            began = time.process_time()
            found = np.stack([index.search(question[None], 10)[1][0] for question in asked])
            spent = (time.process_time() - began) / len(asked)
            hits = [len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
            yield {
                "kind": f"{name.replace('{lists}', '')}, {how}",
                "size": len(vectors),
                "recall": float(np.mean(hits)),
                "ms": 1000 * spent,
                "build": built,
                "bytes": len(faiss.serialize_index(index)) / len(vectors),
            }


def simulate(folders: list[Path], sizes: list[int], plot: Path | None) -> None:
    """Measure each size, print a table, and draw it."""
    faiss.omp_set_num_threads(1)
    base, asked = real(folders)
    print(f"{len(base):,} real passages, {len(asked)} questions\n")
    print(
        "| index | passages | recall@10 | CPU ms a query | build, CPU s | bytes a passage |\n|---|--:|--:|--:|--:|--:|"
    )
    found = []
    for size in sizes:
        for row in measured(mixed(base, size), asked):
            found.append(row)
            cells = f"{row['recall']:.3f} | {row['ms']:.2f} | {row['build']:.0f} | {row['bytes']:.0f}"
            print(f"| {row['kind']} | {size:,} | {cells} |", flush=True)
    if plot:
        draw(found, plot)


def draw(found: list[dict[str, Any]], plot: Path) -> None:
    """Draw recall and time against size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure_, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for kind in dict.fromkeys(row["kind"] for row in found):
        own = [row for row in found if row["kind"] == kind]
        for axis, what in zip(axes, ("recall", "ms"), strict=True):
            axis.plot([row["size"] for row in own], [row[what] for row in own], marker="o", label=kind)
    axes[0].set(xscale="log", xlabel="passages in a segment", ylabel="recall@10")
    axes[1].set(xscale="log", yscale="log", xlabel="passages in a segment", ylabel="CPU ms a query")
    figure_.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    figure_.savefig(plot, dpi=110)


def main() -> None:
    """Print the plan, or simulate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulate", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000, 300_000])
    parser.add_argument("--plot", type=Path)
    for each in fields(Figures):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default)
    options = parser.parse_args()
    if options.simulate:
        simulate(options.simulate, options.sizes, options.plot)
    else:
        print_plans(Figures(**{each.name: getattr(options, each.name) for each in fields(Figures)}))


if __name__ == "__main__":
    main()
