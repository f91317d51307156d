"""Evidence that comes late: it takes a breach back if it is from before the deadline, whatever
order the news come in."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.agreement.reference import Absence, reference_of
from baton.contracts.intake import Act, LeadAct
from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import ClockState, SlaClock, SlaViolation
from tests.services.sla_watcher.sla_scene import LEAD, Desk, Scene, agreement, law, ms, promises

GRACE = agreement(
    slas=promises("""
  - clock: accept
    within: 1 business hour
    ladder: [{do: notify}, {do: reassign, at_most: 2}, {do: escalate}, {do: manager_queue}]
""")
)
MINUTE = 60_000


def test_the_record_does_not_wait_for_late_evidence_but_the_ladder_does() -> None:
    scene = Scene(GRACE).qualified().routed("ann")
    assert scene.at("Mon 11:10").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:10 do notify q1/1 to ann: breach",
        "Mon 11:10 do reassign q1/1 but ann: breach",
    ]


def test_a_crm_that_reports_minutes_late_withdraws_the_violation_and_stops_the_ladder() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:07")
        .act(source="crm", occurred="Mon 10:50")
    )
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:07 accept (ann) withdrawn, inferred",
        "Mon 11:07 withdrawn of accept by sales: evidence_in_time",
    ]


def test_a_source_that_is_not_known_to_report_late_is_judged_by_when_it_reported() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:07")
        .act(source="dialer", occurred="Mon 10:50")
    )
    assert scene.at("Fri 17:00").lines()[1:] == [
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:10 accept (ann) met_late, inferred",
    ]


def test_a_late_acceptance_stops_the_ladder_at_once_and_is_judged_when_the_grace_is_over() -> None:
    scene = Scene(GRACE).qualified().routed("ann").at("Mon 11:02").staged("accepted", "sal")
    assert scene.at("Fri 17:00").lines()[1:] == [
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:10 accept (ann) met_late",
    ]


def test_the_first_one_keeps_the_lead_if_the_second_has_not_touched_it() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:12")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.at("Mon 11:30").lines()
    scene.act(by="ann", source="crm", occurred="Mon 10:50").noted(
        "withdrawn", "superseded", attempt=2
    )
    scene.noted("noted", "reinstated", attempt=1)
    assert scene.at("Fri 17:00").lines() == [
        "Mon 11:30 accept (ann) withdrawn, inferred",
        "Mon 11:30 withdrawn of accept by sales: evidence_in_time",
        "Mon 11:30 do restore q1/1 to ann: evidence_in_time",
        "Mon 11:30 accept (bob) cancelled: superseded",
    ]


def test_the_first_one_keeps_the_lead_while_a_second_is_still_looked_for() -> None:
    scene = Scene(GRACE).qualified().routed("ann").at("Mon 11:12").noted("withdrawn", "breach")
    scene.lines()
    assert scene.act(by="ann", source="crm", occurred="Mon 10:50").lines() == [
        "Mon 11:12 accept (ann) withdrawn, inferred",
        "Mon 11:12 withdrawn of accept by sales: evidence_in_time",
        "Mon 11:12 do restore q1/1 to ann: evidence_in_time",
    ]


def test_news_of_the_attempt_that_was_under_way_do_not_take_the_lead_from_the_first_again() -> None:
    terms = agreement(
        slas=promises("""
      - {clock: accept, within: 1 business hour, ladder: [{do: reassign, at_most: 2}]}
      - {clock: qualify, within: 1 working day}
    """)
    )
    scene = Scene(terms).qualified().routed("ann").at("Mon 11:12").noted("withdrawn", "breach")
    scene.act(by="ann", source="crm", occurred="Mon 10:50").lines()
    scene.noted("noted", "reinstated").routed("bob", attempt=2).noted(
        "withdrawn", "superseded", attempt=2
    )
    assert scene.at("Wed 17:00").lines() == [
        "Mon 11:12 qualify (ann) running until Tue 11:12",
        "Tue 11:12 qualify (ann) breached",
        "Tue 11:12 breach of qualify by sales",
    ]


def test_an_acceptance_that_crossed_the_reassignment_wins_and_starts_what_follows_once() -> None:
    terms = agreement(
        slas=promises("""
      - {clock: accept, within: 1 business hour, ladder: [{do: reassign, at_most: 2}]}
      - {clock: qualify, within: 1 working day}
    """)
    )
    scene = Scene(terms).qualified().routed("ann").at("Mon 11:12").noted("withdrawn", "breach")
    scene.lines()
    scene.staged("accepted", "sal").noted("noted", "reinstated").routed("bob", attempt=2)
    scene.noted("withdrawn", "superseded", attempt=2)
    assert scene.lines() == [
        "Mon 11:12 accept (ann) met_late",
        "Mon 11:12 qualify (ann) running until Tue 11:12",
    ]


def test_the_second_one_keeps_the_lead_once_touched_and_the_first_is_excused_all_the_same() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:12")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.lines()
    scene.at("Mon 11:20").act(by="bob").at("Mon 11:30").act(
        by="ann", source="crm", occurred="Mon 10:50"
    )
    assert scene.at("Fri 17:00").lines() == [
        "Mon 11:20 accept (bob) met, inferred",
        "Mon 11:20 accept (ann) abandoned: handed_on",
        "Mon 11:30 withdrawn of accept by sales: evidence_in_time",
    ]


def test_a_touch_from_before_the_second_hand_off_is_not_one_for_it() -> None:
    """Bob called while Ann had the lead; that call is reported when he has it. It is no sign that he
    took it up."""
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:12")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.lines()
    scene.at("Mon 11:20").act(by="bob", source="crm", occurred="Mon 10:55").act(
        by="ann", source="crm", occurred="Mon 10:50"
    )
    assert scene.lines() == [
        "Mon 11:20 accept (ann) withdrawn, inferred",
        "Mon 11:20 withdrawn of accept by sales: evidence_in_time",
        "Mon 11:20 do restore q1/1 to ann: evidence_in_time",
    ]


def test_a_clock_that_has_ended_late_keeps_its_end_but_its_violation_is_taken_back() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:05")
        .act(by="ann", source="dialer")
        .at("Tue 12:00")
    )
    scene.lines()
    assert scene.act(by="ann", source="crm", occurred="Mon 10:50").act(
        by="ann", source="crm", occurred="Mon 10:51"
    ).lines() == ["Tue 12:00 withdrawn of accept by sales: evidence_in_time"]


def test_an_acceptance_of_a_former_hand_off_is_evidence_though_it_moves_nothing() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:12")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.at("Mon 11:30").lines()
    assert scene.act(
        "accepted", by="ann", source="crm", occurred="Mon 10:50", handoff_id="q1/1"
    ).lines() == [
        "Mon 11:30 accept (ann) withdrawn",
        "Mon 11:30 withdrawn of accept by sales: evidence_in_time",
        "Mon 11:30 do restore q1/1 to ann: evidence_in_time",
    ]


@pytest.mark.parametrize("reported", [("Mon 11:04", "Mon 11:02"), ("Mon 11:02", "Mon 11:04")])
def test_who_was_late_twice_is_late_by_the_earlier_act(reported: tuple[str, str]) -> None:
    scene = Scene(GRACE).qualified().routed("ann")
    scene.at("Mon 11:06").act(source="crm", occurred=reported[0]).at("Mon 11:08").act(
        source="crm", occurred=reported[1]
    )
    scene.at("Mon 12:00")
    ends = [
        clock
        for clock in scene.facts()
        if isinstance(clock, SlaClock) and clock.ended_at_ms is not None
    ]
    assert [(clock.state, clock.ended_at_ms) for clock in ends] == [
        (ClockState.MET_LATE, ms("Mon 11:02"))
    ]


def test_nothing_is_given_back_once_the_second_has_touched_the_lead_though_the_grace_still_runs() -> (
    None
):
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:03")
        .noted("withdrawn", "assigned")
        .routed("bob", attempt=2)
    )
    scene.at("Mon 11:05").act(by="bob").lines()
    assert scene.at("Mon 11:08").act(by="ann", source="crm", occurred="Mon 10:50").lines() == [
        "Mon 11:08 accept (ann) withdrawn, inferred",
        "Mon 11:08 withdrawn of accept by sales: evidence_in_time",
    ]


def test_who_accepts_the_lead_ends_what_the_first_one_owed() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:12")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.lines()
    scene.at("Mon 11:30").staged("accepted", "sal", by="bob", handoff_id="q1/2")
    assert scene.lines() == [
        "Mon 11:30 accept (bob) met",
        "Mon 11:30 accept (ann) abandoned: handed_on",
    ]


def test_an_acceptance_is_no_touch() -> None:
    terms = agreement(
        slas=promises("""
      - {clock: accept, within: 1 business hour}
      - {clock: first_touch, within: 1 business hour}
    """)
    )
    scene = Scene(terms).qualified().routed("ann").at("Mon 11:20").act(by="ann", source="dialer")
    scene.lines()
    assert scene.act("accepted", by="ann", source="crm", occurred="Mon 10:50").lines() == [
        "Mon 11:20 withdrawn of accept by sales: evidence_in_time"
    ]


@pytest.mark.parametrize(("days", "kept"), [(7, 13), (1, 24)], ids=["by age", "in number"])
def test_what_can_still_be_excused_is_bounded(days: int, kept: int) -> None:
    desk, at = Desk(reference_of(NO_LADDER)), START
    for number in range(40):
        name = f"q{number}"
        desk.take(
            "leads.qualified.v1", replace(QUALIFIED, qualification_id=name, cycle=number), at=at
        )
        desk.take(
            "leads.routed.sales.v1",
            replace(ROUTED, qualification_id=name, handoff_id=f"{name}/1"),
            at=at,
        )
        at += 86_400_000 * days
    assert len(desk.entries) == kept


def test_an_acceptance_from_before_the_deadline_excuses_a_clock_that_has_ended() -> None:
    scene = (
        Scene(GRACE)
        .qualified()
        .routed("ann")
        .at("Mon 11:05")
        .act(by="ann", source="dialer")
        .at("Tue 12:00")
    )
    scene.lines()
    scene.act("accepted", by="ann", source="crm", occurred="Mon 10:50")
    assert scene.lines() == ["Tue 12:00 withdrawn of accept by sales: evidence_in_time"]


def test_an_acceptance_that_the_scorer_has_not_let_through_stops_nothing() -> None:
    scene = Scene(GRACE).qualified().routed("ann").at("Mon 10:30").act("accepted", by="ann")
    assert scene.at("Mon 11:00").lines()[1:] == [
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
    ]


def test_what_is_not_proven_settles_nothing_and_an_act_stops_even_unproven_steps() -> None:
    desk = _offered()
    desk.pass_time(ms("Mon 11:01"), proven=False)
    desk.holds = True
    desk.take("leads.acts.v1", _call(1, ms("Mon 11:05"), ms("Mon 11:05")), at=ms("Mon 11:05"))
    desk.pass_time(ms("Mon 11:15"), proven=False)
    desk.take("leads.acts.v1", _call(2, ms("Mon 10:50"), ms("Mon 11:20")), at=ms("Mon 11:20"))
    assert desk.lines()[1:] == [
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales, unproven",
        "Mon 11:20 accept (ann) withdrawn, inferred",
        "Mon 11:20 withdrawn of accept by sales: evidence_in_time",
    ]


def test_a_clock_that_has_run_out_is_judged_by_the_agreement_it_ran_out_under() -> None:
    desk = _offered(NO_LADDER)
    desk.holds = True
    desk.adopt(
        reference_of(agreement(slas=promises("  - {clock: accept, within: 8 business hours}"))),
        at=ms("Mon 11:02"),
    )
    desk.pass_time(ms("Mon 11:03"))
    assert desk.lines()[1:] == [
        "Mon 11:02 accept (ann) breached",
        "Mon 11:02 breach of accept by sales",
    ]


def test_an_act_that_came_before_its_deadline_was_judged_stops_the_ladder_before_it_begins() -> (
    None
):
    desk = _offered()
    desk.holds = True
    desk.take("leads.acts.v1", _call(1, ms("Mon 11:02"), ms("Mon 11:02")), at=ms("Mon 11:02"))
    desk.pass_time(ms("Mon 11:12"), proven=False)
    assert desk.lines()[1:] == [
        "Mon 11:02 accept (ann) breached",
        "Mon 11:02 breach of accept by sales, unproven",
    ]


def test_what_seemed_late_is_in_time_if_the_holder_turns_out_to_have_been_away() -> None:
    desk = _offered(NO_LADDER)
    desk.holds = True
    desk.take("leads.acts.v1", _call(1, ms("Mon 11:02"), ms("Mon 11:02")), at=ms("Mon 11:02"))
    away = Absence(person="ann", from_ms=ms("Mon 10:30"), until_ms=ms("Mon 10:50"))
    desk.reference = reference_of(NO_LADDER, (away,))
    desk.pass_time(ms("Mon 11:03"))
    assert desk.lines()[1:] == ["Mon 11:02 accept (ann) met, inferred"]


def test_an_unproven_breach_is_marked_and_nothing_is_taken_from_anybody_before_it_is_proven() -> (
    None
):
    desk = _offered()
    desk.pass_time(ms("Mon 11:11"), proven=False)
    assert desk.lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales, unproven",
        "Mon 11:10 do notify q1/1 to ann: breach",
    ]
    desk.pass_time(ms("Mon 11:30"), proven=False)
    assert desk.lines() == []
    desk.pass_time(ms("Mon 11:32"), proven=True)
    assert desk.lines() == ["Mon 11:31 do reassign q1/1 but ann: breach"]


def _offered(terms: object = GRACE) -> Desk:
    desk = Desk(Scene(terms).terms.at(0))  # type: ignore[arg-type]
    at = ms("Mon 10:00")
    desk.take("leads.qualified.v1", QUALIFIED, at=at)
    desk.take("leads.routed.sales.v1", ROUTED, at=at)
    return desk


QUALIFIED = LeadQualified(
    qualification_id="q1",
    lead_id=LEAD,
    cycle=1,
    leg="sales",
    level="hot",
    grade="A1",
    fit_micro=0,
    engagement_micro=0,
    hand_raised=False,
    cause_id="c",
    qualified_at_ms=ms("Mon 10:00"),
    received_at_ms=ms("Mon 10:00"),
    segment="big",
    story=Story(),
    agreement="a",
)
ROUTED = LeadRouted(
    handoff_id="q1/1",
    qualification_id="q1",
    attempt=1,
    lead_id=LEAD,
    cycle=1,
    leg="sales",
    pool="reps",
    owner="ann",
    level="hot",
    segment="big",
    hand_raised=False,
    routed_at_ms=ms("Mon 10:00"),
    qualified_at_ms=ms("Mon 10:00"),
    path=(),
    candidates=(),
    rule="default",
    turn_used=True,
    qualified=QUALIFIED,
    agreement="a",
)


def _call(number: int, occurred: int, received: int) -> LeadAct:
    return LeadAct(
        event_id=f"call-{number}",
        lead_id=LEAD,
        source="crm",
        occurred_at_ms=min(occurred, received),
        received_at_ms=received,
        act=Act(kind="call", by="ann"),
    )


NO_LADDER = agreement(slas=promises("  - {clock: accept, within: 1 business hour}"))
START, DEADLINE = ms("Mon 10:00"), ms("Mon 11:00")


def _verdict(occurred: list[int], arrivals: list[int]) -> tuple[bool, list[str]]:
    """Whether a violation stands in the end, and the ends of the clock."""
    desk = _offered(NO_LADDER)
    for number, (when, arrival) in enumerate(
        sorted(zip(occurred, arrivals, strict=True), key=lambda pair: pair[1])
    ):
        desk.take("leads.acts.v1", _call(number, when, arrival), at=arrival)
    desk.pass_time(ms("Fri 17:00"))
    reported = [violation for violation in desk.said if isinstance(violation, SlaViolation)]
    stands = sum(violation.kind == "breach" for violation in reported) - sum(
        violation.kind == "withdrawn" for violation in reported
    )
    ends = [
        clock.state
        for clock in desk.said
        if isinstance(clock, SlaClock) and clock.ended_at_ms is not None
    ]
    assert stands in (0, 1)
    for violation in desk.said:
        if isinstance(violation, SlaViolation) and violation.kind == "breach":
            assert violation.at_ms >= violation.deadline_ms
    return stands == 1, ends


minutes = st.integers(1, 240)


@law(80)
@given(acts=st.lists(st.tuples(minutes, minutes), min_size=0, max_size=4))
def test_a_violation_stands_exactly_if_no_evidence_is_from_before_the_deadline(
    acts: list[tuple[int, int]],
) -> None:
    occurred = [START + at * MINUTE for at, _ in acts]
    arrivals = [
        max(START + at * MINUTE, when) for (_, at), when in zip(acts, occurred, strict=True)
    ]
    stands, ends = _verdict(occurred, arrivals)
    assert stands == (not any(when <= DEADLINE for when in occurred))
    assert len(ends) == (1 if acts else 0)
    assert not stands or ends in ([], [ClockState.MET_LATE])


@law(40)
@given(
    occurred=st.lists(minutes, min_size=2, max_size=3, unique=True),
    lags=st.lists(st.integers(0, 9), min_size=3, max_size=3),
)
def test_within_the_grace_the_end_is_the_same_in_whatever_order_the_news_come(
    occurred: list[int], lags: list[int]
) -> None:
    """News that come at most the grace late, in every order of arrival that this allows, end the
    clock in the same state; but for evidence from before the deadline that is there when it comes
    (met) or just after (the breach is withdrawn)."""
    times = [START + act * MINUTE for act in occurred]
    outcomes = set()
    for order in permutations(range(len(times))):
        lagged = [times[act] + lags[place] * MINUTE for place, act in enumerate(order)]
        arrivals = dict(zip(order, lagged, strict=True))
        _, ends = _verdict(times, [arrivals[number] for number in range(len(times))])
        outcomes.add(ends[0] in (ClockState.MET, ClockState.WITHDRAWN))
    assert len(outcomes) == 1
