"""The pool as assignment sees it: its seats, what it does when nobody can take a lead, and how its turns are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Hours(Protocol):
    """When somebody works."""

    def is_open(self, at_ms: int) -> bool: ...
    def next_open(self, at_ms: int) -> int: ...


class Nobody(StrEnum):
    """What a pool does with a lead that nobody can take now."""

    HOLD = "hold"
    OVERFLOW = "overflow"
    WATCH = "watch"


class Counting(StrEnum):
    """Whose target grows with a lead: those who could have had it, or all members (they make up for what they missed)."""

    LEVEL = "level"
    ACCRUE = "accrue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A membership of the pool. ``capacity`` and ``offers`` (not yet answered) None: no limit. ``hours`` None: always open."""

    person: str
    weight: int = 1
    capacity: int | None = None
    offers: int | None = None
    skills: frozenset[str] = frozenset()
    active: bool = True
    hours: Hours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One pool under one agreement.

    ``period`` names the period that its turns are counted in; a new one starts afresh. ``any_hour``: leads are handed out outside
    working hours too. ``gone``: the agreement does not know the pool any more, so what is left in it goes ``elsewhere``, by its leg.
    """

    pool: str
    kind: str
    seats: tuple[Seat, ...]
    nobody: str = Nobody.HOLD
    overflow_to: str | None = None
    watcher: str | None = None
    counting: str = Counting.LEVEL
    period: str = ""
    owner_uses_turn: bool = False
    any_hour: bool = False
    gone: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def seat(self, person: str) -> Seat | None:
        """The person's membership."""
        return next((each for each in self.seats if each.person == person), None)


class Presence(Protocol):
    """Who is away."""

    def absent(self, person: str, at_ms: int) -> bool: ...
    def back_at(self, person: str, at_ms: int) -> int:
        """``at_ms`` if the person is there, else when the absence ends."""
