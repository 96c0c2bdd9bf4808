"""Train the reader: ``python benchmarks/reader/train.py --data ../shared/eval --out /tmp/reader/run --minutes 60``.

Six transformer layers, started from all-MiniLM-L6-v2, token embeddings frozen. The passage grows during training:
crops of about 100 tokens first, mostly whole passages in the last 38%, to fit more examples into the time.
The learning rate falls to zero exactly at the end of the budget, in minutes or, to repeat a run, in ``--examples``.

Computed in bfloat16 with master weights in float32 where the processor has bfloat16: on two idle Zen 4 cores, forward
and backward of 160 tokens take 40 ms an example; the BERT of transformers takes 51 ms in autocast and 80 in float32.
A checkpoint is written every few minutes; the same command resumes it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from data import Example, Pool, groups, pool, stream
from rag.models import bert, torch_bert
from rag.models import reader as read
from rag.models.runtime import device, fast_dtype
from rag.models.spans import best_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Tensors = dict[str, torch.Tensor]
FROZEN = "embeddings.word"
Group = list["Item"]  # examples of one question: its passage first, then passages and questions that it is not
CHUNK = 1536  # examples sorted by length together
MASKED_EXAMPLES, MASKED_WORDS = 0.3, 0.1  # passages some of whose words are hidden, and the share of words in them


@dataclass(frozen=True)
class Settings:
    """What a run depends on, besides the data."""

    seed: int = 7
    minutes: float = 60.0
    examples: int = 0
    rate: float = 2e-4
    warmup: float = 0.04
    batch: int = 32
    micro_tokens: int = 2400
    decay: float = 0.01
    dropout: float = 0.1
    ema: float = 0.997
    answerable_weight: float = 0.5
    grouped: float = 0.0
    group_weight: float = 0.5
    frozen: int = 0
    grow_at: float = 0.62
    short: Sequence[int] = (30, 110)
    long: Sequence[int] = (50, 165)
    evaluate_every: float = 8.0
    threads: int = 2


@dataclass
class State:
    """How far a run has come."""

    seen: int = 0
    steps: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def progress(self, settings: Settings) -> float:
        """The share of the budget that is used, 0 to 1."""
        if settings.examples:
            return min(1.0, self.seen / settings.examples)
        return min(1.0, self.seconds / (60 * settings.minutes))


# --- weights ---------------------------------------------------------------------------------------------------------


def base_weights(seed: int) -> Tensors:
    """The encoder's weights under the reader's names, and fresh heads."""
    new = {name: torch.from_numpy(array).to(device()) for name, array in bert.base_weights().items()}
    generator = torch.Generator().manual_seed(seed)
    width = new["embeddings.type"].shape[1]
    for head, size in (("span", 2), ("answerable", 1)):
        new[f"head.{head}.weight"] = (torch.randn(size, width, generator=generator) * 0.02).to(device())
        new[f"head.{head}.bias"] = torch.zeros(size, device=device())
    return {name: tensor.float().clone() for name, tensor in new.items()}


class Trainer:
    """Master weights in float32, a copy to compute with, their moving average, and the optimizer."""

    def __init__(self, weights: Tensors, settings: Settings, dtype: torch.dtype) -> None:
        self.settings, self.dtype = settings, dtype
        fixed = (FROZEN, *(f"layer.{n}." for n in range(settings.frozen)))
        self.master = {name: tensor for name, tensor in weights.items() if not name.startswith(fixed)}
        self.lower = {name: tensor for name, tensor in weights.items() if name.startswith(fixed) and name != FROZEN}
        self.average = {name: tensor.clone() for name, tensor in self.master.items()}
        self.compute = {name: tensor.to(dtype, copy=True) for name, tensor in weights.items()}  # also of float32
        for name in self.master:
            self.compute[name].requires_grad_()
            self.master[name].grad = torch.zeros_like(self.master[name])
        plain = [t for name, t in self.master.items() if t.ndim == 1 or name.startswith("embeddings")]
        decayed = [t for name, t in self.master.items() if not (t.ndim == 1 or name.startswith("embeddings"))]
        groups = [{"params": decayed, "weight_decay": settings.decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98), eps=1e-6)

    def collect(self) -> None:
        """Move the gradients of one forward and backward pass to the master weights."""
        for name, tensor in self.master.items():
            gradient = self.compute[name].grad
            if gradient is not None and tensor.grad is not None:
                tensor.grad.add_(gradient)
                self.compute[name].grad = None

    @torch.no_grad()
    def step(self, rate: float, steps: int) -> None:
        """One update, the copy and the average brought level."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(list(self.master.values()), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        keep = min(self.settings.ema, (1 + steps) / (10 + steps))
        for name, tensor in self.master.items():
            self.compute[name].copy_(tensor)
            self.average[name].lerp_(tensor, 1 - keep)

    def averaged(self) -> Tensors:
        """The averaged weights in the dtype of computation, with the frozen ones."""
        return {**self.compute, **{n: t.to(self.dtype) for n, t in self.average.items()}}


