"""Putting leads into hands during one step of a pool: the new one, and those that wait.

What happens to a lead for which there is nobody now is the pool's rule: hold, overflow or watch. Whoever waits for an offer to be
answered stays in the queue whatever the rule, for somebody is there.
"""

from dataclasses import replace

from baton.agreement.reference import AgreementReference
from baton.contracts.routing import QueueItem
from baton.engine.reducer import Step
from services.router.assignment import routing_facts
from services.router.assignment.eligibility import Need, could_ever, eligible, next_chance, screen, waits
from services.router.assignment.person_selection import Chosen, Room, Unserved, choose, forced, need_of
from services.router.assignment.pool_view import Nobody, PoolView, pool_view_of
from services.router.assignment.state import PoolHeld, PoolState, PoolWork, TurnCredit, WorkState, place_in_queue
from services.router.assignment.step import AssignmentStep

LOOK_AGAIN_MS = 15 * 60_000
PASS = 100
"""How many leads of the queue one step looks at."""


class Placement:
    """One step's work on the leads of a pool."""

    def __init__(self, *, step: AssignmentStep, pool_view: PoolView, reference: AgreementReference, cause: str, now: int) -> None:
        self.step = step
        self.pool_view = pool_view
        self.now = now
        self._reference = reference
        self._said = routing_facts.RoutingFacts(pool_view=pool_view, reference=reference, cause=cause, now=now)
        self._looked = False
        self._newcomer: str | None = None

    # ------------------------------------------------------------------ what a step may ask for

    def arrive(self, item: QueueItem) -> None:
        """A request; the same one again changes nothing. One that overflowed may come back, where its other pool is no more."""
        known = self.step.work(item.handoff_id)
        came_back = known is not None and known.state == WorkState.FORWARDED and self.pool_view.pool in item.overflowed_from
        if known is not None and not came_back:
            return
        beside = self.step.work(item.beside) if item.beside else None
        if item.watcher is not None:
            self._watch(item, Unserved(reason=item.reason or "watch", candidates=(), waits=False), item.watcher or None)
        elif self.pool_view.gone:
            self._forward(item, self._target(item), why="pool_gone")
        elif beside is not None and beside.state == WorkState.FORWARDED and beside.to_pool not in item.overflowed_from:
            self._forward(item, beside.to_pool or "", why="with_colleague")
        elif item.forced and item.person is not None:
            self._assign(item, forced(item, self._room(item)))
        else:
            self._join(item)

    def look_again(self) -> None:
        """Something changed: an unfinished pass goes on first and another one follows, or a pass begins."""
        self.step.again = self.step.again or self.step.resume is not None
        self.go_on()

    def go_on(self) -> None:
        """Look at the leads that wait, a bounded number of them; at most once a step."""
        if not self._looked:
            self._looked = True
            self._pass(self.step.resume or "")

    def forward_after(self, item: QueueItem, work: PoolWork) -> None:
        """What became of a lead that overflowed follows it on the same path."""
        self.step.publish_fact(self._said.forwarded(replace(item, pool=work.to_pool or "")))

    def finish(self, wake_at: int | None) -> Step[PoolState]:
        """Say what still waits, and when to look again. ``wake_at`` is when that was to be so far."""
        place = self._newcomer
        waiting = self.step.held(place) if place is not None else None
        if waiting is not None:
            decision = self._decide(waiting.item)
            if isinstance(decision, Unserved):
                reason, candidates = decision.reason, decision.candidates
            else:
                # Free hands are for those before it in the queue; the pass over them is not finished.
                reason, candidates = "others_first", decision.candidates
            self.step.publish_fact(self._said.held(waiting.item, reason, candidates, next_try_at=self._next_look()))
        return self.step.finish(self._wake(wake_at))

    # ------------------------------------------------------------------ the queue

    def _join(self, item: QueueItem) -> None:
        preferred = self._preferred(item)
        if preferred is not None:
            decision = self._decide(item)
            if isinstance(decision, Chosen) and decision.rule == item.rule:
                self._assign(item, decision)
                return
        place = place_in_queue(item)
        self.step.enqueue(place, PoolHeld(item=item, since_ms=self.now))
        self._keep(item, WorkState.HELD, queued=place)
        self._newcomer = place
        self.look_again()

    def _pass(self, first: str) -> None:
        looked = self.step.queue(first=first, limit=PASS)
        for place, held in looked:
            if not self._worth_looking():
                self.step.resume, self.step.again = None, False
                return
            self._place(place, held.item)
        if len(looked) == PASS:
            self.step.resume = looked[-1][0] + "~"
        else:
            self.step.resume, self.step.again = ("" if self.step.again else None), False

    def _place(self, place: str, item: QueueItem) -> None:
        decision = self._decide(item)
        if isinstance(decision, Chosen):
            self.step.leave_queue(place)
            self._assign(item, decision)
            return
        match self._rule(item, decision):
            case Nobody.OVERFLOW:
                self.step.leave_queue(place)
                self._forward(item, self._target(item), why=decision.reason)
            case Nobody.WATCH:
                self.step.leave_queue(place)
                self._watch(item, decision, self.pool_view.watcher)
            case _:
                pass

    def _rule(self, item: QueueItem, decision: Unserved) -> str:
        """What the pool does with a lead for which there is nobody. It never goes back to a pool that it overflowed from, and not to one
        where it would wait for ever."""
        if self.pool_view.gone:
            return Nobody.OVERFLOW
        if decision.waits:
            return Nobody.HOLD
        if self.pool_view.nobody == Nobody.OVERFLOW:
            target = self._target(item)
            known = target not in (*item.overflowed_from, self.pool_view.pool)
            there = pool_view_of(self._reference, target, now=self.now)
            return Nobody.OVERFLOW if known and could_ever(there, need_of(item, there)) else Nobody.HOLD
        return self.pool_view.nobody

    def _target(self, item: QueueItem) -> str:
        """Where a lead goes that leaves the pool; the pool itself: nowhere."""
        elsewhere = self.pool_view.elsewhere.get(routing_facts.qualified_of(item).leg, "")
        return self.pool_view.overflow_to or elsewhere or self.pool_view.pool

    def _worth_looking(self) -> bool:
        """Somebody could take some lead, or the pool's rule is to send away what nobody can take."""
        anything = Need(any_hour=self.pool_view.any_hour)
        screened = screen(self.pool_view, self.step.loads, self._reference, anything, now=self.now)
        return bool(eligible(screened)) or (self.pool_view.nobody != Nobody.HOLD and not waits(screened))

    # ------------------------------------------------------------------ one lead

    def _decide(self, item: QueueItem) -> Chosen | Unserved:
        return choose(item, self._room(item), preferred=self._preferred(item))

    def _room(self, item: QueueItem) -> Room:
        book = self.step.book(routing_facts.qualified_of(item).level)
        return Room(pool_view=self.pool_view, loads=self.step.loads, book=book, presence=self._reference, now=self.now)

    def _preferred(self, item: QueueItem) -> str | None:
        if item.person is not None:
            return item.person
        work = self.step.work(item.beside) if item.beside else None
        return work.person if work is not None else None

    def _assign(self, item: QueueItem, chosen: Chosen) -> None:
        level = routing_facts.qualified_of(item).level
        turn = self.step.take_turn(level, chosen.person, chosen.share) if chosen.share else None
        self.step.load(chosen.person, WorkState.OFFERED, 1)
        self._keep(item, WorkState.OFFERED, person=chosen.person, turn=turn)
        self.step.publish_fact(self._said.routed(item, chosen))

    def _forward(self, item: QueueItem, target: str, *, why: str) -> None:
        self._keep(item, WorkState.FORWARDED, to_pool=target)
        self.step.publish_fact(self._said.overflowed(item, target, why))

    def _watch(self, item: QueueItem, decision: Unserved, watcher: str | None) -> None:
        self._keep(item, WorkState.WATCHED)
        self.step.publish_fact(self._said.watched(item, decision.reason, decision.candidates, watcher))

    def _keep(
        self,
        item: QueueItem,
        state: WorkState,
        *,
        person: str | None = None,
        queued: str | None = None,
        turn: TurnCredit | None = None,
        to_pool: str | None = None,
    ) -> None:
        known = self.step.work(item.handoff_id)
        work = PoolWork(
            state=state,
            lead_id=item.lead_id,
            since_ms=self.now,
            person=person,
            queued=queued,
            turn=turn,
            to_pool=to_pool or (known.to_pool if known else None),
        )
        self.step.put_work(item.handoff_id, work)

    # ------------------------------------------------------------------ time

    def _next_look(self) -> int:
        return next_chance(self.pool_view, self._reference, now=self.now, at_the_latest=self.now + LOOK_AGAIN_MS)

    def _wake(self, before: int | None) -> int | None:
        if self.step.resume is not None:
            # A moment later, not now: a wake that never lets time pass counts as stuck.
            return self.now + 1
        if self.step.waiting() == 0:
            return None
        soonest = self._next_look()
        return min(before, soonest) if before is not None and before > self.now else soonest
