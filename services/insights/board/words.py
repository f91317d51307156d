"""How values are written on the pages: times in the agreement's zone, spans, money, shares, and
text that somebody else wrote. Pure."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.contracts.currencies import minor_digits
from services.insights.figures.wilson_interval import SMALL_CELL, Share

NARROW_SPACE: Final = "\u202f"
MINUS: Final = "\u2212"
DASH: Final = "—"
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_LONGEST_TEXT: Final = 120
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_MARKS_IN_A_ROW: Final = 2


def clean(text: Any, longest: int = _LONGEST_TEXT) -> str:
    """Text of the outside for people to read: no control and direction characters, no towers of
    accents, not too long."""
    kept: list[str] = []
    marks = 0
    for sign in unicodedata.normalize("NFC", str(text)[: 8 * longest]):
        category = unicodedata.category(sign)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category not in _HIDDEN and marks <= _MARKS_IN_A_ROW:
            kept.append(" " if category.startswith("Z") else sign)
    whole = "".join(kept).strip()
    return whole if len(whole) <= longest else whole[: longest - 1].rstrip() + "…"


def moment(at_ms: int | None, zone: ZoneInfo, now_ms: int | None = None) -> str:
    """``Mon 3 Nov, 14:05``; of another year than that of ``now_ms`` with the year."""
    if at_ms is None:
        return DASH
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    now = at if now_ms is None else datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at:%a} {at.day} {at:%b}{year}, {at:%H:%M}"


def machine_time(at_ms: int) -> str:
    """ISO 8601, for ``<time datetime>``."""
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )


def day(value: int | date | None, zone: ZoneInfo) -> str:
    """``3 Nov 2026``."""
    if value is None:
        return DASH
    at = (
        value
        if isinstance(value, date)
        else datetime.fromtimestamp(value / 1000, UTC).astimezone(zone).date()
    )
    return f"{at.day} {at:%b} {at.year}"


def span(ms: int | float | None) -> str:
    """How long: two units at most, ``2 h 05 min``, ``3 d 4 h``, ``45 s``."""
    if ms is None:
        return DASH
    ms = abs(int(ms))
    if ms < _MINUTE:
        return f"{ms // 1000}{NARROW_SPACE}s"
    if ms < _HOUR:
        return f"{ms // _MINUTE}{NARROW_SPACE}min"
    if ms < _DAY:
        return f"{ms // _HOUR}{NARROW_SPACE}h {ms % _HOUR // _MINUTE:02d}{NARROW_SPACE}min"
    hours = ms % _DAY // _HOUR
    return f"{ms // _DAY}{NARROW_SPACE}d" + (
        f" {hours}{NARROW_SPACE}h" if hours and ms < 10 * _DAY else ""
    )


def quantile(ms: int | None, longest: int) -> str:
    """A quantile of a duration, in words where the curve does not reach it."""
    if ms is not None:
        return span(ms)
    return f"not reached (> {span(longest)})" if longest else DASH


def number(value: float | Fraction | None, digits: int = 0) -> str:
    """A number with narrow spaces between thousands."""
    if value is None:
        return DASH
    text = f"{abs(float(value)):,.{digits}f}" if digits else f"{abs(round(value)):,d}"
    return (MINUS if value < 0 else "") + text.replace(",", NARROW_SPACE)


def amount(minor: int, currency: str | None, exact: bool = True) -> str:
    """An amount where the currency stands in the heading; cents always, so that columns align, or
    only where there are some."""
    digits = minor_digits(clean(currency or "?", 3))
    whole, rest = divmod(abs(minor), 10**digits)
    cents = f".{rest:0{digits}d}" if rest or (exact and digits) else ""
    sign = MINUS if minor < 0 else ""
    return f"{sign}{f'{whole:,d}'.replace(',', NARROW_SPACE)}{cents}"


def money(minor: int | None, currency: str | None, exact: bool = False) -> str:
    """An amount in its currency; cents where there are some, or in columns that must align
    (``exact``)."""
    if minor is None:
        return "amount not known"
    return f"{amount(minor, currency, exact)}{NARROW_SPACE}{clean(currency or '?', 3)}"


def percent(rate: float | Fraction | None, digits: int = 0) -> str:
    """``80.4 %``."""
    return DASH if rate is None else f"{float(rate) * 100:.{digits}f}{NARROW_SPACE}%"


def share(found: Share) -> str:
    """A share as it may be shown: of few, the counts instead of a rate."""
    if not found.total:
        return DASH
    return percent(found.rate, 1) if found.shown else f"{found.count} of {found.total}"


def bounds(found: Share) -> str:
    """What is not known about a share: the 95 % interval and the numbers."""
    if not found.total:
        return "nothing to count"
    few = "" if found.firm else "; few, so take it as a hint"
    return (
        f"{found.count} of {found.total}; 95 % interval {percent(found.low, 1)} to "
        f"{percent(found.high, 1)}{few}"
    )


def cell(count: int, *, named: bool) -> str:
    """A count that could point at single people is not shown exactly to those who may not know
    names."""
    return number(count) if named or count == 0 or count >= SMALL_CELL else f"< {SMALL_CELL}"


def csv_cell(value: Any) -> str:
    """A value that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    lines = (part.lstrip(" \u00a0\u200b\ufeff") for part in text.replace("\r", "\n").split("\n"))
    risky = text[:1] in "\t\r\n" or any(
        part[:1] in ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠") for part in lines if part
    )
    return f"'{text}" if text and risky else text
