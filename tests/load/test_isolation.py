"""What a hostile or broken file can do: be reported, and nothing else."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
import zlib

import pytest

from rag.errors import LoadError
from rag.load.pool import Pool
from rag.load.worker import seconds_for
from tests.load.test_office import files, para, word
from tests.load.test_pdf import two_columns

pytestmark = pytest.mark.slow


def pdf_of(stream, pages=1):
    """A PDF with one compressed stream of operators."""
    packed = zlib.compress(stream, 9)
    kids = " ".join(["3 0 R"] * pages)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(packed)}/Filter/FlateDecode>>stream\n".encode() + packed + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj".encode() + body + b"endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        out
        + f"xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF".encode()
    )


def bomb(size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", b"<a>" + b" " * size)
    return out.getvalue()


BOMBS = {
    "flate.pdf": lambda: pdf_of(b" " * 400_000_000),
    "operators.pdf": lambda: pdf_of(b"BT /F 9 Tf (words) Tj ET\n" * 600_000),
    "pages.pdf": lambda: pdf_of(b"BT /F 9 Tf (words) Tj ET\n", 20_000),
    "objects.pdf": lambda: pdf_of(b"") + b"".join(b"%d 0 obj<<>>endobj\n" % number for number in range(6, 200_000)),
    "huge-page.pdf": lambda: pdf_of(b"BT /F 9 Tf (words) Tj ET").replace(b"0 0 600 800", b"0 0 9e9 9e9"),
    "own-child.pdf": lambda: pdf_of(b"").replace(b"Kids[3 0 R]", b"Kids[2 0 R]"),
    "cut.pdf": lambda: two_columns()[:900],
    "text.docx": lambda: bomb(300_000_000),
    "empty.docx": lambda: word("<w:p/>" * 3_000_000),
    "members.docx": lambda: files({f"m{number}": "" for number in range(5_000)}),
    "laughs.docx": lambda: files({"word/document.xml": laughs()}),
    "outside.docx": lambda: files(
        {"word/document.xml": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x><t>&e;</t></x>'}
    ),
    "nested.odt": lambda: files({"content.xml": "<a>" * 100_000}),
    "wide.xlsx": lambda: workbook('<row r="1"><c r="XFD1" t="str"><v>x</v></c></row>' * 3_000),
    "far.xlsx": lambda: workbook('<row r="1"/><row r="99999999999"><c r="A99999999999" t="str"><v>x</v></c></row>'),
    "size.xlsx": lambda: workbook('<row r="1"><c r="A1" t="str"><v>x</v></c></row>', "A1:XFD1048576"),
    "own-chapter.epub": lambda: files(
        {
            "META-INF/container.xml": '<c><rootfile full-path="b.opf"/></c>',
            "b.opf": '<p><item id="a" href="b.opf"/><spine>' + '<itemref idref="a"/>' * 50_000 + "</spine></p>",
        }
    ),
    "angles.html": lambda: b"<" * 1_000_000,
    "nested.html": lambda: b"<div>" * 200_000 + b"words",
    "tables.html": lambda: b"<table><tr><td>a<td>" * 100_000,
    "rows.html": lambda: b"<table>" + b"<tr><td>a<td>b" * 5_000,
    "attributes.html": lambda: b"<p " + b"a " * 200_000 + b">words",
    "nul.csv": lambda: b"a,b\n" + b"\0" * 1000,
    "quote.csv": lambda: b'a,"' + b"x" * 2_000_000,
    "columns.csv": lambda: (b"a," * 100_000 + b"\n") * 3,
    "rows.csv": lambda: b"a,b\n" * 2_000_000,
    "deep.json": lambda: b"[" * 1_000_000,
    "deeper.json": lambda: b'{"a":' * 900 + b"1" + b"}" * 900,
    "number.json": lambda: b"1" * 5_000_000,
    "parts.eml": lambda: b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(3_000)
    ),
    "header.eml": lambda: b"From: " + b"a@b, " * 400_000 + b"\n\nwords",
    "line.txt": lambda: b"word " * 1_000_000,
    "lines.txt": lambda: b"a\n" * 2_000_000,
    "blank.md": lambda: b"\n" * 9_000_000 + b"words",
    "nul.txt": lambda: b"words \0" * 100_000,
    "quotes.md": lambda: b"> " * 200_000 + b"words",
    "brackets.md": lambda: b"[" * 200_000,
    "groups.rtf": lambda: b"{\\rtf1" + b"{" * 500_000,
    "cues.srt": lambda: b"00:00:01,000 --> 00:00:02,000\n" * 300_000,
}


def laughs():
    """Entities of entities: a gigabyte, were they written out."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x><t>&e9;</t></x>'


