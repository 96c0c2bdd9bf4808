"""The encoder: the published weights, offline; any other sentence-transformers model; the stand-in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import embed
from rag.embed import WEIGHTS_SHA256, HashEmbedder, SentenceEmbedder, embedder
from rag.errors import ModelError
from rag.library import Library

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


def test_bulk_vectors_agree(encoder):
    """The faster number format of large batches gives the same directions."""
    bulk = encoder.embed(TEXTS)
    single = np.stack([encoder.embed_query(text) for text in TEXTS])
    assert np.sum(bulk * single, axis=1).min() > 0.999


def test_tokens_are_the_models(encoder):
    """Counting agrees with the model's own tokenizer."""
    counted = encoder.count_tokens(["H-T-S broke away in 2016.", "", "Türkiye"])
    ids = encoder._model.tokenizer(["H-T-S broke away in 2016.", "", "Türkiye"], add_special_tokens=False)["input_ids"]
    assert counted == [len(row) for row in ids]


def test_weights_are_checked(monkeypatch):
    """Weights with another hash are refused."""
    monkeypatch.setattr(embed, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ModelError, match=WEIGHTS_SHA256[:12]):
        SentenceEmbedder().embed(["x"])


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


def test_any_model_by_path(own_model, tmp_path):
    """An index can be made with any sentence-transformers model, and remembers which."""
    (tmp_path / "x.txt").write_text("The crane lifted tons. The end was near.")
    with Library.open(tmp_path / "index", embedder=embedder(str(own_model))) as library:
        library.index(tmp_path / "x.txt")
        assert library.status().dimension == 32
    with Library.open(tmp_path / "index") as again:
        assert again.search("the crane", 1)[0].dense_rank == 1
        assert again.status().model == str(own_model)


@given(st.text())
def test_stand_in_gives_unit_vectors(text):
    """The stand-in has a finite unit vector for any text, the same each time."""
    vector = HashEmbedder().embed_query(text)
    assert abs(float(vector @ vector) - 1) < 1e-5
    assert np.array_equal(vector, HashEmbedder().embed([text, "x"])[0])
