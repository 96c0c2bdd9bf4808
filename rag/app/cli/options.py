"""The commands of `rag` and their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rag import __version__
from rag.app.cli import commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.records import Span

_EPILOG = """examples:
  rag index reports/                    make or update the index in ./index
  rag ask 'How many civilians live in Idlib?'
  rag search 'ceasefire talks' -k 5
  rag show report.txt --at 120:180      the cited characters in their context
"""


_EVAL_EPILOG = (
    "The documents of a BEIR folder get an index of their own. It holds their whole text, and is kept for the next "
    "run in ~/.cache/rag/eval ($XDG_CACHE_HOME/rag/eval where that is set); to be rid of it, delete that folder."
)
_WHERE = "document=report.txt, folder=2024, date=2024-01..2024-06-30, date>=2024-05, section=Methods, speaker=Ford"
_STORE = "the index: a folder, or milvus://HOST:PORT/COLLECTION (default: index)"
_RERANKER = "a sentence-transformers cross-encoder by name or path in place of the package's reader, or none"
OPEN_TO_ALL = (
    "open the page to every user and program of this machine: all documents and conversations, and, by indexing them, "
    "all files of whoever started it; without this, it opens with the token in the printed address"
)
_READER = "a transformers model for question answering by name or path in place of the package's reader, or none"
_WORKERS = (
    "read and encode in so many processes, or on Ray: a cluster of this machine, or the one that RAY_ADDRESS or this "
    "address names; what is done is published as it comes, and an interrupted run goes on from there"
)


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command sets `run` to its function, and `writes` for those that change the index."""
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--store", metavar="PATH_OR_URL", default=argparse.SUPPRESS, help=_STORE)
    whole = argparse.ArgumentParser(
        prog="rag",
        description="Cited question answering over your own documents.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[store],
    )
    whole.add_argument("--version", action="version", version=f"rag {__version__}")
    subparsers = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=text, description=text, parents=[store])
        added.set_defaults(run=run, writes=name in {"index", "remove", "copy"})
        if name != "serve":
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    _add_commands(command)
    return whole


def _add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    _add_index(command("index", commands.index, "bring the index up to date with files and folders"))
    remove = command("remove", commands.remove, "take documents out of the index")
    forget = command("forget", commands.forget, "forget the kept conversations that quote documents")
    for naming in (remove, forget):
        naming.add_argument("documents", nargs="+", metavar="DOCUMENT")
    search = command("search", commands.search, "find cited passages")
    ask = command("ask", commands.ask, "answer a question with citations")
    for asking, k in ((search, 10), (ask, 12)):
        asking.add_argument("question", metavar="QUESTION")
        asking.add_argument("-k", type=_positive, default=k, metavar="N", help=f"passages (default: {k})")
        asking.add_argument("--model", metavar="NAME", help="the encoder, when it is not the one that the index names")
        asking.add_argument(
            "--where", action="append", default=[], metavar="KEY=VALUE", help=f"only in: {_WHERE}; may be repeated"
        )
        asking.add_argument("--as-of", default="", metavar="DATE", help="leave out what was published after this day")
        asking.add_argument("--reranker", metavar="NAME", help=_RERANKER)
    _add_answering(ask)
    show = command("show", commands.show, "print a document, with a span marked")
    show.add_argument("document", metavar="DOCUMENT")
    show.add_argument("--lost", action="store_true", help="print what of the file is not in its text, and why")
    show.add_argument("--at", type=_span, metavar="START:END", help="mark these characters, in their context")
    command("status", commands.status, "count documents and passages")
    command("verify", commands.verify, "check everything again; exit 1 on any damage").add_argument(
        "--repair", action="store_true", help="make derived files anew, and forget damaged conversations (a copy stays)"
    )
    _add_copy(command("copy", commands.copy, "copy an index into another store, without embedding anything again"))
    llm = command(
        "llm", commands.llm, "list the LLMs that can write answers: the one set up, and those on this machine"
    )
    llm.add_argument(
        "--try", dest="try_it", action="store_true", help="ask the one that would answer, and say what works"
    )
    _add_llm(llm)
    _add_eval(command("eval", commands.evaluate, "measure retrieval and answers on a set of questions"))
    _add_serving(command("serve", commands.serve, "open the web page on this machine"))


