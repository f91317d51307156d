"""Moments as people type and read them: ``2026-11-22T09:00``, ``15m``, ``2d`` ago; milliseconds
inside."""

import re
import time
from datetime import UTC, datetime

import typer

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def moment_ms(text: str) -> int:
    """Milliseconds since the epoch of an ISO date or time (UTC unless it says otherwise), or of so
    long ago."""
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if ago:
        return int(time.time() * 1000) - int(ago[1]) * _UNITS_MS[ago[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no moment; write 2026-11-22T09:00 or 15m, 2h, 3d (ago)"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def written(at_ms: int) -> str:
    """``2026-11-22 09:00:00.123`` in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
