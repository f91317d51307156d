"""What changes of a lead while it waits, is offered or is worked on: a raised hand, a level that
rises, a consent.

The pool that has it hears of it in the order of the requests; whoever holds it is notified where
it has become more urgent. It moves no hand-off; a lead that may not be called any more is taken
out by its pool.
"""

from collections.abc import Mapping
from typing import Final

from baton.agreement.compiled.agreement import RoutingRules
from baton.agreement.condition_context import context_of_qualified
from baton.agreement.model.routing import MatchAnew
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, StageEvent
from baton.contracts.routing import HAND_RAISED, HOTTER, URGENCY, RequestKind
from baton.contracts.streams import HandoffEvent
from baton.contracts.topic_names import ROUTER_ACCOUNTS
from baton.engine.reducer import Fact
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.effects import relieve
from services.router.dispatch.publish_handoff import changed, request_about
from services.router.dispatch.state import HandoffState, OpenQualification


def on_moved(case: Case, staged: LeadStaged) -> Change:
    """A move that ends nothing may still change what the open hand-off is about."""
    current, known = case.head.current, case.open_qualification
    if current is None or known is None or staged.qualification_id != current.qualification_id:
        return unchanged(case)
    qualified = known.qualified
    consents = qualified.story.consents if staged.consents is None else staged.consents
    amended = evolve(
        qualified,
        hand_raised=qualified.hand_raised or staged.event == StageEvent.HAND_RAISED,
        level=hotter(qualified.level, staged.level),
        story=evolve(qualified.story, consents=consents),
    )
    return amend(case, amended)


def on_amended(case: Case, amended: LeadAmended, routing: RoutingRules) -> Change:
    """More has become known of the lead. One that belongs elsewhere by what is known now is
    matched anew, as long as the agreement says."""
    current, known = case.head.current, case.open_qualification
    if current is None or known is None or amended.qualification_id != current.qualification_id:
        return unchanged(case)
    qualified = evolve(
        known.qualified,
        story=amended.brief,
        level=amended.level,
        grade=amended.grade,
        fit_micro=amended.fit_micro,
        hand_raised=amended.hand_raised,
        segment=amended.segment,
    )
    before, after = (
        routing.expected(context_of_qualified(which, now_ms=case.now))
        for which in (known.qualified, qualified)
    )
    if before == after or current.state not in _MATCHED_ANEW[routing.match_anew]:
        return amend(case, qualified)
    anew = Wanted(reason=BELONGS_ELSEWHERE, exclude=current.exclude, rejecters=current.rejecters)
    known_now = evolve(case, open_qualification=OpenQualification(qualified=qualified))
    return relieve(known_now, anew, fault=turn_credit.NO_FAULT)


def amend(case: Case, qualified: LeadQualified) -> Change:
    """Something about the qualification that is open has changed: whoever holds the lead, or the
    pool that it waits in, is notified.

    A lead that nobody has taken up takes the place and the promise that it has now, or leaves where
    it may not be called any more.
    """
    handoff, known = case.head.current, case.open_qualification
    if (
        handoff is None
        or known is None
        or known.qualified == qualified
        or handoff.state not in _AMENDED
    ):
        return unchanged(case)
    facts: tuple[Fact, ...] = ()
    if handoff.state != HandoffState.ACCEPTED:
        request = request_about(case, handoff, RequestKind.AMENDED, reason=None)
        request = evolve(request, qualified=qualified)
        facts = (Fact(ROUTER_ACCOUNTS, handoff.queue_key, request),)
    urgent = _urgency(qualified) < _urgency(known.qualified)
    if urgent and handoff.owner is not None:
        reason = (
            HAND_RAISED if qualified.hand_raised and not known.qualified.hand_raised else HOTTER
        )
        facts += changed(case, handoff, HandoffEvent.AMENDED, reason=reason, published=True)
    return Change(
        head=case.head, open_qualification=OpenQualification(qualified=qualified), facts=facts
    )


_NOT_TAKEN: Final = frozenset(
    {HandoffState.REQUESTED, HandoffState.HELD, HandoffState.WATCHED, HandoffState.OFFERED}
)
_MATCHED_ANEW: Final[Mapping[str, frozenset[HandoffState]]] = {
    MatchAnew.NEVER: frozenset(),
    MatchAnew.WAITING: _NOT_TAKEN - {HandoffState.OFFERED},
    MatchAnew.UNTAKEN: _NOT_TAKEN,
}
"""In which states a lead that belongs elsewhere moves there, by the word of the agreement."""
_AMENDED: Final = _NOT_TAKEN | {HandoffState.ACCEPTED}
BELONGS_ELSEWHERE: Final = "belongs_elsewhere"
"""Why a lead is taken from a pool or from somebody who has not answered yet: its profile says
another pool now."""


def _urgency(qualified: LeadQualified) -> tuple[bool, int]:
    """The smaller, the more urgent."""
    return not qualified.hand_raised, URGENCY.get(qualified.level, len(URGENCY))


def hotter(one: str, other: str | None) -> str:
    """The more urgent of two levels."""
    return min((one, other or one), key=lambda level: URGENCY.get(level, len(URGENCY)))
