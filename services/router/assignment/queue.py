"""Putting leads into hands during one step of a pool: the new one, and those that wait.

What happens to a lead for which there is nobody now is the pool's rule: hold, overflow or watch.
Whoever waits for an offer to be answered stays in the queue whatever the rule, for somebody is
there; and a lead goes to another pool only where somebody can take it sooner. The queue is looked
at when something changed for it, and only the first lead of each lane: a decision costs the same
however many wait.
"""

from dataclasses import replace

from baton.agreement.reference import AgreementReference
from baton.contracts.routing import OpenWork, QueueItem
from baton.engine.reducer import Step
from services.router.assignment import routed_records
from services.router.assignment.absence import (
    next_departure,
    offers_to_recall,
    work_to_relieve,
)
from services.router.assignment.hand_out import HandOut
from services.router.assignment.next_chance import next_chance, next_closing
from services.router.assignment.overflow import sooner_elsewhere
from services.router.assignment.person_selection import Chosen, Unserved, forced
from services.router.assignment.pool_view import Nobody, PoolView
from services.router.assignment.state import PoolHeld, PoolState, WorkState
from services.router.assignment.step import AssignmentStep

PASS = 100
"""How many leads of the queue one step looks at."""
WAITING_STATES = frozenset({WorkState.HELD, WorkState.WATCHED, WorkState.OFFERED})
"""What nobody has taken up yet."""