def _add_copy(copying: argparse.ArgumentParser) -> None:
    for option, text in (("from", "the index to copy"), ("to", "a folder or URL; empty, or an earlier copy")):
        copying.add_argument(f"--{option}", required=True, dest=f"{option}_store", metavar="STORE", help=text)


def _add_answering(ask: argparse.ArgumentParser) -> None:
    _add_answerer(ask)
    ask.add_argument("--format", choices=["text", "markdown"], help="print a document to send on, with all quotations")
    ask.add_argument(
        "--after", action="append", default=[], metavar="QUESTION", help="asked before, in order; may be repeated"
    )


def _add_serving(serve: argparse.ArgumentParser) -> None:
    _add_answerer(serve)
    serve.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1; any other needs a password")
    serve.add_argument("--port", type=_port, default=7860, help="default: 7860; 0 takes a free one")
    serve.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is the password to ask for")
    serve.add_argument("--no-token", action="store_true", help=OPEN_TO_ALL)
    serve.add_argument("--name", action="append", default=[], help="a host name it is reached by; may be repeated")
    serve.add_argument(
        "--proxy", metavar="IP", help="a proxy in front, whose X-Forwarded-For says who asks; believed of nobody else"
    )
    serve.add_argument("--mcp", action="store_true", help="serve an assistant on standard input and output instead")
    serve.add_argument("--model", metavar="NAME", help="the encoder, when it is not the one that the index names")


def _add_index(index: argparse.ArgumentParser) -> None:
    index.add_argument("paths", nargs="+", metavar="PATH")
    index.add_argument("--rebuild", action="store_true", help="make everything anew")
    index.add_argument("--watch", action="store_true", help="go on as files change, until Ctrl-C")
    index.add_argument("--strict", action="store_true", help="exit 1 when a file failed")
    index.add_argument("--model", metavar="NAME", help="a sentence-transformers model by name or path")
    index.add_argument("--workers", type=_workers, metavar="N|ray[://HOST:PORT]", help=_WORKERS)


def _add_eval(measure: argparse.ArgumentParser) -> None:
    measure.epilog = _EVAL_EPILOG
    measure.add_argument(
        "set", type=Path, metavar="FOLDER_OR_FILE", help="a BEIR folder, or questions about the index (JSONL)"
    )
    measure.add_argument("--limit", type=_positive, metavar="N", help="so many questions, the same ones each time")
    measure.add_argument(
        "--system",
        type=_system,
        default="ours",
        metavar="NAME",
        help="what to measure: bm25, dense, rrf, convex, fused, ours or all (default: ours)",
    )
    measure.add_argument("--no-answers", action="store_true", help="measure retrieval only")
    measure.add_argument("--report", type=Path, metavar="FILE", help="write each question's outcome (.html or .jsonl)")
    measure.add_argument("--model", metavar="NAME", help="a sentence-transformers model by name or path")
    measure.add_argument("--reranker", metavar="NAME", help=_RERANKER)


def _add_answerer(answering: argparse.ArgumentParser) -> None:
    answering.add_argument("--reader", metavar="NAME", help=_READER)
    answering.add_argument("--answerer", choices=["extractive", "llm"], default="extractive", help="who writes answers")
    _add_llm(answering)


def _add_llm(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--llm-url",
        metavar="URL",
        help="of an OpenAI-compatible server (default: RAG_LLM_URL, the one chosen on the page, or one found here)",
    )
    command.add_argument("--llm-model", metavar="NAME", help="default: RAG_LLM_MODEL, or the first that it has")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a positive number: {text}")
    return int(text)


def _workers(text: str) -> str:
    if text != "ray" and not text.startswith("ray://"):
        _positive(text)
    return text


def _system(name: str) -> str:
    from rag.evaluate import SYSTEMS  # here, since no other command needs what comes with it

    if name not in {*SYSTEMS, "all"}:
        raise argparse.ArgumentTypeError(f"not one of {', '.join(SYSTEMS)}, all: {name}")
    return name


def _port(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _span(text: str) -> Span:
    from rag.records import Span

    start, colon, end = text.partition(":")
    if not colon or not start.isdecimal() or not end.isdecimal() or int(start) > int(end):
        raise argparse.ArgumentTypeError(f"not START:END: {text}")
    return Span(int(start), int(end))
