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


def test_it_reads_in_five_minutes():
    """It is short enough to be read before anything else."""
    assert len(README) <= 11_500


def test_files_named_exist():
    """Every file that is named or linked is there."""
    named = re.findall(r"`((?:rag|tests)/[\w/.]+)`|(?:python |pytest )([\w/]+\.py)|\]\(([\w/.]+)\)", README)
    paths = ["".join(groups) for groups in named]
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("way", "ends"), [("a question", "rag/app/cli/output.py"), ("a file", "rag/store/local/catalog.py")]
)
def test_the_way_is_a_list_of_modules(way, ends):
    """The way of a question and of a file: at most 15 steps, each a module that is there."""
    steps = re.search(rf"^The way of {way} .*\n\n((?:\d+\. .*\n)+)", README, re.MULTILINE)
    assert steps
    modules = re.findall(r"^\d+\. `(rag/[\w/]+\.py)`: ", steps[1], re.MULTILINE)
    assert len(modules) == steps[1].count("\n") == len(set(modules)) <= 15
    assert modules[-1] == ends
    assert [module for module in modules if not (ROOT / module).is_file()] == []


def test_what_is_to_be_changed_is_where_it_says():
    """Each name in the table of places stands in the file in front of it."""
    table = README.partition("## Where to change what")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^`|]+ \| `(rag/[\w/.]+)`(.*) \|$", table, re.MULTILINE)
    assert len(rows) == table.count("\n| ") - 1
    for path, more in rows:
        text = (ROOT / path).read_text("utf-8")
        assert [name for name in re.findall(r"`(\w+)`", more) if not re.search(rf"\b{name}\b", text)] == [], path
