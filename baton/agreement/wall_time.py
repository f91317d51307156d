"""Wall-clock time of a zone as milliseconds UTC, on the days the clocks change too.

A wall time that is skipped in spring is the moment of the change; one that comes twice in autumn is
its first or its last occurrence, as the caller asks.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def instant_ms(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> int:
    """The moment when it is ``minute`` minutes past midnight (1440: the next midnight) on
    ``day``."""
    if minute >= MINUTES_A_DAY:
        day, minute = day + timedelta(days=minute // MINUTES_A_DAY), minute % MINUTES_A_DAY
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    first_ms, second_ms = _utc_ms(wall.replace(fold=0)), _utc_ms(wall.replace(fold=1))
    if first_ms > second_ms:
        return _change_ms(second_ms, first_ms, zone)
    return second_ms if last else first_ms


def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """The day it is in ``zone``."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def day_in(text: str, zone: ZoneInfo) -> date | None:
    """The day that a text says: a day as it is, a moment with an offset as the day it is then in
    ``zone``; None for neither."""
    plain = text.strip()
    try:
        if len(plain) <= len("2026-12-31"):
            return date.fromisoformat(plain)
        moment = datetime.fromisoformat(plain)
        return (moment.astimezone(zone) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return _leading_day(plain)


def _leading_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def local_datetime(at_ms: int, zone: ZoneInfo) -> datetime:
    """The wall-clock time in ``zone``, to the millisecond."""
    return datetime.fromtimestamp(at_ms // 1000, zone) + timedelta(milliseconds=at_ms % 1000)


def same_wall_time_ms(at_ms: int, day: date, zone: ZoneInfo) -> int:
    """The moment on ``day`` with the wall-clock time that ``at_ms`` has."""
    wall = local_datetime(at_ms, zone)
    rest_ms = wall.second * 1000 + wall.microsecond // 1000
    return instant_ms(day, wall.hour * 60 + wall.minute, zone) + rest_ms


def zone_named(name: str) -> ZoneInfo:
    """The time zone, always the same object for a name. Raises ``ValueError`` for one that does not
    exist."""
    return _zone(name)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError in name only
        raise ValueError(
            f'"{name}" is not a time zone; zones are named like "Europe/Berlin" or '
            '"America/New_York"'
        ) from error
    except KeyError as error:
        raise ValueError(
            f'"{name}" is not a time zone; zones are named like "Europe/Berlin" or '
            '"America/New_York"'
        ) from error


def _utc_ms(wall: datetime) -> int:
    utc = wall.astimezone(UTC)
    return (
        (utc.toordinal() - _EPOCH_ORDINAL) * 86_400
        + utc.hour * 3_600
        + utc.minute * 60
        + utc.second
    ) * 1000


def _change_ms(low: int, high: int, zone: ZoneInfo) -> int:
    """The first moment in ``(low, high]`` with the zone's later offset: where a skipped wall time
    lies."""
    after = datetime.fromtimestamp(high / 1000, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle / 1000, zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