# --- batches ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """An example as token numbers; ``target`` are positions of the input, (0, 0), the [CLS], without an answer."""

    window: read.Window
    target: tuple[int, int]
    loose: bool


def items(examples: list[Example]) -> list[Item]:
    """Examples as token numbers. An answer that falls out of the 384 tokens is left out."""
    tokenizer = bert.tokenizer()
    bodies = tokenizer.encode_batch([e.passage for e in examples], add_special_tokens=False)
    asked = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    told = tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
    found = []
    for example, body, question, context in zip(examples, bodies, asked, told, strict=True):
        window = read.windows_of(0, question.ids, context.ids, body)[0]
        target = target_of(example, window)
        if target is not None:
            found.append(Item(window, target, example.loose))
    return found


def target_of(example: Example, window: read.Window) -> tuple[int, int] | None:
    """The first and last position of the answer in the input, or None when it is not all there."""
    if example.start == example.end:
        return 0, 0
    inside = [i for i, (a, b) in enumerate(window.offsets) if a < example.end and b > example.start]
    if not inside or window.offsets[inside[-1]][1] < example.end:
        return None
    return window.first + inside[0], window.first + inside[-1]


def hidden_words(item: Item, rng: random.Random) -> Item:
    """Some words of a passage, outside the answer, replaced by [MASK]: there is more than one way to see an answer."""
    if rng.random() >= MASKED_EXAMPLES:
        return item
    mask, window, (start, end) = (
        bert.tokenizer().encode("[MASK]", add_special_tokens=False).ids[0],
        item.window,
        item.target,
    )
    ids = [
        mask
        if rng.random() < MASKED_WORDS and window.first <= place < len(window.ids) - 1 and not start <= place <= end
        else number
        for place, number in enumerate(window.ids)
    ]
    return replace(item, window=replace(window, ids=ids))


def micro_batches(chunk: list[Group], tokens: int, rng: random.Random) -> list[list[Group]]:
    """Groups of like length together, at most ``tokens`` with padding, in random order."""
    batches: list[list[Group]] = []
    longest = [max(len(item.window.ids) for item in group) for group in chunk]
    for length, _, group in sorted(zip(longest, iter(rng.random, None), chunk, strict=False), key=lambda row: row[:2]):
        if not batches or (sum(map(len, batches[-1])) + len(group)) * length > tokens:
            batches.append([])
        batches[-1].append(group)
    rng.shuffle(batches)
    return batches


def loss_of(weights: Tensors, groups: list[Group], settings: Settings) -> torch.Tensor:
    """The summed loss of a batch: start and end, whether the passage answers, and which one of a group does."""
    batch = [item for group in groups for item in group]
    place = weights[FROZEN].device
    ids, types, mask = (tensor.to(place) for tensor in collate([item.window for item in batch]))
    starts, ends, answerable = heads(weights, torch_bert.encode(weights, ids, types, mask, settings.dropout))
    eligible = types.bool() & mask
    eligible[:, 0] = True
    for row, item in enumerate(batch):
        eligible[row, len(item.window.ids) - 1] = False  # the last [SEP]
    first = torch.tensor([item.target[0] for item in batch], device=place)
    last = torch.tensor([item.target[1] for item in batch], device=place)
    loose = torch.tensor([item.loose for item in batch], device=place)
    total = span_loss(starts, eligible, first, last, loose) + span_loss(ends, eligible, last, first, loose)
    answered = F.binary_cross_entropy_with_logits(answerable, (last > 0).float(), reduction="none")
    chosen = list_loss(answerable, [len(group) for group in groups])
    return (total / 2 + settings.answerable_weight * answered).sum() + settings.group_weight * chosen


