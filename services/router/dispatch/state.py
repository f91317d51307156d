"""What dispatch keeps of a lead: the hand-off that stands, the former ones, and what was carried
out already.

The head holds no personal data and is bounded; the story that the next attempt needs is an entry of
its own, dropped when the hand-off is closed.
"""

from dataclasses import dataclass
from enum import StrEnum

from baton.contracts.leads import LeadQualified
from baton.engine.reducer import EntryKind

FORMER_KEPT = 12
"""Superseded hand-offs that are remembered by id; an older one is simply stale."""
DONE_KEPT = 24
"""Causes that are recognised when they come again."""


class HandoffState(StrEnum):
    """Where a hand-off is. ``requested``: asked for, no answer yet. ``returned``: rejected, its
    next step is not decided yet."""

    REQUESTED = "requested"
    HELD = "held"
    WATCHED = "watched"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One attempt to hand a qualification to somebody.

    ``queue_key`` is the key its request went under: all that follows takes the same path.
    ``announced``: it was published as routed, held or watched, so taking it away must be published
    too. ``ended`` is the reason for which it does not stand any more.
    """

    handoff_id: str
    qualification_id: str
    attempt: int
    cycle: int
    state: str
    queue_key: str
    account_id: str | None
    leg: str
    since_ms: int
    owner: str | None = None
    pool: str | None = None
    exclude: tuple[str, ...] = ()
    rejecters: tuple[str, ...] = ()
    announced: bool = False
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchState:
    """The head of a lead. ``gone`` is ``merged`` or ``erased``: nothing is opened any more."""

    lead_id: str
    current: Handoff | None = None
    former: tuple[Handoff, ...] = ()
    done: tuple[str, ...] = ()
    gone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQualification:
    """The qualification that the open hand-off is about; a further attempt sends it again."""

    qualified: LeadQualified


OPEN_QUALIFICATION = EntryKind("open_qualification", OpenQualification)
ONLY = "open"
