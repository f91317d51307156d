"""A lead as it stands, from its facts alone: the order in which they arrived changes nothing.

Who holds the lead is read off by the projection that router, watcher and audit share
(:mod:`baton.contracts.custody`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from baton.contracts.custody import HolderKind, Holding, holder_of, told
from baton.contracts.leads import LeadQualified, LeadScored, LeadStaged
from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import (
    LEADS_HANDOFFS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from services.insights.derived.public_streams import stream_records
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import LEAD

_FLOW: Final = (
    LEADS_SCORED,
    LEADS_QUALIFIED,
    LEADS_STAGES,
    LEADS_UNROUTED,
    LEADS_HANDOFFS,
    LEADS_ROUTED_SDR,
    LEADS_ROUTED_SALES,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
)
_UNMOVED: Final = "consent_changed"
MARKETING: Final = "marketing"
"""Holds a lead that has never been ready for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A fact of the lead as it was kept."""

    topic: str
    log_ms: int
    log_offset: int
    value: Any

    @property
    def order(self) -> tuple[int, int, int]:
        """Append time, then the order of the flow: facts of one moment lie in several topics."""
        return (
            self.log_ms,
            _FLOW.index(self.topic) if self.topic in _FLOW else len(_FLOW),
            self.log_offset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What other tables know of the lead. ``root``: the lead it ended in, through any chain of
    merges, or itself."""

    account_id: str | None
    root: str
    journey: str
    seen: tuple[int, int]
    last_act_ms: int | None
    erased: bool


@dataclass(slots=True)
class _Latest:
    scored: LeadScored | None = None
    moved_ms: int | None = None
    moved: LeadStaged | None = None
    qualified: LeadQualified | None = None
    routed: LeadRouted | None = None


def lead_row(lead_id: str, facts: Sequence[Kept], around: Surroundings) -> Put:
    """The row of the lead."""
    ordered = sorted(facts, key=lambda each: each.order)
    holding, latest = Holding(), _Latest()
    for record in stream_records([each.value for each in ordered]):
        holding = told(holding, record)
    for kept in ordered:
        _note(latest, kept)
    return _row(lead_id, holding, latest, around)


def _note(latest: _Latest, kept: Kept) -> None:
    match kept.value:
        case LeadScored() as scored:
            latest.scored = scored
        case LeadStaged(event=event) as move if event != _UNMOVED:
            if latest.moved is None or latest.moved.to_stage != move.to_stage:
                latest.moved_ms = move.occurred_at_ms
            latest.moved = move
        case LeadQualified() as qualified:
            latest.qualified = qualified
        case LeadRouted() as routed:
            latest.routed = routed


def _row(lead_id: str, holding: Holding, latest: _Latest, around: Surroundings) -> Put:
    holder, scored = holder_of(holding), latest.scored
    qualified = (
        latest.qualified
        if latest.qualified and holding.qualification_id == latest.qualified.qualification_id
        else None
    )
    handoff = holding.standing
    routed = (
        latest.routed
        if latest.routed and handoff and handoff.handoff_id == latest.routed.handoff_id
        else None
    )
    cold = scored.level if scored else "cold"
    kind, who = _holder(holding, latest, around, lead_id)
    return put(
        LEAD,
        lead_id=lead_id,
        stage=holding.stage,
        cycle=holding.cycle,
        stage_since_ms=latest.moved_ms or around.seen[0],
        reason=holding.reason,
        holder_kind=kind,
        holder=who,
        next_at_ms=holder.next_at_ms,
        missing="" if kind != HolderKind.NOBODY else str(holder.missing),
        handoff_id=handoff.handoff_id if handoff else None,
        qualification_id=holding.qualification_id,
        qualified_at_ms=qualified.qualified_at_ms if qualified else None,
        routed_at_ms=routed.routed_at_ms if routed else None,
        pool=routed.pool if routed else handoff.pool or handoff.queue if handoff else None,
        leg=routed.leg if routed else qualified.leg if qualified else None,
        level=qualified.level if qualified else cold,
        grade=scored.grade if scored else "",
        fit_micro=scored.fit_micro if scored else 0,
        engagement_micro=scored.engagement_micro if scored else 0,
        scored_at_ms=scored.scored_at_ms if scored else 0,
        hand_raised=bool(qualified and qualified.hand_raised),
        segment=latest.qualified.segment if latest.qualified else None,
        account_id=around.account_id,
        survivor=around.root if around.root != lead_id else None,
        journey=around.journey,
        erased=around.erased or holding.ended == "erased",
        first_seen_ms=around.seen[0],
        last_seen_ms=around.seen[1],
        last_act_ms=around.last_act_ms,
    )


def _holder(
    holding: Holding, latest: _Latest, around: Surroundings, lead_id: str
) -> tuple[str, str]:
    """Who holds the lead. One that never qualified is nobody's to work on: it is marketing's."""
    if around.root != lead_id:
        return HolderKind.LEAD.value, around.root
    if around.erased or holding.ended:
        return HolderKind.END.value, holding.ended or "erased"
    if (
        latest.qualified is None
        and holding.rest is None
        and (latest.moved is None or latest.moved.to_stage == "inquiry")
    ):
        return MARKETING, ""
    holder = holder_of(holding)
    return holder.kind.value, holder.who
