"""Bringing an index up to date with files: what is reported, what is embedded, what can still be found."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import DocumentUnknown, IndexLocked, IndexMissing, InputError, ModelMismatch
from rag.library import Library
from rag.models.encoder import HashEmbedder
from tests.conftest import all_passages


def counts(report) -> dict[str, int]:
    """Return the non-zero counts of a report."""
    states = ("added", "updated", "removed", "unchanged", "skipped", "failed")
    return {state: report.count(state) for state in states if report.count(state)}


def everything_quoted(library: Library) -> str:
    """Return all passages of the index as one text."""
    return "\n".join(passage.text for passage in all_passages(library))


def test_first_index_adds_every_file(library, corpus):
    """All files of a folder are added, and each text is embedded once."""
    report = library.index(corpus)
    assert counts(report) == {"added": 200}
    assert report.passages == report.embedded == 200
    assert library.status().documents == 200


def test_second_index_changes_nothing(library, corpus):
    """An unchanged folder embeds nothing and publishes nothing."""
    library.index(corpus)
    generation = library.status().generation
    report = library.index(corpus)
    assert counts(report) == {"unchanged": 200}
    assert report.embedded == 0
    assert library.status().generation == generation


@pytest.mark.slow
def test_change_delete_swap_rename(library, corpus):
    """The report says exactly what happened, only new text is embedded, and what is gone is found no more."""
    library.index(corpus)
    (corpus / "report-000.txt").write_text("The crane was sold to Rotterdam in spring.\n")
    (corpus / "report-001.txt").unlink()
    a, b = corpus / "report-002.txt", corpus / "report-003.txt"
    a_text, b_text = a.read_text(), b.read_text()
    a.write_text(b_text)
    b.write_text(a_text)
    (corpus / "report-004.txt").rename(corpus / "report-904.txt")
    report = library.index(corpus)
    assert counts(report) == {"added": 1, "updated": 3, "removed": 2, "unchanged": 195}
    assert report.renamed == ((str(corpus / "report-004.txt"), str(corpus / "report-904.txt")),)
    assert report.embedded == 1
    assert library.document("report-002.txt").text == b_text
    assert library.document("report-003.txt").text == a_text
    text = everything_quoted(library)
    assert "crane numbered 1 " not in text
    assert "crane numbered 0 " not in text
    for question in ("crane numbered 1 lifted 10 tons", "crane numbered 4", "Rotterdam"):
        for hit in library.search(question, 50):
            source = library.document(hit.passage.uri)
            assert Path(hit.passage.uri).exists()
            assert source.text[hit.passage.span.start : hit.passage.span.end] == hit.passage.text
    assert library.search("Rotterdam", 1)[0].passage.text.startswith("The crane was sold to Rotterdam")
    assert library.verify() == []


def test_a_name_that_tells_something_else_is_embedded_anew(library, corpus):
    """A text without a title is placed by the name of its file; a number in the name tells nothing."""
    library.index(corpus)
    (corpus / "report-004.txt").rename(corpus / "harbour-minutes.txt")
    assert library.index(corpus).embedded == 1
    assert library.search("harbour minutes", 1)[0].passage.uri.endswith("harbour-minutes.txt")


def test_change_is_seen_with_the_old_time(library, corpus):
    """A file with new bytes and its old modification time and size has changed."""
    library.index(corpus)
    path = corpus / "report-000.txt"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"crane", b"winch"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(library.index(corpus)) == {"updated": 1, "unchanged": 199}


def test_indexing_one_folder_leaves_others_alone(library, tmp_path):
    """What vanished is removed only below the paths that were named."""
    for name in ("a", "ab"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(f"This is the text of {name}.")
    library.index(tmp_path / "a", tmp_path / "ab")
    (tmp_path / "ab" / "x.txt").unlink()
    assert counts(library.index(tmp_path / "a")) == {"unchanged": 1}
    assert counts(library.index(tmp_path / "ab")) == {"removed": 1}


def test_every_file_has_an_outcome(library, tmp_path):
    """Garbage, unknown kinds, empty files, links and unreadable files are reported with their reason."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.txt").write_text("A good text. It has two sentences.")
    (folder / "garbage.txt").write_bytes(os.urandom(4000))
    (folder / "empty.txt").write_text(" \n")
    (folder / "program.exe").write_bytes(b"MZ")
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    (folder / ".hidden.txt").write_text("Not for the index.")
    report = library.index(folder)
    assert counts(report) == {"added": 1, "skipped": 5, "failed": 1}
    reasons = {Path(o.path).name: o.reason for o in (*report.of("skipped"), *report.of("failed"))}
    assert set(reasons) == {"garbage.txt", "empty.txt", "program.exe", "link.txt", "loop", "pipe.txt"}
    assert all(reason and "\n" not in reason for reason in reasons.values())


