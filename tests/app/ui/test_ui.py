"""The page without a browser: what it would show, what it refuses, and its calls for programs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.app import as_json as wire
from rag.app import calls, ui
from rag.app.display import speaker_before
from rag.app.ui import examples, listing, render
from rag.app.ui.examples import Named
from rag.errors import InputError
from rag.records import (
    Answer,
    AnswerSentence,
    Citation,
    Conflict,
    Document,
    Hit,
    Outcome,
    Span,
    Statement,
    SyncReport,
)
from rag.records.index import DocumentInfo
from tests.conftest import ROOT

HOSTILE = [
    "<script>window.pwned=1</script>",
    '<img src=x onerror="window.pwned=1">',
    "![x](http://evil.test/a.png)",
    "[click](javascript:alert(1))",
    "${window.pwned=1} {{constructor}} `${HOME}`",
    "C:\\users\\nobody \\u{zz} export A=${HOME}",
    "</p></div><style>*{display:none}</style>",
    "\u202e right to left \u0000 nul \U0001f600 astral",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1)).map(lambda text: text + " end.")


@st.composite
def citations(draw) -> tuple[Document, Citation]:
    """A document, and a citation somewhere inside a passage of it."""
    text = "".join(draw(st.lists(texts, min_size=1, max_size=4)))
    offsets = st.integers(0, len(text))
    outer_start, start, end, outer_end = sorted(draw(st.tuples(offsets, offsets, offsets, offsets)))
    document = Document("/docs/a.txt", text, draw(st.none() | texts), "0", date=draw(st.none() | st.just("2024-12-07")))
    return document, Citation.of(document.passage(Span(outer_start, outer_end)), Span(start, end))


# what is shown


def shown(blocks) -> str:
    """All text that the page gets of a text."""
    return "".join(run["text"] for block in blocks for run in block["runs"])


def marked(blocks, number: int) -> str:
    """All text that the page marks as citation `number`."""
    return "".join(run["text"] for block in blocks for run in block["runs"] if number in run.get("cites", ()))


@given(citations())
def test_card_shows_the_passage_unchanged_with_the_quote_marked(drawn):
    _, citation = drawn
    card = render.citation_card(wire.citation_json(citation))
    assert marked(card["passage"], citation.number) == citation.quote
    assert shown(card["passage"]) == citation.passage.text
    assert card["title"] == citation.title


@given(citations(), st.data())
def test_reader_shows_the_document_unchanged_with_the_same_marks(drawn, data):
    document, citation = drawn
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(document.text))] * 2)))
    view = render.reader_view(document, {1: citation.span, 2: Span(start, end)})
    assert marked(view["blocks"], 1) == citation.quote
    assert marked(view["blocks"], 2) == document.text[start:end]
    assert shown(view["blocks"]) == document.text


@given(citations(), texts, texts)
def test_answer_reaches_the_page_unchanged(drawn, words, speaker):
    _, citation = drawn
    answer = Answer(
        "Who?",
        (
            AnswerSentence(words, (1,), speaker, marks=(Span(0, len(words)),)),
            AnswerSentence(words, (1,), support="unsupported"),
        ),
        (citation,),
        conflicts=(Conflict(words, (1, 2)),),
    )
    view = json.loads(json.dumps(render.answer_view(wire.answer_json(answer))))
    assert ["".join(run["text"] for run in sentence["runs"]) for sentence in view["sentences"]] == [words, words]
    assert [[run["marked"] for run in sentence["runs"]] for sentence in view["sentences"]] == [[True], [False]]
    assert [sentence["supported"] for sentence in view["sentences"]] == [True, False]
    assert view["sentences"][0]["speaker"] == speaker_before(speaker, words)
    assert view["conflicts"] == [{"about": words, "sources": [1, 2]}]
    assert view["heading"] == "Sources"


def test_a_row_reaches_the_page_as_names_and_values():
    text = "Town: Oz; Beds: 40"
    cells = ((Span(0, 4), Span(6, 8)), (Span(10, 14), Span(16, 18)))
    row = AnswerSentence(text, (1,), marks=(Span(16, 18),), cells=cells)
    (view,) = render.answer_view(wire.answer_json(Answer("How many beds?", (row,))))["sentences"]
    assert view["cells"] == [
        {"name": "Town", "runs": [{"text": "Oz", "marked": False}]},
        {"name": "Beds", "runs": [{"text": "40", "marked": True}]},
    ]


def test_citations_of_one_passage_share_a_card():
    """Whoever speaks in them."""
    said = (Statement(Span(20, 33), "Ada Hall"),)
    passage = Document("/a.txt", "One came. Two left. Three stayed.", None, "0" * 64, speakers=said).passage(
        Span(0, 33)
    )
    spans = (Span(0, 9), Span(20, 33))
    cited = tuple(Citation.of(passage, span, number) for number, span in enumerate(spans, 1))
    sentences = tuple(AnswerSentence(each.quote, (each.number,)) for each in cited)
    cards = render.answer_view(wire.answer_json(Answer("Who?", sentences, cited)))["cards"]
    assert [card["shared"] for card in cards] == [[1, 2], [1, 2]]
    for card in cards:
        assert [marked(card["passage"], number) for number in (1, 2)] == ["One came.", "Three stayed."]


@given(citations())
def test_refusal_lists_nearest_passages_and_no_source(drawn):
    _, citation = drawn
    answer = Answer("Who?", abstained=True, reason="Nothing is said about it.", nearest=(Hit(citation.passage, 0.2),))
    view = render.answer_view(wire.answer_json(answer))
    assert view["message"] == "Nothing is said about it."
    assert view["heading"] == "Nearest passages"
    assert [(card["number"], shown(card["passage"])) for card in view["cards"]] == [(None, citation.passage.text)]
    assert not any("cites" in run for card in view["cards"] for block in card["passage"] for run in block["runs"])


def test_script_makes_no_markup():
    script = "".join(file.read_text("utf-8") for file in (ROOT / "rag/app/ui/web").glob("*.js"))
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", script, flags=re.DOTALL)
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\s*\(|new Function|srcdoc", code
    )


@pytest.mark.parametrize(
    ("iso", "shown"), [("2024-12-07", "7 December 2024"), ("last spring", "last spring"), (None, ""), ("", "")]
)
def test_dates_are_read_by_people(iso, shown):
    assert render.nice_date(iso) == shown


def test_facts_of_a_source():
    document = Document(
        "/docs/a.txt",
        "Words.",
        "Title",
        "0",
        date="2024-12-07",
        page_starts=(0,),
        speakers=(Statement(Span(0, 6), "Robert Ford"),),
    )
    card = render.citation_card(wire.citation_json(Citation.of(document.passage(Span(0, 6)), Span(0, 6))))
    assert card["speaker"] == "Robert Ford"
    assert card["facts"] == ["7 December 2024", "page 1", "a.txt"]


def test_why_a_source_was_found_is_said_in_plain_words():
    document = Document("/docs/a.txt", "The harbour closed.", "Title", "0")
    hit = Hit(document.passage(Span(0, 19)), 0.5, dense_rank=2, lexical_rank=1)
    line = render.why_line("When did the harbour close?", [hit], Span(4, 11), "/docs/a.txt", 1200)
    assert line == (
        "It came 1st of 1,200 passages: it has words of your question (harbour, close), "
        "and its meaning is close to your question."
    )
    assert "no longer" in render.why_line("When?", [hit], Span(4, 11), "/docs/b.txt", 1200)


def test_report_names_files_and_puts_trouble_first():
    report = SyncReport((Outcome("/x/good.txt", "added"), Outcome("/x/bad.txt", "failed", "it is <b>binary</b>")))
    assert listing.report_view(report)["rows"] == [
        {"file": "bad.txt", "state": "failed", "reason": "it is <b>binary</b>"},
        {"file": "good.txt", "state": "added", "reason": ""},
    ]


def test_documents_are_summed_up():
    info = DocumentInfo("/x/b.txt", "B", "0", "text/plain", "2024-12-07", 10, 1)
    view = listing.documents_view([info])
    assert view["summary"] == "1 document"
    row = view["rows"][0]
    assert (row["folder"], row["kind"], row["day"], row["length"]) == ("/x", "TXT", "7 December 2024", "2 words")
    assert (row["added"], row["trouble"]) == ("", "The file is gone")


def test_a_document_tells_its_pages_and_when_it_was_added(tmp_path):
    file = tmp_path / "scan.pdf"
    file.touch()
    came = "2023-11-14T22:13:20+00:00"
    row = listing.document_row(DocumentInfo(str(file), "Scan", "0", "application/pdf", None, 10, 0, 7, came))
    assert (row["length"], row["trouble"], row["added"]) == ("7 pages", "No text to search", came)


@pytest.mark.parametrize(
    ("uri", "trouble"),
    [("box.zip/a.txt", ""), ("gone.zip/a.txt", "The file is gone"), ("gone.txt", "The file is gone")],
)
def test_a_document_whose_file_is_gone_says_so(tmp_path, uri, trouble):
    (tmp_path / "box.zip").touch()
    row = listing.document_row(DocumentInfo(str(tmp_path / uri), "A", "0", "text/plain", None, 10, 1))
    assert row["trouble"] == trouble


def test_what_is_in_a_collection_is_told_with_questions():
    infos = [DocumentInfo(f"/x/{name}", name, "0", "", None, 1, 1) for name in ("a.PDF", "b.pdf", "c", "d.txt")]
    view = listing.contents_view(infos, Named(("Ada Hall",), ("the Harbour Board",)))
    assert view["kinds"] == "2 PDF, 1 text, 1 TXT"
    assert view["people"] == [{"name": "Ada Hall", "question": "What did Ada Hall say?"}]
    assert view["names"] == [{"name": "the Harbour Board", "question": "What is known about the Harbour Board?"}]


@pytest.mark.parametrize(
    ("stage", "done", "total", "seconds", "line"),
    [
        ("reading", 0, 10, 0.0, "Reading files: 0 of 10"),
        ("embedding", 120, 400, 4.0, "Found by words; by meaning, too: 120 of 400, 30 a second, 9 s left"),
        ("embedding", 10, 40_000, 10.0, "Found by words; by meaning, too: 10 of 40,000, 1 a second, 666 min left"),
    ],
)
def test_progress_says_rate_and_time_left(stage, done, total, seconds, line):
    assert listing.progress_line(stage, done, total, seconds) == line


@given(st.text(st.characters(), max_size=2100))
def test_questions_are_checked(question):
    try:
        checked = calls.checked_question(question)
    except InputError:
        return
    assert checked.encode()
    assert len(checked) <= calls.LONGEST_QUESTION


def test_long_question_is_refused_with_its_length():
    with pytest.raises(InputError, match=r"2,001 characters; up to 2,000"):
        calls.checked_question("x" * 2001)


def test_examples_come_from_the_documents():
    text = "On Monday the Harbour Office of Testville closed.\n\nMary Smith, the mayor, said so in the Harbour Office."
    said = (Statement(Span(51, len(text)), "Mary Smith, the mayor"),)
    questions = examples.candidates([Document("/a", text, None, "0", speakers=said)])
    assert questions == ["What did Mary Smith say?", "What is known about the Harbour Office of Testville?"]
    spoken = "The bridge will close."
    speakers = ("a harbour spokesperson", "Port Authority", "one old expert", "Omar al-Bashir, pilot")
    known = tuple(Statement(Span(at, at + 1), speaker) for at, speaker in enumerate(speakers))
    assert examples.candidates([Document("/a", spoken, None, "0", speakers=known)]) == ["What did Omar al-Bashir say?"]
    assert examples.candidates([Document("/a", "nothing of note here", None, "0")]) == []


def test_examples_are_offered_one_by_one(library, tmp_path, monkeypatch):
    names = ("Ada Holm", "Bo Lind", "Cy Moe", "Di Voss")
    asked = []

    def tried(question):
        asked.append(question)
        quoted = AnswerSentence("The pier was closed.", (1,), marks=(Span(0, 8),))
        return Answer(question, (quoted,), abstained="Lind" in question)

    (tmp_path / "a.txt").write_text("\n\n".join(f"{name} said the pier was closed." for name in names))
    offered = examples.Examples(library)
    assert offered.first(1) == []  # no index yet
    library.index(tmp_path / "a.txt")
    monkeypatch.setattr(library, "ask", tried)
    assert offered.first(1) == ["What did Ada Holm say?"]
    assert len(asked) == 1
    assert offered.first(2) == ["What did Ada Holm say?", "What did Di Voss say?"]
    assert len(offered.first(3)) == len(offered.first(9)) == 3
    assert len(asked) == 4
    (tmp_path / "a.txt").write_text("Nothing of note here.\n")
    library.index(tmp_path / "a.txt")
    assert offered.first(3) == []

    (tmp_path / "a.txt").write_text("\n\n".join(f"{name} said the pier was closed." for name in names))
    library.index(tmp_path / "a.txt")
    offered.close()  # the server ends: nothing more is tried
    assert offered.first(3) == []
    assert len(asked) == 4


# the server's own settings


def test_importing_the_page_does_not_load_gradio():
    code = "import sys, rag.app.ui; sys.exit('gradio' in sys.modules or 'starlette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", ""])
def test_other_machines_need_a_password(library, host, monkeypatch):
    monkeypatch.delenv("RAG_PASSWORD", raising=False)
    with pytest.raises(InputError, match=r"needs a password: .*--password-file.*RAG_PASSWORD"):
        ui.serve(library, host=host)


def test_taken_port_is_named(library):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} .*--port"):
            ui.serve(library, port=port)


def test_uploads_pass_through_a_private_folder(monkeypatch):
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    folder = ui._settle_gradio()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


# a real server

SERVER = """
import sys
from rag.models.encoder import HashEmbedder
from rag.library import Library
from rag.app.ui import serve
with Library.open(sys.argv[1], embedder=HashEmbedder()) as library:
    library.index(sys.argv[2])
    serve(library, port=0, with_token=False)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the server of this module keeps everything."""
    return tmp_path_factory.mktemp("ui")


@pytest.fixture(scope="module")
def url(folder):
    """The address of a real server over two small documents."""
    docs = folder / "docs"
    docs.mkdir()
    (docs / "harbour.txt").write_text("The harbour of Testville closed on Monday. The crane fell into the water.\n")
    (docs / "school.txt").write_text("The school of Testville has two hundred pupils. It opened in May.\n")
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads")}
    command = [sys.executable, "-c", SERVER, str(folder / "index"), str(docs)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:")
        yield line.split()[1]
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.slow
def test_server_ends_as_asked_and_leaves_nothing(tmp_path):
    (tmp_path / "a.txt").write_text("The crane fell into the water.\n")
    (tmp_path / "tmp").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    command = [sys.executable, "-c", SERVER, str(tmp_path / "index"), str(tmp_path / "a.txt")]
    with subprocess.Popen(
        command, cwd=ROOT, env={**environment, "TMPDIR": str(tmp_path / "tmp")}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Open ")
        assert list((tmp_path / "tmp").glob("rag-ui-*"))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert list((tmp_path / "tmp").glob("rag-ui-*")) == []


@pytest.fixture(scope="module")
def client(url):
    """A program that uses the page's calls."""
    from gradio_client import Client

    connected = Client(url, verbose=False, analytics_enabled=False)
    yield connected
    connected.close()


