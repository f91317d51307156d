"""What is written in days and wall-clock time and counts otherwise than it reads: weeks that begin
on Sunday, days off beside a night shift, moments that a change of the clocks skips or repeats."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from baton.agreement.checks.context import CheckContext, Finding, odd
from baton.agreement.holiday_days import holidays_of
from baton.agreement.model.calendars import DAY_MINUTES, DAYS, CalendarModel
from baton.agreement.model.pools import Period
from baton.agreement.problems import Path
from baton.agreement.wall_time import zone_named

_ONE_DAY = timedelta(days=1)


def check(context: CheckContext) -> Iterator[Finding]:
    """Each is allowed, and said."""
    yield from _weeks(context)
    for name, calendar in context.model.calendars.items():
        yield from _days_off(name, calendar)
    yield from _moments(context)


def _weeks(context: CheckContext) -> Iterator[Finding]:
    """Limits and shares by week of people whose week begins on Sunday."""
    model = context.model
    for pool_name, pool in model.pools.items():
        for person, member in pool.members.items():
            known = model.people.get(person)
            name = (known.calendar if known else None) or pool.calendar or model.calendar
            calendar = model.calendars.get(name)
            if calendar is None or not _begins_on_sunday(calendar):
                continue
            path: Path = ("pools", pool_name, "members", person, "per_week")
            what = "per_week" if member.per_week is not None else None
            if what is None and known is not None and known.per_week is not None:
                path, what = ("people", person, "per_week"), "per_week"
            if what is None and pool.period is Period.WEEK:
                path, what = ("pools", pool_name, "period"), "a share by week"
            if what is not None:
                yield odd(
                    path,
                    f'"{person}" works from Sunday on (calendar "{name}"), but weeks begin on '
                    f"Monday: for {what}, Sunday belongs to the week before",
                )


def _begins_on_sunday(calendar: CalendarModel) -> bool:
    return bool(calendar.hours.get("sun")) and not calendar.hours.get("sat")


def _days_off(name: str, calendar: CalendarModel) -> Iterator[Finding]:
    """A day off that a night shift reaches into, or of which only a part is closed."""
    for number, day in enumerate(calendar.closed):
        before = day - _ONE_DAY
        path: Path = ("calendars", name, "closed", number)
        by_day = calendar.shifts_over_midnight == "calendar day"
        if not by_day and (end := _night_of(calendar, before)) is not None:
            yield odd(
                path,
                f"{day} is closed, but the shift of {before} goes on until {_clock(end)} of that "
                'day: with "shifts_over_midnight: calendar day" it ends at midnight',
            )
        elif by_day and (end := _night_of(calendar, day, off=False)) is not None:
            after = day + _ONE_DAY
            if after not in calendar.closed:
                yield odd(
                    path,
                    f"{day} is closed, but the shift that begins on it is open after midnight, "
                    f'until {_clock(end)} of {after}: with "shifts_over_midnight: day they begin '
                    'on" all of it is closed',
                )


def _night_of(calendar: CalendarModel, day: date, *, off: bool = True) -> int | None:
    """Until which minute of the next day the shift of ``day`` goes on; ``off``: None on a day
    off."""
    if off and day not in calendar.open and _is_off(calendar, day):
        return None
    spans = calendar.open.get(day) or calendar.hours.get(DAYS[day.weekday()], ())
    return spans[-1][1] - DAY_MINUTES if spans and spans[-1][1] > DAY_MINUTES else None


def _is_off(calendar: CalendarModel, day: date) -> bool:
    if day in calendar.closed:
        return True
    try:
        return day in holidays_of(calendar.holidays)(day.year)
    except ValueError:
        # Said by the check of the calendars.
        return False


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _moments(context: CheckContext) -> Iterator[Finding]:
    """Moments without an offset, in the agreement's zone."""
    model = context.model
    written: list[tuple[Path, datetime | None]] = [(("effective_at",), model.effective_at)]
    for number, example in enumerate(model.examples):
        place: Path = ("examples", number)
        written.append(((*place, "at"), example.at))
        for at, event in enumerate(example.events):
            written += [
                ((*place, "events", at, word), moment)
                for word, moment in (("at", event.at), ("arrives", event.arrives))
            ]
        for at, absence in enumerate(example.away):
            written += [
                ((*place, "away", at, word), moment)
                for word, moment in (
                    ("from", absence.starts),
                    ("until", absence.until),
                    ("known", absence.known),
                )
            ]
    for path, moment in written:
        if moment is not None and moment.tzinfo is None:
            yield from _moment(path, moment, model.timezone)


def _moment(path: Path, moment: datetime, timezone: str) -> Iterator[Finding]:
    zone = zone_named(timezone)
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is None or second is None or first == second:
        return
    skipped = first < second
    yield odd(
        path,
        f"{moment:%Y-%m-%d %H:%M} {'does not exist' if skipped else 'comes twice'} in {timezone}, "
        f"where the clocks {'go forward' if skipped else 'go back'} then: "
        + (
            f"it counts as {moment + (second - first):%H:%M}"
            if skipped
            else "the first one counts; write it with an offset to say which"
        ),
    )
