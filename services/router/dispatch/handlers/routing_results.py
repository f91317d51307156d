"""What dispatch makes of the answers to its requests: routed, held, watched, suppressed, recalled.

An answer is a proposal until dispatch has taken it: it alone knows whether the hand-off still
stands, and publishes the answer only then. One that crossed the release of its hand-off changes
nothing; nobody has read it, and the pool hears of the release.
"""

from collections.abc import Mapping
from typing import Final

from baton.contracts.routing import ACCEPTED_BEFORE, LeadRouted, LeadUnrouted, UnroutedOutcome
from baton.contracts.streams import RoutingAnswer
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch import effects
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.publish_handoff import answered, unrouted_fact
from services.router.dispatch.state import Handoff, HandoffState
from services.router.dispatch.transitions import Move, Trigger, move_for

_TRIGGERS: Final[Mapping[str, Trigger]] = {
    UnroutedOutcome.HELD: Trigger.HELD,
    UnroutedOutcome.WATCH: Trigger.WATCHED,
    UnroutedOutcome.SUPPRESSED: Trigger.SUPPRESSED,
    UnroutedOutcome.RECALLED: Trigger.RECALLED,
    UnroutedOutcome.RELIEVED: Trigger.RELIEVED,
}


def on_answer(case: Case, answer: RoutingAnswer) -> Change:
    """Take what matching or assignment answers."""
    if answer.routed is not None:
        return _on_routed(case, answer.routed)
    return unchanged(case) if answer.unrouted is None else _on_unrouted(case, answer.unrouted)


def _on_routed(case: Case, routed: LeadRouted) -> Change:
    """A person was chosen."""
    current = case.head.current
    stands = current is not None and current.handoff_id == routed.handoff_id
    trigger = Trigger.ROUTED if stands else Trigger.FORMER_ROUTED
    move = move_for(current.state if current else None, trigger)
    if current is None or move not in (Move.OFFER, Move.CONFIRM):
        return unchanged(case)
    if move is Move.CONFIRM:
        routed = _confirmed(routed, current.owner or routed.owner)
    handoff = evolve(current, pool=routed.pool, leg=routed.leg, owner=routed.owner, announced=True)
    if move is Move.OFFER:
        handoff = evolve(handoff, state=HandoffState.OFFERED, since_ms=case.at)
    return _stands(case, handoff, routed)


def _confirmed(routed: LeadRouted, holder: str) -> LeadRouted:
    """The answer to a request whose lead ``holder`` has accepted meanwhile."""
    if holder == routed.owner:
        return routed
    return evolve(routed, owner=holder, rule=ACCEPTED_BEFORE, turn_used=False, accept_by_ms=None)


def _on_unrouted(case: Case, unrouted: LeadUnrouted) -> Change:
    """It waits, or a human watches it, or it is not to be handed to anybody."""
    current = case.head.current
    stands = current is not None and current.handoff_id == unrouted.handoff_id
    trigger = _TRIGGERS[unrouted.outcome] if stands else Trigger.FORMER_UNROUTED
    move = move_for(current.state if current else None, trigger)
    if current is None:
        return unchanged(case)
    waiting = evolve(current, pool=unrouted.pool, announced=True, since_ms=case.at)
    match move:
        case Move.HOLD:
            held = evolve(waiting, state=HandoffState.HELD, owner=None)
            return _stands(case, held, unrouted)
        case Move.WATCH:
            watched = evolve(waiting, state=HandoffState.WATCHED, owner=unrouted.watcher)
            return _stands(case, watched, unrouted)
        case Move.CLOSE:
            return _suppress(case, current, unrouted)
        case Move.RETRY:
            return _match_anew(case, current, unrouted)
        case _:
            return unchanged(case)


def _stands(case: Case, handoff: Handoff, answer: LeadRouted | LeadUnrouted) -> Change:
    """The hand-off is as the answer says, and everybody may read it."""
    facts = answered(case, handoff, answer)
    return evolve(unchanged(case, *facts), head=evolve(case.head, current=handoff))


def _suppress(case: Case, current: Handoff, unrouted: LeadUnrouted) -> Change:
    """It may not be handed to anybody any more: an offer is withdrawn, and account and pool let go
    of the lead."""
    published = answered(case, current, unrouted)
    ended = effects.stop(
        case,
        state=HandoffState.CLOSED,
        reason=unrouted.reason,
        fault=turn_credit.NO_FAULT,
        silent=current.owner is None,
    )
    return evolve(ended, facts=(*published, *ended.facts))


def _match_anew(case: Case, current: Handoff, unrouted: LeadUnrouted) -> Change:
    """The pool gives it back; whom it was offered to is asked last."""
    offered_to = (candidate.person for candidate in unrouted.candidates)
    exclude = effects.with_person(
        current.exclude, *offered_to, *((current.owner,) if current.owner else ())
    )
    wanted = Wanted(
        reason=unrouted.reason,
        exclude=exclude,
        rejecters=current.rejecters,
        deputy=unrouted.deputy,
    )
    asked = effects.relieve(case, wanted, fault=turn_credit.NO_FAULT)
    return evolve(asked, facts=(unrouted_fact(unrouted), *asked.facts))


def find(case: Case, handoff_id: str | None) -> Handoff | None:
    """The hand-off of this id, current or remembered."""
    current = (case.head.current,) if case.head.current else ()
    known = (*current, *case.head.former)
    return next((handoff for handoff in known if handoff.handoff_id == handoff_id), None)
