"""The command line. Results on standard output, progress and complaints on standard error.

Exit 0: fine (a refusal is an answer). 1: a `RagError`, one line. 2: wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError, LoadError, RagError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rag.evaluate import Result
    from rag.evaluate.compare import Difference
    from rag.library import Library
    from rag.progress import Bars
    from rag.records import Answer, AnswerSentence, Citation, Document, Hit, Span
    from rag.rerank import Reranker
    from rag.store import SyncReport

_EPILOG = """examples:
  rag index reports/                    make or update the index in ./index
  rag ask 'How many civilians live in Idlib?'
  rag search 'ceasefire talks' -k 5
  rag show report.txt --at 120:180      the cited characters in their context
"""


_WHERE = "document=report.txt, folder=2024, date=2024-01..2024-06-30, date>=2024-05, section=Methods, speaker=Ford"
_RERANKER = "a sentence-transformers cross-encoder by name or path, to read the best passages once more"
_SYSTEMS = ("bm25", "dense", "rrf", "convex", "ours", "all")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    options.store = getattr(options, "store", None) or os.environ.get("RAG_STORE") or "index"
    try:
        return int(options.run(options))
    except RagError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("interrupted; the index is as it was, and the next rag index goes on from here", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return 141
    except OSError as error:
        return _complain(f"{error.filename or 'the system'}: {error.strerror}; free space or check permissions")


def _complain(message: str, code: int = 1) -> int:
    print(f"rag: {' '.join(message.split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--store", metavar="PATH", default=argparse.SUPPRESS, help="the index (default: index)")
    parser = argparse.ArgumentParser(
        prog="rag",
        description="Cited question answering over your own documents.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[store],
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[store])
        added.set_defaults(run=run)
        if name != "serve":
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    _add_commands(command)
    return parser


def _add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    index = command("index", _index, "bring the index up to date with files and folders")
    index.add_argument("paths", nargs="+", metavar="PATH")
    index.add_argument("--rebuild", action="store_true", help="make everything anew")
    index.add_argument("--watch", action="store_true", help="go on as files change, until Ctrl-C")
    index.add_argument("--strict", action="store_true", help="exit 1 when a file failed")
    index.add_argument("--model", metavar="NAME", help="a sentence-transformers model by name or path")
    remove = command("remove", _remove, "forget documents")
    remove.add_argument("documents", nargs="+", metavar="DOCUMENT")
    search = command("search", _search, "find cited passages")
    ask = command("ask", _ask, "answer a question with citations")
    for asking, k in ((search, 10), (ask, 8)):
        asking.add_argument("question", metavar="QUESTION")
        asking.add_argument("-k", type=_positive, default=k, metavar="N", help=f"passages (default: {k})")
        asking.add_argument("--model", metavar="NAME", help="the encoder, when it is not the one that the index names")
        asking.add_argument(
            "--where", action="append", default=[], metavar="KEY=VALUE", help=f"only in: {_WHERE}; may be repeated"
        )
        asking.add_argument("--as-of", default="", metavar="DATE", help="leave out what was published after this day")
        asking.add_argument("--reranker", metavar="NAME", help=_RERANKER)
    _add_answering(ask)
    show = command("show", _show, "print a document, with a span marked")
    show.add_argument("document", metavar="DOCUMENT")
    show.add_argument("--at", type=_span, metavar="START:END", help="mark these characters, in their context")
    command("status", _status, "count documents and passages")
    command("verify", _verify, "check everything again; exit 1 on any damage")
    _add_eval(command("eval", _eval, "measure retrieval and answers on a set of questions"))
    _add_serving(command("serve", _serve, "open the web page on this machine"))


def _add_answering(ask: argparse.ArgumentParser) -> None:
    _add_answerer(ask)
    ask.add_argument("--format", choices=["text", "markdown"], help="print a document to send on, with all quotations")
    ask.add_argument(
        "--after", action="append", default=[], metavar="QUESTION", help="asked before, in order; may be repeated"
    )


def _add_serving(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1; any other needs a password")
    serve.add_argument("--port", type=_port, default=7860, help="default: 7860; 0 takes a free one")
    serve.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is the password to ask for")
    serve.add_argument("--name", action="append", default=[], help="a host name it is reached by; may be repeated")
    serve.add_argument("--mcp", action="store_true", help="serve an assistant on standard input and output instead")
    serve.add_argument("--model", metavar="NAME", help="the encoder, when it is not the one that the index names")
    _add_answerer(serve)


def _add_eval(measure: argparse.ArgumentParser) -> None:
    measure.add_argument(
        "set", type=Path, metavar="FOLDER_OR_FILE", help="a BEIR folder, or questions about the index (JSONL)"
    )
    measure.add_argument("--limit", type=_positive, metavar="N", help="so many questions, the same ones each time")
    measure.add_argument("--system", choices=_SYSTEMS, default="ours", help="what to measure (default: ours)")
    measure.add_argument("--no-answers", action="store_true", help="measure retrieval only")
    measure.add_argument("--report", type=Path, metavar="FILE", help="write each question's outcome (.html or .jsonl)")
    measure.add_argument("--compare", type=Path, metavar="FILE", help="compare with an earlier run's .jsonl report")
    measure.add_argument("--model", metavar="NAME", help="a sentence-transformers model by name or path")
    measure.add_argument("--reranker", metavar="NAME", help=_RERANKER)


def _add_answerer(answering: argparse.ArgumentParser) -> None:
    answering.add_argument("--answerer", choices=["extractive", "llm"], default="extractive", help="who writes answers")
    answering.add_argument("--llm-url", metavar="URL", help="of an OpenAI-compatible server (default: RAG_LLM_URL)")
    answering.add_argument("--llm-model", metavar="NAME", help="default: RAG_LLM_MODEL, or the first that it has")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a positive number: {text}")
    return int(text)


def _port(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _span(text: str) -> Span:
    from rag.records import Span

    start, colon, end = text.partition(":")
    if not colon or not start.isdecimal() or not end.isdecimal() or int(start) > int(end):
        raise argparse.ArgumentTypeError(f"not START:END: {text}")
    return Span(int(start), int(end))


def _library(options: argparse.Namespace) -> Library:
    from rag.embed import embedder
    from rag.library import Library

    model = getattr(options, "model", None)
    library = Library.open(options.store, embedder=embedder(model) if model else None, reranker=_reranker(options))
    if getattr(options, "answerer", None) == "llm":
        from rag.llm.endpoint import Settings
        from rag.llm.setup import llm_answerer

        settings = Settings.of(url=options.llm_url, model=options.llm_model)
        library.answerer = llm_answerer(library.retriever, settings)
    return library


def _reranker(options: argparse.Namespace) -> Reranker | None:
    from rag.rerank import CrossEncoderReranker

    name = getattr(options, "reranker", None)
    return CrossEncoderReranker(name) if name else None


def _print_json(data: object, indent: int | None = 2) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    print(
        text.encode("utf-8", "backslashreplace").decode(), flush=True
    )  # half a surrogate pair becomes an escape, as JSON has it


def _index(options: argparse.Namespace) -> int:
    from rag.progress import Bars

    if options.watch and options.rebuild:
        raise InputError("--watch goes on with an index as it is; run rag index --rebuild first, then --watch")
    with _library(options) as library, Bars() as bars:
        if options.watch:
            return _watch(options, library, bars)
        report = library.index(*options.paths, rebuild=options.rebuild, progress=bars.show)
    _print_report(report, options)
    return 1 if options.strict and report.count("failed") else 0


def _watch(options: argparse.Namespace, library: Library, bars: Bars) -> int:
    """Print a report for each batch of changes; with JSON, one on each line."""
    from rag.watch import watch

    reports = watch(library, options.paths, progress=bars.show)
    _print_report(next(reports), options, indent=None)
    print("watching; Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        for report in reports:
            _print_report(report, options, indent=None)
    except KeyboardInterrupt:
        print("stopped; the index has all that was reported", file=sys.stderr)
    finally:
        reports.close()
    return 0


def _print_report(report: SyncReport | RagError, options: argparse.Namespace, indent: int | None = 2) -> None:
    from rag.wire import report_json

    if isinstance(report, RagError):
        _complain(f"{report} (it is tried again)")
    elif options.json:
        _print_json(report_json(report), indent)
    else:
        print(f"{report} ({report.passages} passages, {report.embedded} embedded, {report.seconds:.1f} s)", flush=True)
        for outcome in (*report.incomplete, *report.of("skipped"), *report.of("failed")):
            print(f"  {outcome.state}: {outcome.path}: {outcome.reason}", file=sys.stderr)


def _remove(options: argparse.Namespace) -> int:
    from rag.wire import report_json

    with _library(options) as library:
        report = library.remove(*options.documents)
    if options.json:
        _print_json(report_json(report))
    else:
        print(f"{report.count('removed')} removed")
    return 0


def _search(options: argparse.Namespace) -> int:
    from rag.where import Filter
    from rag.wire import hits_json

    with _library(options) as library:
        hits = library.search(options.question, options.k, Filter.parse(options.where, options.as_of))
    if options.json:
        _print_json(hits_json(options.question, hits))
    else:
        lines = (_hit_lines(rank, hit, options.question) for rank, hit in enumerate(hits, 1))
        print("\n\n".join(lines) or "nothing found")
    return 0


def _hit_lines(rank: int, hit: Hit, question: str) -> str:
    """Return a hit with its reference, its text, and why it was found."""
    from rag.terms import matched_words

    words = ", ".join(matched_words(question, hit.passage.retrieval_text)) or "none"
    halves = f"by meaning: {hit.dense_rank or '-'}, by words: {hit.lexical_rank or '-'}"
    text = " ".join(hit.passage.text.split())
    return f"{rank}. {hit.citation}  ({hit.score:.3f})\n   {text}\n   [rank {halves}; words: {words}]"


def _ask(options: argparse.Namespace) -> int:
    from rag import export
    from rag.where import Filter
    from rag.wire import answer_json

    with _library(options) as library:
        history: list[Answer] = []
        where = Filter.parse(options.where, options.as_of)
        for question in options.after:
            history.append(library.ask(question, options.k, where, history))
        if sys.stdout.isatty() and not options.json and not options.format:
            return _ask_aloud(library.ask_stream(options.question, options.k, where, history))
        answer = library.ask(options.question, options.k, where, history)
    if options.json:
        _print_json(answer_json(answer))
    elif options.format:
        print(getattr(export, options.format)([answer_json(answer)]), end="")
    else:
        print(_answer_lines(answer))
    return 0


def _ask_aloud(answers: Iterator[Answer]) -> int:
    """Print each sentence as it comes, then the sources; where the answer is another in the end, print that whole."""
    said: list[str] = []
    sources: list[str] = []
    for answer in answers:
        lines = [_spoken(sentence.speaker, [sentence]) for sentence in answer.sentences]
        if answer.reason or lines[: len(said)] != said:
            print("\n" * bool(said) + _answer_lines(answer))
            return 0
        print("".join(f"{line}\n" for line in lines[len(said) :]), end="", flush=True)
        said, sources = lines, _source_lines(answer)
    print("\n".join(["", *sources]))
    return 0


def _answer_lines(answer: Answer) -> str:
    meant = [f"searched for: {answer.searched_for}", ""] if answer.searched_for else []
    if answer.abstained:
        nearest = (f"  {hit.citation}\n    {' '.join(hit.passage.text.split())[:200]}" for hit in answer.nearest)
        return "\n".join([*meant, answer.text, *nearest])
    notice = [answer.reason, ""] if answer.reason else []
    return "\n".join([*notice, *meant, *_joined(answer), *_sides(answer), "", *_source_lines(answer)])


def _source_lines(answer: Answer) -> list[str]:
    return [f"  [{c.number}] {c}\n      {c.uri}{_meant_dates(c)}" for c in answer.citations]


def _meant_dates(citation: Citation) -> str:
    """Return the days that `on Tuesday` and the like mean in a quotation, as a line of their own."""
    from rag.wire import dates_json

    days = [f"“{' '.join(found['text'].split())}”: {found['date']}" for found in dates_json(citation)]
    return f"\n      {', '.join(days)}" if days else ""


def _sides(answer: Answer) -> list[str]:
    """Return what sources differ on, each side with its date, document and speaker."""
    cited = {citation.number: citation for citation in answer.citations}
    lines = []
    for conflict in answer.conflicts:
        lines += ["", f"Sources differ on {conflict.about}:"]
        for c in (cited[number] for number in conflict.sides):
            who = ", ".join(part for part in (c.date or "no date", c.title, c.speaker) if part)
            lines.append(f"  {who}: {' '.join(c.quote.split())} [{c.number}]")
    return lines


def _joined(answer: Answer) -> list[str]:
    """Return the answer as lines: neighbouring sentences of one speaker, or of nobody, on one line."""
    groups = groupby(answer.sentences, key=lambda sentence: sentence.speaker)
    return [_spoken(speaker, sentences) for speaker, sentences in groups]


def _spoken(speaker: str | None, sentences: Iterable[AnswerSentence]) -> str:
    words = " ".join(map(str, sentences))
    return f"{speaker}: {words}" if speaker else words


def _show(options: argparse.Namespace) -> int:
    from rag.wire import document_json

    with _library(options) as library:
        document = library.document(options.document)
        data = document_json(document, options.at)
        if options.json:
            _print_json({**data, **(_place_json(library, document, options.at) if options.at else {})})
        else:
            print(_marked(document, options.at) if options.at else document.text)
    return 0


def _place_json(library: Library, document: Document, span: Span) -> dict[str, object]:
    """Return the page of a span and its rectangles there, as far as the original is still at hand."""
    try:
        rectangles = library.rectangles(document.uri, span)
    except LoadError as error:
        _complain(str(error))
        rectangles = []
    return {
        "page": document.page_at(span.start),
        "rectangles": [rectangle._asdict() for rectangle in rectangles],
    }


def _marked(document: Document, span: Span, around: int = 300) -> str:
    """Return the span in its context, between marks that stand out in a terminal."""
    text = document.text
    start, end = max(0, span.start - around), min(len(text), span.end + around)
    on, off = ("\x1b[7m", "\x1b[0m") if sys.stdout.isatty() else (">>>", "<<<")
    return f"{text[start : span.start]}{on}{span.of(text)}{off}{text[span.end : end]}"


def _status(options: argparse.Namespace) -> int:
    from rag.wire import status_json

    with _library(options) as library:
        status, documents = library.status(), library.documents()
    if options.json:
        _print_json(status_json(status, documents))
        return 0
    waiting = f" ({status.waiting} without a vector yet)" if status.waiting else ""
    print(f"{status.store}: {status.documents} documents, {status.passages} passages{waiting}")
    print(f"encoder {status.model} ({status.dimension}), generation {status.generation}, {status.bytes / 1e6:.1f} MB")
    for info in documents:
        print(f"  {info.date or '          '}  {info.passages:5}  {info.uri}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _library(options) as library:
        damages = library.verify()
    if options.json:
        _print_json({"sound": not damages, "damages": damages})
    else:
        print("\n".join(damages) or "sound")
    return 1 if damages else 0


def _eval(options: argparse.Namespace) -> int:
    from rag.evaluate import SYSTEMS
    from rag.evaluate.report import check_report, comparison, table, write_report

    check_report(options.report)
    systems = SYSTEMS if options.system == "all" else (options.system,)
    results = _results(options, systems)
    summaries = {result.system: result.summary() for result in results}
    compared = _compared(options.compare, results[-1]) if options.compare else []
    if options.report:
        write_report(results[-1], options.report)
    if options.json:
        changes = {"compared": [asdict(difference) for difference in compared]} if compared else {}
        _print_json({**(summaries if len(systems) > 1 else summaries[systems[0]]), **changes})
    else:
        print("\n\n".join([table(results), *([comparison(compared)] if compared else [])]))
    return 0


def _results(options: argparse.Namespace, systems: Sequence[str]) -> list[Result]:
    """Measure systems on a folder with its own documents, or on questions about the index."""
    from rag.embed import DEFAULT_MODEL, embedder
    from rag.evaluate import evaluate, opened, read_folder, read_questions
    from rag.progress import Bars

    folder = options.set.is_dir()
    dataset = read_folder(options.set) if folder else None
    with Bars() as bars:
        encoder = embedder(options.model or DEFAULT_MODEL)
        source = opened(dataset, encoder, bars.show, _reranker(options)) if dataset else _library(options)
        with source as library:
            chosen = (dataset or read_questions(options.set, library)).limited(options.limit)
            answers = not options.no_answers
            return [evaluate(chosen, library, system=name, answers=answers, progress=bars.show) for name in systems]


def _compared(file: Path, result: Result) -> list[Difference]:
    from rag.evaluate.compare import differences
    from rag.evaluate.measures import ANSWER, RANKING
    from rag.evaluate.report import read_report

    now = {case.question.id: case.scores for case in result.cases}
    return differences(read_report(file), now, (*RANKING, *ANSWER))


def _serve(options: argparse.Namespace) -> int:
    from rag import mcp, ui

    with _library(options) as library:
        if options.mcp:
            mcp.serve(library)
        else:
            ui.serve(library, options.host, options.port, options.name, options.password_file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
