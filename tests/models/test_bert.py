"""The network: the same numbers in NumPy as in torch, and torch only where it pays."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.library import Library
from rag.models import bert, numpy_bert, runtime, torch_bert
from tests.conftest import ROOT

ROWS = st.integers(1, 150).flatmap(
    lambda length: st.tuples(
        st.lists(st.integers(0, 30_521), min_size=length, max_size=length),
        st.lists(st.integers(0, 1), min_size=length, max_size=length),
    )
)


@settings(max_examples=8)
@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_numpy_computes_what_torch_does(rows):
    """One behind the other in NumPy and padded together in torch, any tokens have the same hidden states."""
    weights = bert.base_weights()
    tensors = bert.Bert(weights)._exact
    found = dict(torch_bert.hidden(tensors, rows, threads=1))
    assert sorted(found) == list(range(len(rows)))
    for number, ((ids, _), states) in enumerate(zip(rows, numpy_bert.encode(weights, rows), strict=True)):
        assert states.dtype == np.float32
        assert states.shape == (len(ids), numpy_bert.WIDTH)
        assert np.abs(states - found[number]).max() < 2e-3  # of up to 6; a token repeated 300 times sums up rounding


def test_gelu():
    """Against the definition, by math.erf."""
    from math import erf

    x = np.linspace(-9, 9, 2001, dtype=np.float32)
    expected = [value / 2 * (1 + erf(value / 2**0.5)) for value in x.tolist()]
    assert np.abs(numpy_bert._gelu(x) - expected).max() < 2e-6


def test_nobody_waits_for_torch(monkeypatch):
    """Where much was computed little by little, torch is imported beside, once, and used when that is done."""
    begun, go_on = [], threading.Event()

    def imported(name):
        begun.append(name)
        monkeypatch.setitem(sys.modules, name, torch)  # as soon as an import begins
        assert go_on.wait(10)

    runtime._torch_beside.cache_clear()
    torch = sys.modules["torch"]
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(runtime, "_computed", 0)
    monkeypatch.setattr(runtime, "import_module", imported)
    assert [runtime.torch_pays(runtime.BULK_TOKENS) for _ in range(9)] == [False] * 9
    assert runtime.torch_pays(runtime.BULK_TOKENS + 1)
    (thread,) = (each for each in threading.enumerate() if each.name == "rag-torch")
    go_on.set()
    thread.join()
    assert (begun, runtime.torch_pays(1)) == (["torch"], True)


@pytest.mark.slow
def test_a_question_does_not_import_torch(tmp_path):
    """A process that asks and searches once answers without torch, and as one that has it."""
    with Library.open(tmp_path / "index") as library:
        library.index(ROOT / "data")
    program = f"""
import sys
from rag import Library
{{first}}
with Library.open({str(tmp_path / "index")!r}) as library:
    answer = library.ask("How many civilians live in Idlib?")
    hits = library.search("Where did the families flee?")
print("torch" in sys.modules, [str(c) for c in answer.citations], [str(hit.citation) for hit in hits])
"""
    without, beside = (
        subprocess.run(
            [sys.executable, "-c", program.format(first=first)], check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout
        for first in ("", "import torch")
    )
    assert without.startswith("False [")
    assert beside == without.replace("False", "True", 1)
