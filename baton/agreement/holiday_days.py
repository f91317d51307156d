"""Public holidays by country and subdivision, from the ``holidays`` package (pinned in the lock:
every task has the same)."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

import holidays

_NONE: Mapping[date, str] = {}


def holidays_of(places: tuple[str, ...]) -> Callable[[int], Mapping[date, str]]:
    """From a year to its public holidays in any of ``places`` (``DE-BE``, ``NO``). Raises
    ``ValueError`` for an unknown one."""
    for place in places:
        _holidays(place, 2026)
    if not places:
        return lambda year: _NONE

    @lru_cache(maxsize=512)
    def of_year(year: int) -> Mapping[date, str]:
        found: dict[date, str] = {}
        for place in reversed(places):
            found.update(_holidays(place, year))
        return found

    return of_year


@lru_cache(maxsize=4096)
def _holidays(place: str, year: int) -> Mapping[date, str]:
    country, _, subdivision = place.partition("-")
    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year, language="en_US"
        )
        return dict(found.items())
    except NotImplementedError:
        raise ValueError(
            f'no holidays are known for "{place}": write a country and subdivision such as DE-BE '
            "or US-NY"
        ) from None


def known_places() -> dict[str, list[str]]:
    """Countries with their subdivisions, for suggestions."""
    return dict(holidays.list_supported_countries(include_aliases=True))
