"""How dispatch carries out a move: the next state of the hand-off and the facts that tell of it.

Each function takes the lead's :class:`Case` and gives a :class:`Change`. None decides whether it is
right to do so; that is the table's word (:mod:`services.router.dispatch.transitions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from baton.contracts.leads import LeadQualified
from baton.contracts.routing import (
    REINSTATED,
    HandoffKind,
    HandoffNoted,
    HandoffRequest,
    RequestKind,
)
from baton.contracts.streams import HandoffChange, HandoffEvent
from baton.contracts.topic_names import LEADS_HANDOFFS, ROUTER_ACCOUNTS, ROUTER_HANDOFFS
from baton.engine.reducer import Fact
from baton.ids import derived_id
from services.router import turn_credit
from services.router.dispatch.state import (
    DONE_KEPT,
    FORMER_KEPT,
    DispatchState,
    Handoff,
    HandoffState,
    OpenQualification,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One lead at one moment: what runs, its log time, the agreement in force, and the state so
    far.

    ``at`` is the append time of the record that runs: states are dated by it, so that what was
    decided before one and comes after it is recognised.
    """

    cause: str
    now: int
    at: int
    agreement: str
    head: DispatchState
    open_qualification: OpenQualification | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What came of it: the head and the open qualification from now on, and what to publish, in
    order."""

    head: DispatchState
    open_qualification: OpenQualification | None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for besides a holder; see :class:`HandoffRequest`."""

    reason: str | None = None
    exclude: tuple[str, ...] = ()
    person: str | None = None
    pool: str | None = None
    owner: str | None = None
    watcher: str | None = None
    rejecters: tuple[str, ...] = ()


def unchanged(case: Case, *facts: Fact) -> Change:
    """Nothing moves; at most something is said."""
    return Change(head=case.head, open_qualification=case.open_qualification, facts=facts)