class Placement:
    """One step's work on the leads of a pool."""

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
        self.leads = HandOut(
            step=step, pool_view=pool_view, reference=reference, cause=cause, now=now
        )
        self._reference = reference
        self._looked = False
        self._newcomer: str | None = None

    # ------------------------------------------------------------------ what a step may ask for

    def arrive(self, item: QueueItem) -> None:
        """A request; the same one again changes nothing. One that overflowed may come back, where
        its other pool is no more."""
        known = self.step.work(item.handoff_id)
        came_back = (
            known is not None
            and known.state == WorkState.FORWARDED
            and self.pool_view.pool in item.overflowed_from
        )
        if known is not None and not came_back:
            return
        beside = self.step.work(item.beside) if item.beside else None
        if self.pool_view.gone:
            self.leads.recall(item, routed_records.POOL_GONE)
        elif self.leads.suppress(item):
            return
        elif item.watcher is not None:
            self.leads.give_to_watcher(
                item,
                Unserved(reason=item.reason or "watch", candidates=(), waits=False),
                item.watcher or None,
            )
        elif (
            beside is not None
            and beside.state == WorkState.FORWARDED
            and beside.to_pool not in item.overflowed_from
            and beside.to_pool in self._reference.agreement.pools
        ):
            self.leads.forward(item, beside.to_pool or "", why="with_colleague")
        elif item.forced and item.person is not None:
            self.leads.hand_to(item, forced(item, self.leads.room(item)))
        else:
            self._join(item)

    def amend(self, item: QueueItem) -> None:
        """Something about the lead has changed: it takes its new place, or leaves if it may not be
        called any more."""
        work = self.step.work(item.handoff_id)
        if work is not None and work.state == WorkState.FORWARDED:
            self.leads.forward_after(item, work)
        if (
            work is None
            or item.qualified is None
            or work.state not in WAITING_STATES
            or self.leads.suppress(item)
        ):
            return
        if work.person is not None:
            self.leads.amend_proposal(item, work.person)
        held = self.step.held(work.queued) if work.queued is not None else None
        if held is not None and held.item.qualified != item.qualified:
            self.step.leave_queue(work.queued or "")
            self._join(replace(held.item, qualified=item.qualified), since_ms=held.since_ms)

    def return_denied(self, item: QueueItem) -> None:
        """A lead whose person is at a limit over all pools takes its place in the queue again; it
        is not theirs until there is room."""
        limited, limit = item.limited or "", item.limit
        if limit is not None:
            self.leads.bar(limited, limit)
        asked = self.leads.take_back(item, limited)
        if asked is not None:
            self._join(asked, since_ms=item.waited_since_ms)
            if item.waited_since_ms is not None:
                self._newcomer = None
        self.look_again()

    def look_again(self) -> None:
        """Something changed: an unfinished pass goes on first and another one follows, or a pass
        begins."""
        self.step.again = self.step.again or self.step.resume is not None
        self.go_on()

    def go_on(self) -> None:
        """Look at the leads that wait, a bounded number of them; at most once a step."""
        if not self._looked:
            self._looked = True
            self._pass(self.step.resume or "")

    def review(self, first: str) -> None:
        """After a new agreement, or once everybody is away: what waits where its pool is no more,
        may not be called any more, can never be taken, or for which nobody is there."""
        looked = self.step.queue(first=first, limit=PASS)
        for key, held in looked:
            if self.pool_view.gone:
                self.step.leave_queue(key)
                self.leads.recall(held.item, routed_records.POOL_GONE)
            elif not self.leads.suppress(held.item) and (
                self.step.deserted or not self.leads.could_ever(held.item)
            ):
                self.leads.answer_held(held.item, self.leads.decide(held.item))
        self.step.review = looked[-1][0] + "\0" if len(looked) == PASS else None

    def notice_absences(self) -> None:
        """Offers that nobody has answered, of people who are away now, go to whoever can take them
        sooner; accepted work is handed over where the pool does not keep it; and where everybody is
        away, whatever waits says so."""
        leads = self.leads
        for recall in offers_to_recall(self.step, leads.availability, limit=PASS):
            self.step.forget_offer(recall.person, recall.handoff_id)
            fact = leads.answers.offer_recalled(recall.person, recall.handoff_id, recall.offer)
            leads.limited.answer(fact, recall.person)
        to_relieve = work_to_relieve(self.step, leads.availability, limit=PASS)
        self.step.relieving = bool(to_relieve)
        for recall in to_relieve:
            deputy = self._deputy_of(recall.person)
            self.step.forget_task(recall.person, recall.handoff_id)
            fact = leads.answers.relieved(recall.person, recall.handoff_id, recall.offer, deputy)
            leads.limited.answer(fact, recall.person)
        before, self.step.deserted = self.step.deserted, leads.availability.everybody_away()
        if self.step.deserted and not before and self.step.waiting():
            self.review("")

    def _deputy_of(self, person: str) -> str | None:
        if self.pool_view.open_work != OpenWork.DEPUTY:
            return None
        known = self._reference.agreement.people.get(person)
        return known.deputy if known is not None else None

    def finish(self, wake_at: int | None) -> Step[PoolState]:
        """Say what still waits, and when to look again. ``wake_at`` is when that was to be so
        far."""
        waiting = self.step.held(self._newcomer) if self._newcomer is not None else None
        if waiting is not None:
            self.leads.answer_held(waiting.item, self.leads.decide(waiting.item))
            if self.step.waiting() == 1:
                self.step.deserted = self.leads.availability.everybody_away()
        return self.step.finish(self._wake(wake_at))

    # ------------------------------------------------------------------ the queue

    def _join(self, item: QueueItem, *, since_ms: int | None = None) -> None:
        key = self.step.enqueue(
            PoolHeld(item=item, since_ms=self.now if since_ms is None else since_ms)
        )
        self.leads.keep(item, WorkState.HELD, queued=key)
        self._newcomer = key
        others_first = self.step.resume is not None
        if (self.step.is_first(key) and not others_first) or self.step.preferred(item) is not None:
            self._place(key, item, named_only=others_first or not self.step.is_first(key))

    def _pass(self, first: str) -> None:
        """Lane by lane in the order of urgency; a lane whose first lead cannot be handed out is
        done."""
        for _ in range(PASS):
            found = self.step.next_lane(first=first)
            if found is None or not self._worth_looking():
                self.step.resume, self.step.again = None, False
                return
            key, place = found
            held = self.step.held(key)
            if held is not None and self._may_have_come_up(held.item):
                self._place(key, held.item)
            first = place + "\0"
        self.step.resume, self.step.again = ("" if self.step.again else first), False

    def _place(self, key: str, item: QueueItem, *, named_only: bool = False) -> None:
        """Hand the lead out if somebody can have it, else do what the pool's rule says.
        ``named_only``: others come before it, but who is to have it gets it."""
        if self.leads.suppress(item):
            return
        decision = self.leads.decide(item)
        if isinstance(decision, Chosen):
            if not named_only or decision.rule == item.rule:
                held = self.step.held(key)
                new = key == self._newcomer or held is None
                self.step.leave_queue(key)
                since_ms = None if new or held is None else held.since_ms
                self.leads.hand_to(item, decision, waited_since_ms=since_ms)
            return
        if named_only:
            return
        match self._rule(item, decision):
            case Nobody.OVERFLOW:
                self.step.leave_queue(key)
                self.leads.forward(item, self.pool_view.overflow_to or "", why=decision.reason)
            case Nobody.WATCH:
                self.step.leave_queue(key)
                self.leads.give_to_watcher(item, decision, self.pool_view.watcher)
            case _:
                pass

    def _rule(self, item: QueueItem, decision: Unserved) -> str:
        """What the pool does with a lead for which there is nobody. It never goes back to a pool
        that it overflowed from, and only to one where somebody can take it sooner."""
        if decision.waits:
            return Nobody.HOLD
        if self.pool_view.nobody == Nobody.OVERFLOW:
            return (
                Nobody.OVERFLOW
                if sooner_elsewhere(item, self.leads.availability, self._reference)
                else Nobody.HOLD
            )
        return self.pool_view.nobody

    def _worth_looking(self) -> bool:
        """Somebody could take some lead, be it only one that is to go to them, or the pool's rule
        is to send away what nobody can take."""
        return self._any_lead_may() or bool(self.leads.availability.by_name())

    def _may_have_come_up(self, item: QueueItem) -> bool:
        return (
            self._any_lead_may() or self.step.preferred(item) in self.leads.availability.by_name()
        )

    def _any_lead_may(self) -> bool:
        if self.leads.availability.anybody():
            return True
        return self.pool_view.nobody != Nobody.HOLD and not self.leads.availability.answers()

    # ------------------------------------------------------------------ time

    def _wake(self, before: int | None) -> int | None:
        unfinished = self.step.resume, self.step.review
        if unfinished != (None, None) or self.step.relieving:
            # A moment later, not now: a wake that never lets time pass counts as stuck.
            return self.now + 1
        waiting = bool(self.step.waiting())
        times = [next_departure(self.step.loads, self.leads.availability, waiting=waiting)]
        if waiting:
            times += [
                before if before is not None and before > self.now else None,
                next_chance(self.leads.availability),
            ]
            if self.pool_view.nobody != Nobody.HOLD:
                times.append(next_closing(self.leads.availability))
        return min((time for time in times if time is not None), default=None)
