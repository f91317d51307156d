"""What each person of a pool has open, and how it is stored: of a pool of a thousand as a few lines
of text, which are read and written in a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

from services.router.assignment.remembered import Remembered, numbers_of, packed_of

_NO_DAY = "-"
_PERSON, _DAY = attrgetter("person"), attrgetter("day")
_OFFERED, _ACCEPTED = attrgetter("offered"), attrgetter("accepted")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLoads:
    """The loads of a pool.

    ``people`` are names with blanks between them; the others have a number for each, in the same
    order. ``days``, ``today`` and ``this_week`` are empty where no day is counted.
    """

    people: str
    offered: str
    accepted: str
    days: str = ""
    today: str = ""
    this_week: str = ""


def loads_of(packed: OpenLoads | None) -> Loads:
    """The loads, by person."""
    return _NONE if packed is None else _remembered.of(packed)


def open_loads_of(loads: Loads) -> OpenLoads | None:
    """The loads as they are stored, in the order of names; None: there are none."""
    if not loads:
        return None
    ordered = [loads[person] for person in sorted(loads)]
    counted = any(map(_DAY, ordered))
    packed = OpenLoads(
        people=" ".join(map(_PERSON, ordered)),
        offered=packed_of(list(map(_OFFERED, ordered))),
        accepted=packed_of(list(map(_ACCEPTED, ordered))),
        days=" ".join([load.day or _NO_DAY for load in ordered]) if counted else "",
        today=packed_of([load.today for load in ordered]) if counted else "",
        this_week=packed_of([load.this_week for load in ordered]) if counted else "",
    )
    _remembered.keep(packed, dict(loads))
    return packed


def _unpacked(packed: OpenLoads) -> Loads:
    people = packed.people.split()
    nothing = [0] * len(people)
    columns = zip(
        people,
        numbers_of(packed.offered),
        numbers_of(packed.accepted),
        packed.days.split() or [_NO_DAY] * len(people),
        numbers_of(packed.today) or nothing,
        numbers_of(packed.this_week) or nothing,
        strict=True,
    )
    return {
        person: Load(
            person=person,
            offered=offered,
            accepted=accepted,
            day="" if day == _NO_DAY else day,
            today=today,
            this_week=this_week,
        )
        for person, offered, accepted, day, today, this_week in columns
    }


_NONE: Loads = MappingProxyType({})
_remembered: Remembered[OpenLoads, Loads] = Remembered(_unpacked)