def test_document_that_became_garbage_is_forgotten(library, tmp_path):
    """A file whose text is gone is skipped, and its earlier text is no longer found."""
    path = tmp_path / "x.txt"
    path.write_text("The bridge was closed in May.")
    library.index(path)
    path.write_bytes(bytes(range(256)) * 20)
    assert counts(library.index(path)) == {"skipped": 1}
    assert library.documents() == []


def test_vanished_file_may_be_named(library, tmp_path):
    """Naming a file that is gone removes it; naming one that never was is an error."""
    path = tmp_path / "x.txt"
    path.write_text("The bridge was closed in May.")
    library.index(path)
    path.unlink()
    assert counts(library.index(path)) == {"removed": 1}
    with pytest.raises(InputError, match="does not exist"):
        library.index(tmp_path / "never.txt")


def test_empty_folder(library, tmp_path):
    """A folder without files is a clear error when nothing of it was indexed."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        library.index(tmp_path / "empty")


def test_index_inside_the_folder_is_left_out(tmp_path, hasher):
    """An index kept inside the indexed folder does not index itself."""
    (tmp_path / "x.txt").write_text("The bridge was closed in May.")
    with Library.open(tmp_path / "index", embedder=hasher) as library:
        library.index(tmp_path)
        assert counts(library.index(tmp_path)) == {"unchanged": 1}


def test_added_files_are_copied(library, tmp_path):
    """Uploaded files live in the index's own folder, are replaced by name, and go when they are removed."""
    (tmp_path / "up.txt").write_text("The first version speaks of apples.")
    assert counts(library.add(tmp_path / "up.txt")) == {"added": 1}
    (tmp_path / "up.txt").write_text("The second version speaks of pears.")
    assert counts(library.add(tmp_path / "up.txt")) == {"updated": 1}
    assert "pears" in library.document("up.txt").text
    library.remove("up.txt")
    assert library.documents() == []
    assert list((library.store.root / "files").iterdir()) == []


def test_rebuild_keeps_what_no_path_covers(library, tmp_path, hasher):
    """A rebuild with another encoder makes everything anew, also documents whose files are elsewhere."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(f"This is the text of {name}.")
    library.index(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "b.txt").unlink()
    other = HashEmbedder("other", 32)
    with Library.open(library.store.root, embedder=other) as again:
        with pytest.raises(ModelMismatch, match="made with the encoder hash"):
            again.search("text")
        with pytest.raises(ModelMismatch):
            again.index(tmp_path / "a")
        report = again.index(tmp_path / "a", rebuild=True)
        assert counts(report) == {"updated": 1}
        assert {info.name for info in again.documents()} == {"a.txt", "b.txt"}
        assert again.status().model == "other"
        assert report.embedded == 2
        assert again.verify() == []


def test_same_model_name_with_other_weights_is_refused(library, tmp_path, hasher):
    """The fingerprint of the weights counts, not only the name."""
    (tmp_path / "x.txt").write_text("The bridge was closed in May.")
    library.index(tmp_path / "x.txt")
    impostor = HashEmbedder("hash", 64)
    impostor.fingerprint = "0" * 64
    with Library.open(library.store.root, embedder=impostor) as again, pytest.raises(ModelMismatch, match="weights"):
        again.search("bridge")


def test_missing_index(library):
    """Asking without an index says how to make one."""
    with pytest.raises(IndexMissing, match="rag index"):
        library.search("anything")


def test_second_writer_is_refused(library, corpus):
    """While one process writes, another is told who it is; readers go on."""
    library.index(corpus)
    with library.store.writer(), Library.open(library.store.root, embedder=HashEmbedder()) as other:
        with pytest.raises(IndexLocked, match=f"process {os.getpid()} on "):
            other.index(corpus)
        assert len(other.search("crane", 5)) == 5


@pytest.mark.parametrize("question", ["", "  \n", "x" * 100_000])
def test_questions_that_are_none(library, corpus, question):
    """Empty and endless questions are refused."""
    library.index(corpus)
    with pytest.raises(InputError, match="question"):
        library.ask(question)


def test_document_names(library, tmp_path):
    """A document answers to its URI and to any end of its path that only it has."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.txt").write_text(f"This is the text of {name}.")
    (tmp_path / "a" / "own.txt").write_text("One of a kind.")
    library.index(tmp_path / "a", tmp_path / "b")
    assert library.document("own.txt").uri == str(tmp_path / "a" / "own.txt")
    assert library.document("b/same.txt").text == "This is the text of b."
    with pytest.raises(DocumentUnknown, match=r"2 documents are called same\.txt"):
        library.document("same.txt")
    with pytest.raises(DocumentUnknown, match=r"no document wn\.txt"):
        library.document("wn.txt")


