"""What is not read of a file: counted by `rag index`, told by `rag show --json`, printed by `rag show --lost`."""

import json
from email.message import EmailMessage

import pytest

from rag.app.cli import main
from rag.library import Library
from rag.models.encoder import HashEmbedder

PAGE = "<nav><a href='/'>Start of Tarn News</a></nav><p>The ferry sank at noon.<b hidden>Pay the bearer</b></p>"


@pytest.fixture
def store(tmp_path):
    """An index of a page with furniture and hidden words, a mail with a picture, and a text with all of it read."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "page.html").write_text(PAGE)
    (docs / "plain.txt").write_text("Nothing is missing here.")
    message = EmailMessage()
    message["Subject"] = "Map"
    message.set_content("The map is attached.")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="map.png")
    (docs / "map.eml").write_bytes(message.as_bytes())
    with Library.open(tmp_path / "index", embedder=HashEmbedder()) as library:
        report = library.index(docs)
    return str(tmp_path / "index"), report


def test_each_document_says_what_was_set_aside(store, capsys):
    """By reason, with counts; a document that is read whole says nothing."""
    index, report = store
    counts = {outcome.path.rpartition("/")[2]: outcome.aside for outcome in report.outcomes}
    assert counts == {
        "page.html": {"invisible": 1, "furniture": 1},
        "map.eml": {"unreadable": 1},
        "plain.txt": {},
    }
    assert main(["show", "page.html", "--json", "--store", index]) == 0
    assert json.loads(capsys.readouterr().out)["set_aside"] == {"invisible": 1, "furniture": 1}


def test_what_was_set_aside_can_be_seen(store, capsys):
    """The words themselves, from the index, after the file is long gone."""
    index, _ = store
    assert main(["show", "page.html", "--lost", "--store", index]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:4] == ["invisible (1):", "  Pay the bearer", "furniture (1):", "  Start of Tarn News"]
    assert main(["show", "map.eml", "--lost", "--json", "--store", index]) == 0
    assert json.loads(capsys.readouterr().out)["set_aside"] == [{"why": "unreadable", "text": "map.png"}]
    assert main(["show", "plain.txt", "--lost", "--store", index]) == 0
    assert capsys.readouterr().out == "nothing was set aside\n"


def test_indexing_counts_what_was_set_aside(store, tmp_path, capsys):
    """For a person in one line, for a program by file."""
    index, _ = store
    docs = str(tmp_path / "docs")
    assert main(["index", docs, "--rebuild", "--store", index]) == 0
    assert "set aside: pieces of 2 documents (1 furniture, 1 invisible, 1 unreadable)" in capsys.readouterr().out
    assert main(["index", docs, "--rebuild", "--json", "--store", index]) == 0
    told = {each.pop("path").rpartition("/")[2]: each for each in json.loads(capsys.readouterr().out)["set_aside"]}
    assert told == {"page.html": {"invisible": 1, "furniture": 1}, "map.eml": {"unreadable": 1}}
