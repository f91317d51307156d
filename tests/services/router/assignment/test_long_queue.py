"""A queue of a hundred thousand held leads on Monday morning: handed out in its order, within all
limits, and at the same work for a lead as a queue of a thousand."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.routing import LeadRouted, QueueItem, RequestKind
from baton.contracts.topic_names import ROUTER_ANSWERS, ROUTER_QUEUE
from baton.engine.reducer import EntryKind, Event, Step
from benchmarks.routing import item
from services.router.assignment.reducer import Assignment
from services.router.assignment.state import (
    HELD,
    LANE,
    WORK,
    LaneHead,
    PoolHeld,
    PoolState,
    PoolWork,
    WorkState,
    lane_of,
    place_in_queue,
)
from tests.services.router.router_world import DAY, MONDAY_0900, PEOPLE, agreement

PERSONS = tuple(f"p{number}" for number in range(10))
OFFERS, CAPACITY, PER_DAY = 20, 60, 50
REFERENCE = reference_of(
    agreement(
        people={**PEOPLE, **{person: {"name": person} for person in PERSONS}},
        pools={
            "bridge": {
                "kind": "sdr",
                "members": {
                    person: {"offers": OFFERS, "capacity": CAPACITY, "per_day": PER_DAY}
                    for person in PERSONS
                },
            },
            "field": {"kind": "sales", "members": {"rex": {}}},
        },
    )
)


class CountingView:
    """One pool over plain values, kept in order; counts what a reducer reads of it."""

    key, cause, proven = "bridge", "cause", True

    def __init__(self, held: Iterable[QueueItem]) -> None:
        self.head: PoolState | None = PoolState(pool=self.key)
        self.wake_at: int | None = MONDAY_0900
        self.read = 0
        self._values: dict[str, dict[str, Any]] = {}
        self._order: dict[str, list[str]] = {}
        first: dict[str, str] = {}
        for one in held:
            lane, place = lane_of(one), place_in_queue(one)
            first[lane] = min(first.get(lane, place), place)
            self._values.setdefault(HELD.name, {})[lane + place] = PoolHeld(item=one, since_ms=0)
            self._values.setdefault(WORK.name, {})[one.handoff_id] = PoolWork(
                state=WorkState.HELD, lead_id=one.lead_id, since_ms=0, queued=lane + place
            )
        self._values[LANE.name] = {place: LaneHead(lane=lane) for lane, place in first.items()}
        for kind, values in self._values.items():
            self._order[kind] = sorted(values)

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        self.read += 1
        return self._values.get(kind.name, {}).get(item)

    def scan(
        self, kind: EntryKind[Any], *, first: str = "", limit: int, **_: Any
    ) -> Sequence[tuple[str, Any]]:
        order = self._order.get(kind.name, [])
        start = bisect_left(order, first)
        found = order[start : start + limit]
        self.read += len(found)
        return [(item, self._values[kind.name][item]) for item in found]

    def count(self, kind: EntryKind[Any]) -> int:
        return len(self._order.get(kind.name, ()))

    def apply(self, step: Step[PoolState]) -> None:
        self.head, self.wake_at = step.head, step.wake_at
        for drop in step.drop:
            if self._values.get(drop.kind.name, {}).pop(drop.item, None) is not None:
                order = self._order[drop.kind.name]
                del order[bisect_left(order, drop.item)]
        for put in step.put:
            if put.item not in self._values.setdefault(put.kind.name, {}):
                insort(self._order.setdefault(put.kind.name, []), put.item)
            self._values[put.kind.name][put.item] = put.value


def asked(number: int) -> QueueItem:
    """Every hundredth has raised a hand, every tenth is hot; the rest is warm."""
    return item(
        number,
        level="hot" if number % 10 == 0 else "warm",
        hand_raised=number % 100 == 0,
        since_ms=MONDAY_0900 - 2 * DAY + number,
    )


def routed(step: Step[PoolState]) -> Iterator[LeadRouted]:
    for fact in step.facts:
        if fact.topic == ROUTER_ANSWERS and fact.value.routed is not None:
            yield fact.value.routed


def _accepted(offer: LeadRouted, now: int) -> Event:
    answer = QueueItem(
        kind=RequestKind.ACCEPTED,
        handoff_id=offer.handoff_id,
        qualification_id=offer.qualification_id,
        attempt=1,
        lead_id=offer.lead_id,
        pool="bridge",
        cause_id="accepts",
        at_ms=now,
        person=offer.owner,
    )
    return Event(
        topic=ROUTER_QUEUE,
        partition=0,
        offset=0,
        key="bridge",
        value=answer,
        id="e",
        at_ms=now,
        received_at_ms=now,
    )


def morning(waiting: int) -> tuple[list[LeadRouted], int]:
    """What is handed out from nine o'clock on, where everybody accepts what they are offered; and
    how many entries were read for it."""
    view, pool, now = CountingView(map(asked, range(waiting))), Assignment(), MONDAY_0900
    given: list[LeadRouted] = []
    answered = 0
    while True:
        while view.wake_at is not None and view.wake_at <= now + 1_000:
            now = max(now, view.wake_at)
            step = pool.wake(view, now=now, reference=REFERENCE)
            given += routed(step)
            view.apply(step)
            _within_limits(view)
        if answered == len(given):
            return given, view.read
        offer = given[answered]
        answered += 1
        event = _accepted(offer, now)
        step = pool.step(view, event, now=now, reference=REFERENCE)
        given += routed(step)
        view.apply(step)
        _within_limits(view)


def _within_limits(view: CountingView) -> None:
    assert view.head is not None
    for load in view.head.loads.values():
        assert load.offered <= OFFERS
        assert load.total <= CAPACITY
        assert load.today <= PER_DAY


def test_a_hundred_thousand_leads_are_handed_out_in_order_and_within_limits_on_monday_morning() -> (
    None
):
    given, read = morning(100_000)
    assert len(given) == len(PERSONS) * PER_DAY
    # who raised a hand, then the hot ones, then the others; who has waited longest first
    right = sorted(range(100_000), key=lambda n: (n % 100 != 0, n % 10 != 0, n))
    assert [one.lead_id for one in given] == [f"lead-{n:06d}" for n in right[: len(given)]]
    assert Counter(one.owner for one in given) == dict.fromkeys(PERSONS, PER_DAY)
    short, read_of_short = morning(1_000)
    assert len(short) == len(given)
    assert read == pytest.approx(read_of_short, rel=0.01)
