"""What dispatch makes of the answers to its requests: routed, held, watched, suppressed.

An answer to a hand-off that does not stand any more crossed its release on the way. Whoever reads
it believes it, so it is taken back at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from baton.contracts.routing import REINSTATED, LeadRouted, LeadUnrouted, UnroutedOutcome
from baton.contracts.streams import HandoffEvent
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.effects import Case, Change, Wanted, unchanged
from services.router.dispatch.state import Handoff, HandoffState
from services.router.dispatch.transitions import Move, Trigger, move_for

_TRIGGERS: Final[Mapping[str, Trigger]] = {
    UnroutedOutcome.HELD: Trigger.HELD,
    UnroutedOutcome.WATCH: Trigger.WATCHED,
    UnroutedOutcome.SUPPRESSED: Trigger.SUPPRESSED,
    UnroutedOutcome.RECALLED: Trigger.RECALLED,
}
_QUIET: Final = frozenset({UnroutedOutcome.SUPPRESSED, UnroutedOutcome.RECALLED})
"""After these nobody believes to hold the lead."""


def on_routed(case: Case, routed: LeadRouted) -> Change:
    """A person was chosen."""
    current = case.head.current
    stands = current is not None and current.handoff_id == routed.handoff_id
    move = move_for(
        current.state if current else None, Trigger.ROUTED if stands else Trigger.FORMER_ROUTED
    )
    if move is Move.IGNORE:
        return unchanged(case)
    if current is None or move not in (Move.OFFER, Move.CONFIRM):
        return _late(case, routed, owner=routed.owner, leg=routed.leg)
    told = replace(current, pool=routed.pool, leg=routed.leg, announced=True)
    if move is Move.OFFER:
        told = replace(told, state=HandoffState.OFFERED, owner=routed.owner, since_ms=case.at)
        facts = effects.changed(case, told, HandoffEvent.ROUTED, routed=routed)
        return replace(unchanged(case, *facts), head=replace(case.head, current=told))
    facts = effects.changed(
        case, replace(told, owner=routed.owner), HandoffEvent.ROUTED, routed=routed
    )
    told = replace(told, owner=current.owner or routed.owner)
    if told.owner != routed.owner:
        facts += effects.changed(
            case, told, HandoffEvent.REINSTATED, reason=REINSTATED, published=True
        )
    return Change(
        head=replace(case.head, current=told),
        open_qualification=case.open_qualification,
        facts=facts,
    )


def on_unrouted(case: Case, unrouted: LeadUnrouted) -> Change:
    """It waits, or a human watches it, or it is not to be handed to anybody."""
    current = case.head.current
    stands = current is not None and current.handoff_id == unrouted.handoff_id
    move = move_for(current.state if current else None, _trigger(unrouted, stands=stands))
    if current is None or not stands:
        return (
            unchanged(case)
            if unrouted.outcome in _QUIET
            else _late(case, unrouted, owner=unrouted.watcher, leg=unrouted.leg)
        )
    told = replace(current, pool=unrouted.pool, announced=True, since_ms=case.at)
    match move:
        case Move.HOLD:
            told = replace(told, state=HandoffState.HELD, owner=None)
        case Move.WATCH:
            told = replace(told, state=HandoffState.WATCHED, owner=unrouted.watcher)
        case Move.CLOSE:
            return _suppress(case, current, unrouted)
        case Move.RETRY:
            return _match_anew(case, current, unrouted)
        case Move.LATE:
            return _late(case, unrouted, owner=unrouted.watcher, leg=unrouted.leg)
        case _:
            return unchanged(case)
    said = effects.changed(case, told, HandoffEvent.UNROUTED, unrouted=unrouted)
    return replace(unchanged(case, *said), head=replace(case.head, current=told))


def _trigger(unrouted: LeadUnrouted, *, stands: bool) -> Trigger:
    if not stands:
        return Trigger.FORMER_UNROUTED
    return _TRIGGERS[unrouted.outcome]


def _suppress(case: Case, current: Handoff, unrouted: LeadUnrouted) -> Change:
    """It may not be handed to anybody any more: whoever was offered it is told, and account and
    pool let go of it."""
    said = effects.changed(case, current, HandoffEvent.UNROUTED, unrouted=unrouted)
    ended = effects.stop(
        case,
        state=HandoffState.CLOSED,
        reason=unrouted.reason,
        fault=turn_credit.NO_FAULT,
        silent=current.owner is None,
    )
    return replace(ended, facts=(*said, *ended.facts))


def _match_anew(case: Case, current: Handoff, unrouted: LeadUnrouted) -> Change:
    """The pool gives it back; whom it was offered to is asked last."""
    offered_to = (candidate.person for candidate in unrouted.candidates)
    exclude = effects.with_person(
        current.exclude, *offered_to, *((current.owner,) if current.owner else ())
    )
    wanted = Wanted(reason=unrouted.reason, exclude=exclude, rejecters=current.rejecters)
    return effects.relieve(case, wanted, fault=turn_credit.NO_FAULT)


def _late(
    case: Case, answer: LeadRouted | LeadUnrouted, *, owner: str | None, leg: str | None
) -> Change:
    known = find(case, answer.handoff_id)
    told = Handoff(
        handoff_id=answer.handoff_id,
        qualification_id=answer.qualification_id,
        attempt=answer.attempt,
        cycle=answer.cycle,
        state=known.state if known else HandoffState.CLOSED,
        queue_key=known.queue_key if known else "",
        account_id=known.account_id if known else None,
        leg=leg or "",
        since_ms=case.at,
        owner=owner,
        pool=answer.pool,
    )
    reason = (known.ended if known else None) or "stale_handoff"
    facts = effects.changed(case, told, HandoffEvent.WITHDRAWN, reason=reason, published=True)
    if known is None or known is case.head.current:
        return unchanged(case, *facts)
    # Should the former one be reinstated, whoever was told of it is who holds it.
    note = replace(known, owner=owner, pool=answer.pool, leg=leg or known.leg)
    former = tuple(
        note if each.handoff_id == note.handoff_id else each for each in case.head.former
    )
    return Change(
        head=replace(case.head, former=former),
        open_qualification=case.open_qualification,
        facts=facts,
    )


def find(case: Case, handoff_id: str | None) -> Handoff | None:
    """The hand-off of this id, current or remembered."""
    current = (case.head.current,) if case.head.current else ()
    return next(
        (each for each in (*current, *case.head.former) if each.handoff_id == handoff_id), None
    )
