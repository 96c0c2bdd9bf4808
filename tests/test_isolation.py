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
from tests.test_office import files, para, word
from tests.test_pdf import two_columns


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
    "operators.pdf": lambda: pdf_of(b"BT /F 9 Tf (words) Tj ET\n" * 1_100_000),
    "pages.pdf": lambda: pdf_of(b"BT /F 9 Tf (words) Tj ET\n", 20_000),
    "text.docx": lambda: bomb(300_000_000),
    "empty.docx": lambda: word("<w:p/>" * 3_000_000),
    "members.docx": lambda: files({f"m{number}": "" for number in range(5_000)}),
    "angles.html": lambda: b"<" * 5_000_000,
    "nested.html": lambda: b"<div>" * 200_000 + b"words",
    "nul.csv": lambda: b"a,b\n" + b"\0" * 1000,
    "quote.csv": lambda: b'a,"' + b"x" * 5_000_000,
    "cut.pdf": lambda: two_columns()[:900],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_within_its_limits(name):
    """Read or reported, within a minute; the next file is read as if nothing had been."""
    data = BOMBS[name]()
    with Pool(workers=1) as pool:
        started = time.monotonic()
        error = pool.submit(data, f"/{name}").exception(timeout=75)
        assert error is None or isinstance(error, LoadError)
        assert time.monotonic() - started < 65
        assert pool.submit(b"<p>Still here and well.</p>", "/a.html").result(timeout=60).text == "Still here and well."


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
    with Pool(workers=1, seconds=1) as pool, pytest.raises(LoadError, match="took more than 1 s"):
        pool.submit(BOMBS["operators.pdf"](), "/slow.pdf").result()


def test_no_worker_outlives_its_owner():
    """Also when the owner is killed in the midst of a file."""
    code = (
        "import sys; from rag.load.pool import Pool; from tests.test_isolation import BOMBS\n"
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
    assert [(o.state, o.reason) for o in report.incomplete] == [("added", "1 pictures were not read")]
    assert library.document("a.docx").notes == ("1 pictures were not read",)
