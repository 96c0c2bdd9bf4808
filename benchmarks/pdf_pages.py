"""Pages that are made here, so that the order in which they are read, their paragraphs and their rows are known.

Each function draws one document on a canvas and returns what stands on it, in order: paragraphs as texts, rows of a
table as tuples of cells, and lines of which nobody could say whether they are one paragraph or several as `Loose`.
"""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen import canvas

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Canvas = Any  # reportlab has no types
    Draw = Callable[["Writer"], Sequence["Unit"]]


class Loose(str):
    """A text that is scored by its place alone."""

    __slots__ = ()


Unit = str | tuple[str, ...]
WIDTH, HEIGHT = A4
_WHO = "harbour master,council,ferry company,county archive,school board,fire brigade,bookkeeper,mayor,surveyor".split(
    ","
)
_DID = "published a report on,asked for money for,closed,inspected,paid for,could not explain,sold,drew a map of".split(
    ","
)
_WHAT = "eastern quay,old lighthouse,winter timetable,bridge over the Orrel,milk prices,fish market,town library".split(
    ","
)
_MORE = (
    "which nobody had expected;although the law of 1952 forbids it;as the minutes of the meeting show;"
    "because the ground was still frozen;and the neighbours were told a week later;in spite of a letter from the bishop"
).split(";")


class Writer:
    """Sentences that never repeat, and their places on a canvas; y is counted from the top."""

    def __init__(self, page: Canvas, seed: int) -> None:
        self.page, self.random, self.count = page, random.Random(seed), 100 + seed

    def sentence(self) -> str:
        """Return a sentence with a number that no other has."""
        pick = self.random.choice
        self.count += self.random.randint(1, 9)
        ends = pick(["", f", {pick(_MORE)}", f", {pick(_MORE)}, and file {self.count} is closed"])
        return f"The {pick(_WHO)} {pick(_DID)} the {pick(_WHAT)} on day {self.count}{ends}."

    def text(self, sentences: int = 4) -> str:
        """Return a paragraph."""
        return " ".join(self.sentence() for _ in range(sentences))

    def lines(self, text: str, x: float, y: float, width: float, **style: Any) -> float:  # noqa: ANN401
        """Write a text in lines of a width; return the place of the next line."""
        font, size = style.get("font", "Times-Roman"), style.get("size", 10.5)
        pitch, indent, hang = style.get("pitch", 1.2), style.get("indent", 0.0), style.get("hang", 0.0)
        for number, line in enumerate(split(text, width, font, size, indent, hang)):
            self.page.setFont(font, size)
            self.page.drawString(x + (hang if number else indent), HEIGHT - y, line)
            y += pitch * size
        return y

    def table(self, rows: Sequence[Sequence[str]], xs: Sequence[float], y: float, size: float = 9) -> float:
        """Write rows of cells; numbers stand to the right of their column."""
        for row in rows:
            for x, cell in zip(xs, row, strict=True):
                self.page.setFont("Helvetica", size)
                number = cell.replace(".", "").replace(",", "").isdecimal()
                (self.page.drawRightString if number else self.page.drawString)(x + 40 * number, HEIGHT - y, cell)
            y += 1.5 * size
        return y


def split(text: str, width: float, font: str, size: float, indent: float = 0.0, hang: float = 0.0) -> list[str]:
    """Return the lines of a text, the first or the others narrower by an indent."""
    first: str = next(iter(simpleSplit(text, font, size, width - indent)), "")
    return [first, *simpleSplit(text[len(first) :].strip(), font, size, width - hang)]


