"""Calendars: holidays that are known, hours that exist."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, odd, wrong
from baton.agreement.holiday_days import holidays_of, known_places
from baton.agreement.problems import did_you_mean


def check(context: CheckContext) -> Iterator[Finding]:
    """Each calendar alone, and whether anybody uses it."""
    model = context.model
    for name, calendar in model.calendars.items():
        for number, place in enumerate(calendar.holidays):
            yield from _place(name, number, place)
        if not any(calendar.hours.values()):
            yield wrong(("calendars", name, "hours"), f'calendar "{name}" is never open: give it hours on a day of the week')
    used = {model.calendar}
    used |= {each.calendar for each in model.people.values() if each.calendar}
    used |= {each.calendar for each in model.pools.values() if each.calendar}
    used |= {each.calendar for each in model.goals.values() if each.calendar}
    used |= {each.calendar for each in model.slas.promises if each.calendar}
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
            yield wrong(path, f'no public holidays are known for country "{country}"{did_you_mean(country, known)}')
        else:
            hint = did_you_mean(subdivision, known[country])
            yield wrong(path, f'{country} has no part "{subdivision}" with holidays of its own{hint}')
