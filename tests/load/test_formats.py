"""Every format: what it holds is found, in blocks that cover the text, and each citation is exact."""

import io
import json
import time
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.chunk import Chunker
from rag.errors import LoadError, Skipped
from rag.language.published import parse_date
from rag.load import load_bytes, original
from rag.load.archive import members
from rag.load.pdf.rectangles import rectangles
from rag.records import Citation
from tests.conftest import speaker_at
from tests.load.test_load import check
from tests.load.test_office import CORE, P, files, para, texts, word

ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)
SENTENCES = (
    "The crane fell into the river.",
    "قال الرئيس إن الحرب انتهت.",
    "Türkiye İdlib'de barış istiyor.",
    "今天天气很好。",
    "Nobody was hurt 😀 on that day.",
    "The crane fell into the river.",
)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def odt(paragraphs):
    body = "".join(f"<text:p>{escaped(text)}</text:p>" for text in paragraphs)
    return files(
        {"content.xml": f"<c {ODF}><office:body><text:h>Floods</text:h>{body}</office:body></c>", "meta.xml": CORE}
    )


def epub(paragraphs):
    book = (
        '<p xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Floods</dc:title><dc:date>2024-02-03</dc:date>'
        '</metadata><item id="a" href="one%20a.xhtml"/><item id="b" href="two.xhtml"/>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></p>'
    )
    page = "".join(f"<p>{escaped(text)}</p>" for text in paragraphs)
    return files(
        {
            "META-INF/container.xml": '<c><rootfile full-path="OPS/book.opf"/></c>',
            "OPS/book.opf": book,
            "OPS/one a.xhtml": f"<html><body><h1>One</h1>{page}</body></html>",
            "OPS/two.xhtml": "<html><body><h1>Two</h1><p>The end.</p></body></html>",
        }
    )


def mail(paragraphs, attachment=False):
    message = EmailMessage()
    message["Subject"] = "Floods – آ"
    message["From"] = "Ada <ada@example.org>"
    message["Date"] = "Sat, 03 Feb 2024 10:00:00 +0000"
    message.set_content("\n\n".join(paragraphs))
    if attachment:
        message.add_attachment(b"x", maintype="image", subtype="png", filename="map.png")
    return message.as_bytes()


def rtf(paragraphs):
    def letters(text):
        units = text.encode("utf-16-le")
        codes = [int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2)]
        return "".join(chr(code) if 32 <= code < 127 and chr(code) not in "\\{}" else f"\\u{code}?" for code in codes)

    return ("{\\rtf1\\ansi " + "\\par ".join(map(letters, paragraphs)) + "}").encode()


