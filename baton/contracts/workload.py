"""What assignment says of people who have limits over all pools. Times are ``..._ms``: milliseconds
since the epoch, UTC."""

from dataclasses import dataclass
from enum import StrEnum

from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem


class Keeps(StrEnum):
    """Which limits over all pools an offer keeps: all; all but ``capacity``, as a lead that is to
    go to its owner does; none, where a person decided or the pool lets matches pass."""

    ALL = "all"
    LIMITS = "limits"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNote:
    """``router.people.v1`` (keyed by person): what somebody who has limits over all pools has from
    one of them, after a change of ``handoff_id`` (None: after a new agreement).

    ``offered`` and ``accepted`` are open; ``today`` and ``this_week`` were handed out on ``day`` of
    the agreement's own time and in its week. With ``routed`` the pool proposes a lead, which these
    numbers count already: it is answered to dispatch if the limits that it ``keeps`` allow it, else
    ``item`` goes back to the pool. ``unrouted`` is an answer that must not overtake an earlier one.
    """

    person: str
    pool: str
    at_ms: int
    day: str
    offered: int
    accepted: int
    today: int
    this_week: int
    handoff_id: str | None = None
    keeps: str = Keeps.ALL
    routed: LeadRouted | None = None
    item: QueueItem | None = None
    unrouted: LeadUnrouted | None = None
