"""What a decision costs, counted in function calls: no machine is too busy for that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from baton.agreement.reference import AgreementReference, reference_of
from baton.contracts.routing import LeadRouted
from baton.engine.reducer import Event
from services.router.assignment.reducer import Assignment
from tests.services.router.assignment.test_queue import Pool, item
from tests.services.router.router_world import MONDAY_0900, POOLS, agreement

MEMBERS = (10, 100, 1_000)


def _of(members: int) -> AgreementReference:
    names = [f"p{number:04}" for number in range(members)]
    bridge = {"kind": "sdr", "members": {name: {"capacity": 5} for name in names}}
    people = {name: {"name": name} for name in names}
    others = {name: {"name": name} for name in ("rex", "sue", "mona", "olaf")}
    return reference_of(agreement(people=people | others, pools={**POOLS, "bridge": bridge}))


def _calls(act: Callable[[], Any]) -> int:
    count = 0

    def counting(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def _decision(members: int) -> int:
    """The calls of a decision, when everybody has been handed a lead."""
    pool, reference, reducer = Pool(), _of(members), Assignment()

    def hand_out(lead: str) -> int:
        event = Event(
            topic="router.queue.v1",
            partition=0,
            offset=0,
            key=pool.key,
            value=item(lead),
            id="e",
            at_ms=MONDAY_0900,
            received_at_ms=MONDAY_0900,
        )
        made: list[Any] = []
        calls = _calls(
            lambda: made.append(reducer.step(pool, event, now=MONDAY_0900, reference=reference))
        )
        assert any(isinstance(value, LeadRouted) for value in pool.apply(made[0]))
        return calls

    return [hand_out(f"l{number}") for number in range(members + 6)][-1]


def test_a_decision_among_a_thousand_takes_the_calls_of_one_among_a_hundred() -> None:
    """Everybody has open work already. Up to sixty candidates stand on the record; beyond them a
    member costs no call: what changes with a lead is the one who gets it."""
    ten, hundred, thousand = (_decision(members) for members in MEMBERS)
    assert hundred <= 3 * ten, (ten, hundred)
    assert thousand <= 1.1 * hundred, (hundred, thousand)
