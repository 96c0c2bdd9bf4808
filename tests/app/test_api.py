"""The page's calls for programs and the tools for assistants, as their documentation shows them.

Each example in tests/examples is run as it stands, by a program of its own against a real server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.library import Library
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "tests" / "examples"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The sample documents in an index, where a person who follows the README has it."""
    folder = tmp_path_factory.mktemp("api")
    with Library.open(folder / "index") as library:
        library.index(ROOT / "data")
    return folder


def run(example: str, folder, **environment: str) -> str:
    """Run an example in a folder and return what it prints."""
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{os.environ['PATH']}:{Path(sys.executable).parent}"}
    process = subprocess.run(
        [sys.executable, str(EXAMPLES / example)],
        cwd=folder,
        env={**known, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_page_answers_programs(store):
    command = [sys.executable, "-m", "rag", "serve", "--store", str(store / "index"), "--port", "0"]
    (store / "notes.txt").write_text("The Bell Museum of Quarnford keeps forty-one bronze bells.\n")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[1].partition("?")[0]
        printed = run("page_client.py", store, RAG_URL=url)
        server.terminate()
    assert "million" in printed
    assert re.search(r"^1 .* 20\d\d-\d\d-\d\d$", printed, re.MULTILINE)  # a hit of the search, with its date
    assert "1 added" in printed


def test_assistant_uses_the_tools(store):
    printed = run("assistant.py", store)
    assert printed.startswith("ask, search, show\n")
    assert "million" in printed
