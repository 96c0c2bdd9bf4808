"""The tools for assistants, by the protocol's own client, from a real process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from mcp import Client, StdioServerParameters

from rag.app.as_json import answer_json, document_json, hits_json
from rag.app.cli import main
from tests.conftest import ROOT

QUESTION = "When did the harbour of Testville close?"


@pytest.fixture
def filled(library, tmp_path):
    """A library of two documents."""
    (tmp_path / "harbour.txt").write_text("The harbour of Testville closed on Monday. The crane fell into the water.\n")
    (tmp_path / "school.txt").write_text("The school of Testville has two hundred pupils.\n")
    library.index(tmp_path / "harbour.txt", tmp_path / "school.txt")
    return library


def talk(store, *calls):
    """Start the server as an assistant does; return what it offers and what it says to each call."""
    arguments = ["-m", "rag", "serve", "--mcp", "--store", str(store), "--model", "hash"]

    async def run():
        async with Client(StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT)) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(run())


def alike(one, other):
    """Compare data, numbers to 0.02: some processes compute in NumPy, others in torch, where it can in bfloat16."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == (pytest.approx(other, abs=0.02) if isinstance(other, float) else other)


@pytest.mark.slow
def test_tools_give_the_json_of_the_command_line(filled, capsys):
    uri = filled.documents()[0].uri
    tools, results = talk(
        filled.store.root,
        ("ask", {"question": QUESTION}),
        ("search", {"question": QUESTION, "k": 1}),
        ("search", {"question": QUESTION, "where": ["document=school.txt"]}),
        ("show", {"document": "harbour.txt", "start": 4, "end": 11}),
        ("show", {"document": uri}),
    )
    assert {tool.name: tool.annotations.read_only_hint for tool in tools} == {"search": True, "ask": True, "show": True}
    assert all(tool.description for tool in tools)
    assert [result.is_error for result in results] == [False] * 5
    answer, best, within, shown, whole = (result.structured_content for result in results)
    assert alike(answer, answer_json(filled.ask(QUESTION)))
    assert answer["citations"][0]["quote"] == "The harbour of Testville closed on Monday."
    assert alike(best, hits_json(QUESTION, filled.search(QUESTION, 1)))
    assert {hit["document"] for hit in within["hits"]} == {filled.document("school.txt").uri}
    assert shown["at"] == {"start": 4, "end": 11, "text": "harbour"}
    assert whole == document_json(filled.document("harbour.txt"))
    assert json.loads(results[0].content[0].text) == answer  # for clients that read text only

    assert main(["ask", QUESTION, "--json", "--store", str(filled.store.root), "--model", "hash"]) == 0
    assert alike(json.loads(capsys.readouterr().out), answer)


@pytest.mark.slow
def test_errors_are_one_line_that_says_what_to_do(filled, tmp_path):
    _, results = talk(
        filled.store.root,
        ("show", {"document": "nothing.txt"}),
        ("show", {"document": "harbour.txt", "start": 4, "end": 10_000}),
        ("show", {"document": "harbour.txt", "start": 5, "end": 4}),
        ("search", {"question": QUESTION, "k": 0}),
        ("search", {"question": QUESTION, "where": ["colour=red"]}),
        ("ask", {"question": " "}),
    )
    said = [result.content[0].text for result in results]
    assert [result.is_error for result in results] == [True] * 6
    assert "no document nothing.txt" in said[0]
    assert "10000 is beyond its end" in said[1]
    assert "5:4" in said[2]
    assert "k is 0" in said[3]
    assert "colour" in said[4]
    assert not any("Traceback" in line for line in said)
    _, [missing] = talk(tmp_path / "no-index", ("ask", {"question": QUESTION}))
    assert missing.is_error
    assert "rag index" in missing.content[0].text


def test_without_the_package_it_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['mcp.server.mcpserver'] = None; from rag.app.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", "--mcp", "--store", str(tmp_path)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == "rag: rag serve --mcp needs the package mcp: pip install 'rag[mcp]'\n"