def test_program_asks(client):
    answer = client.predict("When did the harbour of Testville close?", api_name="/ask")
    assert not answer["abstained"]
    quotes = [citation["quote"] for citation in answer["citations"]]
    assert "The harbour of Testville closed on Monday." in quotes


def test_program_searches(client):
    found = client.predict("harbour of Testville", 1, api_name="/search")
    assert [hit["document"].rpartition("/")[2] for hit in found["hits"]] == ["harbour.txt"]


def test_program_adds_files_and_nothing_is_left_behind(client, folder):
    from gradio_client import handle_file

    good, bad = folder / "museum.txt", folder / "broken.txt"
    good.write_text("The museum of Testville keeps nine bells.\n")
    bad.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 4)
    report = client.predict([handle_file(str(good)), handle_file(str(bad))], api_name="/index")
    assert report["added"] == 1
    assert [each["file"] for each in (*report["skipped"], *report["failed"])] == ["broken.txt"]
    answer = client.predict("How many bells does the museum of Testville keep?", api_name="/ask")
    assert answer["citations"][0]["quote"] == "The museum of Testville keeps nine bells."
    assert [path for path in (folder / "uploads").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("question", "message"), [("  ", "Type a question"), ("x" * 2001, "2,001 characters")])
def test_program_is_told_what_is_wrong(client, question, message):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=message):
        client.predict(question, api_name="/ask")