def test_a_whole_path_names_one_document(library, tmp_path):
    """`/sub/a.txt` is not the end of another path: what is removed is what was named."""
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "docs" / "sub" / "a.txt").write_text("The only document.")
    library.index(tmp_path / "docs")
    assert library.document("sub/a.txt").uri == library.document("./sub/a.txt").uri
    with pytest.raises(DocumentUnknown):
        library.remove("/sub/a.txt")
    assert library.status().documents == 1


def test_a_file_that_became_a_link_is_forgotten(library, tmp_path):
    """What the document said is no longer what is there: its text goes, and the report says so."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("The mayor stole the bell.")
    (docs / "b.txt").write_text("Another document.")
    library.index(docs)
    (docs / "a.txt").rename(tmp_path / "kept.txt")
    (docs / "a.txt").symlink_to(tmp_path / "kept.txt")
    report = library.index(docs)
    assert counts(report) == {"unchanged": 1, "skipped": 1}
    reason = "a symbolic link; name its target to index that; its earlier version was removed"
    assert [outcome.reason for outcome in report.of("skipped")] == [reason]
    assert "bell" not in everything_quoted(library)


def test_the_same_words_on_another_page(library, tmp_path):
    """A cover of pictures in front moves all pages by one: the page that is cited moves as well."""
    from reportlab.pdfgen import canvas

    for cover in (False, True):
        page = canvas.Canvas(str(tmp_path / "a.pdf"))
        if cover:
            page.rect(100, 100, 200, 200, fill=1)
            page.showPage()
        page.drawString(60, 780, "The river board met in the hall on Monday and closed the sluice.")
        page.save()
        library.index(tmp_path / "a.pdf")
        document, (passage,) = library.document("a.pdf"), [hit.passage for hit in library.search("river board")]
        assert passage.page == document.page_at(passage.span.start) == 1 + cover
    assert library.verify() == []


def test_a_folder_of_somebody_else_is_no_index(tmp_path, hasher):
    """A store must not delete a folder `lexical` that was there before it."""
    mine = tmp_path / "project" / "lexical" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("Three years of work.")
    with Library.open(tmp_path / "project", embedder=hasher) as library, pytest.raises(InputError, match="in the way"):
        library.index(tmp_path / "project" / "lexical")
    assert mine.read_text() == "Three years of work."


def test_an_index_that_another_replaced_is_read_no_more(tmp_path, hasher):
    """Whoever has the old one open sees the new one, and says so where there is none."""
    import shutil

    root, file = tmp_path / "index", tmp_path / "a.txt"
    with Library.open(root, embedder=hasher) as reader:
        for text in ("The old secret.", "The new version."):
            file.write_text(text)
            with Library.open(root, embedder=hasher) as writer:
                writer.index(file)
            assert [hit.passage.text for hit in reader.search("version secret")] == [text]
            shutil.rmtree(root)
            with pytest.raises(IndexMissing):
                reader.search("version secret")


def test_interrupted_run_embeds_nothing_twice(library, corpus):
    """Vectors of a run that was interrupted are kept; the next run embeds only the rest."""

    class InterruptedRunError(Exception):
        pass

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "embedding" and done:
            raise InterruptedRunError

    from rag import sync

    batch, sync.EMBED_BATCH = sync.EMBED_BATCH, 50
    try:
        with pytest.raises(InterruptedRunError):
            library.index(corpus, progress=interrupt)
        assert library.status().waiting == 150
        assert library.index(corpus).embedded == 150
    finally:
        sync.EMBED_BATCH = batch


def test_passages_without_vectors_are_found_by_their_words(library, tmp_path, hasher):
    """A passage may be published before its vector exists; status counts it as waiting."""
    (tmp_path / "x.txt").write_text("The bridge was closed in May.")
    library.index(tmp_path / "x.txt")
    document = replace(library.document("x.txt"), uri="/late.txt", text="The lighthouse keeper resigned.", blocks=())
    from rag.records import Span
    from rag.records.index import Changes

    span = Span(0, len(document.text))
    with library.store.writer() as writer:
        writer.apply(Changes([(document, [document.passage(span, [span])])]), writer.recipe)
    assert library.status().waiting == 1
    best = library.search("lighthouse", 1)[0]
    assert (best.passage.uri, best.dense_rank, best.lexical_rank) == ("/late.txt", None, 1)


def test_added_files_survive_indexing_the_folder_around_the_index(tmp_path, hasher, monkeypatch):
    """Indexing a folder that holds the index leaves the index's own files alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("This is the text of a.")
    (tmp_path / "up.txt").write_text("An uploaded text.")
    with Library.open("index", embedder=hasher) as library:
        library.add("up.txt")
        (tmp_path / "up.txt").unlink()
        assert counts(library.index(".")) == {"added": 1}
        assert {info.name for info in library.documents()} == {"a.txt", "up.txt"}


