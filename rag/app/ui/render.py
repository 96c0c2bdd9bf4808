"""What the page shows of answers and documents, as plain data: pure functions from the library's records to JSON.

No HTML and no Markdown is made here or anywhere else: the page's scripts put every string into a text node, so that a
document is shown exactly as it is and nothing in it can act. What is shown as marked is cut here, because the browser
counts UTF-16 units where the library counts code points.

A text is a list of blocks, each with its `kind` (see `TypesetBlock`), where given `level`, `tight` and the `page` that
begins there, of a table's row whether it is the `head`, the `columns` of its cells and the names `above` it (see
`rows.TableRow`), and its `runs`: `text`, and where given its `look` and the citations (`cites`) that it is part of.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING

from rag.app.display import marked_pieces, speaker_before
from rag.app.ui.typeset import MARKDOWN, typeset, typeset_text
from rag.errors import InputError
from rag.language.terms import matched_words
from rag.records import Span, title_and_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.app.as_json import Json
    from rag.app.ui.typeset import StyledRun, TypesetBlock
    from rag.records import Document, Hit
    from rag.store.history import Conversation, ConversationTurn

PDF = "application/pdf"
NEAREST = 0  # marks what comes nearest in a refusal: no citation has this number


def message_view(message: str) -> Json:
    """Show one line where the answer would be."""
    return {"kind": "error", "message": message, "cards": []}


def answer_view(answer: Json) -> Json:
    """Show an answer with its sources; or a refusal with its reason and what came nearest, plainly not as sources.

    `heading` and `note` stand over the cards. To it are added `turn`, the number that the page gave to the question,
    `growing` while more is to come, and for an answer that is kept its `id`, `conversation` and `verdict`.

    Args:
        answer: in the form of `rag.app.as_json.answer_json`, in which conversations are kept.
    """
    asked: Json = {
        "question": answer["question"],
        "searched_for": answer.get("searched_for"),
        "searches": answer.get("searches", []),  # conversations kept by an earlier version have none
        "form": answer.get("form", "sentences"),
    }
    if answer["abstained"]:
        nearest = answer["nearest"]
        return {
            **asked,
            "kind": "refusal",
            "message": answer["reason"] or "Nothing in the documents answers this question.",
            "heading": "Nearest passages" if nearest else "",
            "note": _note(nearest),
            "cards": [nearest_card(hit) for hit in nearest],
        }
    return {
        **asked,
        "kind": "answer",
        "message": answer["reason"] or "",
        "closest": answer.get("closest", False),
        "sentences": [_sentence(sentence) for sentence in answer["sentences"]],
        "conflicts": [{"about": each["about"], "sources": each["sides"]} for each in answer["conflicts"]],
        "heading": "Sources",
        "note": "",
        "cards": [citation_card(citation, answer["citations"]) for citation in answer["citations"]],
    }


def _note(nearest: Sequence[Json]) -> str:
    if any(hit.get("sentence") for hit in nearest):
        return "The marked sentence comes near; judge for yourself whether it answers."
    return "These came closest, but they do not answer the question." if nearest else ""


def turn_view(turn: ConversationTurn) -> Json:
    """Show an answer that is kept."""
    return {**answer_view(turn.answer), "id": turn.id, "conversation": turn.conversation, "verdict": turn.verdict}


def conversation_row(conversation: Conversation) -> Json:
    """Show one conversation of the list."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "turns": conversation.turns,
        "day": nice_date(conversation.asked_at[:10]),
    }


def citation_card(citation: Json, others: Sequence[Json] = ()) -> Json:
    """Show a citation, of those of its answer, in the passage it stands in, the cited words marked.

    `shared` are the numbers of all citations of that passage, in order: they make one card.
    """
    text, offset = citation["passage"]["text"], citation["passage"]["start"]
    shared = [each for each in others if _place(each) == _place(citation)] or [citation]
    marks = {each["number"]: Span(each["start"] - offset, each["end"] - offset) for each in shared}
    return {**_card(citation, text, marks, citation["number"]), "shared": [*marks]}


def _place(citation: Json) -> tuple[object, ...]:
    passage = citation["passage"]
    return citation["document"], passage["start"], passage["end"]


def nearest_card(hit: Json) -> Json:
    """Show a passage that is no source: without number, and marked only where a sentence comes near."""
    near = hit.get("sentence")  # conversations kept by an earlier version have none
    marks = {NEAREST: Span(near["start"] - hit["start"], near["end"] - hit["start"])} if near else {}
    return _card({**hit, **near} if near else hit, hit["text"], marks, None)


def _card(found: Json, text: str, marks: Mapping[int, Span], number: int | None) -> Json:
    return {
        "number": number,
        "title": title_and_section(found["title"], found["section"])[0],
        "speaker": found["speaker"],
        "day": nice_date(found["date"]),
        "facts": _facts(found),
        "document": found["document"],
        "start": found["start"],
        "end": found["end"],
        "passage": block_views(text, typeset_text(text, _media_type(found["document"])), marks),
    }


