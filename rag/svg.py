"""Pictures as SVG text: whatever comes from documents is escaped, colours follow the page around them."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def element(tag: str, *children: str, **attributes: object) -> str:
    """Return an element around others, which are SVG already; `_` in names of attributes stands for `-`."""
    named = "".join(
        f" {name.strip('_').replace('_', '-')}={quoteattr(fit(value))}" for name, value in attributes.items()
    )
    return f"<{tag}{named}>{''.join(children)}</{tag}>"


def fit(value: object) -> str:
    """Return a value as text without the characters that XML cannot hold; a float with one digit."""
    return f"{value:.1f}" if isinstance(value, float) else _UNFIT.sub("\ufffd", str(value))


def words(text: str) -> str:
    """Return text as SVG."""
    return escape(fit(text))


def picture(name: str, size: tuple[int, int], title: str, description: str, *parts: str) -> str:
    """Return a whole picture that says in words what it shows; `name` makes its ids and its class."""
    head = (
        element("title", words(title), id=f"{name}-title"),
        element("desc", words(description), id=f"{name}-desc"),
    )
    return element(
        "svg",
        *head,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_=name,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family="inherit",
    )
