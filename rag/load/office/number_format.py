"""A cell's value as its sheet shows it: currency, percent, thousands, fixed decimals, dates; by its format code.

openpyxl reads values and codes, and shows none.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

_PART = re.compile(
    r'[_*].|\[\$(?P<currency>[^\]\-]*)[^\]]*\]|\[[^\]]*\]|"(?P<words>[^"]*)"|\\(?P<sign>.)'
    r"|(?P<digits>[0#?](?:[0#?,. ]*[0#?])?,*\.?)|(?P<bare>.)"
)
_SECTION = re.compile(r'((?:"[^"]*"|\\.|[^;"\\])*)(?:;|$)')
_NO_NUMBER = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]')
_MOST_DECIMALS = 30  # that a format may ask for
_TOO_LARGE = 1e15  # digits beyond those that a spreadsheet keeps


def shown(value: object, style: str) -> str:
    """Return a value as a spreadsheet shows it by the format code `style`; whole days always in ISO form."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return _moment(value, style)
    if isinstance(value, bool):
        return str(value).upper()
    if not isinstance(value, int | float):
        return str(value)
    return _number(value, style) or (f"{value:.12g}" if isinstance(value, float) else str(value))


def _moment(value: dt.datetime | dt.date | dt.time | dt.timedelta, style: str) -> str:
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(abs(value.total_seconds())), 60)
        sign = "-" if value < dt.timedelta() else ""
        return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(value, dt.time):
        return value.isoformat("seconds" if value.second else "minutes")
    code = _NO_NUMBER.sub("", style.partition(";")[0]).lower()
    if isinstance(value, dt.datetime) and value.time() != dt.time():
        return value.isoformat(" ", "minutes")
    if "y" in code and "d" not in code:  # a month or a year stands for itself, not for its first day
        return f"{value:%B %Y}" if "m" in code else f"{value:%Y}"
    return f"{value:%Y-%m-%d}"


def _number(value: float, style: str) -> str:
    """Return a number by its format; nothing for a format without one, or one of another kind (fractions, powers)."""
    sections = [match for match in _SECTION.findall(style)[:-1] if match] or [""]
    at = 2 if not value and len(sections) > 2 else 1 if value < 0 and len(sections) > 1 else 0
    parts = list(_PART.finditer(sections[at]))
    bare = "".join(part["bare"] or "" for part in parts).lower()
    digits = [part["digits"] for part in parts if part["digits"]]
    plain = len(digits) < 2 and abs(value) < _TOO_LARGE
    if not plain or any(sign in bare for sign in ("general", "@", "/", "e")):
        return ""
    number = _digits(abs(Decimal(str(value))) * (100 if "%" in bare else 1), digits[0]) if digits else ""
    texts = (number if part["digits"] else "".join(filter(None, part.groups())) for part in parts)
    text = "".join(texts).strip()
    negative = value < 0 and at == 0 and any(char in "123456789" for char in number)
    return f"-{text}" if negative else text


def _digits(value: Decimal, pattern: str) -> str:
    """Return a number by a pattern such as `#,##0.00`; commas behind its digits stand for thousands left out."""
    whole, _, decimals = pattern.rstrip(",").partition(".")
    scale = len(pattern) - len(pattern.rstrip(",")) + len(whole) - len(whole.rstrip(","))
    most = min(sum(map(decimals.count, "0#?")), _MOST_DECIMALS)
    rounded = (value / 1000**scale).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    before, point, after = f"{rounded:,f}".partition(".")
    least = decimals.rfind("0") + 1
    after = after[:least] + after[least:].rstrip("0")
    if "," not in whole.rstrip(","):
        before = before.replace(",", "").zfill(whole.count("0"))
    before = before if "0" in whole else before.strip("0")
    return before + (point + after if after else "")
