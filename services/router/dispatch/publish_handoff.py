"""The records that dispatch writes about a hand-off: the private stream, the public topics, and the
requests to account and pool.

It decides nothing; it is the one place that says which public record goes with which private one.
"""

from collections.abc import Mapping
from typing import Any, Final

from baton.contracts.routing import (
    HandoffKind,
    HandoffNoted,
    HandoffRequest,
    LeadRouted,
    LeadUnrouted,
    RequestKind,
)
from baton.contracts.streams import HandoffChange, HandoffEvent
from baton.contracts.topic_names import (
    LEADS_HANDOFFS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_UNROUTED,
    ROUTER_HANDOFFS,
)
from baton.engine.reducer import Fact
from baton.evolve import evolve
from services.router.dispatch.case import Case
from services.router.dispatch.state import Handoff

_ROUTED: Final[Mapping[str, str]] = {"sdr": LEADS_ROUTED_SDR, "sales": LEADS_ROUTED_SALES}


def answered(case: Case, handoff: Handoff, answer: LeadRouted | LeadUnrouted) -> tuple[Fact, ...]:
    """An answer that stands, for the other services and for the public."""
    if isinstance(answer, LeadRouted):
        return (
            *changed(case, handoff, HandoffEvent.ROUTED, routed=answer),
            Fact(_ROUTED[answer.leg], answer.lead_id, answer),
        )
    return (
        *changed(case, handoff, HandoffEvent.UNROUTED, unrouted=answer),
        unrouted_fact(answer),
    )


def unrouted_fact(answer: LeadUnrouted) -> Fact:
    """The public record alone, where the end of the hand-off is published beside it."""
    return Fact(LEADS_UNROUTED, answer.lead_id, answer)


def changed(case: Case, handoff: Handoff, event: HandoffEvent, **more: Any) -> tuple[Fact, ...]:
    """The change of ``handoff`` for the other services, and for the public topic where it is
    ``published``. ``more``: further fields of :class:`HandoffChange`."""
    change = evolve(
        HandoffChange(
            lead_id=case.head.lead_id,
            event=event,
            handoff_id=handoff.handoff_id,
            qualification_id=handoff.qualification_id,
            attempt=handoff.attempt,
            cycle=handoff.cycle,
            leg=handoff.leg,
            at_ms=case.now,
            cause_id=case.cause,
            agreement=case.agreement,
            owner=handoff.owner,
            pool=handoff.pool,
        ),
        **more,
    )
    own = Fact(ROUTER_HANDOFFS, change.lead_id, change)
    return (
        (own, Fact(LEADS_HANDOFFS, change.lead_id, _noted(change))) if change.published else (own,)
    )


_KINDS: Final[Mapping[str, HandoffKind]] = {
    HandoffEvent.AMENDED: HandoffKind.NOTED,
    HandoffEvent.REINSTATED: HandoffKind.NOTED,
    HandoffEvent.REFUSED: HandoffKind.REFUSED,
}


def _noted(change: HandoffChange) -> HandoffNoted:
    """The change as everybody can read it."""
    return HandoffNoted(
        handoff_id=change.handoff_id,
        qualification_id=change.qualification_id,
        attempt=change.attempt,
        lead_id=change.lead_id,
        kind=_KINDS.get(change.event, HandoffKind.WITHDRAWN),
        reason=change.reason or "",
        cause_id=change.cause_id,
        at_ms=change.at_ms,
        by=change.by,
        owner=change.owner,
        pool=change.pool,
        agreement=change.agreement,
        in_favour_of=change.in_favour_of,
        leg=change.leg,
    )


def held_by(case: Case, handoff: Handoff, kind: RequestKind) -> HandoffRequest:
    """The request to account and pool that names who holds the hand-off."""
    return evolve(
        request_about(case, handoff, kind, reason=None), person=handoff.owner, pool=handoff.pool
    )


def request_about(
    case: Case, handoff: Handoff, kind: RequestKind, *, reason: str | None
) -> HandoffRequest:
    """The request to account and pool that says ``kind`` of the hand-off."""
    return HandoffRequest(
        kind=kind,
        handoff_id=handoff.handoff_id,
        qualification_id=handoff.qualification_id,
        attempt=handoff.attempt,
        lead_id=case.head.lead_id,
        account_id=handoff.account_id,
        cause_id=case.cause,
        at_ms=case.now,
        reason=reason,
    )
