"""The reader: exact spans of whole words, never a question, the same alone and in batches; any other model too."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer.extractive import ExtractiveAnswerer
from rag.answer.scorer import OverlapScorer
from rag.app.cli import main
from rag.errors import ModelError
from rag.language.questions import answerless
from rag.library import Library
from rag.models import bert
from rag.models.hub_reader import hub_reader
from rag.models.reader import MAX_TOKENS, WINDOW_OVERLAP, Reader, load_network, shipped_network, windows_of
from rag.models.spans import MAX_ANSWER_TOKENS, TokenScores, best_spans, whole_words

PASSAGE = (
    "The harbour of Delwick opened in 1931. Who paid for it? Nobody knows. The crane was built by Marta Quill in 1954, "
    "cost 12,500 crowns, and broke down twice. The H-T-S company bought it (for 3.5 million)."
)
QUESTIONS = ("Who built the crane?", "When did the harbour open?", "How much did the crane cost?", "Who paid for it?")


@pytest.fixture(scope="module")
def reader():
    """The reader of the package."""
    return Reader.shipped()


@pytest.fixture(scope="module")
def own_model(tmp_path_factory):
    """A small model for question answering made here, with random weights."""
    from transformers import BertConfig, BertForQuestionAnswering
    from transformers.models.bert import BertTokenizer

    folder = tmp_path_factory.mktemp("model")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *".,?()-", "crane"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder / "qa")
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertForQuestionAnswering(config).save_pretrained(folder / "qa")
    return folder / "qa"


@pytest.fixture(scope="module", params=["shipped", "own"])
def any_reader(request, reader, own_model):
    """Both kinds of reader: what follows holds for any model."""
    return reader if request.param == "shipped" else hub_reader(str(own_model))


def test_answers(reader):
    """Simple questions get the words that answer them."""
    found = [reader.read(question, [PASSAGE])[0] for question in QUESTIONS[:3]]
    answers = [PASSAGE[reading.start : reading.end] for reading in found]
    assert answers[0] == "Marta Quill"
    assert answers[1] == "1931"
    assert "12,500" in answers[2]


@pytest.mark.parametrize("question", QUESTIONS)
def test_spans_are_whole(any_reader, question):
    """Of every passage that starts somewhere in the text: not empty, no word cut, not in a question."""
    passages = [PASSAGE[start:] for start in (0, 5, 39, 57, 70, 113)]
    for passage, reading in zip(passages, any_reader.read(question, passages, ["Delwick"] * 6), strict=True):
        words = passage[reading.start : reading.end]
        assert words.strip()
        assert words == words.strip()
        before, after = passage[: reading.start][-1:], passage[reading.end :][:1]
        assert not (before.isalnum() and words[0].isalnum())
        assert not (after.isalnum() and words[-1].isalnum())
        assert not any(start <= reading.start < end for start, end in answerless(passage))
        assert 0 <= reading.answer_probability <= 1
        assert reading.shares([(0, len(passage))]) == [pytest.approx(1, abs=1e-4)]
        assert all(start <= end <= len(passage) for start, end in reading.tokens.places)


def test_batches_equal_single(any_reader):
    """A passage is read the same alone, among others of other lengths, and in any order."""
    passages = [PASSAGE, PASSAGE[39:], "It rained.", PASSAGE * 2, PASSAGE[70:]]
    together = any_reader.read(QUESTIONS[0], passages, ["Delwick", "", "Weather", "", ""])
    for passage, context, reading in zip(passages, ["Delwick", "", "Weather", "", ""], together, strict=True):
        alone = any_reader.read(QUESTIONS[0], [passage], [context])[0]
        assert (reading.start, reading.end) == (alone.start, alone.end)
        assert reading.span_score == pytest.approx(alone.span_score, abs=0.2)


def test_long_passages_are_read_to_the_end(reader):
    """An answer far behind the first window is found, at its own place."""
    filler = "The weather in the valley was mild and the market stayed quiet all week. " * 60
    passage = filler + "The crane was built by Marta Quill. " + filler[:400]
    reading = reader.read("Who built the crane?", [passage])[0]
    assert passage[reading.start : reading.end] == "Marta Quill"


def test_windows_cover_everything():
    """Windows of a long passage leave no token out, overlap, and fit the network."""
    text = bert.tokenizer().encode("one two three four " * 300, add_special_tokens=False)
    windows = windows_of(0, [5] * 100, [6] * 100, text)
    assert all(len(window.ids) <= MAX_TOKENS for window in windows)
    covered = [offset for window in windows for offset in window.offsets]
    assert set(covered) == set(text.offsets)
    for one, other in pairwise(windows):
        assert len(set(one.offsets) & set(other.offsets)) >= WINDOW_OVERLAP


@pytest.mark.parametrize("nothing", ["", "  \n ", "\u200b"])
def test_nothing_to_read(any_reader, nothing):
    """A passage without a token is refused by its number."""
    with pytest.raises(ValueError, match="passage 1 holds nothing"):
        any_reader.read("Who?", ["Somebody.", nothing])


def test_best_span_is_the_best():
    """Against all spans tried one by one, with and without a price for long ones."""
    chance = random.Random(4)
    for price in [0.0, 0.4] * 15:
        length = chance.randint(1, 50)
        starts, ends = (np.array([chance.gauss(0, 3) for _ in range(length)], np.float32) for _ in range(2))
        places = [(a, b) for a in range(length) for b in range(a, min(length, a + MAX_ANSWER_TOKENS))]
        ((first, last, score),) = best_spans(starts, ends, price, 1)
        assert score == pytest.approx(max(starts[a] + ends[b] - price * (b - a) for a, b in places), abs=1e-5)
        assert starts[first] + ends[last] - price * (last - first) == pytest.approx(score, abs=1e-5)


def token_scores(*tokens: tuple[int, int, float, float]) -> TokenScores:
    """Scores of tokens given as (start, end, logit of beginning, logit of ending)."""
    places, logits = tuple((a, b) for a, b, _, _ in tokens), np.array([t[2:] for t in tokens], np.float32)
    return TokenScores(places, logits[:, 0], logits[:, 1])


def test_mean_of_two_looks():
    """Tokens that both looks have, each with the mean of its scores; the others are left out."""
    whole = token_scores((0, 3, 0, 0), (4, 8, 3, 1), (9, 13, 1, 2), (13, 14, 0, 0))
    part = token_scores((0, 4, -1, 0), (5, 9, 5, 4), (9, 11, 9, 9))  # the last of these is no token of the whole
    both = whole.mean(part, 4)
    assert both.places == ((4, 8), (9, 13))
    assert (both.starts.tolist(), both.ends.tolist()) == ([1, 3], [0.5, 3])
    assert both.best("One nine tons.") == (9, 13, 6)
    assert both.within(0, 8).best("One nine tons.") == (4, 8, 1.5)
    assert whole.within(5, 13).places == ((9, 13),)
    assert whole.mean(part, 1).best("One nine tons.") is None


def test_one_answer_for_each_sentence(reader):
    """Two counts in one passage are two answers, each of its own sentence."""
    passage = "The council counted 2,400 homeless people. The committee counted 3,150 homeless people."
    found = reader.read("How many homeless people were counted?", [passage])[0]
    half = passage.index("The committee")
    answers = [found.tokens.within(*span).best(passage) for span in ((0, half), (half, len(passage)))]
    assert [passage[answer[0] : answer[1]] for answer in answers if answer] == ["2,400", "3,150"]
    assert sum(found.shares([(0, half), (half, len(passage))])) == pytest.approx(1, abs=1e-4)


@settings(max_examples=200)
@given(st.text(alphabet="ab1.,-( )“”?é\n漢", min_size=1, max_size=30), st.data())
def test_whole_words_only_widen(text, data):
    """Whatever the text: the span grows, at most to the next end of a word, and once more changes nothing."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    wider = whole_words(text, start, end)
    assert wider[0] <= start < end <= wider[1] <= len(text)
    inside, outside = text[wider[0]], text[wider[0] - 1 : wider[0]]
    assert not (inside in "ab1é" and outside in {"a", "b", "1", "é"})


