"""Laws that hold whatever comes, in whatever order: one end each, never early, never lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import Act, LeadAct
from baton.contracts.leads import LeadQualified, LeadStaged, Story
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import (
    ClockState,
    LeadReactivated,
    LeadRecycled,
    SlaAction,
    SlaClock,
    SlaViolation,
)
from services.sla_watcher.clocks.state import LeadClocks
from tests.services.sla_watcher.sla_scene import LEAD, Desk, agreement, law, ms, promises

START = ms("Mon 08:00")
MINUTE = 60_000
LADDER = "[{do: notify}, {do: reassign, at_most: 2}, {do: escalate}, {do: manager_queue}]"
TERMS = agreement(
    slas=promises(f"""
  - {{clock: route, within: 30 minutes elapsed, ladder: [{{do: escalate}}]}}
  - {{clock: accept, within: 1 business hour, warn: [50%], ladder: {LADDER}}}
  - {{clock: first_touch, within: 2 business hours, ladder: {LADDER}}}
  - {{clock: qualify, within: 1 working day, ladder: [{{do: recycle, reason: sla_expired, after: 1 business hour}}]}}
  - {{clock: follow_up, attempts: 2, within: 4 business hours}}
  - {{clock: advance, within: 2 working days}}
  - {{clock: nurture_start, within: 1 working day}}
  - {{clock: nurture, within: 20 days elapsed}}
  - {{clock: return, within: 1 working day}}
