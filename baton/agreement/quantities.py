"""Amounts as people write them: durations, service-level targets, points, percentages.

A duration is elapsed time: ``14 days``, ``90d``, ``1 hour 30 minutes``. A target has one of the
forms that cannot be taken for one another: ``4 business hours`` (time the calendar is open), ``2
working days`` (same time, second working day) and ``30 minutes elapsed``; ``by end of day`` names
the end of the working day instead. Each raises ``ValueError`` with a sentence that says what to
write instead.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MICRO = 1_000_000
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
MAX_DURATION_MS = 36_525 * DAY_MS
DIGEST_MS = 900_000
"""The time between two digests of a pool, where the agreement says nothing else."""
LONGEST_WAIT_MS = 14 * DAY_MS
"""A clock that waits for somebody outside goes on after this by itself, where an agreement says
nothing else."""

_UNITS = {"w": WEEK_MS, "d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS, "ms": 1}
_WORDS = {
    "w": "w",
    "week": "w",
    "weeks": "w",
    "d": "d",
    "day": "d",
    "days": "d",
    "h": "h",
    "hour": "h",
    "hours": "h",
    "m": "m",
    "min": "m",
    "minute": "m",
    "minutes": "m",
    "s": "s",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "ms": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
}
_PART = re.compile(r"([0-9]{1,9})\s*([a-z]+)")
_DURATION = re.compile(r"[0-9]{1,9}\s*[a-z]+(?:\s+[0-9]{1,9}\s*[a-z]+){0,5}")


def parse_duration_ms(text: str) -> int:
    """Elapsed time in milliseconds: ``90d``, ``14 days``, ``1 hour 30 minutes``."""
    plain = text.strip().lower()
    if not _DURATION.fullmatch(plain):
        raise ValueError(
            f'"{text}" is not a duration: write a number and a unit, such as "14 days", "8 hours" '
            'or "30 minutes"'
        )
    total = 0
    for amount, word in _PART.findall(plain):
        unit = _WORDS.get(word)
        if unit is None:
            raise ValueError(
                f'"{word}" is not a unit of time: use weeks, days, hours, minutes or seconds'
            )
        total += int(amount) * _UNITS[unit]
    if total > MAX_DURATION_MS:
        raise ValueError(f'"{text}" is longer than a hundred years')
    return total


def duration_words(ms: int) -> str:
    """The duration in the fewest words; reads back to the same number."""
    if ms == 0:
        return "0 minutes"
    names = (
        ("day", DAY_MS),
        ("hour", HOUR_MS),
        ("minute", MINUTE_MS),
        ("second", SECOND_MS),
        ("millisecond", 1),
    )
    parts = []
    for name, size in names:
        amount, ms = divmod(ms, size)
        if amount:
            parts.append(f"{amount} {name}{'' if amount == 1 else 's'}")
    return " ".join(parts)


class TargetKind(StrEnum):
    """The forms of a target."""

    BUSINESS = "business"
    WORKING_DAYS = "working_days"
    ELAPSED = "elapsed"
    END_OF_DAY = "end_of_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWords:
    """A target as written. ``amount`` is milliseconds, or a number of days for working days and
    ends of days (0: the same day)."""

    kind: TargetKind
    amount: int

    @property
    def words(self) -> str:
        """The target in its canonical words."""
        match self.kind:
            case TargetKind.WORKING_DAYS:
                return f"{self.amount} working day{'' if self.amount == 1 else 's'}"
            case TargetKind.ELAPSED:
                return f"{duration_words(self.amount)} elapsed"
            case TargetKind.END_OF_DAY:
                return "by end of day" if self.amount == 0 else "by end of next working day"
            case TargetKind.BUSINESS:
                return _business_words(self.amount)


def _business_words(ms: int) -> str:
    hours, rest = divmod(ms, HOUR_MS)
    minutes = rest // MINUTE_MS
    if not hours:
        return f"{minutes} business minute{'' if minutes == 1 else 's'}"
    tail = f" {minutes} minute{'' if minutes == 1 else 's'}" if minutes else ""
    return f"{hours} business hour{'' if hours == 1 else 's'}{tail}"


_WORKING = re.compile(r"([0-9]{1,4}) working days?")
_BUSINESS = re.compile(r"([0-9]{1,6}) business (hour|minute)s?(?: ([0-9]{1,6}) minutes?)?")
_ELAPSED = re.compile(r"(.+) elapsed")
_END_OF_DAY = {"by end of day": 0, "by end of next working day": 1}
_THREE_FORMS = (
    'write "4 business hours" (while the calendar is open), "2 working days" or "30 minutes '
    'elapsed"'
)


def parse_target(text: str) -> TargetWords:
    """One of the forms of a target."""
    plain = " ".join(text.split()).lower()
    if plain in _END_OF_DAY:
        return TargetWords(kind=TargetKind.END_OF_DAY, amount=_END_OF_DAY[plain])
    if found := _WORKING.fullmatch(plain):
        target = TargetWords(kind=TargetKind.WORKING_DAYS, amount=int(found[1]))
    elif found := _BUSINESS.fullmatch(plain):
        if found[2] == "minute" and found[3]:
            raise ValueError(f'"{text}" names minutes twice: {_THREE_FORMS}')
        ms = (
            int(found[1]) * (HOUR_MS if found[2] == "hour" else MINUTE_MS)
            + int(found[3] or 0) * MINUTE_MS
        )
        target = TargetWords(kind=TargetKind.BUSINESS, amount=ms)
    elif found := _ELAPSED.fullmatch(plain):
        target = TargetWords(kind=TargetKind.ELAPSED, amount=parse_duration_ms(found[1]))
    else:
        raise ValueError(_not_a_target(text, plain))
    if target.amount == 0:
        raise ValueError(f'"{text}": a target must be longer than nothing')
    return target


def _not_a_target(text: str, plain: str) -> str:
    if found := re.fullmatch(r"([0-9]+) business days?", plain):
        return (
            f'"{text}" can be taken two ways: write "{found[1]} working days", or the hours as "8 '
            'business hours"'
        )
    if found := re.fullmatch(r"([0-9]+) working (hours?|minutes?)", plain):
        return f'"{text}": write "{found[1]} business {found[2]}"'
    try:
        ms = parse_duration_ms(plain)
    except ValueError:
        return f'"{text}" is not a target: {_THREE_FORMS}'
    if ms % DAY_MS == 0:
        days = ms // DAY_MS
        return f'"{text}" does not say which days: write "{days} working days" or "{plain} elapsed"'
    business = f'"{_business_words(ms)}"' if ms >= MINUTE_MS else "business minutes"
    return (
        f'"{text}" does not say whether closed hours count: write {business} or "{plain} elapsed"'
    )


def micro_of(points: Decimal | int) -> int:
    """Points as an integer of a millionth; a finer number is refused rather than rounded."""
    scaled = Decimal(points) * MICRO
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{points} has more than six decimals")
    return whole


def points_words(micro: int) -> str:
    """Points as people read them: ``40``, ``2.5``."""
    whole, rest = divmod(abs(micro), MICRO)
    sign = "-" if micro < 0 else ""
    return f"{sign}{whole}" if not rest else f"{sign}{whole}.{rest:06d}".rstrip("0")
