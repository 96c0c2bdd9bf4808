"""A process that forks after it has used an index: parent and child both go on, each with what it opened itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rag.errors import InputError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from tests.conftest import ROOT

FORKS = """
import os, signal, sys, threading
from rag.library import Library
from rag.models.encoder import HashEmbedder
library = Library.open(sys.argv[1], embedder=HashEmbedder(), reranker="none")
library.search("crane")
held, stop = library.store._indexes._lock, threading.Event()
def hold():  # another thread is at the open index at the moment of the fork
    with held:
        started.set()
        stop.wait(60)
started = threading.Event()
threading.Thread(target=hold).start()
started.wait()
children = []
for number in range(int(sys.argv[3])):
    child = os.fork()
    if not child:
        signal.alarm(120)
        found = library.search("crane")
        os._exit(0 if len(found) == 3 else 1)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
stop.set()
library.index(sys.argv[2])
print(set(codes), len(library.search("crane")), library.verify())
library.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("children", [4, pytest.param(100, marks=pytest.mark.soak)])
def test_children_read_and_the_parent_goes_on(tmp_path, children):
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(3):
        (docs / f"{number}.txt").write_text(f"The crane numbered {number} lifted tons.\n")
    with Library.open(tmp_path / "index", embedder=HashEmbedder()) as library:
        library.index(docs)
    (docs / "3.txt").write_text("The crane numbered 3 lifted tons.\n")
    command = [sys.executable, "-W", "ignore", "-c", FORKS, str(tmp_path / "index"), str(docs), str(children)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env=os.environ)
    assert run.stdout == "{0} 4 []\n", run.stderr


def test_a_file_is_no_place_for_an_index(tmp_path):
    (tmp_path / "report.txt").write_text("The crane lifted tons.\n")
    with pytest.raises(InputError, match=r"report\.txt is a file, and an index is a folder"):
        Library.open(tmp_path / "report.txt")