def ask(case: Case, qualified: LeadQualified, wanted: Wanted) -> Change:
    """Request a holder for the next attempt of a qualification; whatever was current is remembered
    as former."""
    head = case.head
    earlier = (*head.former, *((head.current,) if head.current else ()))
    attempt = 1 + max(
        (each.attempt for each in earlier if each.qualification_id == qualified.qualification_id),
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
    request = tell(case, handoff, RequestKind.REQUEST, reason=wanted.reason)
    request = replace(
        request,
        qualified=qualified,
        exclude=wanted.exclude,
        rejecters=wanted.rejecters,
        person=wanted.person,
        pool=wanted.pool,
        owner=wanted.owner,
        watcher=wanted.watcher,
    )
    return Change(
        head=replace(head, current=handoff, former=earlier[-FORMER_KEPT:]),
        open_qualification=OpenQualification(qualified=qualified),
        facts=(
            Fact(ROUTER_ACCOUNTS, handoff.queue_key, request),
            *changed(case, handoff, HandoffEvent.REQUESTED),
        ),
    )


_EVENT_OF: Final[Mapping[str, HandoffEvent]] = {
    HandoffState.RETURNED: HandoffEvent.RETURNED,
    HandoffState.CLOSED: HandoffEvent.CLOSED,
}


def stop(
    case: Case,
    *,
    state: HandoffState,
    reason: str,
    fault: str | None,
    silent: bool = False,
    by: str | None = None,
) -> Change:
    """Release the current hand-off; whoever was told of it is told, unless it ended by their own
    act (``silent``)."""
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
    ended = replace(handoff, state=state, ended=reason, since_ms=case.at)
    release = replace(
        tell(case, handoff, RequestKind.RELEASE, reason=reason), person=handoff.owner, fault=fault
    )
    published = handoff.announced and not silent
    facts = (
        Fact(ROUTER_ACCOUNTS, handoff.queue_key, release),
        *changed(case, handoff, event, reason=reason, by=by, published=published),
    )
    open_qualification = None if state == HandoffState.CLOSED else case.open_qualification
    return Change(
        head=replace(case.head, current=ended), open_qualification=open_qualification, facts=facts
    )


def with_person(people: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """``people`` with ``more`` behind them, each once: the last one is whom the lead was just taken
    from."""
    return (*(person for person in people if person not in more), *dict.fromkeys(more))


def end(case: Case, *, reason: str) -> Change:
    """Close the current hand-off where nobody holds it any more."""
    handoff = _current(case)
    ended = replace(handoff, state=HandoffState.CLOSED, ended=reason, since_ms=case.at)
    facts = changed(case, handoff, HandoffEvent.CLOSED, reason=reason)
    return Change(head=replace(case.head, current=ended), open_qualification=None, facts=facts)


def relieve(case: Case, wanted: Wanted, *, fault: str | None, by: str | None = None) -> Change:
    """Take the lead from whoever has it and ask again."""
    if case.open_qualification is None:
        return unchanged(case)
    before = _current(case)
    reason = wanted.reason or "reassigned"
    stopped = _released(
        case, HandoffEvent.WITHDRAWN, state=HandoffState.RETURNED, reason=reason, fault=fault, by=by
    )
    ended = _current(replace(case, head=stopped.head))
    # The former one keeps the state it had, so that it can be reinstated as what it was.
    head = replace(stopped.head, current=replace(ended, state=before.state))
    asked = ask(replace(case, head=head), case.open_qualification.qualified, wanted)
    return replace(asked, facts=(*stopped.facts, *asked.facts))


def replaced(
    case: Case, qualified: LeadQualified, wanted: Wanted, *, reason: str, silent: bool
) -> Change:
    """Another qualification takes the place of the one that is open."""
    before = _current(case)
    fault = turn_credit.NO_FAULT if before.state != HandoffState.ACCEPTED else None
    stopped = stop(case, state=HandoffState.CLOSED, reason=reason, fault=fault, silent=silent)
    asked = ask(replace(case, head=stopped.head), qualified, wanted)
    return replace(asked, facts=(*stopped.facts, *asked.facts))


def accept(case: Case, by: str | None) -> Change:
    """The offer has become open work."""
    handoff = _current(case)
    accepted = replace(
        handoff, state=HandoffState.ACCEPTED, owner=handoff.owner or by, since_ms=case.at
    )
    if handoff.state in (HandoffState.HELD, HandoffState.WATCHED):
        accepted = replace(accepted, owner=by or handoff.owner)
    facts = (
        Fact(ROUTER_ACCOUNTS, handoff.queue_key, _held_by(case, accepted, RequestKind.ACCEPTED)),
        *changed(case, accepted, HandoffEvent.ACCEPTED, by=by),
    )
    return Change(
        head=replace(case.head, current=accepted),
        open_qualification=case.open_qualification,
        facts=facts,
    )


def reinstate(case: Case, handoff: Handoff, state: HandoffState) -> Change:
    """``handoff`` stands again, as ``state``; the current one, if another was asked for meanwhile,
    is taken back."""
    current = _current(case)
    again = replace(handoff, state=state, ended=None, announced=True, since_ms=case.at)
    facts: list[Fact] = []
    former = tuple(each for each in case.head.former if each.handoff_id != handoff.handoff_id)
    if current.handoff_id != handoff.handoff_id:
        if current.state != HandoffState.RETURNED:
            release = tell(case, current, RequestKind.RELEASE, reason="superseded")
            facts.append(
                Fact(
                    ROUTER_ACCOUNTS,
                    current.queue_key,
                    replace(release, person=current.owner, fault=turn_credit.NO_FAULT),
                )
            )
        superseded = {
            "reason": "superseded",
            "in_favour_of": handoff.handoff_id,
            "published": current.announced,
        }
        facts += changed(case, current, HandoffEvent.WITHDRAWN, **superseded)
        former = (*former, replace(current, ended="superseded"))[-FORMER_KEPT:]
    kind = RequestKind.ACCEPTED if state == HandoffState.ACCEPTED else RequestKind.OFFERED
    facts.append(Fact(ROUTER_ACCOUNTS, again.queue_key, _held_by(case, again, kind)))
    facts += changed(case, again, HandoffEvent.REINSTATED, reason=REINSTATED, published=True)
    return Change(
        head=replace(case.head, current=again, former=former),
        open_qualification=case.open_qualification,
        facts=tuple(facts),
    )


def changed(case: Case, handoff: Handoff, event: HandoffEvent, **more: Any) -> tuple[Fact, ...]:
    """Tell the other services of a change of ``handoff``, and the outside of one that is
    ``published``. ``more``: further fields of :class:`HandoffChange`."""
    change = replace(
        HandoffChange(
            lead_id=case.head.lead_id,
            event=event,
            handoff_id=handoff.handoff_id,
            qualification_id=handoff.qualification_id,
            attempt=handoff.attempt,
            cycle=handoff.cycle,
            leg=handoff.leg,
            at_ms=case.now,
            cause_id=case.cause,
            agreement=case.agreement,
            owner=handoff.owner,
            pool=handoff.pool,
        ),
        **more,
    )
    own = Fact(ROUTER_HANDOFFS, change.lead_id, change)
    return (
        (own, Fact(LEADS_HANDOFFS, change.lead_id, _noted(change))) if change.published else (own,)
    )


_KINDS: Final[Mapping[str, HandoffKind]] = {
    HandoffEvent.AMENDED: HandoffKind.NOTED,
    HandoffEvent.REINSTATED: HandoffKind.NOTED,
    HandoffEvent.REFUSED: HandoffKind.REFUSED,
}


def _noted(change: HandoffChange) -> HandoffNoted:
    """The change as everybody can read it."""
    return HandoffNoted(
        handoff_id=change.handoff_id,
        qualification_id=change.qualification_id,
        attempt=change.attempt,
        lead_id=change.lead_id,
        kind=_KINDS.get(change.event, HandoffKind.WITHDRAWN),
        reason=change.reason or "",
        cause_id=change.cause_id,
        at_ms=change.at_ms,
        by=change.by,
        owner=change.owner,
        pool=change.pool,
        agreement=change.agreement,
        in_favour_of=change.in_favour_of,
        leg=change.leg,
    )


def carried_out(head: DispatchState, cause: str) -> DispatchState:
    """Remember a cause, so that its repeat changes nothing."""
    return replace(head, done=(*head.done, cause)[-DONE_KEPT:])


def _held_by(case: Case, handoff: Handoff, kind: RequestKind) -> HandoffRequest:
    return replace(tell(case, handoff, kind, reason=None), person=handoff.owner, pool=handoff.pool)


def tell(case: Case, handoff: Handoff, kind: RequestKind, *, reason: str | None) -> HandoffRequest:
    """The request to account and pool that says ``kind`` of the hand-off."""
    return HandoffRequest(
        kind=kind,
        handoff_id=handoff.handoff_id,
        qualification_id=handoff.qualification_id,
        attempt=handoff.attempt,
        lead_id=case.head.lead_id,
        account_id=handoff.account_id,
        cause_id=case.cause,
        at_ms=case.now,
        reason=reason,
    )


def _current(case: Case) -> Handoff:
    current = case.head.current
    if current is None:
        raise ValueError("no hand-off stands, so none can be moved")
    return current