def workbook(rows, dimension="A1"):
    """A workbook of one sheet with these rows."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return files(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{types}.worksheet+xml"/></Types>',
            "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{relation}"><sheets><sheet name="S" sheetId="1" r:id="r"/>'
            "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
            f'relationships"><Relationship Id="r" Type="{relation}/worksheet" Target="s.xml"/></Relationships>',
            "xl/s.xml": f'<worksheet {main}><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>',
        }
    )


@pytest.fixture(scope="module")
def pool():
    with Pool(workers=1) as opened:
        yield opened


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_within_its_limits(pool, name):
    """Read or reported, within a minute; the next file is read as if nothing had been."""
    started = time.monotonic()
    error = pool.submit(BOMBS[name](), f"/{name}").exception(timeout=75)
    assert error is None or isinstance(error, LoadError)
    assert time.monotonic() - started < 65
    assert pool.submit(b"<p>Still here and well.</p>", "/a.html").result(timeout=60).text == "Still here and well."


def test_pictures_of_hostile_pages_are_made_within_the_same_limits():
    """A page with no end, one as large as a town, one that is no page: a picture, or a report."""
    from rag.records import Document, Span

    with Pool(workers=1, seconds=2) as pool:
        document = Document("/a.pdf", "words", None, "", page_starts=(0,))
        with pytest.raises(LoadError, match="took more than 2 s"):
            pool.places(pdf_of(b"BT /F 9 Tf (words) Tj ET\n" * 1_100_000), document, Span(0, 5), 1)
    with Pool(workers=1) as pool:
        found, png = pool.places(BOMBS["huge-page.pdf"](), document, Span(0, 5), 1)
        assert len(found) == 1
        assert png.startswith(b"\x89PNG")
        with pytest.raises(LoadError, match="page 1 is damaged"):
            pool.places(BOMBS["own-child.pdf"](), document, Span(0, 5), 1)


def zip_bombs():
    """Archives: one that unpacks to gigabytes, one with members on top of each other, in each other, too many."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", b" " * 300_000_000)
    once = files({"a.txt": "words " * 200})
    nested = files({"b.zip": once.decode("latin-1"), "a.txt": "words"})
    end = once.rindex(b"PK\x01\x02")
    directory = once[end : once.rindex(b"PK\x05\x06")]
    tail = once[once.rindex(b"PK\x05\x06") :]
    many = directory * 1_000
    counts = (1_000).to_bytes(2, "little") * 2
    overlapping = once[:end] + many + tail[:8] + counts + len(many).to_bytes(4, "little") + tail[16:]
    return {"large": out.getvalue(), "nested": nested, "overlapping": overlapping, "members": BOMBS["members.docx"]()}


def test_archives_that_are_bombs_are_reported(library, tmp_path):
    """Of what is in them, only the harmless is read."""
    for name, data in zip_bombs().items():
        (tmp_path / f"{name}.zip").write_bytes(data)
        report = library.index(tmp_path / f"{name}.zip")
        assert report.count("added") == (name in {"nested", "overlapping"}), name
        assert report.count("skipped") == (name != "overlapping"), name


def test_memory_that_a_file_filled_is_free_for_the_next(pool):
    """Its reader is another one."""
    with pytest.raises(LoadError, match="needs more than 1 GB"):
        pool.submit(b"[" + b"[{}]," * 9_000_000 + b"0]", "/large.json").result()
    assert pool.submit(b"a,b\n" + b"word," * 1_000_000, "/a.csv").result()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_is_reported_and_the_next_file_is_read(sent):
    """By the name of the signal."""
    with Pool(workers=1) as pool:
        pool.submit(b"<p>warm</p>", "/a.html").result()
        worker = next(iter(pool._all))._process
        assert worker is not None
        slow = pool.submit(BOMBS["operators.pdf"](), "/slow.pdf")
        threading.Timer(0.3, lambda: os.kill(worker.pid, sent)).start()
        with pytest.raises(LoadError, match=sent.name):
            slow.result(timeout=60)
        assert pool.submit(b"<p>alive</p>", "/b.html").result().text == "alive"


def test_a_file_that_takes_too_long_is_reported():
    """By the clock on the wall."""
    data = BOMBS["operators.pdf"]()
    seconds = 0.1 - seconds_for(len(data), {})  # what it has for its size comes on top
    with Pool(workers=1, seconds=seconds) as pool, pytest.raises(LoadError, match=r"took more than 0 s"):
        pool.submit(data, "/slow.pdf").result()


def test_no_worker_outlives_its_owner():
    """Also when the owner is killed in the midst of a file."""
    code = (
        "import sys; from rag.load.pool import Pool; from tests.load.test_isolation import BOMBS\n"
        "pool = Pool(workers=1); pool.submit(b'<p>w</p>', '/a.html').result()\n"
        "print(next(iter(pool._all))._process.pid, flush=True)\n"
        "pool.submit(BOMBS['operators.pdf'](), '/s.pdf').result()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert owner.stdout
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the worker is still there")


@pytest.mark.parametrize("place", [0, 50, 99])
def test_one_broken_file_among_many_is_the_only_one_reported(library, tmp_path, place):
    """At the first, a middle and the last place."""
    folder = tmp_path / "many"
    folder.mkdir()
    kinds = [("txt", b"Words %d."), ("html", b"<p>Words %d.</p>"), ("csv", b"a,b\nx,%d"), ("md", b"# H\n\nWords %d.")]
    for number in range(100):
        suffix, content = kinds[number % 4]
        (folder / f"{number:04}.{suffix}").write_bytes(content % number)
    for old in folder.glob(f"{place:04}.*"):
        old.unlink()
    (folder / f"{place:04}.pdf").write_bytes(b"%PDF-1.7 broken")
    report = library.index(folder)
    assert (report.count("added"), report.count("failed")) == (99, 1)
    assert report.of("failed")[0].path.endswith(f"{place:04}.pdf")


def test_what_was_lost_is_reported(library, tmp_path):
    """A note of the loader reaches the report and the stored document."""
    path = tmp_path / "a.docx"
    path.write_bytes(word(para("Text.") + "<w:blip/>"))
    report = library.index(path)
    assert [(o.state, o.reason) for o in report.incomplete] == [("added", "1 picture not read")]
    assert library.document("a.docx").notes == ("1 picture not read",)
