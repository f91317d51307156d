"""What assignment publishes of people who have limits over all pools: their numbers here after each
change, and with them the answers about them, so that none overtakes another.

Whether a limit is reached over all pools is workload's to say
(:mod:`services.router.workload.reducer`).
"""

from dataclasses import dataclass

from baton.agreement.compiled.pools import NO_LIMITS
from baton.agreement.reference import AgreementReference
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem
from baton.contracts.topic_names import ROUTER_PEOPLE
from baton.contracts.workload import Keeps, PersonNote
from baton.engine.reducer import Fact
from services.router.assignment.availability import NO_LOAD, Availability
from services.router.assignment.step import AssignmentStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Makes the notes of one step of a pool. Of everybody else it publishes answers as they are."""

    step: AssignmentStep
    availability: Availability
    reference: AgreementReference
    now: int

    def shared(self, person: str | None) -> bool:
        """Whether the person has limits that several pools keep together."""
        rule = self.reference.agreement.people.get(person) if person is not None else None
        return rule is not None and rule.shared

    def counted(self, person: str) -> bool:
        """Whether what the person is handed in a day or a week is limited over several pools."""
        limits = (
            self.reference.agreement.people[person].limits if self.shared(person) else NO_LIMITS
        )
        return limits.per_day is not None or limits.per_week is not None

    def propose(self, fact: Fact, person: str, item: QueueItem, keeps: Keeps) -> None:
        """The lead is to go to ``person``; it is counted already."""
        if self.shared(person):
            routed: LeadRouted = fact.value.routed
            self._publish(person, item.handoff_id, keeps=keeps, routed=routed, item=item)
        else:
            self.step.publish_fact(fact)

    def answer(self, fact: Fact, person: str | None, *, ended: str | None = None) -> None:
        """An answer about a lead that ``person`` was offered or has; ``ended``: the hand-off, where
        it counts no more."""
        if person is not None and self.shared(person):
            self._publish(person, ended, unrouted=fact.value.unrouted)
        else:
            self.step.publish_fact(fact)

    def note(self, person: str | None, handoff_id: str | None) -> None:
        """What the person has from this pool, after a change of the hand-off."""
        if person is not None and self.shared(person):
            self._publish(person, handoff_id)

    def note_everybody(self) -> None:
        """After a new agreement: what everybody has who has such limits now."""
        members = {member.person for member in self.availability.pool_view.members}
        for person in sorted(members | self.step.loads.keys()):
            self.note(person, None)

    def _publish(
        self,
        person: str,
        handoff_id: str | None,
        *,
        keeps: Keeps = Keeps.ALL,
        routed: LeadRouted | None = None,
        item: QueueItem | None = None,
        unrouted: LeadUnrouted | None = None,
    ) -> None:
        load, view = self.step.loads.get(person, NO_LOAD), self.availability.pool_view
        today, this_week = self.availability.handed(load)
        note = PersonNote(
            person=person,
            pool=view.pool,
            at_ms=self.now,
            day=view.day,
            offered=load.offered,
            accepted=load.accepted,
            today=today,
            this_week=this_week,
            handoff_id=handoff_id,
            keeps=keeps,
            routed=routed,
            item=item,
            unrouted=unrouted,
        )
        self.step.publish(ROUTER_PEOPLE, note, key=person)
