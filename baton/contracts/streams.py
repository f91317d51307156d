"""The private streams between services, and between the reducers of the scorer: what one of them
says of a lead, in order, one topic an edge.

``scorer.leads.v1`` is the lead reducer's, ``router.answers.v1`` that of matching and assignment,
``router.handoffs.v1`` the dispatch reducer's, ``sla.leads.v1`` the clocks reducer's; what
``identify`` says is :class:`~baton.contracts.intake.LeadInput`. Their key is the lead, so their
records are read in the order they were written in. The public topics say the same to everybody
else; nothing inside Baton reads them for what it decides, since two topics have no order between
them.

A record is an envelope: :func:`parts_of` takes the records of the public topics out of it, in the
order in which they happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.contracts.intake import LeadAct, LeadCommand
from baton.contracts.leads import LeadAmended, LeadQualified, LeadRefused, LeadStaged
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled, SlaAction
from baton.evolve import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMove:
    """One move in the cycle. ``qualified``: the qualification that came of it, of the move
    ``qualified`` alone."""

    staged: LeadStaged
    qualified: LeadQualified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDecision:
    """``scorer.leads.v1``: all that one step of the lead reducer decided, in order.

    ``act``: what a person did; it caused ``moves``, was refused (``refused``), or moves nothing (a
    call, a mail). ``command``: what a person wants done with the hand-off, passed on as it came;
    dispatch decides it. ``moves`` end what they name and nothing else. ``amended``: what became
    known of the qualification that stands after them.
    """

    lead_id: str
    at_ms: int
    act: LeadAct | None = None
    command: LeadCommand | None = None
    moves: tuple[LeadMove, ...] = ()
    refused: LeadRefused | None = None
    amended: LeadAmended | None = None


class HandoffEvent(StrEnum):
    """What happens to a hand-off.

    ``requested``: a holder is asked for. ``routed``, ``unrouted``: the answer. ``accepted``: it is
    open work. ``returned``: rejected, what follows is decided elsewhere. ``withdrawn``: taken from
    who had it. ``closed``: its qualification has ended. ``reinstated``: it stands again.
    ``refused``: what somebody wanted done with it is not done. ``amended``: it has become more
    urgent, and who holds it is notified.
    """

    REQUESTED = "requested"
    ROUTED = "routed"
    UNROUTED = "unrouted"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    REINSTATED = "reinstated"
    REFUSED = "refused"
    AMENDED = "amended"


HANDOFF_ENDS: Final = frozenset(
    {HandoffEvent.RETURNED, HandoffEvent.WITHDRAWN, HandoffEvent.CLOSED}
)
"""After these nobody holds the lead by the hand-off named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingAnswer:
    """``router.answers.v1``: what matching or assignment answers to a request of dispatch; exactly
    one field is set beside ``lead_id``.

    It is a proposal. Dispatch knows whether the hand-off still stands when the answer comes, and
    alone publishes it."""

    lead_id: str
    routed: LeadRouted | None = None
    unrouted: LeadUnrouted | None = None


def answer(value: LeadRouted | LeadUnrouted) -> RoutingAnswer:
    """The answer in its envelope."""
    if isinstance(value, LeadRouted):
        return RoutingAnswer(lead_id=value.lead_id, routed=value)
    return RoutingAnswer(lead_id=value.lead_id, unrouted=value)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffChange:
    """``router.handoffs.v1``: one change of a hand-off, as dispatch owns it.

    ``owner``, ``pool``, ``leg``: who holds it, or held it. ``published``: of an end, whether
    ``leads.handoffs.v1`` reports it, which it does not where the holder's own act is the end, or
    nobody was notified of the hand-off. ``routed``, ``unrouted``: the answer, whole.
    """

    lead_id: str
    event: str
    handoff_id: str
    qualification_id: str
    attempt: int
    cycle: int
    leg: str
    at_ms: int
    cause_id: str
    agreement: str
    owner: str | None = None
    pool: str | None = None
    reason: str | None = None
    by: str | None = None
    in_favour_of: str | None = None
    published: bool = False
    routed: LeadRouted | None = None
    unrouted: LeadUnrouted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaDecision:
    """``sla.leads.v1``: one decision of the clocks reducer that others carry out or keep to;
    exactly one field is set beside ``lead_id``.

    Actions that only people and tools act on (notify, escalate) are public alone."""

    lead_id: str
    action: SlaAction | None = None
    recycled: LeadRecycled | None = None
    reactivated: LeadReactivated | None = None


StreamRecord = LeadDecision | HandoffChange | SlaDecision
StreamPart = (
    LeadAct
    | LeadCommand
    | LeadQualified
    | LeadStaged
    | LeadAmended
    | LeadRouted
    | LeadUnrouted
    | HandoffChange
    | SlaAction
    | LeadRecycled
    | LeadReactivated
)


def parts_of(record: StreamRecord) -> Iterator[StreamPart]:
    """What a record of a stream says, in the order in which it happened. A qualification comes
    before its move."""
    match record:
        case LeadDecision():
            yield from (part for part in (record.act, record.command) if part is not None)
            for move in record.moves:
                if move.qualified is not None:
                    yield move.qualified
                yield move.staged
            if record.amended is not None:
                yield record.amended
        case HandoffChange():
            yield record.routed or record.unrouted or record
        case SlaDecision():
            yield from (
                part
                for part in (record.action, record.recycled, record.reactivated)
                if part is not None
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogPart:
    """``scorer.backlog.v1``: a lead that a new agreement made ready waits its turn (``add``), or
    does not wait any more (``remove``). ``queue`` is the pool that it is to come to."""

    queue: str
    lead_id: str
    kind: str
    level: str
    engagement_micro: int
    at_ms: int
    cause_id: str
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHeldOut:
    """``scorer.holdouts.v1``: a lead was handed over although it is cold, so that outcomes below
    the threshold are known. ``held_out_at_micro``: from how many points on, by the hash of its
    id."""

    lead_id: str
    qualification_id: str
    at_ms: int
    held_out_at_micro: int
    fit_micro: int
    engagement_micro: int
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogRelease:
    """``scorer.releases.v1``: the turn of a waiting lead has come; it qualifies if it is still
    ready."""

    lead_id: str
    queue: str
    at_ms: int
    cause_id: str
    agreement: str
