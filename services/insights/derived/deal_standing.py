"""The deals of a lead as they stand, from its moves alone. Pure.

A move carries the deal that it was about as it is known then, so of one deal the last move says its
state and amount: a win that was taken back is open again, one of several deals can be lost while
the lead stays in its stage, and a corrected amount replaces the former one. An end of the cycle
without a customer ends every deal of the lead that is still open. Moves of leads that ended in
another one count as that one's.

A deal without a name of its own is that of the lead's cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from baton.contracts.deals import DealState
from baton.contracts.leads import LeadStaged, Stage, StageEvent
from baton.contracts.stage_events import NO_MOVES
from services.insights.derived.lead_rows import Kept
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import DEAL


class DealStanding(StrEnum):
    """What became of a deal. ``derailed``: the cycle ended, and nobody said that it was lost."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"
    DERAILED = "derailed"


_Value = TypeVar("_Value", int, str)
_STATES: Final[Mapping[str, DealState]] = {
    StageEvent.OPPORTUNITY: DealState.OPEN,
    StageEvent.REOPENED: DealState.OPEN,
    StageEvent.WON: DealState.WON,
    StageEvent.LOST: DealState.LOST,
}
"""The state after a move that carries no deal."""
_RESTS: Final = frozenset({Stage.RECYCLED.value, Stage.DISQUALIFIED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One deal. ``lead_id``: of the last move about it; ``ended_by``: the fact that ended it."""

    deal: str
    lead_id: str
    opportunity_id: str | None = None
    standing: DealStanding = DealStanding.OPEN
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None
    opened_at_ms: int | None = None
    ended_at_ms: int | None = None
    ended_by: str | None = None
    reason: str | None = None
    by_person: str | None = None
    segment: str | None = None


def deals_of(facts: Sequence[Kept]) -> list[Deal]:
    """The deals that the facts of a lead, and of those that ended in it, report."""
    found: dict[str, Deal] = {}
    for kept in sorted(facts, key=lambda fact: fact.order):
        if not isinstance(kept.value, LeadStaged):
            continue
        _take(found, kept.value, kept.fact_id)
        _end_open(found, kept.value, kept.fact_id)
    return list(found.values())


def deal_rows(root: str, deals: Sequence[Deal]) -> Iterator[Put]:
    """A row for each deal of the lead ``root``."""
    for deal in deals:
        yield put(
            DEAL,
            root=root,
            deal=deal.deal,
            lead_id=deal.lead_id,
            opportunity_id=deal.opportunity_id,
            state=deal.standing.value,
            amount_minor=deal.amount_minor,
            currency=deal.currency,
            expected_close=deal.expected_close,
            opened_at_ms=deal.opened_at_ms,
            ended_at_ms=deal.ended_at_ms,
            ended_by=deal.ended_by,
            reason=deal.reason,
            by_person=deal.by_person,
            segment=deal.segment,
        )


def standing_wins(deals: Sequence[Deal]) -> frozenset[str]:
    """The facts of the wins that were not taken back."""
    return frozenset(
        deal.ended_by for deal in deals if deal.standing is DealStanding.WON and deal.ended_by
    )


def _take(found: dict[str, Deal], move: LeadStaged, fact_id: str) -> None:
    state = move.deal.state if move.deal else _STATES.get(move.event)
    if state is None:
        return
    name = move.opportunity_id or f"{move.lead_id}/{move.cycle}"
    known = found.get(name)
    is_unnamed_loss = state == DealState.LOST and move.deal is None
    if known is None and is_unnamed_loss and _has_open(found, move.lead_id):
        return  # of no deal in particular: the end of the cycle loses those that are open
    before = known or Deal(deal=name, lead_id=move.lead_id, opportunity_id=move.opportunity_id)
    found[name] = _changed(
        replace(
            before,
            lead_id=move.lead_id,
            amount_minor=_newer(move.amount_minor, before.amount_minor),
            currency=_newer(move.currency, before.currency),
            expected_close=_newer(move.expected_close, before.expected_close),
            segment=_newer(move.segment, before.segment),
        ),
        DealStanding(state),
        move,
        fact_id,
        is_new=known is None,
    )


def _has_open(found: Mapping[str, Deal], lead_id: str) -> bool:
    return any(
        deal.standing is DealStanding.OPEN and deal.lead_id == lead_id for deal in found.values()
    )


def _changed(
    deal: Deal, standing: DealStanding, move: LeadStaged, fact_id: str, *, is_new: bool
) -> Deal:
    if standing is DealStanding.OPEN:
        opened = deal.opened_at_ms if not is_new else move.occurred_at_ms
        return replace(
            deal,
            standing=standing,
            opened_at_ms=opened,
            ended_at_ms=None,
            ended_by=None,
            reason=None,
            by_person=None,
        )
    if deal.standing is standing:
        return deal
    return _ended(deal, standing, move, fact_id)


def _ended(deal: Deal, standing: DealStanding, move: LeadStaged, fact_id: str) -> Deal:
    return replace(
        deal,
        standing=standing,
        ended_at_ms=move.occurred_at_ms,
        ended_by=fact_id,
        reason=move.reason,
        by_person=move.by,
    )


def _end_open(found: dict[str, Deal], move: LeadStaged, fact_id: str) -> None:
    if move.event in NO_MOVES or move.to_stage not in _RESTS:
        return
    is_loss = move.event == StageEvent.LOST
    standing = DealStanding.LOST if is_loss else DealStanding.DERAILED
    for name, deal in found.items():
        if deal.standing is DealStanding.OPEN and deal.lead_id == move.lead_id:
            found[name] = _ended(deal, standing, move, fact_id)


def _newer(new: _Value | None, old: _Value | None) -> _Value | None:
    return old if new is None else new
