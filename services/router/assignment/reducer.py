"""assignment, per pool: the one writer that says which person gets a lead.

Since one task alone decides for a pool, turns are exactly fair and capacity is exactly kept under
any load. A lead that nobody can take waits in the queue (which is its holder), overflows to another
pool, or goes to a human's fallback queue: dispatch gets that answer when it happens, once. While
something waits, the queue is looked at again when something changes for it: somebody's day begins,
an absence begins or ends or is reported, a load falls, another agreement comes. Consent and
suppression are looked at once more at each hand-out. A step does a bounded amount of work and goes
on at once in the next.
"""

from collections.abc import Iterable

from baton.agreement.reference import AgreementReference
from baton.contracts.amounts import Amount
from baton.contracts.metric_catalogue import Business
from baton.contracts.routing import QueueItem, RequestKind
from baton.contracts.topic_names import ROUTER_ANSWERS, ROUTER_PEOPLE, ROUTER_QUEUE
from baton.engine.reducer import Event, Reducer, Step, View
from services.router.assignment.pool_view import pool_view_of
from services.router.assignment.queue import Placement
from services.router.assignment.state import (
    HELD,
    LANE,
    OFFER,
    TASK,
    WORK,
    PoolState,
    PoolWork,
    WorkState,
)
from services.router.assignment.step import AssignmentStep
from services.router.turn_credit import gives_back


class Assignment(Reducer[PoolState, AgreementReference]):
    """The reducer; see the module."""

    name = "assignment"
    service = "router"
    inputs = (ROUTER_QUEUE,)
    outputs = (ROUTER_ANSWERS, ROUTER_QUEUE, ROUTER_PEOPLE)
    head_type = PoolState
    entry_kinds = (WORK, HELD, LANE, OFFER, TASK)
    adopts = True
    has_gauge = True

    def step(
        self, view: View[PoolState], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[PoolState]:
        """Take one item: a request, or what became of one."""
        item: QueueItem = event.value
        placement = _placement(view, now, reference)
        if view.head is None:
            placement.leads.limited.note_everybody()
        match item.kind:
            case RequestKind.REQUEST:
                placement.arrive(item)
            case RequestKind.AMENDED:
                placement.amend(item)
            case RequestKind.OFFERED:
                _follow(placement, item, WorkState.OFFERED)
            case RequestKind.ACCEPTED:
                _follow(placement, item, WorkState.ACCEPTED)
            case RequestKind.RELEASE:
                _release(placement, item)
            case RequestKind.DENIED:
                placement.return_denied(item)
            case RequestKind.ROOM:
                placement.leads.unbar(item.limited or "")
                placement.look_again()
            case other:
                raise ValueError(f"assignment does not know the item kind {other}")
        return placement.finish(view.wake_at)

    def wake(
        self, view: View[PoolState], *, now: int, reference: AgreementReference
    ) -> Step[PoolState]:
        """Somebody may be there or away now, or the last pass was not finished."""
        placement = _placement(view, now, reference)
        placement.notice_absences()
        if placement.step.review is not None:
            placement.review(placement.step.review)
        else:
            placement.go_on()
        return placement.finish(None)

    def adopt(
        self, view: View[PoolState], *, old: str, new: AgreementReference, now: int
    ) -> Step[PoolState]:
        """Look at the queue with the new people, weights and limits, or with who is away now; under
        a new agreement at each lead of it."""
        placement = _placement(view, now, new)
        if old.partition("+")[0] != new.version:
            placement.leads.unbar(*placement.step.barred)
            placement.leads.limited.note_everybody()
        placement.notice_absences()
        if old.partition("+")[0] != new.version and placement.step.waiting():
            placement.review("")
        placement.look_again()
        return placement.finish(None)

    def keys_of(self, reference: AgreementReference) -> Iterable[str]:
        """A pool whose people have limits over all pools says so before it has had a lead."""
        people = reference.agreement.people.values()
        return sorted({pool for rule in people if rule.shared for pool in rule.pools})

    def editions(self, reference: AgreementReference) -> tuple[str, ...]:
        """A pool hears at once of a new agreement and of who is or will be away."""
        return (reference.edition,)

    def gauge(self, view: View[PoolState]) -> Amount:
        """How many leads wait in the pool's queue."""
        return Amount(Business.WAITING, (view.key,), view.count(HELD), sets=True)


def _placement(view: View[PoolState], now: int, reference: AgreementReference) -> Placement:
    pool_view = pool_view_of(reference, view.key, now=now)
    step = AssignmentStep(view, now=now, pool_view=pool_view)
    return Placement(step=step, pool_view=pool_view, reference=reference, cause=view.cause, now=now)


def _follow(placement: Placement, item: QueueItem, state: WorkState) -> None:
    """The offer was accepted, or stands again. It may be unknown here, where its release came
    first: then it is open work anew, without a turn, since the first one was not given back."""
    step, work = placement.step, placement.step.work(item.handoff_id)
    if work is not None and work.state == WorkState.FORWARDED:
        placement.leads.forward_after(item, work)
        return
    person = item.person or (work.person if work else None)
    if person is None or (work is not None and (work.state, work.person) == (state, person)):
        return
    offer = placement.leads.offer_behind(item, work)
    placement.leads.take_off(item.handoff_id, work)
    placement.leads.put_on(person, state)
    if state == WorkState.ACCEPTED and offer is not None:
        step.note_task(person, item.handoff_id, offer)
    same = work is not None and work.person in (None, person)
    step.put_work(
        item.handoff_id,
        PoolWork(
            state=state,
            lead_id=item.lead_id,
            since_ms=placement.now,
            person=person,
            turn=work.turn if work is not None and same else None,
            handed_on=work.handed_on if work is not None and same else None,
            to_pool=work.to_pool if work is not None else None,
        ),
    )
    if work is not None and work.person != person:
        placement.leads.limited.note(work.person, item.handoff_id)
    placement.leads.limited.note(person, item.handoff_id)
    placement.look_again()


def _release(placement: Placement, item: QueueItem) -> None:
    step, work = placement.step, placement.step.work(item.handoff_id)
    if work is None:
        return
    if work.to_pool is not None:
        # Also where the lead came back: the other pool has it written down as forwarded.
        placement.leads.forward_after(item, work)
    if gives_back(item.fault):
        step.give_turn_back(work, placement.pool_view.sharers)
        placement.leads.uncount(work)
    placement.leads.take_off(item.handoff_id, work)
    step.drop_work(item.handoff_id)
    placement.leads.limited.note(work.person, item.handoff_id)
    placement.look_again()
