"""Deals won and their credits, from the touches and stage moves of one journey: an account, or a
lead without one. Pure.

A touch counts unless it was taken back, was done by a machine, or came with an import without a
time of its own. The moment a lead became known is not published; the act that made it an MQL first
stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import CONVERSION, CREDIT
from services.insights.figures.attribution import (
    NO_TOUCH,
    Conversion,
    Model,
    Touch,
    collapsed,
    credits_of_collapsed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A deal that is won, by the fact that won it."""

    fact_id: str
    lead_id: str
    occurred_at_ms: int
    opportunity_id: str | None
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Everything of one journey. ``sources`` by event; ``opened``: when opportunities were reached,
    by lead; ``known``: the earliest cause of a qualification."""

    name: str
    touches: Sequence[Touch]
    sources: dict[str, str]
    won: Sequence[Won]
    opened: Sequence[tuple[str, str | None, int]]
    known_at_ms: int | None


def journey_rows(journey: Journey) -> Iterator[Put]:
    """A row for each deal won, and its credits by each model. Since the last deal for every model
    but ``first``, which goes back to the beginning."""
    since = None
    every = collapsed(journey.touches)
    for won in sorted(journey.won, key=lambda deal: (deal.occurred_at_ms, deal.fact_id)):
        opportunity = _opened_at(journey, won, since)
        yield put(
            CONVERSION,
            conversion_id=won.fact_id,
            journey=journey.name,
            lead_id=won.lead_id,
            opportunity_id=won.opportunity_id,
            amount_minor=won.amount_minor,
            currency=won.currency,
            known_at_ms=journey.known_at_ms,
            opportunity_at_ms=opportunity,
            won_at_ms=won.occurred_at_ms,
        )
        if won.amount_minor is not None and won.currency is not None:
            recent = [t for t in journey.touches if since is None or t.occurred_at_ms > since]
            touches = (every, every if since is None else collapsed(recent))
            yield from _credits(journey, won, opportunity, touches)
        since = won.occurred_at_ms


def _opened_at(journey: Journey, won: Won, since: int | None) -> int | None:
    """When the deal became an opportunity: of the same opportunity where that is named, else of the
    lead."""
    mine = [
        at
        for lead, opportunity, at in journey.opened
        if at <= won.occurred_at_ms
        and (since is None or at > since)
        and (
            opportunity == won.opportunity_id
            if opportunity and won.opportunity_id
            else lead == won.lead_id
        )
    ]
    return min(mine, default=None)


def _credits(
    journey: Journey,
    won: Won,
    opportunity: int | None,
    touches: tuple[Sequence[Touch], Sequence[Touch]],
) -> Iterator[Put]:
    """``touches``: every one of the journey, and those since the deal before."""
    assert won.amount_minor is not None
    conversion = Conversion(
        amount_minor=won.amount_minor,
        won_at_ms=won.occurred_at_ms,
        known_at_ms=journey.known_at_ms,
        opportunity_at_ms=opportunity,
    )
    every, recent = touches
    for model in Model:
        counting = every if model is Model.FIRST else recent
        for place, credit in enumerate(credits_of_collapsed(model, counting, conversion)):
            event_id = credit.touch.event_id if credit.touch else None
            yield put(
                CREDIT,
                conversion_id=won.fact_id,
                model=model.value,
                place=place,
                journey=journey.name,
                event_id=event_id,
                campaign=credit.campaign,
                source=journey.sources.get(event_id or "", NO_TOUCH),
                amount_minor=credit.amount_minor,
                currency=won.currency,
                won_at_ms=won.occurred_at_ms,
            )
