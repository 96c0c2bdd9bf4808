"""What stands in quotation marks, and whether a source has it so."""

from __future__ import annotations

import re

_QUOTED = re.compile(
    r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»|„([^„“]+)“|(?<!\w)‘([^‘’]+(?:’\w[^‘’]*)*)’(?!\w)|(?<!\w)'([^']+)'(?!\w)"
)

_STRAY = re.compile(r'["“”«»„]')


def quotations(text: str) -> list[str]:
    """Return what stands in quotation marks, without them."""
    return [next(filter(None, match.groups())) for match in _QUOTED.finditer(text)]


def unquoted(text: str, sources: str) -> str:
    """Take the quotation marks off whatever the sources do not have letter by letter (white space aside).

    A closing comma or full stop inside the marks may belong to the sentence around them. Marks without a partner go.
    """
    parts, position = [], 0
    for match in _QUOTED.finditer(text):
        parts += [_STRAY.sub("", text[position : match.start()]), _kept(match, " ".join(sources.split()))]
        position = match.end()
    return "".join([*parts, _STRAY.sub("", text[position:])])


def _kept(match: re.Match[str], source: str) -> str:
    words = " ".join(next(filter(None, match.groups())).split())
    bare = words.rstrip(".,;")
    if words in source:
        return match[0]
    if bare and bare in source:  # the stop was put inside by the one who quotes
        return f"{match[0][0]}{bare}{match[0][-1]}{words[len(bare) :]}"
    return unquoted(words, source)
