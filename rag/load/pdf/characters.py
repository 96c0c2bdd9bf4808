"""What stands where on a page of a PDF: runs of characters on one line, each character with its place.

Coordinates are PDF points from the top left corner of the page, y downwards, as on a picture of it.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag.load.blocks import raised
from rag.load.decode import storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Box = tuple[float, float, float, float]  # x0, y0, x1, y1
    Edge = tuple[float, float]  # left and right side of a character
    Character = tuple[str, Box, int]  # text, place, its number on the page
    Pdfium = Any  # its raw functions
    Page = Any  # pypdfium2's
    Picture = Any  # Pillow's
    TextPage = Any  # pypdfium2's, whose raw functions have no types

_SIGNS = dict.fromkeys("-\u00ad\u2010\u2011\ufffe\x02", "-") | dict.fromkeys(map(chr, range(0x80, 0xA0)), "•")
"""Of hyphens, and of what only the font of a list's bullets has in this place."""
_BY_ANOTHER_CODE = {
    bytes([n]).decode("mac_roman"): bytes([n]).decode("cp1252") for n in (*range(0x91, 0x95), 0x96, 0x97, 0xA7)
}
"""Signs as fonts without a table of their characters are read: by the code of a Mac, and written by that of Windows."""
_CLOSING = frozenset(".,;:!?)]")  # parted from a lowered figure before them, though there is no space
_FORM = re.compile("[\ufb00-\ufdff\ufe70-\ufefc]")  # ligatures and Arabic presentation forms
_FROM_LEFT = re.compile(r"[\dA-Za-z]+(?:[.,:/][\dA-Za-z]+)*")
_SPACES = frozenset(" \t\r\n\u00a0\0")
_WHITE = 235  # of 255: what is brighter is as white as paper
_UNPAINTED = 2  # of `faint`
_DUST = 2.0  # points: lower letters are not read
_MOST_PIXELS = 2_000  # on the longer side of a page
_SMALL = 0.8  # of the height of the others: raised and lowered figures are lower
_ALIKE = 0.08  # of the larger one's may sizes of letters differ that pass for one
_TURN = 15  # degrees: text that is turned by less than half of it is level
_OVER = 0.12  # of its height may part a character from the same one below it
_CELL_GAP = 1.2  # of the line's height: a wider gap parts columns or cells


