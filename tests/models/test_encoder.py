"""The encoder: the published weights, offline; any other sentence-transformers model; the stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.library import Library
from rag.models import bert
from rag.models.encoder import BertEmbedder, HashEmbedder, SentenceEmbedder, embedder
from rag.models.runtime import device
from tests.conftest import ROOT

TEXTS = [f"The crane numbered {n} lifted {n * 7} tons in the harbour of Rotterdam." * (1 + n % 4) for n in range(80)]


def test_default_encoder(encoder):
    """Vectors have unit length, and related sentences are nearer than unrelated ones."""
    vectors = encoder.embed(["A boat sank in the port.", "A ship went down in the harbour.", "Interest rates rose."])
    assert vectors.shape == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > 0.2 > vectors[0] @ vectors[2]
    assert np.allclose(encoder.embed_query("A boat sank in the port."), vectors[0], atol=1e-4)
    assert encoder.embed([]).shape == (0, 384)


@pytest.mark.slow
def test_bulk_vectors_agree(encoder):
    """The faster number format of large batches gives the same directions."""
    bulk = encoder.embed(TEXTS)
    single = np.stack([encoder.embed_query(text) for text in TEXTS])
    assert np.sum(bulk * single, axis=1).min() > 0.999


@pytest.mark.parametrize(("wanted", "error"), [("gpu", "can be auto, cpu"), ("cuda", "no such"), ("mps", "no such")])
def test_a_device_that_is_not_there(wanted, error, monkeypatch):
    """RAG_DEVICE with another name, or that of a device that torch does not find, is one clear line."""
    if device() == wanted:
        pytest.skip(f"this machine has {wanted}")
    monkeypatch.setenv("RAG_DEVICE", wanted)
    with pytest.raises(ModelError, match=error):
        device()


@pytest.mark.skipif(device() == "cpu", reason="torch finds no GPU here")
def test_vectors_of_a_gpu_are_those_of_the_processor():
    """The same directions, alone and in bulk."""
    program = (
        "import numpy, sys; from tests.models.test_encoder import *; numpy.save(sys.argv[1], embedder().embed(TEXTS))"
    )
    found = []
    for name in ("cpu", "auto"):
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            subprocess.run(
                [sys.executable, "-c", program, file.name], check=True, cwd=ROOT, env={**os.environ, "RAG_DEVICE": name}
            )
            found.append(np.load(file.name))
    assert np.sum(found[0] * found[1], axis=1).min() > 0.999


@pytest.fixture(scope="module")
def original():
    """The default encoder's own files, run by sentence-transformers."""
    return SentenceEmbedder(str(bert.folder()))


@pytest.mark.slow
def test_vectors_are_those_of_sentence_transformers(encoder, original):
    """Alone and in batches, on real documents whole (cut at 256 tokens), by lines, in other scripts and empty."""
    whole = [path.read_text("utf-8", "replace") for path in sorted((ROOT / "data").glob("*.txt"))]
    lines = [line for text in whole for line in text.splitlines() if line.strip()][:20]
    texts = [
        *whole,
        *lines,
        "",
        "   ",
        "Türkiye 土耳其 Турция 🚢",
        "word " * 252,
        "word " * 253,
        "word " * 254,
        "word " * 400,
    ]
    assert max(encoder.count_tokens(whole)) > 256
    expected = original.embed(texts)
    assert np.sum(encoder.embed(texts) * expected, axis=1).min() > 0.99999
    assert np.allclose(np.stack([encoder.embed_query(text) for text in texts[:8]]), expected[:8], atol=2e-5)


@pytest.mark.slow
def test_tokens_are_the_models(encoder, original):
    """Counting agrees with the model's own tokenizer."""
    texts = ["H-T-S broke away in 2016.", "", "Türkiye"]
    assert encoder.count_tokens(texts) == original.count_tokens(texts)
    assert (encoder.dimension, encoder.max_tokens) == (original.dimension, original.max_tokens)


def test_weights_are_checked(tmp_path):
    """Weights with another hash are refused."""
    (tmp_path / "weights").write_bytes(b"others")
    with pytest.raises(ModelError, match="not hold the published weights"):
        bert.check_sha256(tmp_path / "weights", bert.WEIGHTS_SHA256, "reinstall")
    assert BertEmbedder.fingerprint == bert.WEIGHTS_SHA256


