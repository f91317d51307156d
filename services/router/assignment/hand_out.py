"""What happens to one lead of a pool: it is handed to a person, waits, goes to another pool or to a
watcher, or leaves; and what a person has open.

It carries out what was decided and keeps the books with it, so that an answer, the load and the
turn never differ. In which order leads are looked at is :mod:`services.router.assignment.queue`.
"""

from collections.abc import Sequence
from dataclasses import replace

from baton.agreement.compiled.agreement import context_of_qualified
from baton.agreement.reference import AgreementReference
from baton.contracts.routing import NOBODY_EVER, Candidate, QueueItem, RequestKind
from baton.contracts.workload import Keeps
from services.router.assignment import routed_records
from services.router.assignment.availability import Availability
from services.router.assignment.barred import Barred
from services.router.assignment.eligibility import could_ever, suits_by_name
from services.router.assignment.limited import Limited
from services.router.assignment.next_chance import soonest
from services.router.assignment.person_selection import (
    Chosen,
    Room,
    Unserved,
    choose,
    need_of,
    relaxed,
)
from services.router.assignment.pool_view import PoolMember, PoolView
from services.router.assignment.state import OpenOffer, PoolWork, TurnCredit, WorkState
from services.router.assignment.step import AssignmentStep
from services.router.suppression import suppression_of