def hull(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds all of them, of which there is at least one."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def placing(page: Page) -> Callable[[Box], Box]:
    """Return what turns a box of the file (left, bottom, right, top) into one of the page as it is shown."""
    left, bottom, right, top = page.get_bbox()
    angle = page.get_rotation()
    across, down, *_ = turned((0.0, 0.0, right - left, top - bottom), angle)

    def placed(box: Box) -> Box:
        x0, y0, x1, y1 = turned((box[0] - left, top - box[3], box[2] - left, top - box[1]), angle)
        return x0 - across, y0 - down, x1 - across, y1 - down

    return placed


def turned(box: Box, angle: int) -> Box:
    """Return the smallest box around one that is turned to the right by `angle` degrees, with its page."""
    if not angle:
        return box
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    corners = [(x * cosine - y * sine, x * sine + y * cosine) for x in box[::2] for y in box[1::2]]
    return hull((x, y, x, y) for x, y in corners)


@dataclass(slots=True)
class CharacterRun:
    """Characters that follow each other on one line; `edges` has left and right side of each, spaces too."""

    text: str
    box: Box
    edges: list[Edge] = field(default_factory=list)
    strong: int = 0  # how many of its characters are bold
    slanted: int = 0  # or italic
    angle: int = 0  # degrees by which it is turned to the right; its places are those of the page turned back
    opens: bool = False  # what somebody says, whatever stands above
    sizes: list[tuple[float, int]] = field(default_factory=list)  # points of its words' letters, how many there are
    faint: int = 0  # white as paper (1) or not painted (2): what is behind it tells whether it is seen
    filled: bool = False  # a form's value, or a line with one
    cells: tuple[CharacterRun, ...] = ()  # of a row of a table; as wide as the columns where lines divide it

    def __post_init__(self) -> None:
        """Take its letters for as high as all of it where nothing else is known."""
        self.sizes = self.sizes or [(self.height, len(self.text))]

    @property
    def size(self) -> float:
        """The size of most of its letters in points; a sign of another font makes all of it higher."""
        letters: Counter[float] = Counter()
        for size, count in self.sizes:
            letters[round(size, 1)] += count
        return max(letters, key=letters.__getitem__)

    @property
    def height(self) -> float:
        """Its height in points."""
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle, from the left and from the top."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def bold(self) -> bool:
        """Whether most of it is bold."""
        return 2 * self.strong > len(self.text)

    @property
    def all_bold(self) -> bool:
        """Whether all of it is, but for spaces."""
        return self.strong >= len(self.text) - self.text.count(" ")

    @property
    def all_italic(self) -> bool:
        """Whether all of it is italic, but for spaces."""
        return self.slanted >= len(self.text) - self.text.count(" ")

    def beside(self, other: CharacterRun) -> bool:
        """Tell whether both stand on one line: they share half of the lower one's height."""
        shared = min(self.box[3], other.box[3]) - max(self.box[1], other.box[1])
        return shared > 0.5 * min(self.height, other.height)

    def extend(self, other: CharacterRun, separator: str = " ") -> None:
        """Put another run of the same line behind this one."""
        self.edges = [*self.edges, *[(self.box[2], other.box[0])] * len(separator), *other.edges]  # a copy has the old
        self.text += separator + other.text
        self.strong += other.strong
        self.slanted += other.slanted
        self.sizes = [*self.sizes, *other.sizes]
        self.filled |= other.filled
        (x0, y0, x1, y1), (left, top, right, bottom) = self.box, other.box
        if len(self.text) == 1 + len(separator + other.text) and not self.text[0].isalnum():
            y0, y1 = top, bottom  # the bullet of a list is often larger than what it stands for
        elif other.height >= _SMALL * self.height:  # a raised figure makes no line higher
            y0, y1 = min(y0, top), max(y1, bottom)
        self.box = min(x0, left), y0, max(x1, right), y1


def page_words(page: TextPage) -> Iterator[CharacterRun]:
    """Yield the words of a page in the order of the file: characters up to white space, a new line, or a jump."""
    from pypdfium2 import raw

    word: list[Character] = []
    angle = 0
    drawn: dict[str, list[Box]] = {}
    for char, box, number in [*_characters(page, raw), (" ", (0.0, 0.0, 0.0, 0.0), 0)]:
        if word and (char in _SPACES or _jumps(word[-1][1], turned(box, -angle))):
            run = _word(word, angle, page, raw)
            if not any(_over(run.box, below) for below in drawn.get(run.text, ())):
                drawn.setdefault(run.text, []).append(run.box)
                yield run
            word = []
        if char in _SPACES:
            continue
        if not word:
            degrees = math.degrees(raw.FPDFText_GetCharAngle(page.raw, number)) + page.page.get_rotation()
            angle = _TURN * round(degrees / _TURN) % 360
        word.append((char, turned(box, -angle), number))


def seen(page: Page, words: Iterable[CharacterRun]) -> list[CharacterRun]:
    """Return the words of a page that can be seen: not those outside of it, in dust, or where only paper is.

    What nobody painted is seen where most of it lies on a picture, as recognised text does, though not to the point.
    """
    width, height = page.get_size()
    inside = [word for word in words if word.height >= _DUST and _overlap(turned(word.box, word.angle), width, height)]
    if not any(word.faint for word in inside):
        return inside
    scale = min(1.0, _MOST_PIXELS / max(1.0, width, height))
    picture = page.render(scale=scale, grayscale=True).to_pil()
    bare = {id(word) for word in inside if word.faint and not _shows(picture, word, scale)}
    unpainted = [id(word) for word in inside if word.faint == _UNPAINTED]
    if len(bare.intersection(unpainted)) < len(unpainted) / 2:
        bare.difference_update(unpainted)
    return [word for word in inside if id(word) not in bare]


def _overlap(box: Box, width: float, height: float) -> bool:
    return box[0] <= width and box[2] >= 0 and box[1] <= height and box[3] >= 0


def _shows(picture: Picture, word: CharacterRun, scale: float) -> bool:
    """Tell whether a picture has ink where a word is; what is above and below it may be seen, whatever the word is."""
    x0, y0, x1, y1 = word.box
    box = turned((x0 - 1.5, y0 + word.height / 4, x1 + 1.5, y1 - word.height / 4), word.angle)  # squares have sides
    left, top = max(0, int(scale * box[0])), max(0, int(scale * box[1]))
    right, bottom = min(picture.width, int(scale * box[2]) + 1), min(picture.height, int(scale * box[3]) + 1)
    darkest, brightest = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1))).getextrema()
    return bool(brightest - darkest >= 255 - _WHITE)