def srt(paragraphs):
    cues = (f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n" for n, text in enumerate(paragraphs, 1))
    return "\n".join(cues).encode()


def csv(paragraphs):
    quoted = (text.replace('"', '""') for text in paragraphs)
    return ("id,text\n" + "\n".join(f'{n},"{text}"' for n, text in enumerate(quoted))).encode()


def xlsx(paragraphs):
    import openpyxl

    book = openpyxl.Workbook()
    for text in paragraphs:
        book.active.append(["x", text])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def pptx(paragraphs):
    shape = "<p:sp><p:txBody>{}</p:txBody></p:sp>"
    slide = f"<p:sld {P}>{{}}</p:sld>"
    parts = "".join(f"<a:p><a:r><a:t>{escaped(text)}</a:t></a:r></a:p>" for text in paragraphs)
    return files(
        {
            "ppt/presentation.xml": f'<p:p {P}><p:sldId r:id="r1"/></p:p>',
            "ppt/_rels/presentation.xml.rels": '<R><x Id="r1" Target="slides/s1.xml"/></R>',
            "ppt/slides/s1.xml": slide.format(shape.format(parts)),
        }
    )


def pdf(paragraphs):
    """A page of lines in a font that has the letters, or as much of them as it has."""
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    page = canvas.Canvas(out)
    for number, text in enumerate(paragraphs):
        page.drawString(60, 780 - 40 * number, text)
    page.save()
    return out.getvalue()


MAKERS = {
    "txt": lambda parts: "\n\n".join(parts).encode(),
    "md": lambda parts: "\n\n".join(parts).encode(),
    "html": lambda parts: ("<meta charset=utf-8>" + "".join(f"<p>{escaped(t)}</p>" for t in parts)).encode(),
    "docx": lambda parts: word("".join(para(escaped(text)) for text in parts)),
    "pptx": pptx,
    "csv": csv,
    "xlsx": xlsx,
    "eml": mail,
    "srt": srt,
    "epub": epub,
    "rtf": rtf,
    "odt": odt,
    "json": lambda parts: json.dumps({"parts": parts}, ensure_ascii=False).encode(),
    "jsonl": lambda parts: "\n".join(json.dumps({"text": text}) for text in parts).encode(),
    "py": lambda parts: "\n".join(f"# {text}" for text in parts).encode(),
}


def cited(doc):
    """Assert that every citation of a document is exact."""
    check_blocks(doc)
    chunker = Chunker(lambda texts_: [len(text.split()) for text in texts_])
    passages = chunker.passages(doc)
    for passage in passages:
        assert doc.text[passage.span.start : passage.span.end] == passage.text
        for sentence in passage.sentences:
            cite = Citation.of(passage, sentence)
            assert doc.text[cite.span.start : cite.span.end] == cite.quote
    return passages


def check_blocks(doc):
    if doc.blocks:
        check(doc)


@pytest.mark.parametrize("kind", MAKERS)
def test_sentences_of_every_script_are_found_and_cited(kind):
    """Also one that is there twice."""
    doc = load_bytes(MAKERS[kind](list(SENTENCES)), f"/a.{kind}")
    assert all(text in doc.text for text in SENTENCES)
    assert doc.text.count(SENTENCES[0]) == 2
    quoted = " ".join(passage.text for passage in cited(doc))
    assert all(text in quoted for text in SENTENCES)


@pytest.mark.parametrize("kind", [*MAKERS, "pdf"])
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    parts=st.lists(
        st.one_of(st.sampled_from(SENTENCES), st.text(st.characters(exclude_categories=["C"]), min_size=1)),
        min_size=1,
        max_size=6,
    )
)
def test_every_citation_is_exact(kind, parts):
    """For any text."""
    try:
        data = pdf(parts) if kind == "pdf" else MAKERS[kind](parts)
        doc = load_bytes(data, f"/a.{kind}")
    except LoadError:
        return
    for passage in cited(doc):
        if kind == "pdf":
            assert rectangles(data, doc, passage.span), "what is cited stands somewhere"


def test_mail_tells_who_and_when():
    """And which attachments were left out."""
    doc = load_bytes(mail(["First.", "Second."], attachment=True), "/a.eml")
    assert texts(doc)[:3] == ["Floods – آ", "From: Ada <ada@example.org>", "Date: Sat, 03 Feb 2024 10:00:00 +0000"]
    assert (doc.title, doc.date) == ("Floods – آ", "2024-02-03")
    assert doc.notes == ("1 attachment not read: map.png",)


def replies(text, sender="Lars Ekdahl <lars@sea.example>", subtype="plain"):
    """Who says what in a mail, and the document."""
    message = EmailMessage()
    message["From"], message["To"] = sender, "Elin Sandvik <elin@port.example>"
    message.set_content(text, subtype=subtype)
    doc = load_bytes(message.as_bytes(), "/a.eml")
    cited(doc)
    return [(statement.speaker, statement.span.of(doc.text)) for statement in doc.speakers]