def columns(count: int, *, spaced: bool, size: float, heads: bool) -> Draw:
    """Columns of running text under a title; paragraphs have an indent, or space between them."""

    def draw(writer: Writer) -> Sequence[Unit]:
        title, gap = "What the islands owe to the sea, and the sea to them", 18
        writer.lines(title, 50, 60, 500, font="Helvetica-Bold", size=17)
        width, found, y, x = (495 - gap * (count - 1)) / count, [title], 100.0, 50.0
        style = {"size": size, "indent": 0.0 if spaced else 12.0}
        for number in range(3 * count + 3):
            head = f"Chapter {number} of the sea" if heads and number % 3 == 1 else ""
            text = writer.text(3)
            if x + width > 550:
                break
            if head:
                y = writer.lines(head, x, y + 6, width, font="Helvetica-Bold", size=size + 1) + 2
                found.append(head)
            first, style["indent"] = True, 0.0 if spaced else 12.0
            for line in split(text, width, "Times-Roman", size, style["indent"]):
                if y > 760:
                    x, y = x + width + gap, 100.0
                if x + width > 550:
                    text = text[: text.index(line)].strip()
                    break
                y = writer.lines(line, x + (style["indent"] if first else 0), y, width + 20, size=size)
                first = False
            y += 8 if spaced else 0
            found.append(text)
        return [text for text in found if text]

    return draw


def notes(*, two: bool) -> Draw:
    """Footnotes below a text that goes on on the next page."""

    def draw(writer: Writer) -> Sequence[Unit]:
        first, long = writer.text(5), writer.text(7)
        y = writer.lines(first, 60, 80, 470) + 8
        lines = simpleSplit(long, "Times-Roman", 10.5, 470)
        for line in lines[:4]:
            y = writer.lines(line, 60, y, 480)
        feet = [f"{number} See {writer.text(2)}" for number in range(1, 3 if two else 2)]
        y = 730.0
        for foot in feet:
            y = writer.lines(foot, 60, y, 470, size=8)
        writer.page.showPage()
        y = 80.0
        for line in lines[4:]:
            y = writer.lines(line, 60, y, 480)
        last = writer.text()
        writer.lines(last, 60, y + 8, 470)
        return [first, *feet, long, last]

    return draw


def running(*, indented: bool) -> Draw:
    """Some pages of a book; heads, feet and page numbers are no part of it."""

    def draw(writer: Writer) -> Sequence[Unit]:
        texts, y, number = [writer.text(6) for _ in range(34)], 90.0, 1
        for text in texts:
            for index, line in enumerate(split(text, 440, "Times-Roman", 11, 14.0 * indented)):
                if y > 740:
                    writer.page.drawCentredString(300, 40, str(number + 40))
                    writer.page.showPage()
                    y, number = 90.0, number + 1
                if y == 90:
                    writer.lines("THE ISLANDS AND THE SEA" if number % 2 else "M. ORREL", 78, 50, 440, size=8)
                y = writer.lines(line, 78 + (14 if indented and not index else 0), y, 470, size=11)
            y += 0 if indented else 7
        return list(texts)

    return draw


def transcript(*, numbered: bool, label: str) -> Draw:
    """Questions and answers, or people by name; with numbers of lines, or with a tabulator."""

    def draw(writer: Writer) -> Sequence[Unit]:
        turns, y, number = [], 80.0, 1
        names = ("Q" + label, "A" + label) if len(label) < 2 else (f"MR. {label}:", "THE COURT:", "MS. FALK:")
        for index in range(12):
            name = names[index % len(names)]
            said = writer.text(1 + index % 2)
            turns.append(f"{name} {said}")
            for at, line in enumerate(simpleSplit(said, "Courier", 10.5, 330)):
                if numbered:
                    writer.page.setFont("Courier", 10.5)
                    writer.page.drawRightString(70, HEIGHT - y, str(number))
                    number = number % 25 + 1
                if not at:
                    writer.lines(name, 90, y, 100, font="Courier")
                hang = 0 if numbered and at else 40 if len(label) < 2 else 90
                y = writer.lines(line, 90 + hang, y, 460, font="Courier", pitch=1.7)
                if numbered and number == 1:
                    writer.page.showPage()
                    y = 80.0
        return turns

    return draw