def collate(batch: Sequence[read.Window]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token numbers, segments and mask of a batch, padded to its longest input: (batch, length) each."""
    ids, mask = torch_bert.padded([window.ids for window in batch])
    return ids, torch_bert.padded([window.types for window in batch])[0], mask


def heads(weights: Tensors, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The heads, in float32: start and end logits (batch, length), and the answerable logit of [CLS] (batch,)."""
    precise = {name: tensor.float() for name, tensor in weights.items() if name.startswith("head.")}
    spans = torch_bert.linear(precise, "head.span", hidden.float())
    return spans[..., 0], spans[..., 1], torch_bert.linear(precise, "head.answerable", hidden[:, 0].float())[:, 0]


def list_loss(logits: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """The summed cross entropy of the first of each group among all of it, times its size.

    Source: Gao, Dai, Callan (2021), Rethink Training of BERT Rerankers in Multi-Stage Retrieval Pipeline.
    """
    several = [part for part in torch.split(logits, sizes) if len(part) > 1]
    losses = [-len(part) * part.log_softmax(0)[0] for part in several]
    return torch.stack(losses).sum() if losses else logits.new_zeros(())


def span_loss(
    logits: torch.Tensor, eligible: torch.Tensor, exact: torch.Tensor, other: torch.Tensor, loose: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of one end of the span, (batch,); of anywhere within it for loose targets."""
    logs = logits.masked_fill(~eligible, -1e4).log_softmax(-1)
    place = torch.arange(logits.shape[1], device=logits.device)[None, :]
    low, high = torch.minimum(exact, other)[:, None], torch.maximum(exact, other)[:, None]
    inside = torch.where(loose[:, None], (place >= low) & (place <= high), place == exact[:, None])
    return -logs.masked_fill(~inside, -1e4).logsumexp(-1)


# --- the run ---------------------------------------------------------------------------------------------------------


def rate_at(progress: float, settings: Settings) -> float:
    """Warm-up, then a straight line to zero."""
    up = min(1.0, progress / settings.warmup)
    return settings.rate * max(1e-3, min(up, (1 - progress) / (1 - settings.warmup)))


def measure(weights: Tensors, held_out: list[tuple[Example, Item]], tokens: int) -> dict[str, float]:
    """On held-out examples: exact spans, overlap (F1 of code points) and AUROC of the answerable head."""
    order = sorted(range(len(held_out)), key=lambda i: len(held_out[i][1].window.ids))
    exact, overlap, scores = [], [], []
    size = max(1, tokens // read.MAX_TOKENS * 2)
    with torch.inference_mode():
        for first in range(0, len(order), size):
            batch = [held_out[i] for i in order[first : first + size]]
            hidden = torch_bert.encode(weights, *collate([item.window for _, item in batch]))
            starts, ends, answerable = (tensor.cpu() for tensor in heads(weights, hidden))
            for row, (example, item) in enumerate(batch):
                scores.append((float(answerable[row]), item.target[1] > 0))
                if item.target[1] > 0 and not item.loose:
                    window, stop = item.window, len(item.window.ids) - 1
                    place = slice(window.first, stop)
                    ((a, b, _),) = best_spans(starts[row, place].numpy(), ends[row, place].numpy(), 0.0, 1)
                    start, end = window.offsets[a][0], window.offsets[b][1]
                    shared = max(0, min(end, example.end) - max(start, example.start))
                    exact.append((start, end) == (example.start, example.end))
                    overlap.append(2 * shared / (end - start + example.end - example.start))
    return {
        "exact": sum(exact) / len(exact),
        "overlap": sum(overlap) / len(overlap),
        "auroc": auroc([s for s, yes in scores if yes], [s for s, yes in scores if not yes]),
    }


def auroc(positives: list[float], negatives: list[float]) -> float:
    """The chance that a positive scores higher than a negative."""
    both = sorted([(s, 1) for s in positives] + [(s, 0) for s in negatives])
    below, total = 0, 0.0
    for _, positive in both:
        total += below if positive else 0
        below += 0 if positive else 1
    return total / max(1, len(positives) * len(negatives))


def chunks(data: Pool, settings: Settings, state: State) -> Iterator[list[Group]]:
    """Tokenized examples, CHUNK at a time; passages are short at first and long at the end."""
    limits = settings.short

    def length(rng: random.Random) -> int:
        return rng.randint(*limits)

    drawn = groups(data, settings.seed + state.seen, length, settings.grouped)
    rng = random.Random(settings.seed + state.seen)
    while True:
        limits = settings.short if state.progress(settings) < settings.grow_at else settings.long
        found = [items(group) for group in islice(drawn, CHUNK)]
        whole = [group if group[0].target[1] else group[:1] for group in found if group]  # the answer fell out of some
        yield [[hidden_words(item, rng) for item in group] for group in whole]


def train(trainer: Trainer, data: Pool, held_out: list[tuple[Example, Item]], out: Path) -> State:
    """Run to the end of the budget, from where the checkpoint in ``out`` stopped."""
    settings, state = trainer.settings, restore(trainer, out)
    rng = random.Random(settings.seed + state.seen)
    clock, marked, pending, running = time.monotonic(), state.seconds, 0, 0.0
    for chunk in chunks(data, settings, state):
        for batch in micro_batches(chunk, settings.micro_tokens, rng):
            loss = loss_of(trainer.compute, batch, settings) / settings.batch
            loss.backward()  # type: ignore[no-untyped-call]
            trainer.collect()
            size = sum(map(len, batch))
            pending, state.seen, running = pending + size, state.seen + size, running + float(loss.detach())
            state.seconds, clock = state.seconds + time.monotonic() - clock, time.monotonic()
            if pending >= settings.batch:
                state.steps += 1
                trainer.step(rate_at(state.progress(settings), settings), state.steps)
                pending = 0
            done = state.progress(settings) >= 1
            if done or state.seconds - marked > 60 * settings.evaluate_every:
                steps = max(1, state.steps - (state.curve[-1]["steps"] if state.curve else 0))
                note(state, running / steps, measure(trainer.averaged(), held_out, settings.micro_tokens))
                save(trainer, state, out)
                marked, running, clock = state.seconds, 0.0, time.monotonic()
            if done:
                return state
    return state


def note(state: State, loss: float, scores: dict[str, float]) -> None:
    """Add a point to the curve, and print it."""
    point = {"minutes": state.seconds / 60, "seen": state.seen, "steps": state.steps, "loss": loss, **scores}
    state.curve.append(point)
    print(time.strftime("%H:%M:%S"), json.dumps({k: round(v, 4) for k, v in point.items()}), flush=True)


def save(trainer: Trainer, state: State, out: Path) -> None:
    """Write the checkpoint, the weights, their average and the curve; each file is replaced whole.

    The shipped weights are not the average: over 916 steps it lagged behind (F1 0.738 against 0.743).
    """
    resume = {"optimizer": trainer.optimizer.state_dict(), "master": trainer.master, "average": trainer.average}
    torch.save({**resume, "state": asdict(state)}, out / "checkpoint.tmp")
    (out / "checkpoint.tmp").replace(out / "checkpoint.pt")
    for name, weights in (("weights", trainer.master), ("average", trainer.average)):
        whole = {**trainer.lower, **weights}
        save_file({key: t.detach().half().cpu().contiguous() for key, t in whole.items()}, out / f"{name}.tmp")
        (out / f"{name}.tmp").replace(out / f"{name}.safetensors")
    (out / "curve.json").write_text(json.dumps(state.curve, indent=1), encoding="utf-8")


def restore(trainer: Trainer, out: Path) -> State:
    """The state of the checkpoint in ``out``, or a new one."""
    path = out / "checkpoint.pt"
    if not path.exists():
        return State()
    whole: dict[str, Any] = torch.load(path, weights_only=True, map_location=device())
    trainer.optimizer.load_state_dict(whole["optimizer"])
    with torch.no_grad():
        for name, tensor in trainer.master.items():
            tensor.copy_(whole["master"][name])
            trainer.compute[name].copy_(tensor)
            trainer.average[name].copy_(whole["average"][name])
    return State(**whole["state"])


def draw(curve: list[dict[str, float]], path: Path) -> None:
    """The learning curve as a picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, left = plt.subplots(figsize=(7, 4), layout="constrained")
    right = left.twinx()
    seen = [point["seen"] / 1000 for point in curve]
    left.plot(seen, [point["loss"] for point in curve], color="0.6", marker="o", label="training loss (left)")
    for name, colour in (("overlap", "C0"), ("exact", "C1"), ("auroc", "C2")):
        right.plot(seen, [point[name] for point in curve], color=colour, marker="o", label=name)
    left.set(xlabel="examples seen (thousand)", ylabel="loss", title="The reader on held-out articles")
    right.set(ylim=(0.3, 1), ylabel="score")
    right.legend(loc="lower right")
    figure.savefig(path, dpi=130)


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings, with those that the command line gives."""
    given = {k: v for k, v in vars(arguments).items() if k in Settings.__dataclass_fields__ and v is not None}
    return Settings(**given)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the training sets")
    parser.add_argument("--out", type=Path, required=True, help="the folder for checkpoints and results")
    for name, kind in (
        ("minutes", float),
        ("examples", int),
        ("rate", float),
        ("seed", int),
        ("threads", int),
        ("grouped", float),
        ("group_weight", float),
        ("frozen", int),
        ("dropout", float),
    ):
        parser.add_argument(f"--{name}", type=kind)
    for name in ("short", "long"):
        parser.add_argument(f"--{name}", type=int, nargs=2, help="words of a passage, at least and at most")
    parser.add_argument("--start", type=Path, help="weights.safetensors of another run to start from")
    arguments = parser.parse_args()
    settings, out = settings_from(arguments), arguments.out
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    data, dev = pool(arguments.data)
    weights = base_weights(settings.seed)
    if arguments.start:
        weights.update({name: tensor.float() for name, tensor in load_file(arguments.start, device=device()).items()})
    trainer = Trainer(weights, settings, fast_dtype())
    examples = list(islice(stream(dev, 1, lambda _: 140), 700))
    pairs = [(e, found[0]) for e in examples if (found := items([e]))]
    print(f"{len(data.questions)} questions, {len(pairs)} held-out examples", flush=True)
    draw(train(trainer, data, pairs, out).curve, out / "curve.png")


if __name__ == "__main__":
    main()
