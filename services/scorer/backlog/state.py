"""What the backlog reducer remembers of a pool: how many leads it let go today, and who waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.engine.reducer import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogHead:
    """``day_ms`` is the beginning of the day on which ``released`` leads were let go;
    ``next_at_ms`` when the next ones are, if any wait."""

    day_ms: int = 0
    released: int = 0
    next_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """A lead that waits; ``place`` orders it among the others."""

    place: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPlace:
    """The same, found by its place."""

    lead_id: str


WAITING: Final = EntryKind("waiting", WaitingLead)
PLACE: Final = EntryKind("place", WaitingPlace)
ENTRY_KINDS: Final = (WAITING, PLACE)
