"""Shared fixtures: real parts only. The stand-in encoder is used where the meaning of texts does not matter."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="rag-config-")  # no LLM that somebody chose is asked

from rag.library import Library
from rag.models.encoder import BertEmbedder, HashEmbedder

if TYPE_CHECKING:
    from rag.records import Document, Passage

settings.register_profile("untimed", deadline=None)  # the machine may be busy
settings.load_profile("untimed")

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
def sample_index(tmp_path_factory: pytest.TempPathFactory, encoder: BertEmbedder) -> Path:
    """An index of the sample corpus with the real encoder, made once for all processes of a run: copy it to use it."""
    here = tmp_path_factory.getbasetemp()
    folder = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    made = folder / "sample-index"
    with (folder / "sample-index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            half = tmp_path_factory.mktemp("sample") / "index"
            with Library.open(half, embedder=encoder) as library:
                library.index(ROOT / "data")
            half.rename(made)
    return made


@pytest.fixture(scope="session")
def sample(sample_index: Path, tmp_path_factory: pytest.TempPathFactory, encoder: BertEmbedder):
    """The sample corpus, indexed with the real encoder."""
    copy = shutil.copytree(sample_index, tmp_path_factory.mktemp("sample") / "index")
    with Library.open(copy, embedder=encoder) as opened:
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


def all_passages(library: Library) -> list[Passage]:
    """Return every passage of an index, document by document."""
    with library.store.snapshot() as snapshot:
        return [passage for uri in snapshot.uris() for passage in snapshot.passages_of(uri)]


def speaker_at(document: Document, offset: int) -> str | None:
    """Return who is speaking at an offset of a document."""
    return next((said.speaker for said in document.speakers if said.span.start <= offset < said.span.end), None)