""")
)
SHORTER = agreement(
    slas=promises(f"  - {{clock: accept, within: 20 business minutes, ladder: {LADDER}}}")
)
ENDS = {
    ClockState.MET,
    ClockState.CANCELLED,
    ClockState.MET_LATE,
    ClockState.ABANDONED,
    ClockState.WITHDRAWN,
}
PEOPLE = st.sampled_from(["ann", "bob", "cat"])

Happening = tuple[int, str, Any]


def _qualified(number: int, at: int, leg: str, raised: bool) -> LeadQualified:
    return LeadQualified(
        qualification_id=f"q{number}",
        lead_id=LEAD,
        cycle=number,
        leg=leg,
        level="hot",
        grade="A1",
        fit_micro=0,
        engagement_micro=0,
        hand_raised=raised,
        cause_id="c",
        qualified_at_ms=at,
        received_at_ms=at,
        segment="big",
        story=Story(),
        agreement="a",
    )


def _record(kind: str, detail: Any, at: int) -> tuple[str, Any]:
    """A record of the kind, with what Hypothesis drew for it."""
    number, attempt, who, word, lag = detail
    handoff = f"q{number}/{attempt}"
    received = at - lag * MINUTE
    match kind:
        case "qualified":
            return "leads.qualified.v1", _qualified(
                number, at, "sdr" if lag % 2 else "sales", lag % 3 == 0
            )
        case "routed":
            return "leads.routed.sales.v1", LeadRouted(
                handoff_id=handoff,
                qualification_id=f"q{number}",
                attempt=attempt,
                lead_id=LEAD,
                cycle=number,
                leg="sales",
                pool="reps",
                owner=who,
                level="hot",
                segment="big",
                hand_raised=False,
                routed_at_ms=at,
                qualified_at_ms=at,
                path=(),
                candidates=(),
                rule="r",
                turn_used=True,
                qualified=_qualified(number, at, "sales", False),
                agreement="a",
            )
        case "unrouted":
            return "leads.unrouted.v1", LeadUnrouted(
                handoff_id=handoff,
                qualification_id=f"q{number}",
                attempt=attempt,
                lead_id=LEAD,
                cycle=number,
                outcome=("held", "watch", "suppressed")[lag % 3],
                reason="competitor",
                pool="reps",
                at_ms=at,
                path=(),
                candidates=(),
                agreement="a",
            )
        case "noted":
            return "leads.handoffs.v1", HandoffNoted(
                handoff_id=handoff,
                qualification_id=f"q{number}",
                attempt=attempt,
                lead_id=LEAD,
                kind=("withdrawn", "noted", "refused")[lag % 3],
                reason="reinstated",
                cause_id="c",
                at_ms=at,
                owner=who,
                pool="reps",
            )
        case "staged":
            event, to = word
            return "leads.stages.v1", LeadStaged(
                lead_id=LEAD,
                cycle=number,
                from_stage="mql",
                to_stage=to,
                event=event,
                actor="sales",
                cause_id=f"s{at}",
                at_ms=at,
                occurred_at_ms=received,
                evidence_at_ms=received,
                agreement="a",
                by=who,
                reason="not_ready",
                handoff_id=handoff if lag % 2 else None,
            )
        case _:
            return "leads.acts.v1", LeadAct(
                event_id=f"a{at}",
                lead_id=LEAD,
                source="crm",
                occurred_at_ms=received,
                received_at_ms=at,
                act=Act(
                    kind=("call", "mail", "buyer_reply", "nurture_touch", "accepted")[attempt % 5],
                    by=who,
                    automatic=lag == 5,
                    outcome="awaiting_reply" if lag % 4 == 0 else None,
                ),
            )


STAGES = [
    ("accepted", "sal"),
    ("rejected", "mql"),
    ("qualified", "sql"),
    ("opportunity", "opportunity"),
    ("lost", "recycled"),
    ("recycled", "recycled"),
    ("disqualified", "disqualified"),
    ("withdrawn", "inquiry"),
    ("won", "customer"),
]
KINDS = ["qualified", "routed", "unrouted", "noted", "staged", "act", "act", "adopt", "unproven"]
details = st.tuples(
    st.integers(1, 3), st.integers(1, 3), PEOPLE, st.sampled_from(STAGES), st.integers(0, 30)
)
happenings = st.lists(st.tuples(st.integers(0, 600), st.sampled_from(KINDS), details), max_size=12)


def _play(steps: list[Happening], finish: Callable[[Desk, int], None] | None = None) -> Desk:
    desk, at = Desk(reference_of(TERMS)), START
    desk.take("leads.qualified.v1", _qualified(1, at, "sales", False), at=at)
    for wait, kind, detail in steps:
        at += wait * MINUTE
        if kind == "adopt":
            desk.adopt(reference_of(SHORTER if detail[4] % 2 else TERMS), at=at)
        elif kind == "unproven":
            desk.pass_time(at, proven=False)
        else:
            desk.take(*_record(kind, detail, at), at=at)
    if finish is not None:
        finish(desk, at)
    return desk


def _clocks(desk: Desk) -> list[SlaClock]:
    return [clock for clock in desk.said if isinstance(clock, SlaClock)]


@law(40)
@given(happenings)
def test_every_clock_has_one_life_and_one_end(steps: list[Happening]) -> None:
    desk = _play(steps)
    lives: dict[str, list[str]] = {}
    for clock in _clocks(desk):
        lives.setdefault(clock.clock_id, []).append(clock.state)
    open_ids = {clock.clock_id for clock in desk.head.clocks}
    for clock_id, life in lives.items():
        assert life[0] == ClockState.RUNNING
        ends = [state for state in life if state in ENDS]
        assert len(ends) == (0 if clock_id in open_ids else 1)
        assert not ends or life[-1] == ends[0]
        assert life.count(ClockState.BREACHED) == (
            1 if {*life} & {"breached", "met_late", "abandoned", "withdrawn"} else 0
        )
    assert len(open_ids) == len(desk.head.clocks)


@law(40)
@given(happenings)
def test_no_breach_comes_early_and_none_comes_twice(steps: list[Happening]) -> None:
    desk = _play(steps, lambda desk, at: desk.pass_time(at + 30 * 86_400_000))
    breaches = [
        violation
        for violation in desk.said
        if isinstance(violation, SlaViolation) and violation.kind == "breach"
    ]
    assert all(breach.at_ms >= breach.deadline_ms for breach in breaches)
    assert max(Counter(breach.violation_id for breach in breaches).values(), default=1) == 1
    taken_back = [
        violation
        for violation in desk.said
        if isinstance(violation, SlaViolation) and violation.kind == "withdrawn"
    ]
    assert {violation.violation_id for violation in taken_back} <= {
        breach.violation_id for breach in breaches
    }
    assert max(Counter(violation.violation_id for violation in taken_back).values(), default=1) == 1


@law(40)
@given(happenings)
def test_no_lead_that_ever_qualified_is_without_a_holder_a_date_or_an_end(
    steps: list[Happening],
) -> None:
    head: LeadClocks = _play(steps).head
    rest = head.rest
    won = any(kind == "staged" and detail[3][0] == "won" for _, kind, detail in steps)
    dated = (
        rest is not None
        and not rest.returned
        and (rest.return_at_ms is not None or rest.outcome == "disqualify")
    )
    assert head.passing is not None or dated or head.ended is not None or won


@law(40)
@given(happenings)
def test_nothing_is_taken_from_anybody_on_an_unproven_moment(steps: list[Happening]) -> None:
    desk = _play(steps)
    before = len(desk.said)
    desk.pass_time(desk.now + 3 * 3_600_000, proven=False)
    new = desk.said[before:]
    assert not [
        action
        for action in new
        if isinstance(action, SlaAction) and action.kind in ("reassign", "manager_queue")
    ]
    assert not [recycled for recycled in new if isinstance(recycled, LeadRecycled)]
    assert all(violation.unproven for violation in new if isinstance(violation, SlaViolation))


@law(40)
@given(happenings)
def test_an_erased_lead_says_nothing_ever_again(steps: list[Happening]) -> None:
    desk = _play(steps)
    at = desk.now + MINUTE
    desk.take(
        "leads.stages.v1", _record("staged", (1, 1, "ann", ("erased", "mql"), 0), at)[1], at=at
    )
    assert desk.head.clocks == ()
    before = len(desk.said)
    for step in steps:
        at += MINUTE
        if step[1] not in ("adopt", "unproven"):
            desk.take(*_record(step[1], step[2], at), at=at)
    desk.pass_time(at + 400 * 86_400_000)
    assert desk.said[before:] == []


@law(40)
@given(happenings)
def test_the_state_survives_its_encoding_and_stays_small(steps: list[Happening]) -> None:
    head = _play(steps).head
    data = codec_for(LeadClocks).encode(head)
    assert codec_for(LeadClocks).decode(data) == head
    assert len(data) < 8_000


@law(40)
@given(happenings)
def test_a_lead_that_rests_comes_back_on_its_date(steps: list[Happening]) -> None:
    desk = _play(steps)
    rest = desk.head.rest
    if rest is None or rest.returned or rest.return_at_ms is None or desk.head.passing is not None:
        return
    before = len(desk.said)
    desk.pass_time(rest.return_at_ms)
    assert [
        reactivated.at_ms
        for reactivated in desk.said[before:]
        if isinstance(reactivated, LeadReactivated)
    ] == [rest.return_at_ms]