def tables(kind: str) -> Draw:
    """A table between two paragraphs: plain, with numbers, drawn with lines, or beside a column of text."""

    def draw(writer: Writer) -> Sequence[Unit]:
        before, after = writer.text(), writer.text()
        y = writer.lines(before, 60, 80, 470) + 16
        names = ("Berths of Velm", "Ships", "Costs", "Remarks")
        rows = [names]
        for number in range(7):
            remark = writer.random.choice(["closed in winter", "new crane", "under repair", "see page 4"])
            rows.append((f"Pier {number + 1}", str(100 + 7 * number), f"{number + 1}.{number}", remark))
        xs = (60.0, 180.0, 280.0, 380.0)
        if kind == "ruled":
            for index in range(9):
                writer.page.line(56, HEIGHT - y + 10 - 13.5 * index, 500, HEIGHT - y + 10 - 13.5 * index)
            for x in (56, 176, 276, 376, 500):
                writer.page.line(x, HEIGHT - y + 10, x, HEIGHT - y + 10 - 13.5 * 8)
        if kind == "words":
            rows = [("Office or board", "Head", "Where", "Asked for")]
            rows += [(f"Office {n}", f"M. Orrel {n}", f"{n} Harbour Street", f"file {n}") for n in range(2, 9)]
        y = writer.table(rows, xs, y) + 10
        writer.lines(after, 60, y, 470)
        return [before, *rows, after]

    return draw


def form(*, below: bool) -> Draw:
    """Labels and what is filled in beside them, or below them."""

    def draw(writer: Writer) -> Sequence[Unit]:
        labels = ("Name of the ship", "Home port", "Length in metres", "Year of building", "Owner", "Last inspection")
        title = "Notice of arrival"
        y = writer.lines(title, 60, 70, 400, font="Helvetica-Bold", size=15) + 12
        found: list[Unit] = [title]
        for number, name in enumerate(labels):
            value = f"value {writer.random.randint(1000, 9999)} of {number}"
            writer.lines(name + ("" if below else ":"), 60, y, 200, font="Helvetica", size=9)
            writer.lines(value, 60 if below else 220, y + (12 if below else 0), 200, font="Courier", size=10)
            y += 40 if below else 20
            found.append((name, value))
        return found

    return draw


def letter(*, indented: bool) -> Draw:
    """A letter: who writes, to whom, when, of what; lines of addresses are loose."""

    def draw(writer: Writer) -> Sequence[Unit]:
        found: list[Unit] = []
        y = 60.0
        for line in ("Harbour Office of Velm", "12 Harbour Street", "9104 Velm"):
            y = writer.lines(line, 380, y, 200)
            found.append(Loose(line))
        y += 20
        for line in ("Ms. Ada Falk", "4 Upper Town", "9107 Ruhn"):
            y = writer.lines(line, 70, y, 200)
            found.append(Loose(line))
        for line in ("12 March 2021", "Your letter on the winter timetable", "Dear Ms. Falk,"):
            y = writer.lines(line, 70, y + 14, 400)
            found.append(line)
        for _ in range(4):
            found.append(writer.text(4))
            y = writer.lines(str(found[-1]), 70, y + (0 if indented else 8), 450, indent=20.0 * indented)
        for line in ("Yours sincerely,", "M. Orrel, harbour master"):
            y = writer.lines(line, 70, y + 20, 400)
            found.append(line)
        return found

    return draw


def listed(mark: str) -> Draw:
    """A list with items of several lines, between two paragraphs."""

    def draw(writer: Writer) -> Sequence[Unit]:
        found: list[Unit] = [writer.text()]
        y = writer.lines(str(found[0]), 60, 80, 470) + 6
        for number in range(1, 8):
            sign = mark.replace("#", str(number)).replace("a", "abcdefgh"[number])
            found.append(f"{sign} {writer.text(1 + number % 2)}")
            y = writer.lines(str(found[-1]), 75, y, 440, hang=12.0)
        found.append(writer.text())
        writer.lines(str(found[-1]), 60, y + 6, 470)
        return found

    return draw


