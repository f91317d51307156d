"""Calendars: holidays that are known, hours that exist."""

from collections.abc import Iterator
from typing import Final

from baton.agreement.checks.context import CheckContext, Finding, odd, wrong
from baton.agreement.holiday_days import holidays_of, known_places
from baton.agreement.model.calendars import DAY_MINUTES, hours_words
from baton.agreement.problems import did_you_mean

_LONG_SHIFT: Final = 12 * 60


def check(context: CheckContext) -> Iterator[Finding]:
    """Each calendar alone, and whether anybody uses it."""
    model = context.model
    for name, calendar in model.calendars.items():
        for number, place in enumerate(calendar.holidays):
            yield from _place(name, number, place)
        for day, spans in calendar.hours.items():
            if spans and spans[-1][1] > DAY_MINUTES and spans[-1][1] - spans[-1][0] > _LONG_SHIFT:
                words = hours_words(spans[-1:])
                yield odd(
                    ("calendars", name, "hours"),
                    f'"{words}" on {day} is a night of more than 12 hours: is it the wrong way '
                    "round?",
                )
                break
        if not any(calendar.hours.values()):
            yield wrong(
                ("calendars", name, "hours"),
                f'calendar "{name}" is never open: give it hours on a day of the week',
            )
    used = {model.calendar}
    used |= {person.calendar for person in model.people.values() if person.calendar}
    used |= {pool.calendar for pool in model.pools.values() if pool.calendar}
    used |= {goal.calendar for goal in model.goals.values() if goal.calendar}
    used |= {promise.calendar for promise in model.slas.promises if promise.calendar}
    for name in model.calendars:
        if name not in used:
            yield odd(("calendars", name), f'calendar "{name}" is used by nobody')


def _place(name: str, number: int, place: str) -> Iterator[Finding]:
    try:
        holidays_of((place,))
    except ValueError:
        country, _, subdivision = place.partition("-")
        known = known_places()
        path = ("calendars", name, "holidays", number)
        if country not in known:
            yield wrong(
                path,
                "no public holidays are known for country "
                f'"{country}"{did_you_mean(country, known)}',
            )
        else:
            hint = did_you_mean(subdivision, known[country])
            yield wrong(
                path, f'{country} has no part "{subdivision}" with holidays of its own{hint}'
            )