LARS, ELIN = "Lars Ekdahl", "Elin Sandvik"
OUTLOOK = "\nSent: Monday, 6 March 2023 17:40\nTo: Someone\nSubject: Basin\n\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We can start.", [(LARS, "We can start.")]),
        (
            (
                "No.\n\nOn Mon, 6 Mar 2023 at 17:40, Elin Sandvik <elin@port.example> wrote:\n> Check it?\n>\n"
                "> On 3 Mar 2023 Ove Strand wrote:\n>> Hi.\n\nNever.\n> So?"
            ),
            [(LARS, "No."), (ELIN, "Check it?"), ("Ove Strand", "Hi."), (LARS, "Never."), (ELIN, "So?")],
        ),
        (
            f"So.\n\n-----Original Message-----\nFrom: Elin Sandvik{OUTLOOK}Check it.\n\nFrom: Arne Holt{OUTLOOK}Why?",
            [(LARS, "So."), (ELIN, "Check it."), ("Arne Holt", "Why?")],
        ),
        ("Am Mo., 6. März 2023 um 17:40 Uhr schrieb Jutta Brehm <j@b.de>:\n> Ja.", [("Jutta Brehm", "Ja.")]),
        ("Le lun. 6 mars 2023 à 17:40, Jean Petit <j@p.fr> a écrit :\n> Oui.", [("Jean Petit", "Oui.")]),
        ("On Monday, 6 March 2023 at 5:40 PM elin@port.example\nwrote:\n> Yes.", [(ELIN, "Yes.")]),
        ("> Whose is this?\n\nNot mine.", [(None, "Whose is this?"), (LARS, "Not mine.")]),
        ("He wrote:\n> Yes, I did.", [(None, "Yes, I did.")]),
        ("On 6 March, Elin wrote:\n> Yes.\n\nOn Monday he wrote:\n> No.", [(None, "Yes."), (None, "No.")]),
        ("-----Original Message-----\nNo header.", [(None, "No header.")]),
        (
            'Yusuf Karim said: "I have never seen that tender." I doubt it.',
            [("Yusuf Karim", '"I have never seen that tender."'), (LARS, "I doubt it.")],
        ),
    ],
)
def test_who_wrote_what_in_a_mail(text, said):
    """The sender speaks, and whoever is said to have written what is quoted; else its author is unknown."""
    assert replies(text) == said


@pytest.mark.parametrize("address", ["ada at example.org", "|d@ @end|ng |rom ex@mp|e@org"])
def test_the_archive_of_a_list_names_who_wrote(address):
    """Though it hides addresses from programs."""
    mail = f"From: {address} (Ada Lund)\nDate: Thu, 10 Oct 2024 11:44:00 +0200\nSubject: Ferry\n\nThe ferry is late.\n"
    found = load_bytes(mail.encode(), "/list.eml")
    assert f"From: {address} (Ada Lund)" in found.text
    assert [statement.speaker for statement in found.speakers] == ["Ada Lund"]


def test_a_mail_of_html_quotes_as_its_elements_do():
    """What stands in no quotation under `wrote:` may be anybody's."""
    quoted = "<p>Top.</p><div>On 6 Mar 2023, Elin Sandvik wrote:<blockquote><p>Old.</p></blockquote></div><p>End.</p>"
    assert replies(quoted, subtype="html") == [(LARS, "Top."), (ELIN, "Old."), (LARS, "End.")]
    bare = "<p>Top.</p><p>On 6 Mar 2023, Elin Sandvik &lt;elin@port.example&gt; wrote:</p><p>Old?</p>"
    assert replies(bare, subtype="html") == [(LARS, "Top."), (None, "Old?")]


NEW, OLD = "The new ferry leaves at 7:05.", "The ferry leaves at 6:15."


@pytest.mark.parametrize(
    ("text", "section"),
    [
        (f"{NEW}\n\nOn 12 May 2015 at 09:10, Elin <e@p.example> wrote:\n> Hi,\n>\n> {OLD}\n", "On 12 May 2015 at"),
        (f"{NEW}\n\n> On May 12, 2015, at 9:10, Elin Sandvik <e@p.example>\nwrote:\n>\n> {OLD}\n", "> On May 12, 2015"),
        (f"{NEW}\n\nFrom: Elin\nSent: Tuesday, 12 May 2015 17:40\nTo: Lars\nSubject: F\n\n{OLD}", "From: Elin Sent: T"),
        (f"{NEW}\n\nAm 12. Mai 2015 um 17:40 schrieb Jutta Brehm <j@b.de>:\n> {OLD}\n\n--\nA list", "Am 12. Mai 2015"),
        (f"On 12 May 2015, Elin Sandvik wrote:\n> {OLD}\n\n{NEW}\n\nLars", "On 12 May 2015"),
        (
            f"<p>{NEW}</p>On 12 May 2015, Elin &lt;e@p.example&gt; wrote:<blockquote>{OLD}</blockquote>",
            "On 12 May 2015",
        ),
    ],
    ids=["marks", "torn", "fields", "german", "below", "html"],
)
def test_a_mail_that_is_quoted_is_a_section_that_says_whose_and_when(text, section):
    """Its passages are apart from those of the new one, wherever that stands."""
    message = EmailMessage()
    message["From"], message["Date"] = "Lars Ekdahl <lars@sea.example>", "Sat, 03 Feb 2024 10:00:00 +0000"
    message.set_content(text, subtype="html" if text.startswith("<") else "plain")
    doc = load_bytes(message.as_bytes(), "/a.eml")
    (old,) = [passage for passage in cited(doc) if OLD in passage.text]
    (new,) = [passage for passage in cited(doc) if NEW in passage.text]
    assert old.section is not None
    assert old.section.startswith(section)
    assert parse_date(old.section) == "2015-05-12"
    assert (new.section, NEW in old.text) == (None, False)


