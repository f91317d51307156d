"""The lean replay: when each lead first qualifies under an agreement, by the scorer's own reducer.

A group of merged leads is one run: its facts in order, timers in between, and what its leads send
to each other. State stays in memory as it is, nothing is published, no turn is taken; the pool is
the one the agreement's rules choose. What follows a qualification is people's and not replayed:
whoever is handed over stays in hand until history ends that cycle, or cools where nobody accepted
it in history either, and may qualify again then.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from baton.agreement.compiled.agreement import context_of_qualified
from baton.agreement.reference import AgreementReference
from baton.backtest.history import WITHDRAWALS, cycle_key
from baton.backtest.in_force import InForce
from baton.backtest.out_of_reach import Reach
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput
from baton.contracts.leads import LeadQualified, Stage
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import BacklogRelease, SlaDecision
from baton.contracts.topic_names import SCORER_RELEASES, SCORER_TRANSFERS
from baton.engine.key_state import KeyState, Shape
from baton.engine.reducer import Event, Fact, Reducer, Step
from baton.engine.store import MemoryStore
from baton.flow import service_of
from baton.ids import derived_id

SUPPRESSED: Final = "(suppressed)"
_MOST_WAKES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstQualification:
    """When a lead first became ready in a cycle. ``source``: who sent what made it ready;
    ``account``: its company then, None where it has none; ``pool``: by the rules alone.
    ``adopted``: a new agreement made it ready, so a running Baton hands it over when its turn
    comes, and not at this moment."""

    lead_id: str
    account: str | None
    at_ms: int
    level: str
    leg: str
    pool: str
    segment: str | None
    source: str
    hand_raised: bool
    cycle: int = 1
    adopted: bool = False

    @property
    def key(self) -> str:
        """Names the lead and the cycle."""
        return cycle_key(self.lead_id, self.cycle)


class ReplayLoops(RuntimeError):
    """A lead woke without end; the text names it."""


class Replay:
    """Replays groups under what is in force, up to ``until_ms``. ``skips``: leads that cannot
    become ready are not replayed, which changes no result."""

    def __init__(self, in_force: InForce, until_ms: int, *, skips: bool = True) -> None:
        self._in_force, self._until_ms = in_force, until_ms
        lead: Any = next(
            type(reducer) for reducer in service_of("scorer").reducers if reducer.name == "lead"
        )
        # nobody reads scores here; in the one, who is handed over stays in hand until the end
        self._reducer: Reducer[Any, Any] = lead(explains=False)
        self._holding: Reducer[Any, Any] = lead(explains=False, holds=True)
        self._shape = Shape(self._reducer, codec_for)
        self._reaches = [Reach.of(agreement) for agreement in in_force.agreements()]
        self._skips = skips

    def group(self, facts: Sequence[Event]) -> list[FirstQualification]:
        """The first qualification in every cycle of the leads of the group."""
        alone = facts[0].key if all(fact.key == facts[0].key for fact in facts) else None
        lone = self._skips and alone is not None
        if lone and all(reach.excludes(facts) for reach in self._reaches):
            return []
        run = _Run((self._reducer, self._holding), self._shape, self._in_force, facts)
        for fact in facts:
            if fact.at_ms > self._until_ms:
                break
            run.pass_time(fact.at_ms)
            run.take(fact)
            if alone is not None and run.is_done(alone):
                break  # nothing later is asked of it
        else:
            run.pass_time(self._until_ms)
        sources = {
            fact.value.event.event_id: fact.value.event.source
            for fact in facts
            if isinstance(fact.value, LeadInput) and fact.value.event is not None
        }
        return [
            replace(self._first(one, cycle, sources), adopted=(lead_id, cycle) in run.adopted)
            for (lead_id, cycle), one in run.qualified.items()
        ]

    def _first(self, one: LeadQualified, cycle: int, sources: dict[str, str]) -> FirstQualification:
        agreement = self._in_force.at(one.qualified_at_ms).agreement
        context = context_of_qualified(one, now_ms=one.qualified_at_ms)
        if agreement.routing.suppressed(context).reason is not None:
            pool = SUPPRESSED
        else:
            pool = agreement.routing.expected(context)[0]
        return FirstQualification(
            lead_id=one.lead_id,
            account=one.story.account_id,
            at_ms=one.qualified_at_ms,
            level=one.level,
            leg=one.leg,
            pool=pool,
            segment=one.segment,
            source=sources.get(one.cause_id, "(time)"),
            hand_raised=one.hand_raised,
            cycle=cycle,
        )


def _is_end(fact: Event) -> bool:
    """Whether it ends a hand-off of history."""
    end = fact.value
    return isinstance(end, LeadRecycled) and not end.revised and end.qualification_id is not None


class _Run:
    """The leads of one group while they are replayed."""

    def __init__(
        self,
        reducers: tuple[Reducer[Any, Any], Reducer[Any, Any]],
        shape: Shape,
        in_force: InForce,
        facts: Sequence[Event],
    ) -> None:
        self._reducers, self._shape, self._in_force = reducers, shape, in_force
        self._place = in_force.place(facts[0].at_ms)
        self._views: dict[str, KeyState] = {}
        self._wakes = 0
        self._ended: Counter[str] = Counter()
        self._rests: dict[str, str] = {}
        self._ends: dict[str, deque[bool]] = {}
        """By lead, its ends to come: whether somebody had accepted it until then."""
        for fact in facts:
            if _is_end(fact):
                accepted = fact.value.reason not in WITHDRAWALS
                self._ends.setdefault(fact.key, deque()).append(accepted)
        self.qualified: dict[tuple[str, int], LeadQualified] = {}
        self.adopted: set[tuple[str, int]] = set()

    @property
    def _reference(self) -> AgreementReference:
        return self._in_force.references[self._place][1]

    def is_done(self, lead_id: str) -> bool:
        """Whether it is handed over, and history has no further end for it."""
        return not self._ends.get(lead_id) and self._qualifies(lead_id) in self.qualified

    def _qualifies(self, lead_id: str) -> tuple[str, int]:
        """The lead, and the number of its cycle."""
        return lead_id, self._ended[lead_id] + 1

    def _reducer_of(self, lead_id: str) -> Reducer[Any, Any]:
        ends = self._ends.get(lead_id)
        return self._reducers[bool(ends and ends[0])]

    def take(self, fact: Event) -> None:
        """One fact, and what it makes the leads send to each other."""
        match fact.value:
            case LeadRecycled() as end:
                self._end(fact, end)
            case LeadReactivated() as back:
                if self._rests.get(fact.key) == back.recycle_id:
                    self._take(replace(fact, value=SlaDecision(lead_id=fact.key, reactivated=back)))
            case _:
                self._take(fact)

    def _end(self, fact: Event, end: LeadRecycled) -> None:
        """History ended a hand-off. Who was not handed over here has nothing to end: what the lead
        did goes on counting; who cools by itself is not ended while it is in hand."""
        ends_now = self._rests.get(fact.key) == end.recycle_id
        if _is_end(fact):
            had = self._qualifies(fact.key) in self.qualified
            self._ends[fact.key].popleft()
            self._ended[fact.key] += 1
            stage = Stage.INQUIRY if end.reason in WITHDRAWALS else Stage.MQL
            head = self._view(fact.key).head
            ends_now = had and head is not None and head.stage == stage.value
            self._rests.pop(fact.key, None)
        if ends_now:
            self._rests[fact.key] = end.recycle_id
            cycle = self._view(fact.key).head.cycle
            mine = replace(end, cycle=cycle, qualification_id=None)
            self._take(replace(fact, value=SlaDecision(lead_id=fact.key, recycled=mine)))

    def _take(self, fact: Event) -> None:
        waiting = [fact]
        while waiting:
            event = waiting.pop(0)
            view = self._view(event.key)
            view.cause = event.id
            reducer = self._reducer_of(event.key)
            step = reducer.step(view, event, now=event.at_ms, reference=self._reference)
            waiting += self._applied(view, step, event.at_ms)

    def pass_time(self, until_ms: int) -> None:
        """Let timers fire and agreements come into force, up to then."""
        references = self._in_force.references
        while self._place + 1 < len(references) and references[self._place + 1][0] <= until_ms:
            from_ms = references[self._place + 1][0]
            self._fire(from_ms)
            self._adopt(from_ms)
        self._fire(until_ms)

    def _adopt(self, now: int) -> None:
        """The next agreement comes into force. Who is ready by it does not wait a turn here."""
        old = self._reference.version
        self._place += 1
        before = set(self.qualified)
        for key in sorted(self._views):
            view, reducer = self._views[key], self._reducer_of(key)
            view.cause = derived_id("adopt", key, self._reference.scoring_edition)
            step = reducer.adopt(view, old=old, new=self._reference, now=now)
            sent = self._applied(view, step, now, forced=True)
            if view.head is not None and view.head.waits:
                sent.append(_turn(key, view.head.waits, now, self._reference.version))
            for event in sent:
                self._take(event)
        self.adopted |= set(self.qualified) - before

    def _fire(self, until_ms: int) -> None:
        """Fire every timer due by then, in order of (due time, lead)."""
        while due := [
            (view.wake_at, key)
            for key, view in self._views.items()
            if view.wake_at is not None and view.wake_at <= until_ms
        ]:
            at_ms, key = min(due)
            self._wakes += 1
            if self._wakes > _MOST_WAKES:
                raise ReplayLoops(f"lead {key} woke more than {_MOST_WAKES:,} times")
            view = self._views[key]
            reducer = self._reducer_of(key)
            view.cause = derived_id("wake", reducer.name, key, at_ms, view.revision)
            step = reducer.wake(view, now=at_ms, reference=self._reference)
            for event in self._applied(view, step, at_ms, forced=True):
                self._take(event)

    def _view(self, key: str) -> KeyState:
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = KeyState(key, MemoryStore(), self._shape)
        return found

    def _applied(
        self, view: KeyState, step: Step[Any], at_ms: int, *, forced: bool = False
    ) -> list[Event]:
        view.apply(step, self._reference.version, forced=forced)
        for fact in step.facts:
            if isinstance(fact.value, LeadQualified):
                self.qualified.setdefault(self._qualifies(fact.value.lead_id), fact.value)
        return list(_sent(step.facts, view.cause, at_ms))


def _turn(lead_id: str, queue: str, now: int, agreement: str) -> Event:
    """The turn of a lead that waits in the backlog."""
    own = derived_id("turn", lead_id, now)
    release = BacklogRelease(
        lead_id=lead_id, queue=queue, at_ms=now, cause_id=own, agreement=agreement
    )
    return Event(
        topic=SCORER_RELEASES,
        partition=0,
        offset=0,
        key=lead_id,
        value=release,
        id=own,
        at_ms=now,
        received_at_ms=now,
    )


def _sent(facts: Iterable[Fact], cause: str, at_ms: int) -> Iterator[Event]:
    """What goes to another lead of the group."""
    for number, fact in enumerate(facts):
        if fact.topic == SCORER_TRANSFERS:
            yield Event(
                topic=SCORER_TRANSFERS,
                partition=0,
                offset=0,
                key=fact.key,
                value=fact.value,
                id=derived_id(cause, "transfer", number),
                at_ms=at_ms,
                received_at_ms=at_ms,
            )
