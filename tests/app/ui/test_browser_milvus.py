"""The page over a Milvus server in a real browser: the same tests as over a folder, of what differs underneath."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from rag.store import open_store
from rag.store.copy import copied
from tests.app.ui.conftest import CHROMIUM
from tests.app.ui.test_browser import (  # noqa: F401 - fixtures, and tests that run here over another store
    model,
    options,
    page,
    test_added_file_can_be_asked_about_and_removed,
    test_citation_is_previewed_and_opened_by_keyboard,
    windows,
)
from tests.conftest import ROOT
from tests.store.milvus_server import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module")
def url(tmp_path_factory, sample_index):
    """The page over the sample corpus, copied to a server."""
    folder = tmp_path_factory.mktemp("milvus")
    server = ServerProcess(folder / "data")
    place = server.place()
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "own")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", environment["XDG_DATA_HOME"])
        with closing(open_store(sample_index)) as source, closing(open_store(place)) as target:
            copied(source, target)
    command = [sys.executable, str(ROOT / "app.py"), "--store", place, "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:")
        yield line.split()[1]
        process.terminate()
    server.kill()
