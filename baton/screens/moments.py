"""Moments as somebody writes them who thinks in the hours of one calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_moment_ms(text: str, zone: ZoneInfo) -> int:
    """Milliseconds since the epoch; without an offset it is the wall-clock time of ``zone``. Raises
    ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no moment: write 2026-11-27T15:00') from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