def joined(words: Iterable[CharacterRun]) -> list[CharacterRun]:
    """Join the words that follow each other on a line to runs; a script from right to left grows to the left."""
    runs: list[CharacterRun] = []
    for word in words:
        last = runs[-1] if runs else word
        gap = apart(last.box, word.box)
        near = last.angle == word.angle and last.beside(word) and gap < _CELL_GAP * min(last.height, word.height)
        if runs and near and (word.box[0] >= last.box[0] or is_rtl(word.text)):
            touches = word.text[0] in _CLOSING and gap < 0.05 * word.height
            last.extend(word, "" if touches else " ")
        else:
            runs.append(replace(word))
    return [_closed_up(run) for run in runs]


def _closed_up(run: CharacterRun) -> CharacterRun:
    """Return a run that is s p a c e d out with the spaces between its words alone, which are wider than the others."""
    spaces = sorted(right - left for char, (left, right) in zip(run.text, run.edges, strict=True) if char == " ")
    count = len(run.text) - len(spaces)
    widest = 1.5 * spaces[len(spaces) // 4] if spaces else 0.0
    uneven = any(spaces[0] + 0.2 * run.height < width < widest for width in spaces)  # as between names of months
    worded = sum(char.isalpha() + char.isalnum() for char in run.text) > 1.5 * count  # neither a scale nor a formula
    if uneven or not worded or not 4 <= count <= 1.2 * len(spaces) + 1:
        return run
    kept = [index for index, (left, right) in enumerate(run.edges) if run.text[index] != " " or right - left > widest]
    return replace(run, text="".join(run.text[at] for at in kept), edges=[run.edges[at] for at in kept])


def is_alike(one: float, other: float) -> bool:
    """Tell whether sizes of letters pass for one."""
    return abs(one - other) <= _ALIKE * max(one, other)


def apart(a: Box, b: Box) -> float:
    """Return how far two boxes are from each other across the page; less than nothing where they overlap."""
    return max(b[0] - a[2], a[0] - b[2])


def is_rtl(text: str) -> bool:
    """Tell whether more of a text's letters are written from right to left than from left to right."""
    if text.isascii():
        return False
    kinds = Counter(map(unicodedata.bidirectional, text))
    return kinds["R"] + kinds["AL"] + kinds["AN"] > kinds["L"]


def _jumps(before: Box, after: Box) -> bool:
    height = max(before[3] - before[1], 1.0)
    return abs(after[3] - before[3]) > 0.7 * height or apart(before, after) > height


def _characters(page: TextPage, raw: Pdfium) -> Iterator[Character]:
    handle, placed = page.raw, placing(page.page)
    last: Character | None = None
    box, get_box, get_char = raw.FS_RECTF(), raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetUnicode
    signs = _BY_ANOTHER_CODE if _is_misread(page.get_text_range()) else {}
    for index in range(page.count_chars()):
        code = get_char(handle, index)
        if 0xDC00 <= code < 0xE000:  # the second half of a letter that UTF-16 writes as two
            continue
        if 0xD800 <= code < 0xDC00:
            code = 0x10000 + ((code - 0xD800) << 10) + max(0, get_char(handle, index + 1) - 0xDC00)
        char = " " if code in {0, 0xA0} else chr(code) if code < 0x110000 else "\ufffd"
        if char in _SPACES or not get_box(handle, index, box):
            yield " ", (0.0, 0.0, 0.0, 0.0), index
            continue
        at = placed((box.left, box.bottom, box.right, box.top))
        if last is None or last[0] != char or not _over(at, last[1]) or _in_ligature(page, last, at, index, raw):
            yield signs.get(char, char), at, index
        last = char, at, index


def _is_misread(text: str) -> bool:
    """Tell whether the quotation marks of a page are letters: `ìsoî`, with none of the two as languages have them."""
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    beside = [before if char == "ì" else after for before, char, after in around if char in "ìî"]
    return bool(beside) and not any(char.isalpha() and char not in _BY_ANOTHER_CODE for char in beside)


def _in_ligature(page: TextPage, before: Character, at: Box, index: int, raw: Pdfium) -> bool:
    """Tell whether a letter and the same one before it are one glyph, as in `off`: both have its box."""
    one, other = (raw.FPDFText_GetTextObject(page.raw, number) for number in (before[2], index))
    return before[1] == at and ctypes.addressof(one.contents) == ctypes.addressof(other.contents)


def _over(box: Box, below: Box) -> bool:
    """Tell whether something is drawn over the same thing, as for bold letters or a shadow."""
    most = _OVER * (box[3] - box[1])
    level = abs(box[1] - below[1]) < most and abs(box[3] - below[3]) < most
    return level and abs(box[0] - below[0]) < most and abs(box[2] - below[2]) < most


def _word(characters: list[Character], angle: int, page: TextPage, raw: Pdfium) -> CharacterRun:
    if is_rtl("".join(char for char, _, _ in characters)):
        _order_rtl(characters)
    boxes = [character[1] for character in characters]
    if angle % 90 == 0:  # the box around an oblique character is the higher the wider it is
        _mark_raised(characters, page, raw)
    text, edges = _clean((char, (box[0], box[2])) for char, box, _ in characters)
    text = "•" if len(text) == 1 and "\ue000" <= text <= "\uf8ff" else text  # a font's own sign, for an item of a list
    font, flags = ctypes.create_string_buffer(64), ctypes.c_int()
    raw.FPDFText_GetFontInfo(page.raw, characters[0][2], font, 64, ctypes.byref(flags))
    bold = any(mark in font.value.lower() for mark in (b"bold", b"black", b"heavy"))
    italic = any(mark in font.value.lower() for mark in (b"italic", b"oblique"))
    tallest = max(box[3] - box[1] for box in boxes)
    x0, _, x1, _ = hull(boxes)
    _, y0, _, y1 = hull(box for box in boxes if box[3] - box[1] >= _SMALL * tallest)
    size = _font_size(page, characters[len(characters) // 2][2], raw)
    return CharacterRun(
        text,
        (x0, y0, x1, y1),
        edges,
        len(text) * bold,
        len(text) * italic,
        angle,
        sizes=[(size, len(text))],
        faint=_faint(page, characters[0][2], raw),
    )


def _font_size(page: TextPage, index: int, raw: Pdfium) -> float:
    """Return the size of a character's font in points; boxes of one size differ from font to font."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFText_GetMatrix(page.raw, index, matrix):
        return 0.0
    scale = math.sqrt(abs(matrix.a * matrix.d - matrix.b * matrix.c))
    return float(raw.FPDFText_GetFontSize(page.raw, index) * scale)


def _faint(page: TextPage, index: int, raw: Pdfium) -> int:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    raw.FPDFText_GetFillColor(page.raw, index, *map(ctypes.byref, (red, green, blue, alpha)))
    mode = raw.FPDFTextObj_GetTextRenderMode(raw.FPDFText_GetTextObject(page.raw, index))
    if mode in {raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP}:
        return _UNPAINTED
    return int(not alpha.value or min(red.value, green.value, blue.value) > _WHITE)


def _order_rtl(characters: list[Character]) -> None:
    """Order a word as it stands, from the right; numbers in it from the left, and of letters in one place lam first."""
    characters.sort(key=lambda character: (-character[1][2], character[0] != "\u0644"))
    for part in _FROM_LEFT.finditer("".join(char for char, _, _ in characters)):
        characters[part.start() : part.end()] = characters[part.start() : part.end()][::-1]


def _mark_raised(characters: list[Character], page: TextPage, raw: Pdfium) -> None:
    """Tell small figures above the line from others: the note in `2019³` is no figure of the year.

    Their letters are smaller; beside a sign of another font only the boxes of others are.
    """
    if not any(char.isdecimal() for char, _, _ in characters):
        return
    tall, largest = max((box[3] - box[1], number) for _, box, number in characters)
    base = max(box[3] for _, box, _ in characters if box[3] - box[1] >= 0.9 * tall)
    for index, (char, box, number) in enumerate(characters):
        if char.isdecimal() and box[3] - box[1] < _SMALL * tall and box[3] < base - 0.2 * tall:
            is_small = _font_size(page, number, raw) < 0.95 * _font_size(page, largest, raw)
            characters[index] = raised(char) if is_small else char, box, number


def _clean(characters: Iterable[tuple[str, Edge]]) -> tuple[str, list[Edge]]:
    pairs = [
        (plain, edge)
        for char, edge in characters
        for plain in (_SIGNS.get(char) or (unicodedata.normalize("NFKC", char) if _FORM.match(char) else char))
    ]
    return storable("".join(char for char, _ in pairs)), [edge for _, edge in pairs]