def test_quoted_words_that_are_replied_to_stay_with_the_reply():
    """Line by line, or below a question."""
    on = "On 12 May 2015, Elin Sandvik wrote:\n> "
    for text in (f"{on}Is it blue?\n\nIt is.", f"{on}It is blue.\n\nSo it is.\n\n> And new.\n\nIt is old."):
        message = EmailMessage()
        message["From"] = "Lars Ekdahl <lars@sea.example>"
        message.set_content(text)
        assert len(cited(load_bytes(message.as_bytes(), "/a.eml"))) == 1


def test_speakers_of_attachments_stay():
    """A transcript in a mail is said by those in it, a forwarded mail by its sender."""
    message = EmailMessage()
    message["From"] = "Ada <ada@example.org>"
    message.set_content("See this.")
    message.add_attachment("ANN HILL: It  fell.\nBO EK: No.\nANN HILL: It did.", filename="talk.txt")
    inner = EmailMessage()
    inner["From"] = "Cy Moe <cy@example.org>"
    inner.set_content("Old news.")
    message.add_attachment(inner)
    doc = load_bytes(message.as_bytes(), "/a.eml")
    said = [(statement.speaker, statement.span.of(doc.text)) for statement in doc.speakers]
    spoken = [("ANN HILL", "It fell."), ("BO EK", "No."), ("ANN HILL", "It did."), ("Cy Moe", "Old news.")]
    assert said == [("Ada", "See this."), *spoken]


def test_subtitles_are_running_text_with_time_codes():
    """A sentence over two cues is whole; its place is the time; the speaker is known where a voice is named."""
    first, second = "<v Ann>The crane <i>fell</i>", "<v Ann>into the river."
    source = f"WEBVTT\n\n00:01.000 --> 00:03.000\n{first}\n\n00:03.000 --> 00:05.000\n{second}\n"
    doc = load_bytes(source.encode(), "/a.vtt")
    assert doc.text == "The crane fell into the river."
    assert doc.place_at(0) == "00:00:01"
    assert doc.place_at(doc.text.index("into")) == "00:00:03"
    assert speaker_at(doc, 3) == "Ann"


@pytest.mark.parametrize("again", [[], ["The fee is 340 crowns,", " "]], ids=["lines", "pauses"])
def test_captions_that_roll_are_read_once(again):
    """Each cue keeps the line above the new one; two who say the same in turn are both heard."""
    cues = [
        ["The fee is 340 crowns,"],
        again,
        ["The fee is 340 crowns,", "and <i>nobody</i> knew."],
        ["and nobody knew."],
    ]
    cues += [["No!"], ["No!"]]
    rows = ["\n".join([f"00:0{n}.000 --> 00:0{n}.900", *cue]) for n, cue in enumerate(filter(None, cues))]
    doc = load_bytes(("WEBVTT\n\n" + "\n\n".join(rows)).encode(), "/a.vtt")
    assert " ".join(doc.text.split()) == "The fee is 340 crowns, and nobody knew. No! No!"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_mail_is_read_in_any_unicode(encoding):
    """Also its header."""
    doc = load_bytes(
        "Subject: Die Möwe\nFrom: Ada <a@example.org>\n\nSie fährt am Montag.\n".encode(encoding), "/a.eml"
    )
    assert (doc.title, doc.text.partition("\n\n")[2]) == ("Die Möwe", "Sie fährt am Montag.")


def test_each_voice_of_subtitles_has_its_own_words():
    """Also of two in one cue; what is in no voice is nobody's. Retrieval knows all the names, the text has none."""
    cues = ("<v Esme Rowe>It is blue!\n<v Mary Ek>No way!</v> (laughter)", "<v.loud Bo &amp; Co>Yes <i>it\nis</i>.")
    source = "WEBVTT\n\n" + "\n\n".join(f"00:0{n}.000 --> 00:0{n}.900\n{cue}" for n, cue in enumerate(cues))
    doc = load_bytes(source.encode(), "/a.vtt")
    assert doc.text == "It is blue!\n\nNo way!\n\n(laughter)\n\nYes it is."
    said = [(statement.speaker, statement.span.of(doc.text)) for statement in doc.speakers]
    assert said == [("Esme Rowe", "It is blue!"), ("Mary Ek", "No way!"), ("Bo & Co", "Yes it is.")]
    (passage,) = cited(doc)
    assert all(name in passage.retrieval_text for name, _ in said)


