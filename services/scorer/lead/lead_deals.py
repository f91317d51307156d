"""The deals of a lead: what an act says of them, and which of them it is about.

A lead can have several. ``opportunity`` opens one or changes it; ``deal`` changes one that is
known, whatever the lead's stage, and so corrects the amount of a won one; ``won`` and ``lost`` end
one; ``reopened`` takes a win back. A loss ends the cycle only where no other deal of the lead is
open. A deal may be changed by everybody of sales, not only by who has the lead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from baton.contracts.acts import Act
from baton.contracts.deals import DealState, KnownDeal
from baton.contracts.leads import Stage, StageEvent
from baton.evolve import evolve
from services.scorer.lead.deal_book import (
    DealNews,
    deals_of,
    new_deal,
    open_deals_of,
    put_deal,
    updated,
    with_state,
)
from services.scorer.lead.stage_moves import Cause, by_system, place
from services.scorer.lead.state import DEAL
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import REST, Refused, may_say, moved

SAY_AMOUNTS: Final = frozenset({StageEvent.OPPORTUNITY, StageEvent.WON})
_STATES: Final = {
    StageEvent.OPPORTUNITY: DealState.OPEN,
    StageEvent.REOPENED: DealState.OPEN,
    StageEvent.WON: DealState.WON,
    StageEvent.LOST: DealState.LOST,
}
_WON_ALREADY: Final = (
    "won_already",
    "a deal act corrects its amount; reopened takes the win back",
)
_SHOWN: Final = 10

Refusal = tuple[str, str | None]


def news_of(act: Act) -> DealNews | None:
    """What the act says of a deal besides its amount and date."""
    news = DealNews(
        deal_stage=act.deal_stage,
        next_step=act.next_step,
        next_step_on=act.next_step_on,
        contacts=act.contacts,
    )
    return news if news != DealNews() else None


def refusal(step: LeadStep, move: StageEvent, cause: Cause) -> Refusal | None:
    """Why nothing can be said of this deal, or by this person; None if it can, or if the act is
    about no deal."""
    if move is StageEvent.DEAL_CHANGED or _is_loss_at_rest(step, move, cause):
        may = move is StageEvent.LOST or not isinstance(
            moved(Stage(step.head.stage), move, cause.actor), Refused
        )
        if not may or cause.actor not in may_say(move):
            return "actor_may_not", None
    if move not in _STATES and move is not StageEvent.DEAL_CHANGED:
        return None
    known = deals_of(step).get(_name(step, move, cause) or "")
    if known is None:
        return _not_found(step, move, cause)
    is_won = known.deal.state == DealState.WON
    if is_won and move in (StageEvent.OPPORTUNITY, StageEvent.WON, StageEvent.LOST):
        return _WON_ALREADY
    if not is_won and move is StageEvent.REOPENED:
        return "not_won", None
    return _wrong_amount(cause, known) if move not in SAY_AMOUNTS else None


def _wrong_amount(cause: Cause, known: KnownDeal) -> Refusal | None:
    """Of a deal that is known the currency need not be said again."""
    if cause.amount_minor is None:
        return None
    if not (cause.currency or known.deal.currency):
        return "currency_missing", None
    return ("amount_negative", None) if cause.amount_minor < 0 else None


def _not_found(step: LeadStep, move: StageEvent, cause: Cause) -> Refusal | None:
    if move is StageEvent.WON and step.head.stage == Stage.CUSTOMER:
        return None if cause.opportunity_id else ("nothing_open", None)
    must_be_known = move in (StageEvent.DEAL_CHANGED, StageEvent.REOPENED)
    names_another = move is StageEvent.LOST and cause.opportunity_id and open_deals_of(step)
    if not (must_be_known or names_another):
        return None
    reason = "deal_unknown" if cause.opportunity_id else "deal_not_named"
    return reason, f"deals of the lead: {_listed(deals_of(step))}"


def _listed(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return (", ".join(listed[:_SHOWN]) + more) or "none"


def _name(step: LeadStep, move: StageEvent, cause: Cause) -> str | None:
    """The deal that is meant: as named, or the only one that it can be."""
    if cause.opportunity_id is not None or move in (StageEvent.OPPORTUNITY, StageEvent.LOST):
        return cause.opportunity_id
    known, opened = deals_of(step), open_deals_of(step)
    if move is StageEvent.WON:
        return max(opened, key=lambda item: (opened[item].at_ms, item), default=None)
    if move is StageEvent.REOPENED:
        known = {name: one for name, one in known.items() if one.deal.state == DealState.WON}
    elif len(opened) == 1:
        known = opened
    return next(iter(known)) if len(known) == 1 else None


def _is_loss_at_rest(step: LeadStep, move: StageEvent, cause: Cause) -> bool:
    return (
        move is StageEvent.LOST
        and step.head.stage in REST
        and cause.opportunity_id in open_deals_of(step)
    )


def names_deal(step: LeadStep, move: StageEvent, cause: Cause) -> bool:
    """Whether the act is about a deal that goes on beyond the cycle in which it began."""
    if move is StageEvent.REOPENED:
        return True
    return move is StageEvent.WON and cause.opportunity_id in open_deals_of(step)


def is_free(step: LeadStep, move: StageEvent, cause: Cause) -> bool:
    """Whether it is about a deal alone, and not about who has the lead."""
    return move is StageEvent.DEAL_CHANGED or _is_loss_at_rest(step, move, cause)


def is_of_deal_alone(step: LeadStep, move: StageEvent, cause: Cause) -> bool:
    """Whether the lead stays where it is: a deal was changed, or one of several was lost."""
    if move is not StageEvent.LOST:
        return move is StageEvent.DEAL_CHANGED
    opened = open_deals_of(step)
    return cause.opportunity_id in opened and (len(opened) > 1 or step.head.stage in REST)


def change(step: LeadStep, move: StageEvent, cause: Cause) -> None:
    """Keep what was said and publish the deal as it is now; the lead stays in its stage."""
    place(step, StageEvent.DEAL_CHANGED, keep(step, move, cause), Stage(step.head.stage))


def keep(step: LeadStep, move: StageEvent, cause: Cause) -> Cause:
    """Keep what is said of the deal; what is not said again stays as it was. Gives the cause with
    the whole deal; unchanged where none is meant."""
    if move not in _STATES and move is not StageEvent.DEAL_CHANGED:
        return cause
    name = _name(step, move, cause)
    if move is StageEvent.LOST and (name is None or name not in deals_of(step)):
        return cause
    known = deals_of(step).get(name or cause.id) or new_deal(name or cause.id)
    at_ms = cause.occurred_at_ms
    known = updated(known, _said(cause), at_ms=at_ms)
    if move in _STATES:
        known = with_state(known, _STATES[move], at_ms=at_ms)
    put_deal(step, known)
    return _with_deal(cause, known)


def _said(cause: Cause) -> dict[str, Any]:
    said = {
        "amount_minor": cause.amount_minor,
        "currency": cause.currency or None,
        "expected_close": cause.expected_close or None,
    }
    news = cause.deal_news.fields() if cause.deal_news is not None else {}
    return {name: value for name, value in said.items() if value is not None} | news


def _with_deal(cause: Cause, known: KnownDeal) -> Cause:
    deal = known.deal
    return evolve(
        cause,
        opportunity_id=deal.opportunity_id,
        amount_minor=deal.amount_minor,
        currency=deal.currency,
        expected_close=deal.expected_close,
        deal=deal,
    )


def take_deals(step: LeadStep, deals: tuple[KnownDeal, ...], *, cause: str) -> None:
    """Deals of a lead that ended in this one; of one that both know, the later word. What is open
    is open here from now on, and counts here."""
    for theirs in deals:
        known = step.get(DEAL, theirs.deal.opportunity_id)
        if known is not None and known.at_ms >= theirs.at_ms:
            continue
        put_deal(step, theirs)
        if theirs.deal.state == DealState.OPEN:
            taken = _with_deal(by_system(step, cause, occurred_at_ms=theirs.at_ms), theirs)
            place(step, StageEvent.DEAL_CHANGED, taken, Stage(step.head.stage))
