"""What a run leaves behind: a table for the terminal, and a file that shows each question with what came."""

from __future__ import annotations

import html
import json
import os
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.evaluate.measures import ANSWER, RANKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rag.evaluate import Case, Result
    from rag.records import Answer

_SHOWN = 10  # documents of each question in a report

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1d2129 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .45rem .6rem }
tr { border-bottom: 1px solid #d8dce3 } .wrong { background: #fdf1ef } .right { font-weight: 600; color: #17683a }
ol { margin: 0; padding-left: 1.4rem } td { overflow-wrap: anywhere } .scores { white-space: nowrap }
"""


def table(results: Sequence[Result]) -> str:
    """Return measures as rows and systems as columns."""
    summaries = [result.summary() for result in results]
    scores = [
        {**summary, **{f"abstention {name}": value for name, value in summary.get("abstention", {}).items()}}
        for summary in summaries
    ]
    names = (*RANKING, *ANSWER, "abstention precision", "abstention recall", "abstention auroc")
    known = [name for name in names if any(name in each for each in scores)]
    rows = [
        [results[0].name, *(result.system for result in results)],
        *([name, *(f"{each[name]:.3f}" if name in each else "" for each in scores)] for name in known),
        ["queries", *(str(each["queries"]) for each in scores)],
        ["seconds", *(f"{each['seconds']:.1f}" for each in scores)],
    ]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([row[0].ljust(first), *map(str.rjust, row[1:], others)] for row in rows)
    return "\n".join(map("  ".join, cells))


def check_report(file: Path) -> None:
    """Refuse a report of unknown form, or where none can be, before the work is done; raises `InputError`."""
    if file.suffix not in {".html", ".jsonl"}:
        raise InputError(f"{file}: a report is .html (to look at) or .jsonl (to compare with); name it so")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}; make it, or name another for the report")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputError(f"{file} cannot be written; check its permissions, or name another file for the report")


def write_report(result: Result, file: Path) -> None:
    """Write every question with what was expected and what came: HTML or JSONL, by the file's suffix."""
    lines = (json.dumps(_record(case), ensure_ascii=False) for case in result.cases)
    file.write_text(_page(result) if file.suffix == ".html" else "".join(f"{line}\n" for line in lines), "utf-8")


def _record(case: Case) -> dict[str, Any]:
    question = case.question
    expected = {
        "documents": question.relevant,
        "answers": question.answers,
        "evidence": question.evidence,
        "answerable": question.answerable,
    }
    found = {"found": list(case.found[:_SHOWN]), "answer": case.answer and _given(case.answer)}
    return {"id": question.id, "question": question.text, "expected": expected, **found, "scores": case.scores}


def _given(answer: Answer) -> dict[str, Any]:
    short = answer.short_answer
    cited = [{"document": c.uri, "start": c.span.start, "end": c.span.end} for c in answer.citations]
    return {
        "text": answer.text,
        "short": short and short.text,
        "abstained": answer.abstained,
        "confidence": answer.confidence,
        "citations": cited,
    }


def _page(result: Result) -> str:
    cases = sorted(result.cases, key=lambda case: sum(case.scores.values()))
    title = html.escape(f"{result.name}: {result.system}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><pre>{html.escape(table([result]))}</pre><table><thead><tr><th>Question<th>Expected<th>Came"
        f"<th>Scores</thead><tbody>{''.join(map(_row, cases))}</tbody></table></html>"
    )


def _row(case: Case) -> str:
    question = case.question
    unknown = "no answer" if question.answerable is False else "not known"
    expected = [*question.relevant, *question.answers] or list(question.evidence) or [unknown]
    right = dict.fromkeys(question.relevant, 'class="right"')
    found = "".join(f"<li {right.get(uri, '')}>{html.escape(uri)}" for uri in case.found[:_SHOWN])
    fault = _fault(case)
    answer = f"<p>{html.escape(case.answer.text)}</p>" if case.answer else ""
    answer += f"<p><strong>{fault}</strong></p>" if fault else ""
    scores = "<br>".join(f"{name} {value:.2f}" for name, value in case.scores.items())
    missed = any(case.scores.get(name, 1.0) < 1 for name in ("hit@5", "sentence_hit@1"))
    wrong = 'class="wrong"' if missed or fault else ""
    return (
        f"<tr {wrong}><td>{html.escape(question.text)}<td>{'<br>'.join(map(html.escape, expected))}"
        f'<td>{answer}<ol>{found}</ol><td class="scores">{scores}</tr>'
    )


def _fault(case: Case) -> str:
    """Say what is wrong with a refusal, or with the lack of one; nothing where that is not known."""
    if case.answer is None or case.question.answerable in {None, not case.answer.abstained}:
        return ""
    return "refused, though there is an answer" if case.answer.abstained else "answered, though there is no answer"
