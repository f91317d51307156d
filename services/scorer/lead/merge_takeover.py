"""Where a merged lead stood goes on at its survivor: open work, a raised hand, a rest, a customer.

The survivor keeps its own place where it is somebody's work already. What somebody had accepted is
handed on and does not cool; what nobody had accepted yet is an MQL at the survivor only if it would
have become one there.
"""

from __future__ import annotations

from typing import Final

from baton.agreement.compiled.levels import RANK
from baton.contracts.leads import Actor, EarlierCycle, Level, Stage, StageEvent
from baton.contracts.transfers import LeadTransfer
from baton.evolve import evolve
from services.scorer.lead.cycle_state import UNTIL_DECIDED, Rest
from services.scorer.lead.level import Raising, rate_lead
from services.scorer.lead.publish_score import publish_score
from services.scorer.lead.qualification import add_hands, qualify, why_not
from services.scorer.lead.stage_moves import Cause, by_system, cycle_item, end_cycle, place
from services.scorer.lead.state import CYCLE, MERGED
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN, REST
from services.scorer.score.ledger import id_bytes, retracted_ids

_OPEN: Final = frozenset(stage.value for stage in OPEN)
_REST: Final = frozenset(stage.value for stage in REST)
_OF_SALES: Final = frozenset({Stage.SQL.value, Stage.OPPORTUNITY.value})


def take_over(step: LeadStep, transfer: LeadTransfer) -> bool:
    """What was open at the loser is open at the survivor; what rested, rests. True if that was all
    there is to do."""
    stage = step.head.stage
    cause = by_system(step, transfer.transfer_id, occurred_at_ms=transfer.at_ms, reason=MERGED)
    if transfer.stage in _OPEN:
        _keep_cycle(step, transfer)
        if stage in _REST:
            return _handed_on(step, transfer, cause)
        if stage in _OPEN:
            _joins(step, transfer, cause)
    elif transfer.stage == Stage.RECYCLED.value and stage == Stage.INQUIRY.value:
        _rests(step, transfer, cause)
    elif transfer.stage == Stage.CUSTOMER.value and stage in (
        Stage.INQUIRY.value,
        Stage.RECYCLED.value,
    ):
        step.update_cycle(customer_of=transfer.owner)
        place(step, StageEvent.TAKEN_OVER, cause, Stage.CUSTOMER)
    return False


def _handed_on(step: LeadStep, transfer: LeadTransfer, cause: Cause) -> bool:
    """The survivor is handed on in the loser's place, first to who had it. False where it is no MQL
    here."""
    rating = rate_lead(step, raising=Raising.BY_NUMBER, cause=transfer.transfer_id)
    raised_by, accepted = hands_raised(step, transfer), transfer.accepted
    ready = bool(raised_by) or rating.level != Level.COLD.value
    if not (accepted or (ready and not why_not(step, rating, raised=bool(raised_by)))):
        return False
    publish_score(step, rating, cause=transfer.transfer_id, always=True)
    level = max(transfer.level or Level.WARM.value, rating.level, key=RANK.__getitem__)
    qualify(
        step,
        rating._replace(level=level),
        cause,
        raised_by=raised_by,
        owner=transfer.owner,
        leg=_leg_of(transfer) if accepted else "",
        kept=accepted,
    )
    return True


def _leg_of(transfer: LeadTransfer) -> str:
    """Whose work it was. What sales had qualified, or opened a deal for, is theirs, even where
    nobody had handed it to them: only they can say how it ends."""
    return Actor.SALES.value if transfer.stage in _OF_SALES else transfer.leg


def _joins(step: LeadStep, transfer: LeadTransfer, cause: Cause) -> None:
    """Both are somebody's work: who has the survivor hears of a hand that only the loser had
    raised."""
    work = step.cycle_state.work
    step.update_work(kept=work.kept or transfer.accepted)
    raised_by = hands_raised(step, transfer)
    if raised_by:
        add_hands(step, raised_by)
    if raised_by and not work.raised_by:
        place(step, StageEvent.HAND_RAISED, cause, Stage(step.head.stage))


def hands_raised(step: LeadStep, transfer: LeadTransfer) -> tuple[str, ...]:
    """The fast-track acts of the loser that were not retracted."""
    if not transfer.hand_raised:
        return ()
    gone = retracted_ids(step.head.retracted)
    return tuple(
        event_id
        for event_id in transfer.raised_by or (transfer.transfer_id,)
        if id_bytes(event_id) not in gone
    )


def _keep_cycle(step: LeadStep, transfer: LeadTransfer) -> None:
    """The loser's open cycle is history now."""
    ended = EarlierCycle(
        cycle=transfer.cycle,
        ended_at_ms=transfer.at_ms,
        outcome=MERGED,
        reason=transfer.stage,
        holder=transfer.owner,
    )
    step.put(CYCLE, cycle_item(ended, transfer.loser), ended)


def _rests(step: LeadStep, transfer: LeadTransfer, cause: Cause) -> None:
    """The loser was to come back some day: the SLA watcher plans the survivor's return from the
    same reason, and until it has, only a raised hand brings it back."""
    said = evolve(cause, actor=Actor.MARKETING, reason=transfer.rest_reason)
    place(step, StageEvent.RECYCLED, said, Stage.RECYCLED)
    since = step.head.since_ms
    end_cycle(step, MERGED, reason=transfer.rest_reason, ended_at_ms=step.now)
    step.head = evolve(step.head, since_ms=since)
    step.recount()
    step.update_cycle(rest=Rest(reason=transfer.rest_reason, cool_off_until_ms=UNTIL_DECIDED))
