"""One call of the clocks reducer in the making: the head as it stands, and what is to be told.

It lives for one call and is the only thing here that changes in place; each rule takes it, looks, and adds what follows.
"""

from typing import Any, TypeVar

from baton.agreement.reference import AgreementReference
from baton.contracts.slas import SlaAction, SlaClock, SlaViolation
from baton.contracts.topic_names import (
    LEADS_SLA_ACTIONS,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
)
from baton.engine.reducer import Drop, EntryKind, Fact, Put, Step, View
from baton.ids import derived_id
from services.sla_watcher.clocks.intervals import split_time
from services.sla_watcher.clocks.state import LastWord, LeadClocks, OpenClock

T = TypeVar("T")


class Turn:
    """The head, the facts so far, and what they are decided by. ``proven``: all that was appended before ``now`` is known."""

    def __init__(self, view: View[LeadClocks], *, now: int, reference: AgreementReference, proven: bool = True) -> None:
        self.lead_id = view.key
        self.cause = view.cause
        self.head = view.head or LeadClocks()
        self.now = now
        self.reference = reference
        self.proven = proven
        self.view = view
        self._facts: list[Fact] = []
        self._put: list[Put[Any]] = []
        self._drop: list[Drop] = []

    @property
    def version(self) -> str:
        """The agreement this is decided under."""
        return self.reference.version

    def tell(self, topic: str, value: Any, *, key: str | None = None) -> None:
        """Publish ``value``, under the lead unless ``key`` says otherwise."""
        self._facts.append(Fact(topic, key or self.lead_id, value))

    def put(self, kind: EntryKind[T], item: str, value: T) -> None:
        """Store an entry."""
        self._put.append(Put(kind, item, value))

    def drop(self, kind: EntryKind[Any], item: str) -> None:
        """Remove an entry."""
        self._drop.append(Drop(kind, item))

    def id_of(self, *parts: str | int) -> str:
        """An id that follows from this call's cause."""
        return derived_id(self.cause, *parts)

    def step(self) -> Step[LeadClocks]:
        """The outcome. A head equal to the former one is the former one, so that nothing is written for nothing."""
        former = self.view.head
        head: LeadClocks | None = former if self.head == former else self.head
        if former is None and self.head == LeadClocks():
            head = None
        return Step(
            head=head,
            wake_at=next_moment(self.head),
            put=tuple(self._put),
            drop=tuple(self._drop),
            facts=tuple(self._facts),
        )


def next_moment(head: LeadClocks) -> int | None:
    """When the lead is to be looked at again: the earliest of its clocks' next moments and its return."""
    moments = [each.next_at_ms for each in head.clocks if each.next_at_ms is not None]
    if head.rest is not None and not head.rest.returned and head.rest.return_at_ms is not None:
        moments.append(head.rest.return_at_ms)
    return min(moments, default=None)


def tell_clock(turn: Turn, clock: OpenClock, state: str, word: LastWord | None = None, *, reason: str | None = None) -> None:
    """``leads.sla-clocks.v1``: the clock is now in ``state``; an end is told with its last word and how the time was spent."""
    ended_at_ms = None if word is None else word.at_ms
    turn.tell(LEADS_SLA_CLOCKS, SlaClock(
        clock_id=clock.clock_id, clock=clock.clock, lead_id=turn.lead_id, cycle=turn.head.cycle, state=state,
        started_at_ms=clock.started_at_ms, deadline_ms=clock.deadline_ms, at_ms=turn.now, cause_id=turn.cause,
        agreement=turn.version, side=clock.side, handoff_id=clock.handoff_id, qualification_id=clock.qualification_id,
        owner=clock.owner, pool=clock.pool, level=clock.level, segment=clock.segment, target=clock.target,
        ended_at_ms=ended_at_ms, reason=word.reason if word else reason, evidence_id=word.evidence_id if word else None,
        inferred=bool(word and word.inferred),
        spent_ms={} if ended_at_ms is None else split_time(turn.head.marks, ended_at_ms),
    ))  # fmt: skip


def tell_violation(
    turn: Turn, clock: OpenClock, kind: str, *, number: int = 0, unproven: bool = False, reason: str | None = None
) -> None:
    """``leads.sla-violations.v1``: a warning, the one breach, or its withdrawal; the last two share their id."""
    name = ("warning", number) if kind == "warning" else ("breach", 0)
    turn.tell(LEADS_SLA_VIOLATIONS, SlaViolation(
        violation_id=derived_id(clock.clock_id, *name), kind=kind, clock=clock.clock, side=clock.side,
        deadline_ms=clock.deadline_ms, at_ms=turn.now, cause_id=turn.cause, agreement=turn.version, clock_id=clock.clock_id,
        lead_id=turn.lead_id, handoff_id=clock.handoff_id, owner=clock.owner, pool=clock.pool, level=clock.level,
        segment=clock.segment, unproven=unproven, reason=reason,
    ))  # fmt: skip


def tell_action(
    turn: Turn,
    clock: OpenClock,
    kind: str,
    *,
    to: str | None = None,
    reason: str | None = None,
    exclude: tuple[str, ...] = (),
    handoff_id: str | None = None,
) -> None:
    """``leads.sla-actions.v1``: what is to be done about a clock."""
    turn.tell(LEADS_SLA_ACTIONS, SlaAction(
        action_id=turn.id_of("action", clock.clock_id, kind, clock.rung), kind=kind, lead_id=turn.lead_id,
        handoff_id=handoff_id or clock.handoff_id or "", clock_id=clock.clock_id, at_ms=turn.now, cause_id=turn.cause,
        agreement=turn.version, owner=clock.owner, pool=clock.pool, to=to, reason=reason, exclude=exclude,
    ))  # fmt: skip
