"""What each command does and reports: options in, exit code out."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rag.app.as_json import answer_json, document_json, hits_json, report_json, status_json
from rag.app.cli.output import (
    Bars,
    answer_lines,
    complain,
    hit_lines,
    lost_lines,
    marked,
    print_json,
    say,
    sentence_line,
    side_lines,
    source_lines,
    written_lines,
)
from rag.app.display import one_line, printable
from rag.errors import InputError, LoadError, RagError
from rag.records import Filter, Why
from rag.records.index import found_by_words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rag.evaluate import Result
    from rag.library import Library
    from rag.records import Answer, Document, Span, SyncReport
    from rag.sync.leftovers import Leftovers

SAMPLES = Path(__file__).parents[3] / "data"
"""The sample documents: what app.py indexes where there is no index."""


def index(options: argparse.Namespace) -> int:
    """Bring the index up to date, and go on with `--watch`."""
    if options.watch and options.rebuild:
        raise InputError("--watch goes on with an index as it is; run rag index --rebuild first, then --watch")
    if options.watch and options.workers:
        raise InputError("--watch reads few files at a time; run rag index --workers first, then --watch alone")
    with _library(options) as library, Bars() as bars:
        if options.watch:
            return _watch(options, library, bars)
        report = library.index(*options.paths, rebuild=options.rebuild, progress=bars.show, workers=options.workers)
        _print_report(report, options)
        _say_samples(library, report, options)
    return 1 if options.strict and report.count("failed") else 0


def _watch(options: argparse.Namespace, library: Library, bars: Bars) -> int:
    from rag.sync.watch import watch

    reports = watch(library, options.paths, progress=bars.show)
    first = next(reports)
    _print_report(first, options, indent=None)
    if not isinstance(first, RagError):
        _say_samples(library, first, options)
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
    if isinstance(report, RagError):
        complain(f"{report} (it is tried again)")
    elif options.json:
        print_json(report_json(report), indent)
    else:
        say(f"{report} ({report.passages} passages, {report.embedded} embedded, {report.seconds:.1f} s)")
        _say_set_aside(report)
        for outcome in (*report.incomplete, *report.of("skipped"), *report.of("failed")):
            say(one_line(f"  {outcome.state}: {outcome.path}: {outcome.reason}"), file=sys.stderr)


def _say_set_aside(report: SyncReport) -> None:
    found = [outcome.aside for outcome in report.outcomes if outcome.aside]
    counts = Counter({why: sum(aside.get(why, 0) for aside in found) for why in get_args(Why)})
    listed = ", ".join(f"{count} {why}" for why, count in counts.items() if count)
    if listed:
        say(f"  set aside: pieces of {len(found)} documents ({listed}); rag show --lost DOCUMENT prints them")


def _say_samples(library: Library, report: SyncReport, options: argparse.Namespace) -> None:
    """Where documents were added to the samples, say that these answer, too, and what can be done about it."""
    from rag.sync.walk import uri_of

    if not report.count("added") or not SAMPLES.with_name("app.py").is_file():  # without it that folder is anybody's
        return
    folder = Path(uri_of(SAMPLES))
    for path in (Path(uri_of(Path(given))) for given in options.paths):
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            return
    samples = [info.uri for info in library.documents() if Path(info.uri).is_relative_to(folder)]
    if samples:
        whole = sorted(samples) == sorted(map(uri_of, SAMPLES.iterdir()))
        named = f"{shlex.quote(str(folder))}/*" if whole else shlex.join(samples)
        complain(
            f"this index also holds {len(samples)} sample documents of app.py, which answer your questions, too; "
            f"to take them out: rag remove {named} --store {shlex.quote(str(options.store))}; to keep your own apart "
            "from the start: rag index FOLDER --store PLACE, then rag serve --store PLACE"
        )


def remove(options: argparse.Namespace) -> int:
    """Take documents out of the index, and say what stays of them."""
    from rag.sync.leftovers import leftovers

    with _library(options) as library:
        report = library.remove(*options.documents)
        _put(options, report_json(report), f"{report.count('removed')} removed")
        gone = [outcome.path for outcome in report.outcomes]
        _say_what_stays(leftovers(library.store, library.history(), gone), options)
    return 0


def _say_what_stays(left: Sequence[Leftovers], options: argparse.Namespace) -> None:
    for each in left:
        if each.file:
            complain(
                f"{each.file} is still there: the next rag index of its folder adds it again, unless .ragignore "
                "there names it"
            )
    quoted = [each.uri for each in left if each.conversations]
    number = len({conversation for each in left for conversation in each.conversations})
    if quoted:
        still = "1 kept conversation still quotes" if number == 1 else f"{number} kept conversations still quote"
        command = shlex.join(["rag", "forget", *quoted, "--store", str(options.store)])
        complain(f"{still} what was removed; to forget that, too: {command}")


def forget(options: argparse.Namespace) -> int:
    """Forget the kept conversations that quote documents."""
    with _library(options) as library:
        number = library.history().forget(*options.documents)
    return _put(options, {"forgotten": number}, f"{number} forgotten")


def search(options: argparse.Namespace) -> int:
    """Print cited passages."""
    where = Filter.parse(options.where, options.as_of)
    with _library(options) as library:
        hits = library.search(options.question, options.k, where)
        if lacks := library.found_by_words():
            complain(lacks)
    lines = (hit_lines(rank, hit, options.question) for rank, hit in enumerate(hits, 1))
    nothing = f"nothing found where {where}" if where else "nothing found"
    return _put(options, hits_json(options.question, hits), "\n\n".join(lines) or nothing)


def ask(options: argparse.Namespace) -> int:
    """Print the answer with its citations."""
    where = Filter.parse(options.where, options.as_of)
    with _library(options) as library:
        history: list[Answer] = []
        for question in options.after:
            history.append(library.ask(question, options.k, where, history))
        if sys.stdout.isatty() and not options.json and not options.format:
            return _print_growing(library.ask_stream(options.question, options.k, where, history))
        answer = library.ask(options.question, options.k, where, history)
    form = answer_json(answer)
    if options.format and not options.json:
        from rag.app import export

        say(getattr(export, options.format)([form]), end="")
        return 0
    return _put(options, form, answer_lines(answer))


def _print_growing(answers: Iterator[Answer]) -> int:
    """Print each sentence that an LLM writes as it comes, then the rest; where there is none, the answer as it is."""
    printed: list[str] = []
    last: Answer | None = None
    for last in answers:
        written = [sentence_line(s) for s in last.sentences if s.writer]
        lines = [*written_lines(last), *written] if written else []
        if lines[: len(printed)] != printed:  # a summary in the place of its points
            break
        say("".join(f"{line}\n" for line in lines[len(printed) :]), end="")
        printed = lines
    *_, last = [last, *answers]
    if last is None:
        return 0
    if printed and printed == [*written_lines(last), *(sentence_line(s) for s in last.sentences)]:
        say("\n".join([*side_lines(last), "", *source_lines(last)]))
    else:
        say("\n" * bool(printed) + answer_lines(last))
    return 0


def show(options: argparse.Namespace) -> int:
    """Print a document, its span marked."""
    with _library(options) as library:
        document = library.document(options.document)
        if options.lost:
            lost = [asdict(each) for each in document.set_aside]
            return _put(options, {"uri": document.uri, "set_aside": lost}, lost_lines(document))
        data = document_json(document, options.at)
        if options.json:
            print_json({**data, **(_place_json(document, options.at) if options.at else {})})
        else:
            print(marked(document, options.at) if options.at else printable(document.text))
    return 0


def _place_json(document: Document, span: Span) -> dict[str, object]:
    from rag.load.places import rectangles

    try:
        found = rectangles(document, span)
    except LoadError as error:
        complain(str(error))
        found = []
    return {"page": document.page_at(span.start), "rectangles": [rectangle._asdict() for rectangle in found]}


def status(options: argparse.Namespace) -> int:
    """Count what is there."""
    with _library(options) as library:
        status, documents = library.status(), library.documents()
    lacks = found_by_words(status.waiting, status.passages)
    size = f", {status.bytes / 1e6:.1f} MB" if status.bytes else ""  # a server does not tell
    lines = (
        f"{status.store}: {status.documents} documents, {status.passages} passages",
        *([f"{lacks}; rag index goes on with the rest"] if lacks else []),
        f"encoder {status.model} ({status.dimension}), generation {status.generation}{size}",
        f"vector search: {status.vectors}",
        *(one_line(f"  {info.date or '          '}  {info.passages:5}  {info.uri}") for info in documents),
    )
    return _put(options, status_json(status, documents), "\n".join(lines))


def verify(options: argparse.Namespace) -> int:
    """Check everything again, and mend what can be made anew if asked to; 1 on any damage that is left."""
    with _library(options) as library:
        damages = library.repair() if options.repair else library.verify()
    _put(options, {"sound": not damages, "damages": damages}, "\n".join(damages) or "sound")
    return 1 if damages else 0


def copy(options: argparse.Namespace) -> int:
    """Copy an index into another store."""
    from contextlib import closing

    from rag.store import open_store
    from rag.store.copy import copied

    if options.from_store == options.to_store:
        raise InputError(f"{options.to_store} cannot be copied into itself; name another store with --to")
    source, target = open_store(options.from_store), open_store(options.to_store)
    with closing(source), closing(target), Bars() as bars:
        report = copied(source, target, bars.show)
    line = (
        f"{report.copied} documents copied, {report.unchanged} unchanged; {options.to_store} holds "
        f"{report.documents} documents, {report.passages} passages, each compared with the source"
    )
    return _put(options, asdict(report), line)


def evaluate(options: argparse.Namespace) -> int:
    """Print scores on a set of questions."""
    from rag.evaluate import SYSTEMS
    from rag.evaluate.report import check_report, table, write_report

    if options.report:
        check_report(options.report)
    systems = SYSTEMS if options.system == "all" else (options.system,)
    results = _results(options, systems)
    summaries = {result.system: result.summary() for result in results}
    _put(options, summaries if len(systems) > 1 else summaries[systems[0]], table(results))
    if options.report:  # after the scores, which have cost all the time
        write_report(results[-1], options.report)
    return 0


def _results(options: argparse.Namespace, systems: Sequence[str]) -> list[Result]:
    """Measure systems on a folder with its own documents, or on questions about the index."""
    from rag.evaluate import evaluate as measured
    from rag.evaluate import kept_at, opened, read_folder, read_questions
    from rag.models.encoder import DEFAULT_MODEL, embedder

    dataset = read_folder(options.set) if options.set.is_dir() else None
    where = kept_at(dataset, options.store) if dataset else None
    if isinstance(where, Path) and not where.exists():
        print(f"the index of these documents is kept in {where} for the next run; delete it at will", file=sys.stderr)
    with Bars() as bars:
        encoder = embedder(options.model or DEFAULT_MODEL)
        source = opened(dataset, encoder, bars.show, options.reranker, options.store) if dataset else _library(options)
        with source as library:
            chosen = (dataset or read_questions(options.set, library)).limited(options.limit)
            answers = not options.no_answers
            return [measured(chosen, library, system=name, answers=answers, progress=bars.show) for name in systems]


def serve(options: argparse.Namespace) -> int:
    """Serve the page, or an assistant."""
    from rag.app import mcp, ui
    from rag.app.ui.ending import leave

    code = 0
    try:
        with _library(options) as library:
            if options.mcp:
                mcp.server(library).run("stdio")
            else:
                keys = {"with_token": not options.no_token, "proxy": options.proxy}
                ui.serve(library, options.host, options.port, options.name, options.password_file, **keys)
    except KeyboardInterrupt:  # before it served
        code = 130
    leave(code)


def llm(options: argparse.Namespace) -> int:
    """List the LLM that is set up and those that are found on this machine; with `--try`, try the one to be asked."""
    from rag.answer.write import choice, servers
    from rag.answer.write.endpoint import Settings

    if options.try_it:
        from rag.answer.write.trial import tried

        line = tried(choice.chosen(options.llm_url, options.llm_model))
        return _put(options, {"line": line}, line)
    named, found = Settings.named(url=options.llm_url, model=options.llm_model) or choice.kept(), servers.found()
    data = {
        "chosen": named and {"url": named.url, "model": named.model, "local": servers.is_local(named.url)},
        "found": [{"name": each.name, "url": each.url, "models": list(each.models)} for each in found],
    }
    lines = [f"set up: {named.model or 'the first model'} at {named.url}"] if named else []
    lines += [f"found: {model} ({each.name}, {each.url})" for each in found for model in each.models]
    nothing = f"No LLM is set up, and none runs on this machine ({', '.join(servers.PORTS)})."
    return _put(options, data, "\n".join(lines) or nothing)


def _put(options: argparse.Namespace, data: object, text: str) -> int:
    if options.json:
        print_json(data)
    else:
        say(text)
    return 0


def _library(options: argparse.Namespace) -> Library:
    from rag.library import Library
    from rag.models.encoder import embedder

    model = getattr(options, "model", None)
    library = Library.open(
        options.store,
        embedder=embedder(model) if model else None,
        reranker=getattr(options, "reranker", None),
        reader=getattr(options, "reader", None),
    )
    if getattr(options, "answerer", None) == "llm":
        from rag.answer.write import llm_answerer
        from rag.answer.write.choice import chosen

        library.answerer = llm_answerer(library.retriever, chosen(options.llm_url, options.llm_model), library.answerer)
    return library