class HandOut:
    """The leads of a pool during one step, one at a time."""

    def __init__(
        self,
        *,
        step: AssignmentStep,
        pool_view: PoolView,
        reference: AgreementReference,
        cause: str,
        now: int,
    ) -> None:
        self.step = step
        self.pool_view = pool_view
        self.now = now
        self._reference = reference
        self.answers = routed_records.RoutingAnswers(
            pool_view=pool_view, reference=reference, cause=cause, now=now
        )
        self.availability = Availability(
            pool_view,
            step.loads,
            reference,
            now,
            {person: barred.limit for person, barred in step.barred.items()},
        )
        self.limited = Limited(
            step=step, availability=self.availability, reference=reference, now=now
        )

    def decide(self, item: QueueItem) -> Chosen | Unserved:
        """Who gets it now, or why nobody does."""
        return choose(item, self.room(item), preferred=self.step.preferred(item))

    def room(self, item: QueueItem) -> Room:
        """The pool at this moment, with the turns of the lead's level."""
        book = self.step.book(routed_records.qualified_of(item).level)
        return Room(pool_view=self.pool_view, availability=self.availability, book=book)

    def could_ever(self, item: QueueItem) -> bool:
        """Whether somebody of the pool will be able to have it at some time."""
        need = need_of(item, self.pool_view)
        # Less is asked before it is left alone.
        *_, least = need, *relaxed(item, need, self.pool_view.relax)
        return self._named(item) is not None or could_ever(self.pool_view, least)

    def _named(self, item: QueueItem) -> PoolMember | None:
        """Whoever the lead is to go to, if they will be able to have it at some time."""
        member = self.pool_view.member(self.step.preferred(item) or "")
        return (
            member
            if member is not None and suits_by_name(member, need_of(item, self.pool_view))
            else None
        )

    def suppress(self, item: QueueItem) -> bool:
        """Whether the lead may not be handed to anybody, as things are now: then it leaves the
        pool, and the reason is published."""
        context = context_of_qualified(routed_records.qualified_of(item), now_ms=self.now)
        verdict = suppression_of(context, self._reference.agreement)
        if verdict.reason is None:
            return False
        work = self.step.work(item.handoff_id)
        self.take_off(item.handoff_id, work)
        person = work.person if work is not None else None
        if work is not None:
            self.step.give_turn_back(work, self.pool_view.sharers)
            self.uncount(work)
            self.step.drop_work(item.handoff_id)
        fact = self.answers.suppressed(item, verdict.reason, verdict.path)
        self.limited.answer(fact, person, ended=item.handoff_id)
        return True

    def hand_to(
        self, item: QueueItem, chosen: Chosen, *, waited_since_ms: int | None = None
    ) -> None:
        """Offer the lead to ``chosen``: it takes a turn, counts as an offer, and is answered, where
        the person has a limit over all pools by way of those who keep it."""
        qualified, turn = routed_records.qualified_of(item), None
        if chosen.share:
            sharers = self.pool_view.sharers
            turn = self.step.take_turn(qualified.level, chosen.person, chosen.share, sharers)
        self._count_handed(chosen.person, self.pool_view.day, 1)
        self.put_on(chosen.person, WorkState.OFFERED)
        self.step.note_offer(chosen.person, item.handoff_id, self._offer(item))
        self.keep(item, WorkState.OFFERED, person=chosen.person, turn=turn)
        proposed = replace(item, waited_since_ms=waited_since_ms)
        keeps = self._keeps(item, chosen)
        self.limited.propose(self.answers.routed(item, chosen), chosen.person, proposed, keeps)

    def _keeps(self, item: QueueItem, chosen: Chosen) -> Keeps:
        """A person's word passes all limits; whoever is to have a lead keeps those that the pool
        says."""
        if item.forced:
            return Keeps.NONE
        if chosen.rule != item.rule:
            return Keeps.ALL
        return Keeps.LIMITS if self.pool_view.keeps_limits else Keeps.NONE

    def bar(self, person: str, limit: str) -> None:
        """The person is at a limit over all pools."""
        self.step.barred[person] = Barred(person=person, limit=limit, day=self.pool_view.day)
        self._bars_changed(person)

    def unbar(self, *people: str) -> None:
        """There may be room again."""
        for person in people:
            self.step.barred.pop(person, None)
        self._bars_changed(*people)

    def _bars_changed(self, *people: str) -> None:
        self.availability.barred = {
            known: barred.limit for known, barred in self.step.barred.items()
        }
        for person in people:
            self.availability.forget(person)

    def amend_proposal(self, item: QueueItem, person: str) -> None:
        """Remember what became known of a lead that is proposed to somebody with limits over all
        pools: it may come back, and the request that comes back is the older one."""
        offer = self.step.offer_of(person, item.handoff_id)
        if offer is not None and self.limited.shared(person):
            amended = replace(offer, amended=routed_records.qualified_of(item))
            self.step.note_offer(person, item.handoff_id, amended)

    def take_back(self, item: QueueItem, limited: str) -> QueueItem | None:
        """Undo a proposal that was denied, as if it had not been: the request with what is known of
        the lead by now; None: it has ended already, or somebody else has it."""
        work = self.step.work(item.handoff_id)
        if work is None or (work.state, work.person) != (WorkState.OFFERED, limited):
            return None
        offer = self.step.offer_of(limited, item.handoff_id)
        self.step.give_turn_back(work, self.pool_view.sharers)
        self.uncount(work)
        self.take_off(item.handoff_id, work)
        self.limited.note(limited, item.handoff_id)
        known = offer.amended if offer is not None else None
        return replace(
            item,
            kind=RequestKind.REQUEST,
            qualified=known or item.qualified,
            limited=None,
            limit=None,
            waited_since_ms=None,
            took_turn=False,
        )

    def forward(self, item: QueueItem, target: str, *, why: str) -> None:
        """Let another pool have the lead; what follows goes after it."""
        self.keep(item, WorkState.FORWARDED, to_pool=target)
        self.step.publish_fact(self.answers.overflowed(item, target, why))

    def give_to_watcher(self, item: QueueItem, decision: Unserved, watcher: str | None) -> None:
        """Put the lead into a human's fallback queue."""
        self.keep(item, WorkState.WATCHED)
        self.step.publish_fact(
            self.answers.watched(item, decision.reason, decision.candidates, watcher)
        )

    def recall(self, item: QueueItem, why: str) -> None:
        """Give the lead back, to be matched anew; it is nobody's place in this queue any more."""
        self.keep(item, WorkState.HELD)
        self.step.publish_fact(self.answers.recalled(item, why))

    def answer_held(self, item: QueueItem, decision: Chosen | Unserved) -> None:
        """Answer that the lead waits, why, and when somebody will be there for it."""
        next_try_at: int | None = self.now
        candidates: Sequence[Candidate] = decision.candidates
        if isinstance(decision, Chosen):
            # Free hands are for those before it in the queue; the pass over them is not finished.
            reason = "others_first"
        elif self.could_ever(item):
            need = need_of(item, self.pool_view)
            reason = decision.reason
            next_try_at = soonest(self.availability, need, named=self._named(item))
        else:
            reason, next_try_at = f"{NOBODY_EVER}:{decision.reason}", None
        self.step.publish_fact(self.answers.held(item, reason, candidates, next_try_at=next_try_at))

    def keep(
        self,
        item: QueueItem,
        state: WorkState,
        *,
        person: str | None = None,
        queued: str | None = None,
        turn: TurnCredit | None = None,
        to_pool: str | None = None,
    ) -> None:
        """Write down where the hand-off is."""
        known = self.step.work(item.handoff_id)
        work = PoolWork(
            state=state,
            lead_id=item.lead_id,
            since_ms=self.now,
            person=person,
            queued=queued,
            turn=turn,
            to_pool=to_pool or (known.to_pool if known else None),
            handed_on=None if person is None else self.pool_view.day,
        )
        self.step.put_work(item.handoff_id, work)

    def forward_after(self, item: QueueItem, work: PoolWork) -> None:
        """What became of a lead that overflowed follows it on the same path."""
        self.step.publish_fact(self.answers.forwarded(replace(item, pool=work.to_pool or "")))

    def take_off(self, handoff_id: str, work: PoolWork | None) -> None:
        """Take a hand-off out of the queue or off the person's load."""
        if work is None:
            return
        if work.queued is not None:
            self.step.leave_queue(work.queued)
        if work.person is not None and work.state in (WorkState.OFFERED, WorkState.ACCEPTED):
            self.step.load(work.person, work.state, -1)
            self.step.forget_offer(work.person, handoff_id)
            self.step.forget_task(work.person, handoff_id)
            self.availability.forget(work.person)

    def offer_behind(self, item: QueueItem, work: PoolWork | None) -> OpenOffer | None:
        """What an accepted lead asks of a person, as far as the pool knows: from its offer, or from
        its place in the queue."""
        if work is None:
            return None
        if work.person is not None:
            return self.step.offer_of(work.person, item.handoff_id)
        held = self.step.held(work.queued) if work.queued is not None else None
        return self._offer(held.item) if held is not None else None

    def _offer(self, item: QueueItem) -> OpenOffer:
        qualified, need = routed_records.qualified_of(item), need_of(item, self.pool_view)
        return OpenOffer(
            lead_id=item.lead_id,
            qualification_id=item.qualification_id,
            attempt=item.attempt,
            cycle=qualified.cycle,
            level=qualified.level,
            skills=tuple(sorted(need.skills)),
            not_to=tuple(sorted(need.not_to)),
        )

    def put_on(self, person: str, state: WorkState) -> None:
        """Count an offer or accepted work of ``person``."""
        self.step.load(person, state, 1)
        self.availability.forget(person)

    def uncount(self, work: PoolWork) -> None:
        """What is nobody's fault does not use up the limit of the day and the week on which it was
        handed out either."""
        if work.person is not None and work.handed_on is not None:
            self._count_handed(work.person, work.handed_on, -1)
            self.availability.forget(work.person)

    def _count_handed(self, person: str, handed_on: str, amount: int) -> None:
        view = self.pool_view
        member = view.member(person)
        limited = member is not None and (member.per_day is not None or member.per_week is not None)
        if limited or self.limited.counted(person):
            self.step.count_handed(person, handed_on=handed_on, view=view, amount=amount)