def reader_view(document: Document, marks: Mapping[int, Span]) -> Json:
    """Show a whole document, the cited spans marked with their numbers; `pages` can be shown as pictures.

    Raises `InputError` when a span reaches outside of the document.
    """
    if any(span.end > len(document.text) for span in marks.values()):
        raise InputError(f"{document.name} has changed since the answer: ask again.")
    facts = [nice_date(document.date), file_name(document.uri)]
    return {
        "document": document.uri,
        "title": document.name,
        "facts": [fact for fact in facts if fact and fact != document.name],
        "notes": list(document.notes),
        "pages": len(document.page_starts) if document.media_type == PDF else 0,
        "blocks": block_views(document.text, typeset(document), marks, document.page_starts),
    }


def block_views(
    text: str, blocks: Iterable[TypesetBlock], marks: Mapping[int, Span], page_starts: Sequence[int] = ()
) -> list[Json]:
    """Cut the runs of blocks where a citation begins or ends; all texts, one after the other, are `text`."""
    cuts = sorted({edge for span in marks.values() for edge in (span.start, span.end)})
    views: list[Json] = []
    pages = list(enumerate(page_starts, 1))[::-1]
    for block in blocks:
        view: Json = {"kind": block.kind, "runs": [v for run in block.runs for v in _runs(text, run, cuts, marks)]}
        if block.level:
            view["level"] = block.level
        if block.tight:
            view["tight"] = True
        if block.row.is_head:
            view["head"] = True
        if block.row.columns:
            view |= {"columns": block.row.columns, "above": block.row.above}
        while pages and pages[-1][1] <= block.runs[-1].span.start:
            view["page"] = pages.pop()[0]
        views.append(view)
    return views


def _runs(text: str, run: StyledRun, cuts: Sequence[int], marks: Mapping[int, Span]) -> Iterable[Json]:
    edges = [run.span.start, *(cut for cut in cuts if run.span.start < cut < run.span.end), run.span.end]
    for start, end in pairwise(edges):
        piece = Span(start, end)
        view: Json = {"text": piece.of(text)}
        if run.look:
            view["look"] = run.look
        if cites := [number for number, span in marks.items() if len(piece) and piece in span]:
            view["cites"] = cites
        yield view


_CLOSE = 10  # passages that come first by meaning


def why_line(question: str, hits: Sequence[Hit], place: Span, uri: str, passages: int) -> str:
    """Say in plain words how the passage around a citation was found."""
    found = [(n, hit) for n, hit in enumerate(hits, 1) if hit.passage.uri == uri and place in hit.passage.span]
    if not found:
        return "This passage is no longer among the first that a search finds."
    rank, hit = found[0]
    matched = ", ".join(matched_words(question, hit.passage.retrieval_text))
    reasons = [f"it has words of your question ({matched})"] if matched else []
    if not matched or (hit.dense_rank or passages) <= _CLOSE:
        reasons.append("its meaning is close to your question")
    return f"It came {_ordinal(rank)} of {passages:,} passages: {', and '.join(reasons)}."


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def nice_date(iso: str | None) -> str:
    """Read as `7 December 2024`; what is no ISO date stays as it is."""
    if not iso:
        return ""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B %Y}"


def file_name(uri: str) -> str:
    """Return the last part of a path or URI."""
    return PurePath(uri).name or uri


def _media_type(uri: str) -> str:
    return MARKDOWN if uri.casefold().endswith((".md", ".markdown")) else "text/plain"


def _sentence(sentence: Json) -> Json:
    text, marks = sentence["text"], sentence.get("marks", ())
    return {
        "runs": _marked_runs(text, marks),
        "cells": [
            {"name": text[slice(*name)], "runs": _marked_runs(text[slice(*value)], _inside(marks, *value))}
            for name, value in sentence.get("cells", ())  # conversations kept by an earlier version have none
        ],
        "speaker": speaker_before(sentence["speaker"], sentence["text"]),
        "sources": sentence["citations"],
        "quoted": sentence["support"] == "verbatim",
        "supported": sentence["support"] != "unsupported",
        "fault": sentence.get("fault"),
        "writer": sentence.get("writer"),
        "beside": sentence.get("beside", False),
    }


def _marked_runs(text: str, marks: Sequence[Sequence[int]]) -> list[Json]:
    return [{"text": piece, "marked": is_marked} for piece, is_marked in marked_pieces(text, marks)]


def _inside(marks: Iterable[Sequence[int]], start: int, end: int) -> list[list[int]]:
    return [[max(a, start) - start, min(b, end) - start] for a, b in marks if a < end and b > start]


def _facts(found: Json) -> list[str]:
    facts = (
        nice_date(found["date"]),
        f"page {found['page']}" if found["page"] else None,
        title_and_section(found["title"], found["section"])[1],
        file_name(found["document"]),
    )
    return [fact for fact in facts if fact and fact != found["title"]]