def test_a_book_is_read_in_the_order_of_its_spine():
    """With its chapters as sections."""
    doc = load_bytes(epub(["Words."]), "/a.epub")
    assert texts(doc) == ["One", "Words.", "Two", "The end."]
    assert (doc.title, doc.date) == ("Floods", "2024-02-03")


def test_opendocument_tables_keep_their_rows():
    """And its headings are sections."""
    cells = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in ("East", "2"))
    table = f"<table:table><table:table-row>{cells}</table:table-row></table:table>"
    doc = load_bytes(files({"content.xml": f"<c {ODF}><text:h>Loss</text:h>{table}</c>"}), "/a.odt")
    assert texts(doc) == ["Loss", "East | 2"]
    assert doc.place_at(doc.text.index("East")) == "Loss, table 1, row 1"


def test_a_table_in_a_cell_is_words_of_the_cell():
    """Of OpenDocument: its rows are not those of the table around it."""

    def table(*rows):
        cells = ("".join(f"<table:table-cell>{cell}</table:table-cell>" for cell in row) for row in rows)
        return f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in cells)}</table:table>"

    def words(*row):
        return [f"<text:p>{word}</text:p>" for word in row]

    inner = table(words("Mon", "Tue"), words("2", "3"))
    outer = table(words("Quay", "Ships", "Days"), ["<text:p>East</text:p>", inner, "<text:p>5</text:p>"])
    doc = load_bytes(files({"content.xml": f"<c {ODF}>{outer}</c>"}), "/a.odt")
    assert texts(doc) == ["Quay | Ships | Days", "East | Mon Tue 2 3 | 5"]


def test_a_row_of_rich_text_is_whole():
    """A cell may end with a paragraph of its own, and have several."""
    cells = ("{\\pard\\intbl East\\par}\\cell", "{\\pard\\intbl Two\\par ships\\par}\\cell")
    rows = "".join(f"{{\\trowd\\cellx1\\cellx2 {''.join(cells)}\\intbl\\row}}" for _ in range(2))
    doc = load_bytes(f"{{\\rtf1\\ansi {{\\pard Before.\\par}}{rows}{{\\pard After.\\par}}}}".encode(), "/a.rtf")
    assert texts(doc) == ["Before.", "East | Two ships", "East | Two ships", "After."]


def test_json_names_the_way_to_a_value():
    """And bad lines are told."""
    doc = load_bytes(b'{"a": {"b": [1, "x"]}}\nno\n', "/a.jsonl")
    assert doc.text == "a.b: 1 | a.b: x"
    assert doc.notes == ("1 line without JSON (2)",)
    with pytest.raises(LoadError, match="is no JSON"):
        load_bytes(b"{", "/a.json")


def test_code_stays_as_it_is():
    """With the number of each line."""
    doc = load_bytes(b"def f():\n\n    return 1\n", "/a.py")
    assert doc.text == "def f():\n\n    return 1\n"
    assert doc.place_at(doc.text.index("return")) == "line 3"


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_files_of_one_name_in_an_archive_are_all_kept(library, tmp_path):
    """Names that become the same get numbers, the same ones each time; each is read, cited and verified as itself."""
    names = [
        "a.txt",
        "./a.txt",
        "x\\b.txt",
        "x/b.txt",
        "a.txt",
        "a (2).txt",
        "x/b.txt",
        "../a.txt",
        "notes/",
        "./",
        "c",
    ]
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as made:
        for number, name in enumerate(names):
            made.writestr(name, "" if name.endswith("/") else f"The crane numbered {number} fell.")
    report = library.index(path)
    kept = {"a.txt": 0, "a (3).txt": 1, "x/b.txt": 2, "x/b (2).txt": 3, "a (4).txt": 4, "a (2).txt": 5}
    kept |= {"x/b (3).txt": 6, "a (5).txt": 7}
    assert {o.path.removeprefix(f"{path}/") for o in report.of("added")} == set(kept)
    for name, number in kept.items():
        document = library.document(f"{path}/{name}")
        assert document.text.strip() == f"The crane numbered {number} fell."
        assert original(document).decode() == document.text
    assert library.verify() == []
    assert {hit.passage.uri for hit in library.search("crane fell", 20)} == {f"{path}/{name}" for name in kept}
    assert library.index(path).count("unchanged") == len(kept)
    rebuilt = library.index(path, rebuild=True)
    assert (rebuilt.embedded, library.verify()) == (0, [])


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_many_files_of_one_name_cost_no_time():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for _ in range(1900):
            made.writestr("a.txt", "The crane fell.")
    started = time.perf_counter()
    assert len({member.uri for member in members(data.getvalue(), "/all.zip")}) == 1900
    assert time.perf_counter() - started < 2