def judgment(*, numbered: bool, paper: bool) -> Draw:
    """Double-spaced paragraphs with single-spaced quotations; paragraphs, or the paper's lines, have numbers."""

    def draw(writer: Writer) -> Sequence[Unit]:
        found: list[Unit] = []
        y = 80.0
        for number in range(3):
            text = f"{number + 11}. {writer.text(4)}" if numbered else writer.text(4)
            y = writer.lines(text, 90, y, 430, size=12, pitch=2.0, indent=0.0 if numbered else 36.0)
            quote = writer.text(2)
            y = writer.lines(quote, 126, y, 350, size=12, pitch=1.1) + 12
            found += [text, quote]
        for line in range(28 if paper else 0):
            writer.page.setFont("Times-Roman", 12)
            writer.page.drawRightString(66, HEIGHT - 80 - 24 * line, str(line + 1))
        return found

    return draw


def newspaper(writer: Writer) -> list[Unit]:
    """Two articles under each other, each with its headline over its own columns."""
    found: list[Unit] = []
    for top in (70.0, 430.0):
        head = f"Council hears of the quay for day {int(top)}"
        writer.lines(head, 50, top, 500, font="Helvetica-Bold", size=20)
        found.append(head)
        for x in (50, 220, 390):
            y = top + 30
            for _ in range(2):
                text = writer.text(3)
                y = writer.lines(text, x, y, 155, size=9.5) + 6
                found.append(text)
    return found


def slides(writer: Writer) -> list[Unit]:
    """A title in large letters and short points below it."""
    title = "Where the money goes"
    y = writer.lines(title, 60, 100, 480, font="Helvetica-Bold", size=28) + 30
    points = [f"• {writer.sentence()}" for _ in range(6)]
    for point in points:
        y = writer.lines(point, 70, y, 450, font="Helvetica", size=16, hang=14.0) + 8
    return [title, *points]


def minutes(writer: Writer) -> list[Unit]:
    """Who was present, and numbered decisions under bold headings."""
    found: list[Unit] = ["Minutes of the harbour board"]
    y = writer.lines(str(found[0]), 60, 70, 400, font="Helvetica-Bold", size=14) + 8
    for name in ("Present: Ada Falk, M. Orrel, J. Finch", "Absent: L. Adeyemi"):
        y = writer.lines(name, 60, y, 470) + 6
        found.append(name)
    for number in range(1, 5):
        head, text = f"{number}. Item {number} of the evening", writer.text(3)
        y = writer.lines(head, 60, y + 8, 470, font="Times-Bold") + 2
        y = writer.lines(text, 60, y, 470)
        found += [head, text]
    return found


PAGES: dict[str, list[Draw]] = {
    "columns": [
        columns(count, spaced=spaced, size=size, heads=heads)
        for count, spaced, size, heads in ((1, True, 11, True), (2, False, 10, False), (2, True, 9.5, True))
    ]
    + [columns(3, spaced=spaced, size=9, heads=spaced) for spaced in (False, True)]
    + [columns(4, spaced=False, size=8.5, heads=False), newspaper],
    "notes": [notes(two=False), notes(two=True)],
    "running heads": [running(indented=True), running(indented=False)],
    "transcripts": [
        transcript(numbered=numbered, label=label) for numbered in (True, False) for label in (".", "", "ORSO")
    ],
    "tables": [tables("plain"), tables("ruled"), tables("words")],
    "forms": [form(below=False), form(below=True)],
    "letters": [letter(indented=True), letter(indented=False)],
    "lists": [listed("•"), listed("#."), listed("(a)"), slides, minutes],
    "judgments": [
        judgment(numbered=numbered, paper=paper) for numbered, paper in ((False, False), (True, False), (False, True))
    ],
}


def made(draw: Draw, seed: int) -> tuple[bytes, list[Unit]]:
    """Return a PDF and what stands in it."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    units = list(draw(Writer(page, seed)))
    page.save()
    return out.getvalue(), units
