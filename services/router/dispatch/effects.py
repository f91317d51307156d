"""How dispatch carries out a move: the next state of the hand-off and the facts that report it.

Each function takes the lead's :class:`Case` and gives a :class:`Change`. None decides whether it is
right to do so; that is the table's word (:mod:`services.router.dispatch.transitions`).
"""

from collections.abc import Mapping
from typing import Final

from baton.contracts.leads import LeadQualified
from baton.contracts.routing import REINSTATED, RequestKind
from baton.contracts.streams import HandoffEvent
from baton.contracts.topic_names import ROUTER_ACCOUNTS
from baton.derived_ids import derived_id
from baton.engine.reducer import Fact
from baton.evolve import evolve
from services.router import turn_credit
from services.router.dispatch.case import Case, Change, Wanted, unchanged
from services.router.dispatch.publish_handoff import changed, held_by, request_about
from services.router.dispatch.state import (
    DONE_KEPT,
    FORMER_KEPT,
    DispatchState,
    Handoff,
    HandoffState,
    OpenQualification,
)


def ask(case: Case, qualified: LeadQualified, wanted: Wanted) -> Change:
    """Request a holder for the next attempt of a qualification; whatever was current is remembered
    as former."""
    handoff, former = _next_attempt(case, qualified, wanted)
    request = request_about(case, handoff, RequestKind.REQUEST, reason=wanted.reason)
    request = evolve(
        request,
        qualified=qualified,
        exclude=wanted.exclude,
        rejecters=wanted.rejecters,
        person=wanted.person,
        pool=wanted.pool,
        owner=wanted.owner,
        watcher=wanted.watcher,
        deputy=wanted.deputy,
    )
    return Change(
        head=evolve(case.head, current=handoff, former=former),
        open_qualification=OpenQualification(qualified=qualified),
        facts=(
            Fact(ROUTER_ACCOUNTS, handoff.queue_key, request),
            *changed(case, handoff, HandoffEvent.REQUESTED),
        ),
    )


def _next_attempt(
    case: Case, qualified: LeadQualified, wanted: Wanted
) -> tuple[Handoff, tuple[Handoff, ...]]:
    """The hand-off that is asked for, and the former ones from now on."""
    head = case.head
    earlier = (*head.former, *((head.current,) if head.current else ()))
    attempt = 1 + max(
        (
            former.attempt
            for former in earlier
            if former.qualification_id == qualified.qualification_id
        ),
        default=0,
    )
    handoff = Handoff(
        handoff_id=derived_id("handoff", qualified.qualification_id, attempt),
        qualification_id=qualified.qualification_id,
        attempt=attempt,
        cycle=qualified.cycle,
        state=HandoffState.REQUESTED,
        queue_key=qualified.story.account_id or f"lead:{qualified.lead_id}",
        account_id=qualified.story.account_id,
        leg=qualified.leg,
        since_ms=case.at,
        exclude=wanted.exclude,
        rejecters=wanted.rejecters,
    )
    return handoff, earlier[-FORMER_KEPT:]


_EVENT_OF: Final[Mapping[str, HandoffEvent]] = {
    HandoffState.RETURNED: HandoffEvent.RETURNED,
    HandoffState.CLOSED: HandoffEvent.CLOSED,
}


NOBODY_WAS_OFFERED_IT: Final = frozenset(
    {HandoffState.REQUESTED, HandoffState.HELD, HandoffState.WATCHED}
)
"""A pool may have chosen somebody all the same, whose name crossed the release on its way here: it
was never published, so their turn is given back."""


def stop(
    case: Case,
    *,
    state: HandoffState,
    reason: str,
    fault: str | None,
    silent: bool = False,
    by: str | None = None,
) -> Change:
    """Release the current hand-off; the end is published where the hand-off was, unless it ended by
    its holder's own act (``silent``)."""
    return _released(
        case, _EVENT_OF[state], state=state, reason=reason, fault=fault, silent=silent, by=by
    )


def _released(
    case: Case,
    event: HandoffEvent,
    *,
    state: HandoffState,
    reason: str,
    fault: str | None,
    silent: bool = False,
    by: str | None = None,
) -> Change:
    handoff = _current(case)
    ended = evolve(handoff, state=state, ended=reason, since_ms=case.at)
    if handoff.state in NOBODY_WAS_OFFERED_IT:
        fault = turn_credit.NO_FAULT
    release = request_about(case, handoff, RequestKind.RELEASE, reason=reason)
    release = evolve(release, person=handoff.owner, fault=fault)
    published = handoff.announced and not silent
    facts = (
        Fact(ROUTER_ACCOUNTS, handoff.queue_key, release),
        *changed(case, handoff, event, reason=reason, by=by, published=published),
    )
    open_qualification = None if state == HandoffState.CLOSED else case.open_qualification
    return Change(
        head=evolve(case.head, current=ended), open_qualification=open_qualification, facts=facts
    )


