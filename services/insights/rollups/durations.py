"""Durations as they are counted: rounded up, the coarser the longer, as the pages print them. Pure.

Rounded up, so that "within an hour" holds exactly those that took an hour at most.
"""

from __future__ import annotations

from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
_GRAINS: Final = (
    (HOUR_MS, MINUTE_MS),
    (4 * HOUR_MS, 5 * MINUTE_MS),
    (DAY_MS, 15 * MINUTE_MS),
    (10 * DAY_MS, HOUR_MS),
)
"""Up to so long: to a multiple of so much; beyond: to the day."""


def rounded_up(ms: int) -> int:
    """To the minute up to an hour, to five minutes up to four hours, to a quarter of an hour up to
    a day, to the hour up to ten days, to the day beyond; nothing is shorter than zero."""
    grain = next((grain for longest, grain in _GRAINS if ms <= longest), DAY_MS)
    return max(0, -(-ms // grain) * grain)
