"""Deals as money: what is open counts towards the pipeline, what is won towards the closes.

Amounts are in minor units of their currency. Only goals in the same currency count them: no rate is
guessed. A win that is corrected or taken back changes the period in which it was counted; goals
that never counted it do not change.
"""

from typing import Final

from baton.contracts.deals import DealState
from baton.contracts.leads import LeadStaged, StageEvent
from baton.evolve import evolve
from services.sla_watcher.clocks.goal_tallies import (
    Counted,
    goals_for,
    publish_tally,
    take_back_win,
    tally_id_of,
)
from services.sla_watcher.clocks.state import OpenDeal, WonDeal
from services.sla_watcher.clocks.step import ClockStep

PIPELINE: Final = "coverage"
WON_AMOUNT: Final = "won_amount"
_CLOSES: Final = frozenset(
    {
        StageEvent.WON,
        StageEvent.LOST,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)
_MOST_WON: Final = 20


def on_deal(step: ClockStep, staged: LeadStaged) -> None:
    """Note what the move says about money."""
    name = staged.opportunity_id or f"{step.lead_id}/{staged.cycle}"
    won = next((known for known in step.head.won if known.opportunity_id == name), None)
    if staged.event == StageEvent.WON:
        _win(step, staged, name)
    elif staged.event == StageEvent.REOPENED and won is not None:
        _take_back(step, won)
    elif won is not None and staged.deal is not None and staged.deal.state == DealState.WON:
        _correct(step, staged, won)
    if _closes(staged):
        for deal in step.head.deals:
            if staged.opportunity_id is None or deal.opportunity_id == name:
                _change(step, staged, deal, evolve(deal, amount_minor=0))
    elif _is_open(staged):
        _open(step, staged, name)


def _closes(staged: LeadStaged) -> bool:
    lost = staged.deal is not None and staged.deal.state == DealState.LOST
    return staged.event in _CLOSES or (staged.event == StageEvent.DEAL_CHANGED and lost)


def _is_open(staged: LeadStaged) -> bool:
    if staged.amount_minor is None or staged.currency is None:
        return False
    return staged.deal is None or staged.deal.state == DealState.OPEN


def _open(step: ClockStep, staged: LeadStaged, name: str) -> None:
    assert staged.amount_minor is not None
    assert staged.currency is not None
    known = next((deal for deal in step.head.deals if deal.opportunity_id == name), None)
    if known is not None and known.currency != staged.currency:
        _change(step, staged, known, evolve(known, amount_minor=0))
        known = evolve(known, amount_minor=0, currency=staged.currency)
    opened = known or OpenDeal(opportunity_id=name, amount_minor=0, currency=staged.currency)
    due = staged.expected_close or opened.due
    _change(step, staged, opened, evolve(opened, amount_minor=staged.amount_minor, due=due))


def _change(step: ClockStep, staged: LeadStaged, deal: OpenDeal, changed: OpenDeal) -> None:
    others = tuple(
        known for known in step.head.deals if known.opportunity_id != deal.opportunity_id
    )
    step.head = evolve(step.head, deals=(*others, changed) if changed.amount_minor else others)
    if deal.due == changed.due or not changed.amount_minor:
        moves = (
            {deal.due: changed.amount_minor - deal.amount_minor}
            if deal.amount_minor
            else {changed.due: changed.amount_minor}
        )
    else:
        moves = {deal.due: -deal.amount_minor, changed.due: changed.amount_minor}
    for goal in goals_for(step, PIPELINE, deal.currency):
        for due, amount_minor in moves.items():
            if amount_minor:
                name = staged.opportunity_id or ""
                subject = (step.lead_id, staged.cycle, name, step.cause, deal.currency, due or "")
                counted = Counted(
                    metric=PIPELINE,
                    amount=amount_minor,
                    occurred_at_ms=staged.occurred_at_ms,
                    subject=subject,
                    due=due,
                )
                publish_tally(step, goal, counted)


def _win(step: ClockStep, staged: LeadStaged, name: str) -> None:
    won = WonDeal(
        opportunity_id=name,
        amount_minor=staged.amount_minor or 0,
        currency=staged.currency or "",
        won_at_ms=staged.occurred_at_ms,
        cycle=staged.cycle,
    )
    others = tuple(known for known in step.head.won if known.opportunity_id != name)
    step.head = evolve(step.head, won=(*others, won)[-_MOST_WON:])
    _count_win(step, won)


def _count_win(step: ClockStep, won: WonDeal, *, former: WonDeal | None = None) -> None:
    """Count what was won, in place of what was counted for the same win before."""
    if not (won.amount_minor and won.currency):
        return
    for metric in (WON_AMOUNT, PIPELINE):
        for goal in goals_for(step, metric, won.currency):
            replaces = None if former is None else _tally_id(step, goal, former)
            publish_tally(step, goal, _counted(step, won, replaces=replaces))


def _correct(step: ClockStep, staged: LeadStaged, won: WonDeal) -> None:
    """The amount of a win was corrected."""
    amount, currency = staged.amount_minor or 0, staged.currency or won.currency
    if (amount, currency) == (won.amount_minor, won.currency):
        return
    corrected = evolve(won, amount_minor=amount, currency=currency, version=won.version + 1)
    others = (known for known in step.head.won if known.opportunity_id != won.opportunity_id)
    step.head = evolve(step.head, won=(*others, corrected))
    same = currency == won.currency and won.amount_minor and amount
    if not same:
        _uncount(step, won)
    _count_win(step, corrected, former=won if same else None)


def _take_back(step: ClockStep, won: WonDeal) -> None:
    """The win was none: neither its amount nor its customer counts."""
    step.head = evolve(
        step.head,
        won=tuple(known for known in step.head.won if known.opportunity_id != won.opportunity_id),
    )
    _uncount(step, won)
    take_back_win(step, occurred_at_ms=won.won_at_ms, cycle=won.cycle)


def _uncount(step: ClockStep, won: WonDeal) -> None:
    for metric in (WON_AMOUNT, PIPELINE):
        for goal in goals_for(step, metric, won.currency, everywhere=True):
            nothing = evolve(_counted(step, won, replaces=_tally_id(step, goal, won)), amount=0)
            publish_tally(step, goal, nothing)


def _counted(step: ClockStep, won: WonDeal, *, replaces: str | None) -> Counted:
    return Counted(
        metric=WON_AMOUNT,
        amount=won.amount_minor,
        occurred_at_ms=won.won_at_ms,
        subject=_subject(step, won),
        replaces=replaces,
    )


def _subject(step: ClockStep, won: WonDeal) -> tuple[str | int, ...]:
    return step.lead_id, won.cycle, won.opportunity_id, "won", won.version


def _tally_id(step: ClockStep, goal: str, won: WonDeal) -> str:
    return tally_id_of(goal, WON_AMOUNT, _subject(step, won))
