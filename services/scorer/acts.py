"""What people of the firm say about a lead: dispositions move it, or are refused with the reason; touches are noted.

Only the receiving side of the hand-off that stands may accept, reject or give a verdict, its manager in its place. An act that names a
hand-off which stands no more is refused, but for one case: an acceptance that crossed a reassignment (it was said before the lead was
handed on, and the new holder has neither accepted nor touched it) wins. What becomes of a rejected or recycled lead is decided by
the SLA watcher, from the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from baton.agreement.returning import Outcome
from baton.contracts.intake import ActKind, LeadAct
from baton.contracts.leads import Actor, Stage
from baton.ids import derived_id
from services.scorer.course import Cause, end_cycle, move_lead, refuse
from services.scorer.events import settle
from services.scorer.lifecycle import OPEN, Move, Refused, moved
from services.scorer.qualifying import hand_over
from services.scorer.rating import rated
from services.scorer.state_lead import DEAL, Course, Deal, FormerHandoff
from services.scorer.turn import Turn

_MOVES: Final = {
    ActKind.ACCEPTED: Move.ACCEPTED,
    ActKind.REJECTED: Move.REJECTED,
    ActKind.QUALIFIED: Move.QUALIFIED,
    ActKind.RECYCLED: Move.RECYCLED,
    ActKind.DISQUALIFIED: Move.DISQUALIFIED,
    ActKind.OPPORTUNITY: Move.OPPORTUNITY,
    ActKind.WON: Move.WON,
    ActKind.LOST: Move.LOST,
}
_TOUCHES: Final = frozenset({ActKind.CALL, ActKind.MAIL, ActKind.MEETING})
_NEED_REASON: Final = frozenset({Move.REJECTED, Move.RECYCLED, Move.DISQUALIFIED})
_ENDS: Final = frozenset({Move.RECYCLED, Move.DISQUALIFIED, Move.LOST, Move.WON})
_MAX_REJECTERS: Final = 16
_MAX_ATTEMPTS: Final = 32
MAX_DEALS: Final = 50


def on_act(turn: Turn, event: LeadAct) -> None:
    """Carry out one act, or refuse it."""
    act = event.act
    if act.kind in _TOUCHES:
        _touched(turn, event)
    move = _MOVES.get(ActKind(act.kind)) if act.kind in set(ActKind) else None
    if move is None:
        return
    cause = _cause(event)
    refused = _refusal(turn, move, cause, event)
    if refused is not None:
        refuse(turn, move.value, cause, refused)
        return
    _carry_out(turn, move, cause)


def _cause(event: LeadAct) -> Cause:
    act = event.act
    return Cause(
        id=event.event_id,
        actor=Actor(act.actor) if act.actor in set(Actor) else Actor.SYSTEM,
        occurred_at_ms=event.occurred_at_ms,
        evidence_at_ms=event.received_at_ms,
        by=act.by,
        reason=act.reason,
        source=event.source,
        handoff_id=act.handoff_id,
        opportunity_id=act.opportunity_id,
        amount_minor=act.amount_minor,
        currency=act.currency,
        expected_close=act.expected_close,
        contract_end=act.contract_end,
    )


def _refusal(turn: Turn, move: Move, cause: Cause, event: LeadAct) -> str | None:
    """Why the act is not carried out; None if it may be. The first reason that holds, in this order."""
    course = turn.course
    if event.act.actor not in set(Actor) - {Actor.SYSTEM}:
        return "unknown_actor"
    if not _stands(course, move, cause):
        return "stale_handoff"
    target = moved(Stage(turn.head.stage), move, _speaker(cause.actor, move, course))
    if isinstance(target, Refused):
        return target.reason
    return _not_the_holder(turn, move, cause) or _too_late(turn, move, cause) or _incomplete(move, cause)


def _speaker(actor: Actor, move: Move, course: Course) -> Actor:
    """A manager speaks for the side that has the lead, where that side has to say it."""
    speaks = move in (Move.ACCEPTED, Move.REJECTED, Move.QUALIFIED)
    return Actor.SDR if actor is Actor.MANAGER and speaks and course.leg == "sdr" else actor


def _stands(course: Course, move: Move, cause: Cause) -> bool:
    named = cause.handoff_id
    if named is None or named == course.handoff_id:
        return True
    former = _former(course, named)
    if former is not None:
        crossed = cause.occurred_at_ms <= course.routed_at_ms and not (course.accepted or course.touched)
        return move is Move.ACCEPTED and crossed and cause.by == former.owner
    # The answer may be here before the routed record: its id follows from the qualification.
    unseen = range(course.attempt + 1, course.attempt + 1 + _MAX_ATTEMPTS)
    return course.qualification_id is not None and any(
        named == derived_id("handoff", course.qualification_id, attempt) for attempt in unseen
    )


def _former(course: Course, handoff_id: str | None) -> FormerHandoff | None:
    return next((each for each in course.former if each.handoff_id == handoff_id), None)


def _not_the_holder(turn: Turn, move: Move, cause: Cause) -> str | None:
    course = turn.course
    if cause.actor is Actor.MANAGER or turn.head.stage not in set(OPEN):
        return None
    if cause.actor is Actor.MARKETING:
        return None
    receiver = "sdr" if cause.actor is Actor.SDR else "sales"
    if course.leg and course.leg != receiver:
        return f"held_by_{course.leg}"
    former = _former(course, cause.handoff_id)
    owner = former.owner if former is not None else course.owner
    named_ahead = cause.handoff_id is not None and former is None and cause.handoff_id != course.handoff_id
    if owner is not None and cause.by != owner and not named_ahead:
        return "held_by_another"
    return None


def _too_late(turn: Turn, move: Move, cause: Cause) -> str | None:
    """What may be said of a hand-off once only."""
    course = turn.course
    same = cause.handoff_id in (None, course.handoff_id)
    if course.accepted and same and move is Move.ACCEPTED:
        return "already_accepted"
    if course.accepted and move is Move.REJECTED and turn.head.stage in (Stage.SQL, Stage.OPPORTUNITY):
        return "too_late_to_reject"
    return None


def _incomplete(move: Move, cause: Cause) -> str | None:
    if move in _NEED_REASON and not (cause.reason or "").strip():
        return "reason_missing"
    if move in (Move.OPPORTUNITY, Move.WON) and cause.amount_minor is not None:
        if not cause.currency:
            return "currency_missing"
        if cause.amount_minor < 0:
            return "amount_negative"
    return None


def _carry_out(turn: Turn, move: Move, cause: Cause) -> None:
    if move is Move.ACCEPTED:
        _reinstate(turn, cause)
    if move in (Move.OPPORTUNITY, Move.WON):
        cause = _dealt(turn, cause, won=move is Move.WON)
    spoken = replace(cause, actor=_speaker(cause.actor, move, turn.course))
    to = _by_reason(turn, move, cause)
    if move is Move.QUALIFIED and spoken.actor is Actor.SDR:
        _bridged(turn, spoken)
        return
    refused = move_lead(turn, move, spoken, to=to)
    assert refused is None, refused
    _after(turn, move, cause, to)


def _by_reason(turn: Turn, move: Move, cause: Cause) -> Stage | None:
    """A reason that the agreement disqualifies for does so, whatever the act was called."""
    if move not in (Move.RECYCLED, Move.LOST):
        return None
    rule = turn.agreement.recycling.reason(cause.reason)
    return Stage.DISQUALIFIED if rule.outcome is Outcome.DISQUALIFY else None


def _after(turn: Turn, move: Move, cause: Cause, to: Stage | None) -> None:
    course = turn.course
    match move:
        case Move.ACCEPTED:
            turn.steer(accepted=True, touched=True, owner=cause.by if course.owner is None else course.owner)
        case Move.REJECTED:
            rejecters = tuple(dict.fromkeys((*course.rejecters, cause.by or "")))[-_MAX_REJECTERS:]
            turn.steer(rejecters=rejecters, handoff_id=None, owner=None, pool=None, accepted=False, touched=False)
        case Move.QUALIFIED | Move.OPPORTUNITY:
            turn.steer(accepted=True, touched=True, owner=course.owner or cause.by)
        case _ if move in _ENDS:
            _ended(turn, move, cause, to)


def _ended(turn: Turn, move: Move, cause: Cause, to: Stage | None) -> None:
    if move is Move.WON and turn.course.owner is None:
        turn.steer(owner=cause.by)
    ended_as = Stage(turn.head.stage)
    end_cycle(turn, ended_as.value, reason=cause.reason)
    if ended_as is Stage.RECYCLED:
        turn.steer(recycles=turn.course.recycles + 1, rest_id=None, rest_reason=cause.reason, rest_track=None, return_at_ms=None)
    settle(turn, cause=cause.id, occurred_at_ms=cause.occurred_at_ms)


def _bridged(turn: Turn, cause: Cause) -> None:
    """The bridge team passes the lead on: a qualification of its own for sales, in the same cycle."""
    refused = move_lead(turn, Move.QUALIFIED, cause)
    assert refused is None, refused
    turn.steer(
        qualification_id=derived_id(cause.id, "qualification", 0),
        cause_id=cause.id,
        leg="sales",
        handoff_id=None,
        attempt=0,
        owner=None,
        pool=None,
        accepted=False,
        touched=False,
        former=(),
    )
    hand_over(turn, rated(turn, raising=False), cause)


def _reinstate(turn: Turn, cause: Cause) -> None:
    """An acceptance that crossed a reassignment: the former hand-off stands again."""
    course = turn.course
    former = _former(course, cause.handoff_id)
    if former is not None:
        left = tuple(each for each in course.former if each is not former)
        turn.steer(
            handoff_id=former.handoff_id,
            attempt=course.attempt,
            owner=former.owner,
            pool=former.pool,
            leg=former.leg,
            former=left,
        )
    elif cause.handoff_id is not None and cause.handoff_id != course.handoff_id:
        turn.steer(handoff_id=cause.handoff_id, owner=cause.by)


def _touched(turn: Turn, event: LeadAct) -> None:
    """A person's attempt to reach the buyer, by whoever holds the lead."""
    course = turn.course
    act = event.act
    if not act.automatic and not course.touched and course.owner is not None and act.by == course.owner:
        turn.steer(touched=True)


def _dealt(turn: Turn, cause: Cause, *, won: bool) -> Cause:
    """Keep what is said of the opportunity; what is not said again stays as it was."""
    deals = dict(turn.items(DEAL))
    named = cause.opportunity_id or (max(deals, key=lambda item: (deals[item].at_ms, item)) if won and deals else cause.id)
    known = deals.get(named) or Deal(at_ms=cause.occurred_at_ms)
    newer = cause.occurred_at_ms >= known.at_ms
    deal = Deal(
        at_ms=max(known.at_ms, cause.occurred_at_ms),
        amount_minor=cause.amount_minor if newer and cause.amount_minor is not None else known.amount_minor,
        currency=cause.currency if newer and cause.currency else known.currency,
        expected_close=cause.expected_close if newer and cause.expected_close else known.expected_close,
    )
    turn.put(DEAL, named, deal)
    if len(deals) >= MAX_DEALS and named not in deals:
        turn.drop(DEAL, min(deals, key=lambda item: (deals[item].at_ms, item)))
    return replace(
        cause,
        opportunity_id=named,
        amount_minor=deal.amount_minor,
        currency=deal.currency,
        expected_close=deal.expected_close,
    )
