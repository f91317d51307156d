"""Putting leads into hands during one step of a pool: the new one, and those that wait.

What happens to a lead for which there is nobody now is the pool's rule: hold, overflow or watch.
Whoever waits for an offer to be answered stays in the queue whatever the rule, for somebody is
there; and a lead goes to another pool only where somebody can take it sooner. The queue is looked
at when something changed for it, and only the first lead of each lane: a decision costs the same
however many wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from baton.agreement.compiled.agreement import context_of_qualified
from baton.agreement.reference import AgreementReference
from baton.contracts.routing import NOBODY_EVER, Candidate, QueueItem
from baton.engine.reducer import Step
from services.router.assignment import routing_facts
from services.router.assignment.absence import next_departure, offers_to_recall
from services.router.assignment.eligibility import (
    Availability,
    could_ever,
    next_chance,
    next_closing,
    soonest,
)
from services.router.assignment.overflow import sooner_elsewhere
from services.router.assignment.person_selection import (
    Chosen,
    Room,
    Unserved,
    choose,
    forced,
    need_of,
)
from services.router.assignment.pool_view import Nobody, PoolView
from services.router.assignment.state import (
    OpenOffer,
    PoolHeld,
    PoolState,
    PoolWork,
    TurnCredit,
    WorkState,
)
from services.router.assignment.step import AssignmentStep
from services.router.suppression import suppression_of

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
        self._reference = reference
        self._said = routing_facts.RoutingFacts(
            pool_view=pool_view, reference=reference, cause=cause, now=now
        )
        self._availability = Availability(pool_view, step.loads, reference, now)
        self._looked = False
        self._newcomer: str | None = None
        step.index_lanes()

    @property
    def sharers(self) -> Mapping[str, int]:
        """Everybody of the pool who may share a turn, with their weights."""
        return self.pool_view.sharers

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
            self._recall(item, routing_facts.POOL_GONE)
        elif self._suppressed(item):
            return
        elif item.watcher is not None:
            self._watch(
                item,
                Unserved(reason=item.reason or "watch", candidates=(), waits=False),
                item.watcher or None,
            )
        elif (
            beside is not None
            and beside.state == WorkState.FORWARDED
            and beside.to_pool not in item.overflowed_from
        ):
            self._forward(item, beside.to_pool or "", why="with_colleague")
        elif item.forced and item.person is not None:
            self._assign(item, forced(item, self._room(item)))
        else:
            self._join(item)

    def amend(self, item: QueueItem) -> None:
        """Something about the lead has changed: it takes its new place, or leaves if it may not be
        called any more."""
        work = self.step.work(item.handoff_id)
        if work is not None and work.state == WorkState.FORWARDED:
            self.forward_after(item, work)
        if (
            work is None
            or item.qualified is None
            or work.state not in WAITING_STATES
            or self._suppressed(item)
        ):
            return
        held = self.step.held(work.queued) if work.queued is not None else None
        if held is not None and held.item.qualified != item.qualified:
            self.step.leave_queue(work.queued or "")
            self._join(replace(held.item, qualified=item.qualified), since_ms=held.since_ms)

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
        """After a new agreement: what waits where its pool is no more, may not be called any more,
        or can never be taken."""
        looked = self.step.queue(first=first, limit=PASS)
        for key, held in looked:
            if self.pool_view.gone:
                self.step.leave_queue(key)
                self._recall(held.item, routing_facts.POOL_GONE)
            elif not self._suppressed(held.item) and not self._could_ever(held.item):
                self._say_held(held.item, self._decide(held.item))
        self.step.review = looked[-1][0] + "\0" if len(looked) == PASS else None

    def recall_from_absent(self) -> None:
        """Offers that nobody has answered, of people who are away now, go to whoever can take them
        sooner."""
        for recall in offers_to_recall(self.step, self._availability, limit=PASS):
            self.step.forget_offer(recall.person, recall.handoff_id)
            self.step.publish_fact(
                self._said.offer_recalled(recall.person, recall.handoff_id, recall.offer)
            )

    def forward_after(self, item: QueueItem, work: PoolWork) -> None:
        """What became of a lead that overflowed follows it on the same path."""
        self.step.publish_fact(self._said.forwarded(replace(item, pool=work.to_pool or "")))

    def take_off(self, handoff_id: str, work: PoolWork | None) -> None:
        """Take a hand-off out of the queue or off the person's load."""
        if work is None:
            return
        if work.queued is not None:
            self.step.leave_queue(work.queued)
        if work.person is not None and work.state in (WorkState.OFFERED, WorkState.ACCEPTED):
            self.step.load(work.person, work.state, -1)
            self.step.forget_offer(work.person, handoff_id)
            self._availability.forget(work.person)

    def put_on(self, person: str, state: WorkState) -> None:
        """Count an offer or accepted work of ``person``."""
        self.step.load(person, state, 1)
        self._availability.forget(person)

    def uncount(self, work: PoolWork) -> None:
        """What is nobody's fault does not use up a limit of the day or the week either."""
        if work.person is not None:
            self._count_handed(work.person, -1)
            self._availability.forget(work.person)

    def _count_handed(self, person: str, amount: int) -> None:
        member = self.pool_view.member(person)
        if member is not None and (member.per_day is not None or member.per_week is not None):
            self.step.count_handed(
                person, day=self.pool_view.day, monday=self.pool_view.monday, amount=amount
            )

    def finish(self, wake_at: int | None) -> Step[PoolState]:
        """Say what still waits, and when to look again. ``wake_at`` is when that was to be so
        far."""
        waiting = self.step.held(self._newcomer) if self._newcomer is not None else None
        if waiting is not None:
            self._say_held(waiting.item, self._decide(waiting.item))
        return self.step.finish(self._wake(wake_at))

    # ------------------------------------------------------------------ the queue

    def _join(self, item: QueueItem, *, since_ms: int | None = None) -> None:
        key = self.step.enqueue(
            PoolHeld(item=item, since_ms=self.now if since_ms is None else since_ms)
        )
        self._keep(item, WorkState.HELD, queued=key)
        self._newcomer = key
        others_first = self.step.resume is not None
        if (self.step.is_first(key) and not others_first) or self._preferred(item) is not None:
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
            if held is not None:
                self._place(key, held.item)
            first = place + "\0"
        self.step.resume, self.step.again = ("" if self.step.again else first), False

    def _place(self, key: str, item: QueueItem, *, named_only: bool = False) -> None:
        """Hand the lead out if somebody can have it, else do what the pool's rule says.
        ``named_only``: others come before it, but who is to have it gets it."""
        if self._suppressed(item):
            return
        decision = self._decide(item)
        if isinstance(decision, Chosen):
            if not named_only or decision.rule == item.rule:
                self.step.leave_queue(key)
                self._assign(item, decision)
            return
        if named_only:
            return
        match self._rule(item, decision):
            case Nobody.OVERFLOW:
                self.step.leave_queue(key)
                self._forward(item, self.pool_view.overflow_to or "", why=decision.reason)
            case Nobody.WATCH:
                self.step.leave_queue(key)
                self._watch(item, decision, self.pool_view.watcher)
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
                if sooner_elsewhere(item, self._availability, self._reference)
                else Nobody.HOLD
            )
        return self.pool_view.nobody

    def _worth_looking(self) -> bool:
        """Somebody could take some lead, or the pool's rule is to send away what nobody can
        take."""
        if self._availability.anybody():
            return True
        return self.pool_view.nobody != Nobody.HOLD and not self._availability.answers()

    # ------------------------------------------------------------------ one lead

    def _decide(self, item: QueueItem) -> Chosen | Unserved:
        return choose(item, self._room(item), preferred=self._preferred(item))

    def _room(self, item: QueueItem) -> Room:
        book = self.step.book(routing_facts.qualified_of(item).level)
        return Room(pool_view=self.pool_view, availability=self._availability, book=book)

    def _preferred(self, item: QueueItem) -> str | None:
        if item.person is not None:
            return item.person
        work = self.step.work(item.beside) if item.beside else None
        return work.person if work is not None else None

    def _could_ever(self, item: QueueItem) -> bool:
        need = need_of(item, self.pool_view)
        # Whom it was taken from is asked again before it is left alone.
        return could_ever(self.pool_view, replace(need, not_to=frozenset()))

    def _suppressed(self, item: QueueItem) -> bool:
        """Whether the lead may not be handed to anybody, as things are now: then it leaves the
        pool, and the reason is published."""
        context = context_of_qualified(routing_facts.qualified_of(item), now_ms=self.now)
        verdict = suppression_of(context, self._reference.agreement)
        if verdict.reason is None:
            return False
        work = self.step.work(item.handoff_id)
        self.take_off(item.handoff_id, work)
        if work is not None:
            self.step.give_turn_back(work, self.sharers)
            self.step.drop_work(item.handoff_id)
        self.step.publish_fact(self._said.suppressed(item, verdict.reason, verdict.path))
        return True

    def _assign(self, item: QueueItem, chosen: Chosen) -> None:
        qualified = routing_facts.qualified_of(item)
        turn = (
            self.step.take_turn(qualified.level, chosen.person, chosen.share, self.sharers)
            if chosen.share
            else None
        )
        self._count_handed(chosen.person, 1)
        self.put_on(chosen.person, WorkState.OFFERED)
        need = need_of(item, self.pool_view)
        offer = OpenOffer(
            lead_id=item.lead_id,
            qualification_id=item.qualification_id,
            attempt=item.attempt,
            cycle=qualified.cycle,
            level=qualified.level,
            skills=tuple(sorted(need.skills)),
            not_to=tuple(sorted(need.not_to)),
        )
        self.step.note_offer(chosen.person, item.handoff_id, offer)
        self._keep(item, WorkState.OFFERED, person=chosen.person, turn=turn)
        self.step.publish_fact(self._said.routed(item, chosen))

    def _forward(self, item: QueueItem, target: str, *, why: str) -> None:
        self._keep(item, WorkState.FORWARDED, to_pool=target)
        self.step.publish_fact(self._said.overflowed(item, target, why))

    def _watch(self, item: QueueItem, decision: Unserved, watcher: str | None) -> None:
        self._keep(item, WorkState.WATCHED)
        self.step.publish_fact(
            self._said.watched(item, decision.reason, decision.candidates, watcher)
        )

    def _recall(self, item: QueueItem, why: str) -> None:
        """Give the lead back, to be matched anew; it is nobody's place in this queue any more."""
        self._keep(item, WorkState.HELD)
        self.step.publish_fact(self._said.recalled(item, why))

    def _say_held(self, item: QueueItem, decision: Chosen | Unserved) -> None:
        next_try_at: int | None = self.now
        candidates: Sequence[Candidate] = decision.candidates
        if isinstance(decision, Chosen):
            # Free hands are for those before it in the queue; the pass over them is not finished.
            reason = "others_first"
        elif self._could_ever(item):
            reason, next_try_at = (
                decision.reason,
                soonest(self._availability, need_of(item, self.pool_view)),
            )
        else:
            reason, next_try_at = f"{NOBODY_EVER}:{decision.reason}", None
        self.step.publish_fact(self._said.held(item, reason, candidates, next_try_at=next_try_at))

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

    def _wake(self, before: int | None) -> int | None:
        if self.step.resume is not None or self.step.review is not None:
            # A moment later, not now: a wake that never lets time pass counts as stuck.
            return self.now + 1
        times = [next_departure(self.step.loads, self._availability)]
        if self.step.waiting():
            times += [
                before if before is not None and before > self.now else None,
                next_chance(self._availability),
            ]
            if self.pool_view.nobody != Nobody.HOLD:
                times.append(next_closing(self._availability))
        return min((time for time in times if time is not None), default=None)
