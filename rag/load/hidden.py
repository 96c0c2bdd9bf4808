"""Words of a web page that nobody sees, by the looks that its elements give them: gone, tiny, white on white."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.load.blocks import line

if TYPE_CHECKING:
    from rag.load.container import Element

_TINY = re.compile(r"0?\.[0-2]\d*(?:r?em)?|0(?:[a-z]+|%)?|[01](?:\.\d+)?(?:px|pt)")
_NEAR = 16  # of 255; colours that differ by less look the same
_UNKNOWN = "unknown"  # colour, as a style sheet may give it


def background(tree: Element) -> str:
    """Return the colour of a page: white, unless a style sheet may say otherwise."""
    sheets = "//link[contains(@rel, 'stylesheet')]|//style[contains(., 'background')]"
    return _UNKNOWN if tree.xpath(sheets) else "white"


def hide(body: Element, paper: str) -> dict[Element, str]:
    """Take hidden words out of a tree on `paper` of a colour; return the words of each element that had some."""
    looks: dict[Element | None, dict[str, str]] = {body.getparent(): {"background": paper}}
    hidden: dict[Element, str] = {}
    for element in body.iter():
        looks[element] = look = looks[element.getparent()] | _look(element, paper)
        if _is_hidden(look):
            words = [element.text or "", *(child.tail or "" for child in element)]
            element.text = None
            for child in element:
                child.tail = None
            if text := line(" ".join(words)):
                hidden[element] = text
    return hidden


def _look(element: Element, paper: str) -> dict[str, str]:
    """Return what an element says of the looks of its words, as far as that may hide them."""
    pairs = (each.partition(":") for each in element.get("style", "").lower().split(";"))
    own = {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}
    away = any(own.get(side, "").startswith("-999") for side in ("left", "top", "text-indent"))
    cut = own.get("overflow") == "hidden" and any(_is_nothing(own.get(side, "1")) for side in ("height", "width"))
    if (
        "hidden" in element.attrib
        or own.get("display") == "none"
        or "editsection" in element.get("class", "")  # MediaWiki's `[edit]` behind each heading
        or _is_nothing(own.get("opacity", "1"))
        or away
        or cut
    ):
        return {"gone": "yes"}
    found = {name: own[name] for name in ("font-size", "visibility") if name in own}
    color = own.get("color") or (element.get("color") if element.tag == "font" else None)
    painted = own.get("background-color") or own.get("background") or element.get("bgcolor")
    if not painted and paper == _UNKNOWN and element.get("class"):
        painted = paper
    given = {"color": color, "background": painted}
    return found | {
        name: value for name, value in given.items() if value not in {None, "none", "transparent", "inherit"}
    }


def _is_nothing(size: str) -> bool:
    return not size.strip("0.%px")


def _is_hidden(look: dict[str, str]) -> bool:
    from PIL import ImageColor

    if "gone" in look or look.get("visibility") in {"hidden", "collapse"} or _TINY.fullmatch(look.get("font-size", "")):
        return True
    if "color" not in look:
        return False
    try:
        ink, paper = (ImageColor.getrgb(look[name])[:3] for name in ("color", "background"))
    except ValueError:  # of no known name, or more than a colour
        return False
    return all(abs(one - other) < _NEAR for one, other in zip(ink, paper, strict=True))
