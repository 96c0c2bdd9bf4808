"""A Milvus server for the tests of a module, and a folder for what a store keeps on this machine."""

from __future__ import annotations

import pytest

from tests.store.milvus_server import ServerProcess


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        server = ServerProcess(tmp_path_factory.mktemp("milvus") / "data")
        yield server
        server.kill()
