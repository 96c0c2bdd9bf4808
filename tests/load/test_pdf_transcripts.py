"""PDF: transcripts, pleadings and judgments: numbers of lines, who speaks, sentences that go on from line to line."""

import io
import re
import textwrap

import pytest

from rag.load import load_bytes
from rag.load.pdf.rectangles import rectangles
from rag.records import Span

pytest.importorskip("reportlab")

from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen import canvas

from tests.load.test_pdf import letters_in

HEARING = (
    "          BY MR. ADEYEMI:|"
    "     {q}    Ms. Falk, when did you last see the|"
    "ledger of the dairy?|"
    "     {a}    On the Friday before the audit. It lay on|"
    "the desk of the bookkeeper, and nobody was in the|"
    "room. I closed the door.|"
    "     {q}    Did you tell anyone?|"
    "     {a}    No.|"
    "|"
    "          THE COURT: Counsel, how long will you need|"
    "for this witness?|"
    "          MR. ADEYEMI: Ten minutes, Your Honor.|"
)


def numbered(text, first=1, step=22, size=11):
    """A page whose lines have numbers on the left."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(612, 792))
    for index, line in enumerate(text.split("|")):
        page.setFont("Courier", size)
        page.drawRightString(70, 700 - step * index, str(first + index))
        page.drawString(95, 700 - step * index, line)
    page.drawCentredString(306, 40, "7")
    page.save()
    return out.getvalue()


@pytest.mark.parametrize(("sides", "options"), [(("Q", "A"), {}), (("Q.", "A."), {"step": 17, "first": 3, "size": 10})])
def test_numbered_lines_of_a_transcript_are_whole_sentences(sides, options):
    """The numbers go; who speaks is known, where it is said."""
    q, a = sides
    data = numbered(HEARING.format(q=q, a=a), **options)
    doc = load_bytes(data, "/hearing.pdf")
    assert (
        f"{q} Ms. Falk, when did you last see the ledger of the dairy?\n\n{a} On the Friday before the audit. It lay"
        in doc.text
    )
    assert "nobody was in the room. I closed the door.\n\n" in doc.text
    said = {statement.span.of(doc.text): statement.speaker for statement in doc.speakers}
    assert said["Counsel, how long will you need for this witness?"] == "THE COURT"
    assert said["Ten minutes, Your Honor."] == "MR. ADEYEMI"
    assert said["No."] is None
    start = doc.text.index("nobody was in the room.")
    found = rectangles(data, doc, Span(start, start + 23))
    assert letters_in(data, found) == "nobodywasintheroom."


@pytest.mark.parametrize("cells", [("{}land", "{}1,204"), ("{}land",)])
def test_the_numbers_of_a_list_or_a_table_stay(cells):
    """What they count is on lines of its own."""
    names = ("North", "South", "East", "West", "High", "Low", "New", "Old", "Far", "Near")
    data = numbered("|".join("            ".join(cell.format(name) for cell in cells) for name in names))
    text = load_bytes(data, "/list.pdf").text
    assert re.search(r"7(?: \| | )Newland", text)


SPOKEN = [
    "Q. When did the ferry leave the island on that day, as far as you remember it?",
    "A. At six in the morning. The wind was strong, and the captain waited for the mail before he cast off.",
    "Q. Who was on board?",
    "A. The doctor, Dr. A. Falk, and two men whom",
    "MR. ORSO: Objection. The witness was asked for one name, and counsel has the list of the passengers.",
    "THE COURT: Overruled. Go on.",
    "Q. What did they carry?",
    "A. A box of the length of an oar; I did not ask what it held, since the doctor seemed to be in a hurry.",
    "THE WITNESS: May I have some water before we go on? I have been speaking for an hour now.",
    "Q. Is that all?",
    "A. Yes.",
]


def made(draw):
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(612, 792))
    draw(page)
    page.save()
    return out.getvalue()


def four_to_a_sheet(page):
    """Sheets of four small pages, each with numbers of its own."""
    lines = [line for turn in SPOKEN * 4 for line in textwrap.wrap(turn[:3] + "  " + turn[3:], 46)]
    parts = [lines[at : at + 25] for at in range(0, len(lines), 25)]
    for number, part in enumerate(parts):
        x, top = (330 if number % 4 > 1 else 60), (370 if number % 2 else 730)
        page.setFont("Courier", 7)
        for index in range(25):
            page.drawRightString(x - 6, top - 12.5 * index, str(index + 1))
            page.drawString(x, top - 12.5 * index, part[index] if index < len(part) else "")
        if number % 4 == 3:
            page.showPage()


def with_tabulators(page):
    """No numbers; a tabulator behind who speaks, and the following lines below what is said."""
    y = 740
    for turn in SPOKEN * 4:
        name, said = turn[: turn.index(" ", 2 if turn[1] == "." else turn.index(":"))], turn
        said = said[len(name) + 1 :]
        x = 140 if name[1] == "." else 210
        page.setFont("Times-Roman", 12)
        page.drawString(90, y, name)
        for line in simpleSplit(said, "Times-Roman", 12, 520 - x):
            page.setFont("Times-Roman", 12)
            page.drawString(x, y, line)
            y -= 16
        y -= 6
        if y < 120:
            page.showPage()
            y = 740


@pytest.mark.parametrize("draw", [four_to_a_sheet, with_tabulators])
def test_each_turn_is_a_paragraph_in_order(draw):
    """Four pages to a sheet; or no numbers and a tabulator."""
    doc = load_bytes(made(draw), "/hearing.pdf")
    assert [" ".join(block.of(doc.text).split()) for block in doc.blocks] == SPOKEN * 4
    said = {statement.span.of(doc.text): statement.speaker for statement in doc.speakers}
    assert said["Overruled. Go on."] == "THE COURT"
    assert said["Yes."] is None


FACTS = (
    "The plaintiff alleges that the ferry left the island on 31 days without a second officer, although the law of "
    "the county has asked for one since 1952, and that the harbour master knew it.|"
    "The motion is denied. A complaint stands if its facts, taken as true, make the claim plausible. The facts in "
    "paragraphs 14 to 22 do so, since they say when the ferry left, with whom, and what the log of the quay shows.|"
    "Whether the notice of 12 August was sufficient is a question of fact. The parties shall file a joint schedule "
    "within 21 days of this order, and no later than 30 June."
).split("|")
RULE = (
    "No ferry may leave the quay without a second officer on board, and each day on which it does so is an offence of "
    "its own under this section."
)


def test_a_pleading_on_numbered_paper_is_whole():
    """Numbers are printed on the paper, also where single-spaced lines stand between them, or none at all."""

    def draw(page):
        lines = [line for fact in FACTS for line in simpleSplit(f"The court: {fact}", "Times-Roman", 12, 430)]
        for part in (lines, ["So ordered on the last day of the month."]):
            page.setFont("Times-Roman", 12)
            for index in range(28):
                page.drawRightString(66, 730 - 24 * index, str(index + 1))
            page.line(80, 0, 80, 792)
            for index, line in enumerate(part):
                page.drawString(90, 730 - 24 * index, line)
            for index, line in enumerate(simpleSplit(RULE, "Times-Roman", 12, 300) if part is lines else []):
                page.drawString(130, 730 - 24 * (len(lines) + 1) - 14 * index, line)
            page.showPage()

    doc = load_bytes(made(draw), "/order.pdf")
    assert doc.text.split("\n\n") == [
        *(f"The court: {fact}" for fact in FACTS),
        RULE,
        "So ordered on the last day of the month.",
    ]
    assert doc.notes == ("2 of 2 pages have numbered lines (1, 2), whose numbers are left out",)


def test_a_double_spaced_judgment_with_single_spaced_quotations():
    """Other steps from line to line part a quotation from what follows it."""

    def draw(page):
        y = 740.0
        page.setFont("Times-Roman", 12)
        for fact in FACTS:
            for line in simpleSplit(fact, "Times-Roman", 12, 430):
                page.drawString(90, y, line)
                y -= 26
            for line in simpleSplit(RULE, "Times-Roman", 12, 340):
                page.drawString(136, y, line)
                y -= 13.8
            y -= 12.2

    doc = load_bytes(made(draw), "/judgment.pdf")
    assert doc.text.split("\n\n") == [part for fact in FACTS for part in (fact, RULE)]
