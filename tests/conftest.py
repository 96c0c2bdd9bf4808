"""Shared fixtures: real parts only. The stand-in encoder is used where the meaning of texts does not matter."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="rag-config-")  # no LLM that somebody chose is asked

from rag.library import Library
from rag.models.encoder import BertEmbedder, HashEmbedder

if TYPE_CHECKING:
    from rag.records import Document

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def shared(*parts: str) -> Path:
    """Return a path of the evaluation data beside the repository, or skip the test."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no evaluation data at {path}")
    return path


def questions(path: Path) -> list[dict[str, Any]]:
    """Read a question file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


@pytest.fixture(scope="session")
def encoder() -> BertEmbedder:
    """The real default encoder, loaded once."""
    return BertEmbedder()


@pytest.fixture
def hasher() -> HashEmbedder:
    """The stand-in encoder."""
    return HashEmbedder()


@pytest.fixture
def library(tmp_path: Path, hasher: HashEmbedder):
    """An empty library with the stand-in encoder."""
    with Library.open(tmp_path / "index", embedder=hasher) as opened:
        yield opened


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, encoder: BertEmbedder):
    """The sample corpus, indexed with the real encoder."""
    with Library.open(tmp_path_factory.mktemp("sample") / "index", embedder=encoder) as opened:
        opened.index(ROOT / "data")
        yield opened


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of 200 short documents."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(200):
        text = f"Report {number} of the harbour office.\n\nThe crane numbered {number} lifted {number * 7 + 3} tons.\n"
        (folder / f"report-{number:03d}.txt").write_text(text)
    return folder


def speaker_at(document: Document, offset: int) -> str | None:
    """Return who is speaking at an offset of a document."""
    return next((said.speaker for said in document.speakers if said.span.start <= offset < said.span.end), None)
