"""The README is true: its commands exist, its Python runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_python_runs(tmp_path):
    """The Python example runs as it stands, on the sample documents."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    code = "\n".join(blocks("python"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("17 added, 0 updated, 0 removed, 0 unchanged")
    assert "three million" in process.stdout


def test_every_command_is_named():
    """Each command of the parser is in the README, and each that the README names exists."""
    usage = subprocess.run([sys.executable, "-m", "rag", "--help"], capture_output=True, text=True, check=True)
    commands = set(re.findall(r"^    (\w+) ", usage.stdout, re.MULTILINE))
    named = set(re.findall(r"^rag (\w+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert commands == named


def test_two_commands_start_and_test():
    """The two commands to paste are there, and CI runs the second."""
    assert "pip install -e . && python app.py" in README
    assert re.search(r"^pip install .*pytest", README, re.MULTILINE)
    assert "README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_files_named_exist():
    """Every path in the table of files exists."""
    named = re.findall(r"`(rag/[\w/.]+|benchmarks/[\w/.]+|\.github/[\w.]+)`", README)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
