"""What stays of a removed document is said, with the way to be rid of it: conversations that quote it, and its file."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rag.app.as_json import answer_json
from rag.app.cli import main
from rag.app.ui.changes import ChangeHandlers
from rag.errors import DocumentUnknown
from rag.store.history import History
from rag.sync.leftovers import leftovers

if TYPE_CHECKING:
    from rag.app.as_json import Json


@pytest.fixture
def history(library):
    return History(library.store.root / "history.db")


@pytest.fixture
def documents(tmp_path, library, history):
    """A folder with two documents, of which `secret.txt` is quoted in two conversations, one of three turns."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "secret.txt").write_text("The vault of Quarnford holds forty-one bronze bells.\n")
    (folder / "public.txt").write_text("The bridge of Orrelby was painted green in 1931.\n")
    library.index(folder)
    first, second = (
        answer_json(library.ask(question, k=1))
        for question in ("How many bells does the vault hold?", "What does the vault of Quarnford hold?")
    )
    assert all("secret.txt" in json.dumps(found) for found in (first, second))
    history.add(first)
    kept = history.add(second)
    history.add(second, kept.conversation)
    history.add(answer_json(library.ask("Which bridge was painted green in 1931?", k=1)), kept.conversation)
    history.add(answer_json(library.ask("What colour is the bridge of Orrelby?", k=1)))
    return folder


def rag(library, *arguments: str) -> int:
    return main([*arguments, "--store", str(library.store.root)])


@pytest.mark.slow
def test_removal_says_what_still_quotes_the_document_and_how_to_forget_it(library, history, documents, capsys):
    (documents / "secret.txt").unlink()
    assert rag(library, "remove", "secret.txt") == 0
    out, err = capsys.readouterr()
    assert out == "1 removed\n"
    assert err.count("\n") == 1
    command = f"rag forget {documents / 'secret.txt'} --store {library.store.root}\n"
    assert err.endswith(f"2 kept conversations still quote what was removed; to forget that, too: {command}")
    assert b"bronze bells" in (library.store.root / "history.db").read_bytes()

    assert rag(library, *command.split()[1:3]) == 0
    assert capsys.readouterr().out == "2 forgotten\n"
    assert b"bronze bells" not in (library.store.root / "history.db").read_bytes()
    assert [c.title for c in history.conversations()] == ["What colour is the bridge of Orrelby?"]
    assert rag(library, "forget", "secret.txt") == 1
    assert "no kept conversation quotes secret.txt" in capsys.readouterr().err
    assert rag(library, "forget", "public.txt", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"forgotten": 1}


def test_a_document_that_nobody_quoted_leaves_nothing(library, tmp_path, capsys):
    file = tmp_path / "plain.txt"
    file.write_text("A violin was found.")
    library.index(file)
    file.unlink()
    assert rag(library, "remove", "plain.txt", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["removed"] == 1
    assert err == ""
    assert not (library.store.root / "history.db").exists()


def test_forgetting_asks_which_of_two_is_meant(history):
    for folder in ("a", "b"):
        citation = {"document": f"/{folder}/x.txt"}
        history.add({"question": "?", "citations": [citation, citation], "nearest": []})
    with pytest.raises(DocumentUnknown, match=r"2 quoted documents .*/a/x\.txt, /b/x\.txt"):
        history.forget("x.txt")
    assert len(history.conversations()) == 2
    assert history.forget("/a/x.txt") == 1


def test_removal_says_that_the_file_is_still_in_its_folder(library, documents, capsys):
    """It says so exactly where the next run adds the document again."""
    assert rag(library, "remove", "public.txt") == 0
    assert f"{documents / 'public.txt'} is still there: the next rag index" in capsys.readouterr().err
    assert library.index(documents).count("added") == 1
    (documents / ".ragignore").write_text("public.txt\n")
    library.index(documents / "public.txt")  # named by itself, no ignore file counts
    assert rag(library, "remove", "public.txt") == 0
    assert "still there" not in capsys.readouterr().err
    assert library.index(documents).count("added") == 0


def test_files_that_come_back_with_an_archive_or_not_at_all(library, history, tmp_path):
    archive, alone = tmp_path / "all.zip", tmp_path / "alone.txt"
    for file in (archive, alone):
        file.write_text("A violin was found.")
    uris = [f"{archive}/inside/a.txt", str(alone), str(tmp_path / "gone.txt"), "not-a-file"]
    assert [each.file for each in leftovers(library.store, history, uris)] == [archive, alone, None, None]
    copied = library.add(alone).outcomes[0].path
    library.remove(copied)
    assert [each.file for each in leftovers(library.store, history, [copied])] == [None]


def test_the_page_says_what_stays(library, history, documents):
    nobody: Any = None  # follows the folder
    changes = ChangeHandlers(library, history, nobody, local=True)

    def remove(name: str) -> Json:
        event: Any = SimpleNamespace(documents=[str(documents / name)])
        return changes.remove(event)

    view = remove("secret.txt")
    (row,) = view["rows"]
    assert (view["summary"], row["file"], row["state"]) == ("1 removed", "secret.txt", "removed")
    assert row["reason"].startswith(
        "Still quoted in 2 kept conversations, to be forgotten under Conversations. Its file"
    )
    (library.store.root / "history.db").write_bytes(b"no database")
    view = remove("public.txt")
    assert view["kind"] == "done"
    assert "cannot be used" in view["rows"][0]["reason"]
    assert library.documents() == []
