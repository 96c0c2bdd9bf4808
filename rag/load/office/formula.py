"""Formulas of office files (OMML) in one line, as they are typed: `x^2`, `(a+b)/2`, `√(x)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.load.package import attribute, local

if TYPE_CHECKING:
    from rag.load.package import Element


def formula(element: Element) -> str:
    """Return the text of a formula, or of a part of it."""
    name = local(element)
    if name == "t":
        return element.text or ""
    part = {local(child): formula(child) for child in element if not local(child).endswith("Pr")}
    base = part.get("e", "")
    if name == "f":
        return f"{_group(part.get('num', ''))}/{_group(part.get('den', ''))}"
    if name == "d":
        inner = ", ".join(formula(child) for child in element if local(child) == "e")
        return f"{_sign(element, 'begChr', '(')}{inner}{_sign(element, 'endChr', ')')}"
    whole = {
        "rad": f"{part.get('deg', '')}√{_group(base)}",
        "nary": f"{_sign(element, 'chr', '∫')}{_raised(part)} {base}",
        **dict.fromkeys(("sSup", "sSub", "sSubSup"), base + _raised(part)),
    }
    return whole.get(name) or "".join(formula(child) for child in element if not local(child).endswith("Pr"))


def _raised(part: dict[str, str]) -> str:
    signs = (("_", part.get("sub", "")), ("^", part.get("sup", "")))
    return "".join(f"{sign}{_group(text)}" for sign, text in signs if text)


def _group(text: str) -> str:
    """Put brackets around what is more than one sign or number."""
    return text if len(text) < 2 or text.isdecimal() else f"({text})"


def _sign(element: Element, name: str, usual: str) -> str:
    """Return a sign that the formula's properties may name."""
    found = next((each for each in element.iterfind(f"*/{{*}}{name}")), None)
    return usual if found is None else attribute(found, "val") or ""
