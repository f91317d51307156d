"""Where the marks of a chart lie: plain numbers for the templates, which draw SVG with a title, a
description and a table beside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from services.insights.reports.lead import Point

WIDTH: Final = 640
HEIGHT: Final = 180
LEFT: Final = 34
BOTTOM: Final = 24
TOP: Final = 10
_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The score: paths in the coordinates of the viewBox, marks of the axes with their words."""

    engagement: str
    fit: str
    dots: tuple[tuple[float, float, str], ...]
    ticks_x: tuple[tuple[float, str], ...]
    ticks_y: tuple[tuple[float, str], ...]


def curve(points: Sequence[Point], until_ms: int, zone: ZoneInfo) -> Curve | None:
    """The score over time. None of nothing."""
    if not points:
        return None
    first, last = points[0].at_ms, max(until_ms, points[-1].at_ms, points[0].at_ms + 1)
    top = max(100.0, *(max(point.engagement, point.fit) for point in points))

    def x(at_ms: int) -> float:
        return round(LEFT + (WIDTH - LEFT - 8) * (at_ms - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top, 1)

    dots = tuple(
        (
            x(point.at_ms),
            y(point.engagement),
            f"{point.engagement:.1f} points, {point.grade}, {point.level}",
        )
        for point in points
    )
    moments = [first + n * (last - first) // _TICKS for n in range(_TICKS + 1)]
    ticks_x = tuple(zip(map(x, moments), _named(moments, zone), strict=True))
    ticks_y = tuple((y(value), f"{value:.0f}") for value in (0, top / 2, top))
    return Curve(
        engagement=_course([(x(point.at_ms), y(point.engagement)) for point in points], x(last)),
        fit=_course([(x(point.at_ms), y(point.fit)) for point in points], x(last)),
        dots=dots,
        ticks_x=ticks_x,
        ticks_y=ticks_y,
    )


def _course(places: Sequence[tuple[float, float]], end: float) -> str:
    """A path: a rise is a step, at the act that caused it; a fall is a straight line, as the score
    decays. (y grows downwards.)"""
    parts = [f"M{places[0][0]} {places[0][1]}"]
    for (_, former_y), (place_x, place_y) in pairwise(places):
        parts.append(f"H{place_x}V{place_y}" if place_y < former_y else f"L{place_x} {place_y}")
    return "".join([*parts, f"H{end}"])


def _named(moments: Sequence[int], zone: ZoneInfo) -> list[str]:
    """The days; with the time where one of them has two marks, with the year where the day is of
    two years."""
    times = [datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone) for at_ms in moments]
    days = [f"{at.day} {at:%b}" for at in times]
    if len({at.date() for at in times}) < len(times):
        return [f"{day} {at:%H:%M}" for day, at in zip(days, times, strict=True)]
    if times[0].year != times[-1].year:
        return [f"{day} {at.year}" for day, at in zip(days, times, strict=True)]
    return days


def bar(value: float | None, width: float = 100.0) -> float:
    """The length of a bar for a share of 0 to 1; what is more is cut off."""
    return 0.0 if value is None else round(width * min(1.0, max(0.0, value)), 1)
