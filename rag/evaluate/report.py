"""What a run leaves behind: a table for the terminal, and a file that shows each question with what came."""

from __future__ import annotations

import html
import json
import os
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.evaluate.measures import ANSWER, RANKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rag.evaluate import Case, Result
    from rag.evaluate.measures import Difference, Scores
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
    names = [name for name in (*RANKING, *ANSWER) if any(name in summary for summary in summaries)]
    rows = [[name, *(_number(summary.get(name)) for summary in summaries)] for name in names]
    for name in ("precision", "recall", "auroc"):
        values = [summary.get("abstention", {}).get(name) for summary in summaries]
        if any(value is not None for value in values):
            rows.append([f"abstention {name}", *map(_number, values)])
    rows.append(["queries", *(str(summary["queries"]) for summary in summaries)])
    rows.append(["seconds", *(f"{summary['seconds']:.1f}" for summary in summaries)])
    return _aligned([[results[0].name, *(result.system for result in results)], *rows])


def comparison(differences: Iterable[Difference]) -> str:
    """Return both means, the difference and how likely chance explains it, one measure a row."""
    rows = [
        [d.measure, f"{d.before:.3f}", f"{d.after:.3f}", f"{d.after - d.before:+.3f}", f"{d.p:.4f}", str(d.questions)]
        for d in differences
    ]
    return _aligned([["", "before", "after", "difference", "p", "questions"], *rows])


def check_report(file: Path | None) -> None:
    """Refuse a report of unknown form, or where none can be, before the work is done; raises `InputError`."""
    if file is None:
        return
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


def read_report(file: Path) -> dict[str, Scores]:
    """Read the scores of an earlier run by question from its JSONL report; raises `InputError`."""
    try:
        lines = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
        return {record["id"]: dict(record["scores"]) for record in lines}
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); name an earlier run's report") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is no JSONL report of rag eval; write one with --report FILE.jsonl") from error


def _record(case: Case) -> dict[str, Any]:
    question = case.question
    expected = {
        "documents": dict(question.relevant),
        "answers": list(question.answers),
        "evidence": list(question.evidence),
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
    """Return a page that needs nothing else: the worst questions first."""
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
    marks = ('class="right"' if uri in question.relevant else "" for uri in case.found[:_SHOWN])
    found = "".join(f"<li {mark}>{html.escape(uri)}" for uri, mark in zip(case.found, marks, strict=False))
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


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