def test_files_in_an_archive_are_documents_of_their_own(library, tmp_path):
    """Added, left alone while the archive is the same, removed with it; each broken one is reported."""
    path = tmp_path / "all.zip"
    good = {"one.txt": "The crane fell.", "sub/two.csv": "a,b\nx,9", "../up.md": "# Up\n\nWords."}
    path.write_bytes(zipped({**good, "bad.pdf": b"%PDF-", "in.zip": zipped({}), ".hidden.txt": "x"}))
    report = library.index(tmp_path / "all.zip")
    assert sorted(o.path.removeprefix(f"{path}/") for o in report.of("added")) == ["one.txt", "sub/two.csv", "up.md"]
    assert [(o.path, o.reason) for o in report.of("skipped")] == [
        (f"{path}/in.zip", "an archive inside of an archive; unpack it")
    ]
    assert [o.path for o in report.of("failed")] == [f"{path}/bad.pdf"]
    assert library.document("all.zip/sub/two.csv").text.endswith("a: x | b: 9")
    again = library.index(path)
    assert (again.count("unchanged"), again.of("skipped"), again.of("failed")) == (
        3, report.of("skipped"), report.of("failed"),
    ), "what failed is said each time"  # fmt: skip
    path.write_bytes(zipped({"one.txt": "The crane fell."}))
    report = library.index(path)
    assert (report.count("updated"), report.count("removed"), report.embedded) == (1, 2, 0)
    path.write_bytes(b"PK broken")
    report = library.index(path)
    assert (report.count("failed"), report.count("removed")) == (1, 0)
    path.unlink()
    assert library.index(path).count("removed") == 1


def test_messages_of_a_mailbox_are_documents(library, tmp_path):
    """Each with its own subject and date."""
    message = mail(["Words.", "From here on."])
    (tmp_path / "box.mbox").write_bytes(
        b"From a Sat Feb  3 10:00:00 2024\n" + message + b"\nFrom b Sun Feb  4 10:00:00 2024\n" + message
    )
    assert library.index(tmp_path).count("added") == 2
    assert library.document("box.mbox/00002.eml").date == "2024-02-03"


def test_a_question_file_is_no_document():
    """Questions for `rag eval` beside the documents are skipped: they would answer themselves."""
    data = b'{"question": "Who fell?", "answers": ["the crane"], "documents": [], "evidence": ["fell"]}\n' * 2
    with pytest.raises(Skipped, match="rag eval"):
        load_bytes(data, "/questions.jsonl")


def test_what_failed_is_said_again_in_every_format(library, tmp_path):
    """A second run over the same files reports the same, whatever the format."""
    broken = {
        **dict.fromkeys(("pdf", "docx", "pptx", "xlsx", "odt", "epub", "zip", "json", "jsonl"), b"PK\x03\x04 broken"),
        **dict.fromkeys(("txt", "md", "html", "csv", "srt", "rtf", "py"), bytes(range(256)) * 20),
        **dict.fromkeys(("eml", "mbox", "exe", "vtt"), b""),
    }
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.txt").write_text("The crane fell.")
    for suffix, data in broken.items():
        (folder / f"a.{suffix}").write_bytes(data)
    first, second = library.index(folder), library.index(folder)
    assert (first.count("added"), second.count("unchanged")) == (1, 1)
    said = [{(o.path, o.state, o.reason) for o in report.outcomes if o.reason} for report in (first, second)]
    assert said[0] == said[1]
    assert {path.rpartition(".")[2] for path, _, _ in said[0]} >= broken.keys()
