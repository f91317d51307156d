"""The step of the clocks reducer under construction: the clocks as they will be, and when the lead
is to be looked at again.

A rule takes it, looks, and adds what follows.
"""

from typing import Final

from baton.agreement.reference import AgreementReference
from baton.contracts.slas import ActionKind, LeadReactivated, LeadRecycled, SlaAction
from baton.contracts.streams import SlaDecision
from baton.contracts.topic_names import (
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_SLA_ACTIONS,
    SLA_LEADS,
)
from baton.derived_ids import derived_id
from baton.engine.reducer import Step, View
from baton.engine.step_builder import StepBuilder
from services.sla_watcher.clocks.state import LeadClocks

CARRIED_OUT: Final = frozenset(
    {ActionKind.REASSIGN.value, ActionKind.MANAGER_QUEUE.value, ActionKind.RESTORE.value}
)
"""Actions of dispatch; the others are for people and tools."""


class ClockStep(StepBuilder[LeadClocks]):
    """The head, the facts so far, and what they are decided by. ``proven``: all that was appended
    before ``now`` is known."""

    def __init__(
        self,
        view: View[LeadClocks],
        *,
        now: int,
        reference: AgreementReference,
        proven: bool = True,
    ) -> None:
        super().__init__(view, now=now)
        self.lead_id = view.key
        self.head = view.head or LeadClocks()
        self.reference = reference
        self.proven = proven

    @property
    def version(self) -> str:
        """The agreement this is decided under."""
        return self.reference.version

    def id_of(self, *parts: str | int) -> str:
        """An id that follows from this call's cause."""
        return derived_id(self.cause, *parts)

    def publish_action(self, action: SlaAction) -> None:
        """Publish an action; to those who carry it out too, where Baton carries it out itself."""
        if action.kind in CARRIED_OUT:
            self.publish(SLA_LEADS, SlaDecision(lead_id=self.lead_id, action=action))
        self.publish(LEADS_SLA_ACTIONS, action)

    def publish_recycled(self, recycled: LeadRecycled) -> None:
        """Publish that the cycle is to end."""
        self.publish(SLA_LEADS, SlaDecision(lead_id=self.lead_id, recycled=recycled))
        self.publish(LEADS_RECYCLED, recycled)

    def publish_reactivated(self, reactivated: LeadReactivated) -> None:
        """Publish that the rest is over, or has a further date."""
        self.publish(SLA_LEADS, SlaDecision(lead_id=self.lead_id, reactivated=reactivated))
        self.publish(LEADS_REACTIVATED, reactivated)

    def finish(self) -> Step[LeadClocks]:
        """The outcome. A head equal to the former one is the former one, so that nothing is written
        for nothing."""
        former = self.view.head
        head: LeadClocks | None = former if self.head == former else self.head
        if former is None and self.head == LeadClocks():
            head = None
        return self.build(head, next_moment(self.head))


def next_moment(head: LeadClocks) -> int | None:
    """When the lead is to be looked at again: the earliest of its clocks' next moments and its
    return."""
    moments = [clock.next_at_ms for clock in head.clocks if clock.next_at_ms is not None]
    if head.rest is not None and not head.rest.returned and head.rest.return_at_ms is not None:
        moments.append(head.rest.return_at_ms)
    return min(moments, default=None)
