"""Over which time a pool counts turns, by name."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

EVER = "ever"


def period_name(kind: str, timezone: str, at_ms: int) -> str:
    """The week, month or quarter that ``at_ms`` lies in by the clocks of ``timezone``."""
    if kind == EVER:
        return kind
    day = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    match kind:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case _:
            return f"{day.year}-{day.month:02d}"
