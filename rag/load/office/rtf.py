"""RTF: its paragraphs without looks, and its footnotes; no deleted and no hidden words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.errors import LoadError
from rag.language.published import publication_date
from rag.load.blocks import Block, assemble, line

if TYPE_CHECKING:
    from rag.records import Document

# The striprtf library shows the first two as any words, and drops the third.
_GROUP = re.compile(r"\{(?:\\\*)?(?:\\[a-z]+-?\d* ?)*\\(deleted|v|footnote)\b")
_CODE_PAGE = re.compile(r"\\ansicpg\d{1,5}")
_BRACE = re.compile(r"\\[{}\\]|[{}]")
_PARAGRAPH = re.compile(r"\\(pard|intbl|par)\b ?")
_TITLE = re.compile(r"\{\\title ([^{}]{1,1000})\}")
_MADE = re.compile(r"\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")


def parse(data: bytes, uri: str) -> Document:
    """Read rich text; raises `LoadError` for what is none."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise LoadError(f"{uri}: is no RTF; save it anew")
    source, footnotes = _without_groups(data.decode("latin-1"))
    source = _with_whole_rows(source)
    page = _CODE_PAGE.search(source)
    head = f"{{\\rtf1\\ansi{page[0] if page else ''} "
    blocks = [Block(_cells(each)) for each in _plain(source, uri).split("\n")]
    blocks += [Block(_cells(_plain(f"{head}{each}}}", uri)), mark="footnote") for each in footnotes]
    title, made = _TITLE.search(source), _MADE.search(source)
    name = line(_plain(f"{head}{title[1]}}}", uri)) if title else None
    created = f"{made[1]}-{int(made[2]):02}-{int(made[3]):02}" if made else None
    date = publication_date(block.text for block in blocks) or created
    notes = ("its pictures were not read",) if b"\\pict" in data else ()
    return assemble(blocks, data, uri, "application/rtf", name, date=date, notes=notes)


def _with_whole_rows(source: str) -> str:
    """Return RTF without the ends of paragraphs in cells of tables, which striprtf takes for those of rows."""
    in_table = False

    def shown(word: re.Match[str]) -> str:
        nonlocal in_table
        in_table = word[1] == "intbl" or (in_table and word[1] != "pard")
        return " " if in_table and word[1] == "par" else word[0]

    return _PARAGRAPH.sub(shown, source)


def _without_groups(source: str) -> tuple[str, list[str]]:
    """Return RTF without footnotes, deleted and hidden words, and the footnotes."""
    kept: list[str] = []
    footnotes: list[str] = []
    at = 0
    for match in _GROUP.finditer(source):
        if match.start() >= at:
            kept.append(source[at : match.start()])
            at = _end(source, match.start())
            if match[1] == "footnote":
                footnotes.append(source[match.end() : at - 1])
    return "".join([*kept, source[at:]]), footnotes


def _end(source: str, start: int) -> int:
    depth = 0
    for match in _BRACE.finditer(source, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    return len(source)


def _plain(source: str, uri: str) -> str:
    from striprtf.striprtf import rtf_to_text

    try:
        text = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError, LookupError) as error:
        raise LoadError(f"{uri}: is damaged RTF ({error}); open it and save it anew") from error
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # it gives halves of pairs


def _cells(text: str) -> str:
    return line(text.strip("| ").replace("|", " | "))
