"""What each person of a pool has open, and how it is stored: as one text, of which a lead changes
one row, in a pool of ten or of a thousand."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from services.router.assignment.remembered import (
    Remembered,
    Rows,
    fields_of,
    rows_after,
    table_of,
)

_NO_DAY = "-"
_FIELDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a person has open from this pool: offers not yet answered, and accepted work.

    ``today`` and ``this_week`` count what was handed to them in the day ``day`` (``2026-11-02``) of
    the agreement's own time and in its week; they are kept where the agreement limits them.
    """

    person: str
    offered: int = 0
    accepted: int = 0
    day: str = ""
    today: int = 0
    this_week: int = 0

    @property
    def total(self) -> int:
        """What capacity counts."""
        return self.offered + self.accepted


Loads = Mapping[str, Load]
"""By person; whoever is not in it has nothing open."""


Limits = Mapping[str, tuple[float, float]]
"""Of each person: offers not yet answered, and all that is open."""


def busy_of(loads: Loads, limits: Limits) -> list[str]:
    """Whose load may keep them from a lead, by the limits of the pool: few, of a large pool."""
    return [
        person
        for person, load in loads.items()
        if load.day
        or (
            person in limits
            and (
                load.offered >= limits[person][0]
                or load.offered + load.accepted >= limits[person][1]
            )
        )
    ]


class _Kept(NamedTuple):
    loads: Loads
    rows: Rows


def loads_of(table: str) -> Loads:
    """The loads, by person; not to be changed."""
    return _remembered.of(table).loads


def loads_table(before: str, loads: Loads, changed: Set[str]) -> str:
    """The loads as they are stored: ``before``, and since then those of ``changed``."""
    if not changed:
        return before
    rows = rows_after(_remembered.of(before).rows, changed, lambda person: _row(loads.get(person)))
    table = table_of(rows)
    _remembered.keep(table, _Kept(dict(loads), rows))
    return table


def _row(load: Load | None) -> str | None:
    if load is None:
        return None
    day = load.day or _NO_DAY
    return f"{load.person} {load.offered} {load.accepted} {day} {load.today} {load.this_week}"


def _unpacked(table: str) -> _Kept:
    loads = {
        person: Load(
            person=person,
            offered=int(offered),
            accepted=int(accepted),
            day="" if day == _NO_DAY else day,
            today=int(today),
            this_week=int(week),
        )
        for person, offered, accepted, day, today, week in fields_of(table, _FIELDS)
    }
    return _Kept(loads, {person: _row(load) or "" for person, load in loads.items()})


_remembered: Remembered[str, _Kept] = Remembered(_unpacked)