def test_only_three_calls_are_offered(client):
    assert sorted(client.view_api(return_format="dict")["named_endpoints"]) == ["/ask", "/index", "/search"]


def test_answers_carry_security_headers(url):
    for path in ("/", "/web/page.js", "/nothing-here"):
        headers = httpx.get(url + path).headers
        assert "connect-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.test"}, 400),
        ({"Host": "127.0.0.1.evil.test"}, 400),
        ({"Host": "localhost"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
    ],
)
def test_foreign_requests_are_refused(url, headers, status):
    assert httpx.get(url, headers=headers).status_code == status


def test_foreign_upload_is_refused(url):
    upload = {"files": ("a.txt", b"words", "text/plain")}
    foreign = httpx.post(f"{url}/gradio_api/upload", files=upload, headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
    assert httpx.post(f"{url}/gradio_api/upload", files=upload, headers={"Origin": url}).status_code == 200


def test_large_requests_are_refused(url):
    large = b'["' + b"x" * 2_000_000 + b'"]'
    call = f"{url}/gradio_api/call/ask"
    assert httpx.post(call, content=large).status_code == 413
    pieces = (large[start : start + 65536] for start in range(0, len(large), 65536))
    assert httpx.post(call, content=pieces).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "http://evil.test/a.txt",
        " HTTPS://evil.test/a.txt",
        "/etc/passwd",
        "README.md",
        "{uploads}/../docs/harbour.txt",
        "\0",
        "x" * 5000,
    ],
)
def test_calls_may_name_only_uploaded_files(url, folder, path):
    data = {"data": [[{"path": path.format(uploads=folder / "uploads"), "meta": {"_type": "gradio.FileData"}}]]}
    assert httpx.post(f"{url}/gradio_api/call/index", json=data).status_code == 400


@pytest.mark.parametrize("path", ["/etc/passwd", str(ROOT / "app.py"), "{docs}/harbour.txt"])
def test_no_file_of_the_server_is_given_out(url, folder, path):
    assert httpx.get(f"{url}/gradio_api/file={path.format(docs=folder / 'docs')}").status_code in {403, 404}
