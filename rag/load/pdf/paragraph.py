"""A paragraph of a PDF while it grows line by line: its text, its lines, and where each of its pages starts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.load.pdf.order import Line

_UNSPACED = re.compile(r"[—\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Chinese and Japanese know no spaces
_HYPHENATED = re.compile(r"[^\W\d_]-$")


@dataclass(slots=True)
class Paragraph:
    """A block and the offset in it at which each of its pages starts."""

    lines: list[Line] = field(default_factory=list)
    text: str = ""
    pages: list[tuple[int, int]] = field(default_factory=list)  # (page, offset)
    level: int | None = None

    def add(self, line: Line, compounds: frozenset[str]) -> None:
        """Append a line; a hyphen at the end of the one before goes, unless the word has it anyway."""
        if _HYPHENATED.search(self.text) and line.run.text[:1].islower():
            joined = f"{self.text.split()[-1]}{line.run.text.split()[0]}"
            if joined.strip(".,;:()\"'").lower() not in compounds:
                self.text = self.text[:-1]
        elif self.text and not (_UNSPACED.match(self.text[-1]) and _UNSPACED.match(line.run.text)):
            self.text += " "
        if not self.pages or self.pages[-1][0] != line.page:
            self.pages.append((line.page, len(self.text)))
        self.text += line.run.text
        self.lines.append(line)
