"""A hand-off from its facts: every pair of state and event, and the parts that no order between
streams can disturb."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.custody import Holding, updated
from baton.contracts.handoff import TABLE, HandoffPhase, ProjectedHandoff, projected
from baton.contracts.slas import LeadRecycled
from baton.contracts.streams import HandoffChange, HandoffEvent, LeadDecision, SlaDecision
from tests.services.router.router_world import qualified, staged
from tests.streams import decision_of, stream_of

FIRST, SECOND = "q-1", "q-2"
# One line a state: the phase after each event, "." where the event says nothing new.
EXPECTED = """
             requested  routed   unrouted  accepted  returned  withdrawn  closed  reinstated  refused  amended
unknown      requested  offered  waiting   accepted  returned  withdrawn  closed  accepted    .        .
requested    .          offered  waiting   accepted  returned  withdrawn  closed  accepted    .        .
waiting      .          offered  waiting   accepted  returned  withdrawn  closed  accepted    .        .
offered      .          .        .         accepted  returned  withdrawn  closed  accepted    .        .
accepted     .          .        .         .         returned  withdrawn  closed  accepted    .        .
returned     .          .        .         .         .         withdrawn  closed  accepted    .        .
withdrawn    .          .        .         .         .         .          closed  accepted    .        .
closed       .          .        .         .         .         .          .       .           .        .
"""


def change(
    event: str, *, attempt: int = 1, qualification: str = FIRST, **more: Any
) -> HandoffChange:
    base = HandoffChange(
        lead_id="l1", event=event, handoff_id=f"{qualification}/{attempt}", qualification_id=qualification, attempt=attempt,
        cycle=1, leg="sdr", at_ms=7, cause_id="c", agreement="v", owner="ann", pool="bridge",
    )  # fmt: skip
    return replace(base, **more)


def in_phase(phase: str) -> ProjectedHandoff | None:
    if phase == "unknown":
        return None
    return ProjectedHandoff(
        handoff_id=f"{FIRST}/1",
        qualification_id=FIRST,
        attempt=1,
        phase=phase,
        since_ms=1,
        owner="ann",
    )


def _pairs() -> list[tuple[str, str, str]]:
    head, *lines = EXPECTED.strip("\n").splitlines()
    rows = [line.split() for line in lines]
    return [
        (state, event, phase)
        for state, *phases in rows
        for event, phase in zip(head.split(), phases, strict=True)
    ]


@pytest.mark.parametrize(("state", "event", "phase"), _pairs())
def test_every_event_in_every_state(state: str, event: str, phase: str) -> None:
    former = in_phase(state)
    after = projected(former, change(event))
    assert (
        after is former
        if phase == "."
        else after is not None and (after.phase, after.since_ms) == (phase, 7)
    )


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(product((None, *HandoffPhase), HandoffEvent))
    assert len(_pairs()) == len(TABLE)


@pytest.mark.parametrize("end", ["returned", "withdrawn", "closed"])
@pytest.mark.parametrize("state", [handoffphase.value for handoffphase in HandoffPhase])
def test_an_end_of_another_hand_off_ends_nothing(state: str, end: str) -> None:
    former = in_phase(state)
    assert projected(former, change(end, attempt=2)) is former
    assert projected(former, change(end, qualification=SECOND)) is former


def test_a_later_attempt_takes_the_place_and_an_earlier_one_only_where_it_is_reinstated() -> None:
    second = projected(in_phase("offered"), change("requested", attempt=2, owner=None))
    assert second is not None
    assert (second.attempt, second.phase, second.owner) == (2, "requested", None)
    assert projected(second, change("routed")) is second
    again = projected(second, change("reinstated"))
    assert again is not None
    assert (again.attempt, again.phase, again.owner) == (1, "accepted", "ann")


QUALIFIED = replace(qualified("l1"), qualification_id=FIRST)
AGAIN = replace(qualified("l1"), qualification_id=SECOND)


def _decision(event: str, to: str, qualification: str = FIRST, **more: Any) -> LeadDecision:
    said = staged(
        "l1",
        event,
        to_stage=to,
        qualification_id=qualification,
        handoff_id=f"{qualification}/1",
        **more,
    )
    record: LeadDecision = stream_of(said)[1]
    return record


LEAD: list[list[LeadDecision]] = [
    [decision_of(QUALIFIED), _decision("withdrawn", "inquiry"), decision_of(AGAIN)],
    [
        decision_of(QUALIFIED),
        _decision("accepted", "sal", by="ann"),
        _decision("won", "customer", by="ann"),
    ],
    [
        decision_of(QUALIFIED),
        _decision("withdrawn", "inquiry"),
        decision_of(AGAIN),
        _decision("merged", "mql", SECOND),
    ],
    [
        decision_of(QUALIFIED),
        _decision("rejected", "mql", by="ann"),
        _decision("recycled", "recycled"),
        decision_of(AGAIN),
    ],
    [decision_of(QUALIFIED), _decision("withdrawn", "inquiry")],
]
ROUTER: list[list[HandoffChange]] = [
    [
        change("requested"),
        change("closed"),
        change("requested", qualification=SECOND),
        change("routed", qualification=SECOND),
    ],
    [
        change("requested"),
        change("routed"),
        change("returned"),
        change("requested", attempt=2),
        change("routed", attempt=2),
    ],
    [change("requested"), change("routed"), change("withdrawn"), change("closed")],
]


def _plan(qualification: str) -> SlaDecision:
    return SlaDecision(lead_id="l1", recycled=LeadRecycled(
        recycle_id=f"r-{qualification}", lead_id="l1", cycle=1, outcome="recycle", reason="r", at_ms=1, cause_id="c", agreement="v",
        return_at_ms=9, qualification_id=qualification,
    ))  # fmt: skip


@given(st.sampled_from(LEAD), st.sampled_from(ROUTER), st.data())
def test_no_order_between_the_streams_changes_who_holds_the_lead(
    lead: list[LeadDecision], router: list[HandoffChange], data: st.DataObject
) -> None:
    streams: list[list[Any]] = [list(lead), list(router), [_plan(FIRST), _plan(SECOND)]]
    in_turn = Holding()
    for record in (record for stream in streams for record in stream):
        in_turn = updated(in_turn, record)
    mixed = Holding()
    while left := [stream for stream in streams if stream]:
        mixed = updated(mixed, data.draw(st.sampled_from(left)).pop(0))
    assert mixed == in_turn