def test_other_reader_on_the_command_line(own_model, tmp_path, capsys):
    """`--reader` takes a model's folder, or none; what is not there or is no such model is one clear line."""
    (tmp_path / "a.txt").write_text("The crane lifted nine tons. The end was near.")
    store = str(tmp_path / "index")
    assert main(["--store", store, "index", str(tmp_path / "a.txt"), "--model", "hash"]) == 0
    capsys.readouterr()
    for name in (str(own_model), "none"):
        assert main(["--store", store, "ask", "What did the crane lift?", "--reader", name, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["abstained"] or answer["citations"]
    assert main(["--store", store, "ask", "What did the crane lift?", "--reader", "./nothing"]) == 1
    assert "cannot load reader ./nothing" in capsys.readouterr().err
    assert main(["--store", store, "ask", "What did the crane lift?", "--reader", str(bert.folder())]) == 1
    assert "no model for question answering" in capsys.readouterr().err


def test_no_reader_from_python(tmp_path, hasher, own_model):
    """`Library.open` takes a name, `none`, or a reader, and loads nothing before a question."""
    with Library.open(tmp_path / "index", embedder=hasher, reader="none") as library:
        assert isinstance(library.answerer, ExtractiveAnswerer)
        assert isinstance(library.answerer.scorer, OverlapScorer)
    with Library.open(tmp_path / "index", embedder=hasher, reader="./nothing") as library:
        (tmp_path / "a.txt").write_text("The crane lifted nine tons.")
        library.index(tmp_path / "a.txt")
        with pytest.raises(ModelError, match="no such folder"):
            library.ask("What did the crane lift?")


def test_weights_are_checked(tmp_path, monkeypatch):
    """Weights other than the published ones, and files that are none, are refused."""
    monkeypatch.setattr("rag.models.reader.WEIGHTS_SHA256", "0" * 64)
    monkeypatch.setattr("rag.models.reader.shipped_network", shipped_network.__wrapped__)  # not the one that is loaded
    with pytest.raises(ModelError, match="published weights"):
        Reader.shipped()
    (tmp_path / "weights.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_network(tmp_path / "weights.safetensors")
