"""Compiles the section ``calendars``."""

from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.holiday_days import holidays_of
from baton.agreement.model.calendars import DAYS, CalendarModel
from baton.agreement.wall_time import zone_named


def compile_calendar(name: str, model: CalendarModel, house_zone: ZoneInfo) -> Calendar:
    """A calendar in its own zone, or the agreement's."""
    return Calendar(
        name=name,
        zone=zone_named(model.timezone) if model.timezone else house_zone,
        weekly=tuple(model.hours.get(day, ()) for day in DAYS),
        holidays=holidays_of(model.holidays),
        closed=frozenset(model.closed),
        extra=dict(model.open),
        by_calendar_day=model.shifts_over_midnight == "calendar day",
    )