def test_a_folder_that_cannot_be_read_keeps_its_documents(library, tmp_path, monkeypatch):
    """A folder that is out of reach for a moment is reported, and nothing below it is forgotten."""
    folder = tmp_path / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "b.txt").write_text("This is the text of b.")
    (folder / "a.txt").write_text("This is the text of a.")
    library.index(folder)
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = library.index(folder)
    assert counts(report) == {"unchanged": 1, "failed": 1}
    assert report.of("failed")[0].path == str(folder / "sub")
    assert len(library.documents()) == 2


def test_a_folder_stays_one_without_its_only_document(library, tmp_path):
    folder, file = tmp_path / "minutes", tmp_path / "alone.txt"
    folder.mkdir()
    for path in (folder / "may.txt", file):
        path.write_text("The council met at the pier.")
        library.index(path.parent if path != file else file)
    assert library.roots() == sorted([str(file), str(folder)])
    library.remove(str(folder / "may.txt"), str(file))
    assert library.roots() == [str(folder)]


def test_adding_that_is_given_up_leaves_no_copy(library, tmp_path):
    """A copy that the index did not get to would never be taken in; one that it knows stays."""
    (tmp_path / "known.txt").write_text("The crane lifts forty tons.")
    library.add(tmp_path / "known.txt")
    (tmp_path / "late.txt").write_text("The pier is made of oak.")

    def stop(*_: object) -> None:
        raise InputError("enough")

    with pytest.raises(InputError, match="enough"):
        library.add(tmp_path / "late.txt", tmp_path / "known.txt", progress=stop)
    assert [path.name for path in library.files.iterdir()] == ["known.txt"]
    assert library.store.verify() == []


def test_adding_refuses_without_losing(library, tmp_path):
    """A bad file does not replace a good one, equal names are both kept, and what is no file is an error."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "n.txt").write_text(f"This is the text of {name}.")
    assert counts(library.add(tmp_path / "a" / "n.txt", tmp_path / "b" / "n.txt")) == {"added": 2}
    assert {info.name for info in library.documents()} == {"n.txt", "n (2).txt"}
    (tmp_path / "a" / "n.txt").write_bytes(bytes(range(256)) * 20)
    assert counts(library.add(tmp_path / "a" / "n.txt")) == {"skipped": 1}
    assert library.document("n.txt").text == "This is the text of a."
    for wrong in (tmp_path, tmp_path / "never.txt"):
        with pytest.raises(InputError, match="not a file"):
            library.add(wrong)
    with library.store.writer(), pytest.raises(IndexLocked):
        library.add(tmp_path / "b" / "n.txt")


def test_names_that_are_no_text(library, tmp_path):
    """A file whose name is not text is reported under an escaped name."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("This is the text of a.")
    with open(os.path.join(os.fsencode(folder), b"bad\xff.txt"), "w") as file:  # noqa: PTH118, PTH123
        file.write("A text.")
    report = library.index(folder)
    assert counts(report) == {"added": 1, "failed": 1}
    assert report.of("failed")[0].path.endswith("bad\\udcff.txt")
    assert "name" in report.of("failed")[0].reason


def test_any_number_of_passages_may_be_asked_for(library, corpus):
    """More passages than there are is all of them; a removed document counts once; weights are never negative."""
    library.index(corpus)
    assert len(library.search("crane", 10**24)) == 200
    assert library.remove("report-000.txt", "report-000.txt").count("removed") == 1
    for path in sorted(corpus.iterdir())[3:]:
        path.unlink()
    library.index(corpus)
    assert min(library.retriever.rarity("crane harbour office").values()) >= 0
    with pytest.raises(InputError, match="not valid text"):
        library.search("what \udcff is")
