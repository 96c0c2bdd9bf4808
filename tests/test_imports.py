"""What importing costs, and what the package shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rag

HEAVY = ("numpy", "faiss", "torch", "gradio", "sentence_transformers", "tantivy", "sqlite3", "trafilatura", "tqdm")


@pytest.mark.parametrize(
    "code",
    [
        "import rag, rag.app.cli",
        "import rag.records, rag.errors, rag.store, rag.app.as_json",
        "from rag.app.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported(code):
    """Importing the package and its command line, and asking for help, loads no heavy package."""
    check = f"{code}\nimport sys; print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    process = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert process.stderr.strip() == "[]"


def test_retriever_does_not_need_the_page():
    """The library can be used without importing gradio."""
    check = (
        "import rag.library, rag.retrieve, sys; assert 'gradio' not in sys.modules; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_every_public_name_resolves():
    """`__all__` is what is there."""
    assert set(rag.__all__) == {*rag._HOMES, "__version__"}
    for name in rag.__all__:
        assert getattr(rag, name) is not None
    assert dir(rag) == rag.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rag.nothing


def test_imports_go_one_way():
    """The layers of pyproject.toml hold."""
    process = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout
