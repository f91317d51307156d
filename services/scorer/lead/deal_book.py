"""What a lead knows of its deals: of every field the word with the latest event time, whatever came
first; the days on which a deal was expected to close, in order; and whether it is open.

It publishes nothing and refuses nothing; :mod:`.deals` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from baton.contracts.acts import DealContact
from baton.contracts.deals import CloseDate, DealState, KnownDeal, LeadDeal
from baton.evolve import evolve
from services.scorer.lead.state import DEAL
from services.scorer.lead.step import LeadStep

MAX_DEALS: Final = 50
MAX_CLOSE_DATES: Final = 12
_CLOSE: Final = "expected_close"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealNews:
    """What an act says of a deal besides its amount and date; None: nothing."""

    deal_stage: str | None = None
    next_step: str | None = None
    next_step_on: str | None = None
    contacts: tuple[DealContact, ...] | None = None

    def fields(self) -> dict[str, Any]:
        """What it says, by field of :class:`LeadDeal`. A next step brings its day, or has none."""
        said: dict[str, Any] = {"deal_stage": self.deal_stage, "contacts": self.contacts}
        found = {name: value for name, value in said.items() if value is not None}
        if self.next_step is not None:
            found |= {"next_step": self.next_step, "next_step_on": self.next_step_on}
        return found


def deals_of(step: LeadStep) -> dict[str, KnownDeal]:
    """Every deal of the lead, by its id."""
    return dict(step.items(DEAL))


def open_deals_of(step: LeadStep) -> dict[str, KnownDeal]:
    """Those that have not ended."""
    return {name: known for name, known in step.items(DEAL) if known.deal.state == DealState.OPEN}


def known_deals(step: LeadStep) -> tuple[KnownDeal, ...]:
    """The deals as they travel to the lead that this one ends in."""
    return tuple(deals_of(step).values())


def updated(known: KnownDeal, said: Mapping[str, Any], *, at_ms: int) -> KnownDeal:
    """``known`` with what was ``said`` at ``at_ms``: a field keeps a word that is newer."""
    newer = {name: value for name, value in said.items() if at_ms >= known.times.get(name, 0)}
    deal = evolve(known.deal, **{name: newer[name] for name in newer if name != _CLOSE})
    if said.get(_CLOSE) is not None:
        dates = _with_close_date(deal.close_dates, CloseDate(day=said[_CLOSE], since_ms=at_ms))
        deal = evolve(deal, close_dates=dates, expected_close=dates[-1].day)
    return KnownDeal(
        deal=deal,
        at_ms=max(known.at_ms, at_ms),
        times={**known.times, **dict.fromkeys(newer, at_ms)},
    )


def _with_close_date(dates: tuple[CloseDate, ...], said: CloseDate) -> tuple[CloseDate, ...]:
    """In the order in which they were set; a day that is set again right away changes nothing."""
    ordered = sorted((*dates, said), key=lambda date: date.since_ms)
    kept = [ordered[0], *(later for one, later in pairwise(ordered) if one.day != later.day)]
    return tuple(kept[-MAX_CLOSE_DATES:])


def new_deal(name: str) -> KnownDeal:
    """A deal of which nothing is known yet."""
    return KnownDeal(deal=LeadDeal(opportunity_id=name, state=DealState.OPEN.value), at_ms=0)


def put_deal(step: LeadStep, known: KnownDeal) -> None:
    """Remember the deal; of more than fifty those that ended go first, the oldest of them first."""
    others, name = deals_of(step), known.deal.opportunity_id
    step.put(DEAL, name, known)
    if len(others) >= MAX_DEALS and name not in others:
        is_open = {item: other.deal.state == DealState.OPEN for item, other in others.items()}
        step.drop(DEAL, min(others, key=lambda item: (is_open[item], others[item].at_ms, item)))


def with_state(known: KnownDeal, state: DealState, *, at_ms: int) -> KnownDeal:
    """The deal as it is from ``at_ms`` on."""
    won_at_ms = at_ms if state is DealState.WON else 0
    return evolve(known, deal=evolve(known.deal, state=state.value, won_at_ms=won_at_ms))


def lose_open_deals(step: LeadStep) -> None:
    """The cycle ends without a win: nothing is open any more."""
    for known in open_deals_of(step).values():
        put_deal(step, with_state(known, DealState.LOST, at_ms=step.now))
