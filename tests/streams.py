"""What the reducers of one service say to those of another: a public record in the envelope of its
stream."""

from __future__ import annotations

from typing import Any

from baton.contracts.intake import LeadAct, LeadCommand
from baton.contracts.leads import LeadQualified, LeadStaged
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled, SlaAction
from baton.contracts.streams import HandoffChange, HandoffEvent, LeadDecision, LeadMove, SlaDecision

_EVENTS = {
    HandoffKind.WITHDRAWN: HandoffEvent.WITHDRAWN,
    HandoffKind.NOTED: HandoffEvent.REINSTATED,
    HandoffKind.REFUSED: HandoffEvent.REFUSED,
}


def stream_of(value: Any) -> tuple[str, Any]:
    """The topic and the record by which another service hears of ``value``."""
    match value:
        case LeadDecision():
            return "scorer.leads.v1", value
        case HandoffChange():
            return "router.handoffs.v1", value
        case SlaDecision():
            return "sla.leads.v1", value
        case LeadQualified():
            return "scorer.leads.v1", decision_of(value)
        case LeadStaged():
            return "scorer.leads.v1", decision(value.lead_id, moves=(LeadMove(staged=value),))
        case LeadAct():
            return "scorer.leads.v1", decision(value.lead_id, act=value)
        case LeadCommand():
            return "scorer.leads.v1", decision(value.lead_id, command=value)
        case LeadRouted():
            return "router.handoffs.v1", _answer(
                value, HandoffEvent.ROUTED, owner=value.owner, routed=value
            )
        case LeadUnrouted():
            return "router.handoffs.v1", _answer(
                value, HandoffEvent.UNROUTED, owner=value.watcher, unrouted=value
            )
        case HandoffNoted():
            return "router.handoffs.v1", _noted(value)
        case SlaAction():
            return "sla.leads.v1", SlaDecision(lead_id=value.lead_id, action=value)
        case LeadRecycled():
            return "sla.leads.v1", SlaDecision(lead_id=value.lead_id, recycled=value)
        case LeadReactivated():
            return "sla.leads.v1", SlaDecision(lead_id=value.lead_id, reactivated=value)
    raise TypeError(f"no stream carries {type(value).__name__}")


def decision(lead_id: str, **parts: Any) -> LeadDecision:
    """One step of the lead reducer."""
    return LeadDecision(lead_id=lead_id, at_ms=0, **parts)


def move_of(
    lead: str, event: str, *, before: str = "mql", after: str = "sal", at_ms: int = 1, **more: Any
) -> LeadStaged:
    """A move of a lead in its cycle, done and known at ``at_ms`` unless ``more`` says otherwise."""
    values: dict[str, Any] = {
        "cycle": 1,
        "actor": "sales",
        "cause_id": f"{event}-{lead}",
        "occurred_at_ms": at_ms,
        "evidence_at_ms": at_ms,
        "agreement": "v",
    }
    return LeadStaged(
        lead_id=lead, event=event, from_stage=before, to_stage=after, at_ms=at_ms, **values | more
    )


def decision_of(qualified: LeadQualified) -> LeadDecision:
    """A qualification with the move that comes with it."""
    staged = LeadStaged(
        lead_id=qualified.lead_id,
        cycle=qualified.cycle,
        from_stage="inquiry",
        to_stage="mql",
        event="qualified",
        actor="system",
        cause_id=qualified.cause_id,
        at_ms=qualified.qualified_at_ms,
        occurred_at_ms=qualified.qualified_at_ms,
        evidence_at_ms=qualified.received_at_ms,
        agreement=qualified.agreement,
        qualification_id=qualified.qualification_id,
        segment=qualified.segment,
        level=qualified.level,
        hand_raised=qualified.hand_raised,
    )
    return decision(qualified.lead_id, moves=(LeadMove(staged=staged, qualified=qualified),))


def _answer(answer: LeadRouted | LeadUnrouted, event: HandoffEvent, **more: Any) -> HandoffChange:
    return HandoffChange(
        lead_id=answer.lead_id,
        event=event,
        handoff_id=answer.handoff_id,
        qualification_id=answer.qualification_id,
        attempt=answer.attempt,
        cycle=answer.cycle,
        leg=answer.leg or "",
        at_ms=0,
        cause_id="c",
        agreement=answer.agreement,
        pool=answer.pool,
        **more,
    )


def _noted(noted: HandoffNoted) -> HandoffChange:
    return HandoffChange(
        lead_id=noted.lead_id,
        event=_EVENTS[HandoffKind(noted.kind)],
        handoff_id=noted.handoff_id,
        qualification_id=noted.qualification_id,
        attempt=noted.attempt,
        cycle=1,
        leg=noted.leg or "",
        at_ms=noted.at_ms,
        cause_id=noted.cause_id,
        agreement=noted.agreement or "",
        owner=noted.owner,
        pool=noted.pool,
        reason=noted.reason,
        by=noted.by,
        in_favour_of=noted.in_favour_of,
        published=True,
    )
