"""Section ``calendars``: when people work."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from baton.agreement.model.base import Section, problem
from baton.agreement.wall_time import zone_named

Span = tuple[int, int]
"""Minutes since midnight, half-open: ``(540, 1020)`` is 09:00 to 17:00, ``(1320, 1800)`` 22:00 to
06:00 of the next day."""

DAY_MINUTES = 24 * 60

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = {
    "monday": "mon",
    "tuesday": "tue",
    "wednesday": "wed",
    "thursday": "thu",
    "friday": "fri",
    "saturday": "sat",
    "sunday": "sun",
}
_SPAN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


def _hours(value: Any) -> tuple[Span, ...]:
    """``09:00-12:30, 13:30-17:00`` as minutes since midnight; ``closed`` for none. ``22:00-06:00``
    runs over midnight: it is one shift of the day on which it begins."""
    if not isinstance(value, str):
        raise problem(
            f'{value} are no hours: write "09:00-17:00", or "09:00-12:30, 13:30-17:00" with a break'
        )
    if value.strip() == "closed":
        return ()
    spans: list[Span] = []
    for part in value.split(","):
        found = _SPAN.fullmatch(part.strip())
        if not found:
            raise problem(
                f'"{part.strip()}" are no hours: write "09:00-17:00" with two digits each, or '
                '"closed"'
            )
        opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if opens >= DAY_MINUTES or closes > DAY_MINUTES or closes == opens:
            raise problem(
                f'"{part.strip()}" are no hours of a day: write "09:00-17:00", or "22:00-06:00" '
                "over midnight"
            )
        if closes < opens:
            closes += DAY_MINUTES
        if spans and opens < spans[-1][1]:
            raise problem(
                f'"{part.strip()}" overlaps the hours before it: write them in order of the day'
            )
        if closes > DAY_MINUTES and closes - DAY_MINUTES > (spans[0][0] if spans else opens):
            raise problem(
                f'"{part.strip()}" runs into the same hours of the next day: let it end earlier'
            )
        spans.append((opens, closes))
    return tuple(spans)


def hours_words(spans: tuple[Span, ...]) -> str:
    """The hours of a day as written."""
    return ", ".join("-".join(map(_clock, span)) for span in spans) or "closed"


def _clock(minute: int) -> str:
    minute = minute - DAY_MINUTES if minute > DAY_MINUTES else minute
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise problem(f'"{value}" is not a day: write it as 2026-12-24') from None


def _zone(value: Any) -> str:
    if not isinstance(value, str):
        raise problem(f"{value} is not a time zone: write a name such as Europe/Berlin")
    try:
        zone_named(value)
    except ValueError as error:
        raise problem(str(error)) from error
    return value


def _weekdays(value: Any) -> Any:
    """``mon-fri`` and ``mon, wed`` spelled out, each day once."""
    if not isinstance(value, dict):
        return value
    spread: dict[str, Any] = {}
    for key, hours in value.items():
        for day in _days_of(str(key)):
            if day in spread:
                raise problem(f'"{key}" gives hours to {day} a second time')
            spread[day] = hours
    return {day: spread[day] for day in DAYS if day in spread}


def _days_of(key: str) -> list[str]:
    days: list[str] = []
    for part in key.lower().split(","):
        ends = [_LONG.get(end.strip(), end.strip()) for end in part.split("-")]
        if len(ends) > 2 or any(end not in DAYS for end in ends):
            raise problem(
                f'"{key}" is not a day or a range of days: write mon, mon-fri or "sat, sun"'
            )
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        if last < first:
            raise problem(f'"{key}" runs backwards: weeks begin with mon here')
        days += DAYS[first : last + 1]
    return days


Hours = Annotated[
    tuple[Span, ...],
    BeforeValidator(_hours),
    PlainSerializer(hours_words, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "description": '"09:00-17:00", "09:00-12:30, 13:30-17:00", "22:00-06:00" or "closed".',
        }
    ),
]

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "description": "A day: 2026-12-24."}),
]

ZoneName = Annotated[
    str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "description": "Europe/Berlin"})
]

Week = Annotated[dict[str, Hours], BeforeValidator(_weekdays)]

HolidayPlace = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class CalendarModel(Section):
    """When a team works."""

    timezone: ZoneName | None = None
    """Left out: the agreement's."""
    hours: Week = Field(min_length=1)
    """Hours by day: ``mon-fri: 09:00-12:30, 13:30-17:00``; a day that is not named is closed."""
    holidays: tuple[HolidayPlace, ...] = ()
    """Public holidays by country and subdivision: ``[DE-BE]``, ``[NO]``, ``[US-NY]``."""
    closed: tuple[Day, ...] = ()
    """Days off besides."""
    open: dict[Day, Hours] = Field(default_factory=dict)
    """Days with hours of their own, which win over everything else."""
    shifts_over_midnight: Literal["day they begin on", "calendar day"] = "day they begin on"
    """Which day's holiday closes hours over midnight: that of the day they begin on, for the whole
    shift, or that of each calendar day, for its part of it."""
