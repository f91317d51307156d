"""Days and months in the agreement's zone, by which counts are kept. Pure.

A count stands under its day and under its month, so a period reads whole months as one, and single
days at its edges only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_QUARTER_MS: Final = 900_000
"""Zones differ from UTC by whole quarters of an hour, so one lies in one day."""


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65_536)
def _spans(quarter: int, zone: str) -> tuple[str, str]:
    at = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(_zone(zone))
    return f"{at:%Y-%m-%d}", f"{at:%Y-%m}"


def spans_of(at_ms: int, zone: str) -> tuple[str, str]:
    """The day and the month that a moment counts for."""
    return _spans(at_ms // _QUARTER_MS, zone)


def spans_between(begins: date, ends: date) -> Iterator[str]:
    """Names of spans that make up the days from ``begins`` until before ``ends``, each day in one
    of them."""
    while begins < ends:
        following = (begins.replace(day=1) + timedelta(days=32)).replace(day=1)
        if begins.day == 1 and following <= ends:
            yield f"{begins:%Y-%m}"
            begins = following
        else:
            yield begins.isoformat()
            begins += timedelta(days=1)