def with_person(people: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """``people`` with ``more`` behind them, each once: the last one is whom the lead was just taken
    from."""
    return (*(person for person in people if person not in more), *dict.fromkeys(more))


def end(case: Case, *, reason: str) -> Change:
    """Close the current hand-off where nobody holds it any more."""
    handoff = _current(case)
    ended = evolve(handoff, state=HandoffState.CLOSED, ended=reason, since_ms=case.at)
    facts = changed(case, handoff, HandoffEvent.CLOSED, reason=reason)
    return Change(head=evolve(case.head, current=ended), open_qualification=None, facts=facts)


def relieve(case: Case, wanted: Wanted, *, fault: str | None, by: str | None = None) -> Change:
    """Take the lead from whoever has it and ask again."""
    if case.open_qualification is None:
        return unchanged(case)
    before = _current(case)
    reason = wanted.reason or "reassigned"
    stopped = _released(
        case, HandoffEvent.WITHDRAWN, state=HandoffState.RETURNED, reason=reason, fault=fault, by=by
    )
    ended = _current(evolve(case, head=stopped.head))
    # The former one keeps the state it had, so that it can be reinstated as what it was.
    head = evolve(stopped.head, current=evolve(ended, state=before.state))
    asked = ask(evolve(case, head=head), case.open_qualification.qualified, wanted)
    return evolve(asked, facts=(*stopped.facts, *asked.facts))


def replaced(
    case: Case, qualified: LeadQualified, wanted: Wanted, *, reason: str, silent: bool
) -> Change:
    """Another qualification takes the place of the one that is open."""
    before = _current(case)
    fault = turn_credit.NO_FAULT if before.state != HandoffState.ACCEPTED else None
    stopped = stop(case, state=HandoffState.CLOSED, reason=reason, fault=fault, silent=silent)
    asked = ask(evolve(case, head=stopped.head), qualified, wanted)
    return evolve(asked, facts=(*stopped.facts, *asked.facts))


def accept(case: Case, by: str | None) -> Change:
    """The offer has become open work."""
    handoff = _current(case)
    accepted = evolve(
        handoff, state=HandoffState.ACCEPTED, owner=handoff.owner or by, since_ms=case.at
    )
    if handoff.state in (HandoffState.HELD, HandoffState.WATCHED):
        accepted = evolve(accepted, owner=by or handoff.owner)
    facts = (
        Fact(ROUTER_ACCOUNTS, handoff.queue_key, held_by(case, accepted, RequestKind.ACCEPTED)),
        *changed(case, accepted, HandoffEvent.ACCEPTED, by=by),
    )
    return Change(
        head=evolve(case.head, current=accepted),
        open_qualification=case.open_qualification,
        facts=facts,
    )


def reinstate(case: Case, handoff: Handoff, state: HandoffState) -> Change:
    """``handoff`` stands again, as ``state``; the current one, if another was asked for meanwhile,
    is taken back."""
    current = _current(case)
    again = evolve(handoff, state=state, ended=None, announced=True, since_ms=case.at)
    facts: list[Fact] = []
    former = tuple(head for head in case.head.former if head.handoff_id != handoff.handoff_id)
    if current.handoff_id != handoff.handoff_id:
        if current.state != HandoffState.RETURNED:
            release = request_about(case, current, RequestKind.RELEASE, reason="superseded")
            facts.append(
                Fact(
                    ROUTER_ACCOUNTS,
                    current.queue_key,
                    evolve(release, person=current.owner, fault=turn_credit.NO_FAULT),
                )
            )
        superseded = {
            "reason": "superseded",
            "in_favour_of": handoff.handoff_id,
            "published": current.announced,
        }
        facts += changed(case, current, HandoffEvent.WITHDRAWN, **superseded)
        former = (*former, evolve(current, ended="superseded"))[-FORMER_KEPT:]
    kind = RequestKind.ACCEPTED if state == HandoffState.ACCEPTED else RequestKind.OFFERED
    facts.append(Fact(ROUTER_ACCOUNTS, again.queue_key, held_by(case, again, kind)))
    facts += changed(case, again, HandoffEvent.REINSTATED, reason=REINSTATED, published=True)
    return Change(
        head=evolve(case.head, current=again, former=former),
        open_qualification=case.open_qualification,
        facts=tuple(facts),
    )


def carried_out(head: DispatchState, cause: str) -> DispatchState:
    """Remember a cause, so that its repeat changes nothing."""
    return evolve(head, done=(*head.done, cause)[-DONE_KEPT:])


def _current(case: Case) -> Handoff:
    current = case.head.current
    if current is None:
        raise ValueError("no hand-off stands, so none can be moved")
    return current