@pytest.mark.slow
def test_sentence_transformers_is_not_imported(tmp_path):
    """Indexing, searching and asking with the default encoder do without the seconds that it takes to import."""
    (tmp_path / "a.txt").write_text("The crane lifted nine tons.")
    code = (
        "import sys; from rag.library import Library\n"
        f"with Library.open({str(tmp_path / 'index')!r}) as library:\n"
        f"    library.index({str(tmp_path / 'a.txt')!r})\n"
        "    assert library.ask('How many tons did the crane lift?').citations\n"
        "assert not {'sentence_transformers', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_model():
    """A model that is not there is one clear line."""
    with pytest.raises(ModelError, match=r"cannot load encoder \./nothing") as caught:
        SentenceEmbedder("./nothing").embed(["x"])
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def own_model(tmp_path_factory):
    """A small sentence-transformers model made here, with random weights."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel
    from transformers.models.bert import BertTokenizer

    folder = tmp_path_factory.mktemp("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "the", "crane", "tons"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"), max_seq_length=64)
    model = SentenceTransformer(modules=[transformer, Pooling(32)], device="cpu")
    model.save(str(folder / "own"))
    return folder / "own"


@pytest.mark.slow
def test_any_model_by_path(own_model, tmp_path):
    """An index can be made with any sentence-transformers model, and remembers which."""
    (tmp_path / "x.txt").write_text("The crane lifted tons. The end was near.")
    with Library.open(tmp_path / "index", embedder=embedder(str(own_model))) as library:
        library.index(tmp_path / "x.txt")
        assert library.status().dimension == 32
    with Library.open(tmp_path / "index") as again:
        assert again.search("the crane", 1)[0].dense_rank == 1
        assert again.status().model == str(own_model)


@pytest.mark.slow
def test_prompts_of_a_model_are_used(own_model, tmp_path):
    """A question and a document are encoded behind what the model's authors put in front of them."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(own_model), prompts={"query": "the ", "document": "crane "}, device="cpu")
    model.save(str(tmp_path / "prompted"))
    plain, prompted = SentenceEmbedder(str(own_model)), SentenceEmbedder(str(tmp_path / "prompted"))
    assert np.allclose(prompted.embed_query("tons"), plain.embed_query("the tons"), atol=1e-6)
    assert np.allclose(prompted.embed(["tons"]), plain.embed(["crane tons"]), atol=1e-6)
    assert prompted.fingerprint != plain.fingerprint
    assert prompted.max_tokens == plain.max_tokens - 1


@given(st.text())
def test_stand_in_gives_unit_vectors(text):
    """The stand-in has a finite unit vector for any text, the same each time."""
    vector = HashEmbedder().embed_query(text)
    assert abs(float(vector @ vector) - 1) < 1e-5
    assert np.array_equal(vector, HashEmbedder().embed([text, "x"])[0])


def test_words_stand_in_their_places():
    """The same word has another vector in other surroundings; stop words and punctuation are left out."""
    texts = ["The bank of the river was green.", "The bank raised its rates.", "Her savings: in a bank, with rates."]
    vectors, words = BertEmbedder().embed_words(texts)
    assert np.allclose(vectors, BertEmbedder().embed(texts))
    assert [each.texts for each in words] == [
        ("bank", "river", "green"),
        ("bank", "raised", "rates"),
        ("savings", "bank", "rates"),
    ]
    river, money, savings = (each.vectors[each.texts.index("bank")] for each in words)
    assert np.linalg.norm(river) == pytest.approx(1, abs=1e-5)
    assert money @ savings > money @ river


def test_words_are_whole_and_end_where_the_encoder_stops():
    """Pieces of a word are one word; what the encoder cuts off has no vector."""
    _, (words, none, long) = BertEmbedder().embed_words(["Ouagadougou's harbourmaster", "of the", "crane " * 400])
    assert words.texts == ("Ouagadougou", "harbourmaster")
    assert none.vectors.shape == (0, 384)
    assert long.texts == ("crane",) * 254
