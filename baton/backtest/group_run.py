"""The leads of one group while they are replayed: facts, ends of hand-offs, agreements that come
into force, timers in between, and what the leads send to each other. State stays in memory.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Final

from baton.agreement.reference import AgreementReference
from baton.backtest.history import WITHDRAWALS
from baton.backtest.in_force import InForce
from baton.backtest.lead_state import LeadState
from baton.contracts.leads import LeadQualified, Stage
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.streams import BacklogRelease, SlaDecision
from baton.contracts.topic_names import SCORER_RELEASES, SCORER_TRANSFERS
from baton.derived_ids import derived_id
from baton.engine.reducer import Event, Fact, Reducer, Step, event_without_log

_MOST_WAKES: Final = 10_000


class ReplayLoops(RuntimeError):
    """A lead woke without end; the text names it."""


def _is_end(fact: Event) -> bool:
    """Whether it ends a hand-off of history."""
    end = fact.value
    return isinstance(end, LeadRecycled) and not end.revised and end.qualification_id is not None


class GroupRun:
    """The leads of one group while they are replayed."""

    def __init__(
        self,
        reducers: tuple[Reducer[Any, Any], Reducer[Any, Any]],
        in_force: InForce,
        facts: Sequence[Event],
    ) -> None:
        self._reducers, self._in_force = reducers, in_force
        self._place = in_force.place(facts[0].at_ms)
        self._views: dict[str, LeadState] = {}
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

    def under(self, in_force: InForce) -> GroupRun:
        """The same leads, to go on from here under what else is in force."""
        other = copy(self)
        other._in_force = in_force
        other._place = len(in_force.references) - 1
        other._views = {key: view.copied() for key, view in self._views.items()}
        other._ended, other._rests = Counter(self._ended), dict(self._rests)
        other._ends = {key: deque(ends) for key, ends in self._ends.items()}
        other.qualified, other.adopted = dict(self.qualified), set(self.adopted)
        return other

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
            sent = self._applied(view, step, now)
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
            view.cause = derived_id("wake", reducer.name, key, at_ms, view.changes)
            step = reducer.wake(view, now=at_ms, reference=self._reference)
            for event in self._applied(view, step, at_ms):
                self._take(event)

    def _view(self, key: str) -> LeadState:
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = LeadState(key)
        return found

    def _applied(self, view: LeadState, step: Step[Any], at_ms: int) -> list[Event]:
        view.apply(step)
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
    return event_without_log(SCORER_RELEASES, lead_id, release, id=own, at_ms=now)


def _sent(facts: Iterable[Fact], cause: str, at_ms: int) -> Iterator[Event]:
    """What goes to another lead of the group."""
    for number, fact in enumerate(facts):
        if fact.topic == SCORER_TRANSFERS:
            own = derived_id(cause, "transfer", number)
            yield event_without_log(fact.topic, fact.key, fact.value, id=own, at_ms=at_ms)
