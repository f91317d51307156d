"""One clock at a time: what starts it, what stops it, when it is judged. The whole list of what is
said is compared."""

import pytest

from tests.services.sla_watcher.sla_scene import Desk, Scene, agreement, ms, promises

ACCEPT = "  - {clock: accept, within: 1 business hour}\n"


def test_an_acceptance_in_time_meets_the_clock() -> None:
    scene = Scene().qualified().routed("ann")
    scene.at("Mon 10:59").staged("accepted", "sal")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:59 accept (ann) met",
    ]


def test_at_the_deadline_itself_an_acceptance_is_still_in_time() -> None:
    scene = Scene().qualified().routed("ann")
    scene.host.log.now = ms("Mon 11:00")
    scene.staged("accepted", "sal")
    assert scene.at("Fri 17:00").lines()[1:] == ["Mon 11:00 accept (ann) met"]


def test_a_clock_that_runs_out_is_breached_once_and_measured_until_the_act() -> None:
    scene = Scene().qualified().routed("ann").at("Tue 12:00").staged("accepted", "sal")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:00 do notify q1/1 to ann: breach",
        "Tue 12:00 accept (ann) met_late",
    ]


def test_an_act_that_reached_baton_before_the_deadline_is_never_judged_late() -> None:
    desk = Desk(Scene().terms.at(0))
    qualified, routed = _handed_to_ann()
    desk.take("leads.qualified.v1", qualified, at=ms("Mon 10:00"))
    desk.take("leads.routed.sales.v1", routed, at=ms("Mon 10:00"))
    # The engine holds the timer of 11:00 until all from before is known; the acceptance of 10:58
    # comes through at 11:04.
    desk.holds = True
    accepted = _staged("accepted", evidence="Mon 10:58")
    desk.take("leads.stages.v1", accepted, at=ms("Mon 11:04"), received=ms("Mon 10:58"))
    desk.pass_time(ms("Fri 17:00"))
    assert desk.lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:04 accept (ann) met",
    ]


def test_late_news_do_not_judge_a_clock_whose_deadline_is_not_proven_yet() -> None:
    desk = Desk(Scene().terms.at(0))
    qualified, routed = _handed_to_ann()
    desk.take("leads.qualified.v1", qualified, at=ms("Mon 10:00"))
    desk.take("leads.routed.sales.v1", routed, at=ms("Mon 10:00"))
    desk.holds = True
    desk.take("leads.acts.v1", _call("late", "Mon 11:02"), at=ms("Mon 11:02"))
    desk.take(
        "leads.stages.v1",
        _staged("accepted", evidence="Mon 10:58"),
        at=ms("Mon 11:04"),
        received=ms("Mon 10:58"),
    )
    desk.pass_time(ms("Fri 17:00"))
    assert desk.lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:04 accept (ann) met",
    ]


def test_a_rejection_answers_the_offer_too() -> None:
    scene = (
        Scene()
        .qualified()
        .routed("ann")
        .at("Mon 10:30")
        .staged("rejected", "mql", reason="not_icp")
    )
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:30 accept (ann) met: rejected",
        "Mon 10:30 disqualify: not_icp",
    ]


@pytest.mark.parametrize("kind", ["call", "mail", "meeting"])
def test_a_real_touch_by_the_owner_accepts_by_itself(kind: str) -> None:
    scene = Scene().qualified().routed("ann").at("Mon 10:30").act(kind)
    assert scene.lines()[1:] == ["Mon 10:30 accept (ann) met, inferred"]


@pytest.mark.parametrize(
    "act",
    [
        {"kind": "mail", "automatic": True},
        {"kind": "call", "by": "bob"},
        {"kind": "call", "handoff_id": "q0/1"},
        {"kind": "call", "occurred": "Fri 09:00", "received": "Mon 10:30"}
        | {"occurred": "2026-02-27 09:00"},
        {"kind": "nurture_touch"},
        {"kind": "buyer_reply"},
    ],
    ids=[
        "auto-responder",
        "a colleague",
        "another hand-off",
        "before the hand-off",
        "marketing",
        "the buyer",
    ],
)
def test_what_is_no_touch_by_the_owner_stops_nothing(act: dict[str, str]) -> None:
    scene = Scene(
        agreement(
            slas=promises(ACCEPT + "  - {clock: first_touch, within: 2 business hours}", grace="{}")
        )
    )
    scene.qualified().routed("ann").at("Mon 10:30").act(**act)
    assert scene.at("Mon 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:00 first_touch (ann) running until Mon 12:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 12:00 first_touch (ann) breached",
        "Mon 12:00 breach of first_touch by sales",
    ]


def test_a_status_flip_does_not_stop_the_first_touch() -> None:
    scene = Scene(
        agreement(slas=promises("  - {clock: first_touch, within: 2 business hours}", grace="{}"))
    )
    scene.qualified().routed("ann").at("Mon 10:30").staged("accepted", "sal").staged(
        "qualified", "sql", from_stage="sal"
    )
    assert scene.at("Mon 17:00").lines() == [
        "Mon 10:00 first_touch (ann) running until Mon 12:00",
        "Mon 12:00 first_touch (ann) breached",
        "Mon 12:00 breach of first_touch by sales",
    ]


def test_the_route_clock_runs_until_somebody_holds_the_lead() -> None:
    terms = agreement(
        slas=promises(
            "  - {clock: route, within: 30 minutes elapsed, ladder: [{do: escalate}]}", grace="{}"
        )
    )
    scene = Scene(terms).qualified().unrouted("held").at("Mon 10:40").routed("ann")
    assert scene.lines() == [
        "Mon 10:00 route running until Mon 10:30",
        "Mon 10:30 route breached",
        "Mon 10:30 breach of route by sales_management",
        "Mon 10:30 do escalate q1/1 to max: breach",
        "Mon 10:40 route met_late",
    ]


def test_a_lead_that_is_held_at_a_further_attempt_has_a_route_clock_again() -> None:
    terms = agreement(
        slas=promises(ACCEPT + "  - {clock: route, within: 30 minutes elapsed}", grace="{}")
    )
    scene = (
        Scene(terms)
        .qualified()
        .routed("ann")
        .at("Mon 10:20")
        .noted("withdrawn", "passed_on")
        .unrouted("held", attempt=2)
    )
    assert scene.at("Mon 10:40").routed("bob", attempt=2).lines() == [
        "Mon 10:00 route running until Mon 10:30",
        "Mon 10:00 route met",
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:20 accept (ann) cancelled: passed_on",
        "Mon 10:20 route running until Mon 10:50",
        "Mon 10:40 route met",
        "Mon 10:40 accept (bob) running until Mon 11:40",
    ]


def test_the_time_inside_baton_is_nobodys() -> None:
    """The clock starts when the routed record reaches the log, whenever the router decided it."""
    scene = Scene().qualified().at("Mon 10:30").routed("ann", routed_at_ms=ms("Mon 10:01"))
    assert scene.lines() == ["Mon 10:30 accept (ann) running until Mon 11:30"]


def test_each_leg_has_an_accept_clock_of_its_own() -> None:
    scene = (
        Scene()
        .qualified(leg="sdr", level="warm")
        .routed("ann", leg="sdr")
        .at("Mon 10:30")
        .staged("accepted", "tal", actor="sdr")
    )
    scene.at("Mon 11:00").staged("qualified", "tql", actor="sdr", from_stage="tal").qualified(
        "q2", stage="tql"
    ).routed("cat", name="q2")
    assert scene.at("Mon 11:30").staged("accepted", "sal", by="cat", handoff_id="q2/1").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:30 accept (ann) met",
        "Mon 11:00 accept (cat) running until Mon 12:00",
        "Mon 11:30 accept (cat) met",
    ]


def test_a_first_touch_that_ended_with_its_leg_is_owed_anew_on_the_next() -> None:
    scene = Scene(
        agreement(slas=promises("  - {clock: first_touch, within: 4 business hours}", grace="{}"))
    )
    scene.qualified(leg="sdr", level="warm").routed("ann", leg="sdr")
    scene.at("Mon 10:30").staged("accepted", "tal", actor="sdr")
    scene.at("Mon 11:00").staged("qualified", "tql", actor="sdr", from_stage="tal").qualified(
        "q2", stage="tql"
    ).routed("cat", name="q2")
    assert scene.at("Mon 12:00").act("call", by="cat").lines() == [
        "Mon 10:00 first_touch (ann) running until Mon 14:00",
        "Mon 11:00 first_touch (ann) cancelled: passed_on",
        "Mon 11:00 first_touch (cat) running until Mon 15:00",
        "Mon 12:00 first_touch (cat) met",
    ]


def test_qualify_runs_from_the_acceptance_to_a_verdict() -> None:
    scene = Scene(
        agreement(slas=promises("  - {clock: qualify, within: 2 working days}", grace="{}"))
    )
    scene.qualified().routed("ann").at("Mon 11:00").staged("accepted", "sal").at(
        "Tue 15:00"
    ).staged("qualified", "sql")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 11:00 qualify (ann) running until Wed 11:00",
        "Tue 15:00 qualify (ann) met",
    ]


FOLLOW_UP = "  - {clock: follow_up, attempts: 3, within: 2 working days}"


def test_follow_up_wants_so_many_attempts_in_time() -> None:
    scene = (
        Scene(agreement(slas=promises(FOLLOW_UP, grace="{}")))
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
    )
    for when in ("Mon 11:00", "Mon 15:00", "Tue 09:00"):
        scene.at(when).act("call")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 follow_up (ann) running until Wed 10:00",
        "Tue 09:00 follow_up (ann) met",
    ]


def test_an_attempt_that_is_reported_twice_counts_once() -> None:
    scene = (
        Scene(agreement(slas=promises(FOLLOW_UP, grace="{}")))
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
    )
    for _ in range(3):
        scene.at("Mon 11:00").act("call", id="same")
    assert scene.at("Wed 10:00").lines() == [
        "Mon 10:00 follow_up (ann) running until Wed 10:00",
        "Wed 10:00 follow_up (ann) breached",
        "Wed 10:00 breach of follow_up by sales",
    ]


def test_advance_runs_from_one_stage_to_the_next() -> None:
    scene = Scene(
        agreement(
            slas=promises("  - {clock: advance, stage: sql, within: 5 working days}", grace="{}")
        )
    )
    scene.qualified().routed("ann").staged("accepted", "sal").staged(
        "qualified", "sql", from_stage="sal"
    )
    scene.at("Thu 12:00").staged("opportunity", "opportunity", from_stage="sql")
    assert scene.at("Fri+2 17:00").lines() == [
        "Mon 10:00 advance (ann) running until Mon+1 10:00",
        "Thu 12:00 advance (ann) met",
    ]


def test_warnings_come_at_fractions_of_the_open_time_and_end_with_the_clock() -> None:
    terms = agreement(
        slas=promises("  - {clock: accept, within: 2 business hours, warn: [50%, 75%]}", grace="{}")
    )
    scene = (
        Scene(terms, start="Mon 16:00")
        .qualified()
        .routed("ann")
        .at("Tue 09:10")
        .staged("accepted", "sal")
    )
    assert scene.at("Fri 17:00").lines() == [
        "Mon 16:00 accept (ann) running until Tue 10:00",
        "Tue 09:00 warning of accept by sales",
        "Tue 09:10 accept (ann) met",
    ]


@pytest.mark.parametrize("end", ["merged", "erased"])
def test_a_lead_that_is_no_more_starts_nothing_again(end: str) -> None:
    scene = (
        Scene()
        .qualified()
        .routed("ann")
        .at("Mon 10:20")
        .staged(end, "mql", by=None, actor="system")
    )
    scene.routed("bob", attempt=2).act("call", by="bob").staged("accepted", "sal", by="bob")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        f"Mon 10:20 accept (ann) cancelled: {end}",
    ]


@pytest.mark.parametrize(("end", "lives_again"), [("merged", True), ("erased", False)])
def test_a_merged_lead_that_qualifies_lives_again_and_an_erased_one_does_not(
    end: str, lives_again: bool
) -> None:
    scene = Scene().qualified().at("Mon 10:20").staged(end, "mql", by=None, actor="system")
    scene.qualified("q2", cycle=2).routed("bob", name="q2")
    assert scene.lines() == (
        ["Mon 10:20 accept (bob) running until Mon 11:20"] if lives_again else []
    )


def test_a_hand_off_whose_word_comes_before_that_of_its_qualification_starts_its_clocks() -> None:
    scene = Scene().routed("ann").qualified()
    assert scene.at("Mon 10:30").staged("accepted", "sal").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:30 accept (ann) met",
    ]
    assert scene.head().ahead == ()


def test_a_hand_off_that_was_taken_back_before_its_qualification_was_known_starts_none() -> None:
    scene = (
        Scene().routed("ann").noted("withdrawn", "reassigned").routed("bob", attempt=2).qualified()
    )
    assert scene.lines() == ["Mon 10:00 accept (bob) running until Mon 11:00"]


def test_facts_that_come_twice_change_nothing() -> None:
    terms = agreement(
        slas=promises(ACCEPT + "  - {clock: route, within: 30 minutes elapsed}", grace="{}")
    )
    scene = Scene(terms).qualified().qualified().routed("ann").routed("ann").qualified()
    scene.at("Mon 10:30").staged("accepted", "sal").staged("accepted", "sal").routed("ann")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 route running until Mon 10:30",
        "Mon 10:00 route met",
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:30 accept (ann) met",
    ]


def test_a_router_that_decided_in_time_was_in_time_though_its_word_came_late() -> None:
    terms = agreement(slas=promises("  - {clock: route, within: 30 minutes elapsed}", grace="{}"))
    scene = Scene(terms).qualified().at("Mon 10:40").routed("ann", routed_at_ms=ms("Mon 10:20"))
    assert scene.lines() == [
        "Mon 10:00 route running until Mon 10:30",
        "Mon 10:30 route breached",
        "Mon 10:30 breach of route by sales_management",
        "Mon 10:40 route withdrawn",
        "Mon 10:40 withdrawn of route by sales_management: evidence_in_time",
    ]


def test_a_lead_accepted_out_of_a_queue_is_held_by_who_took_it() -> None:
    text = (
        ACCEPT
        + "  - {clock: route, within: 1 hour elapsed}\n  - {clock: qualify, within: 1 working day}"
    )
    terms = agreement(slas=promises(text))
    scene = (
        Scene(terms)
        .qualified()
        .unrouted("watch")
        .at("Mon 10:30")
        .staged("accepted", "sal", by="cat")
    )
    scene.routed("cat")
    assert scene.lines() == [
        "Mon 10:00 route running until Mon 11:00",
        "Mon 10:30 route met, inferred",
        "Mon 10:30 qualify (cat) running until Tue 10:30",
    ]


def _handed_to_ann() -> tuple[object, object]:
    scene = Scene().qualified().routed("ann")
    topics = {record.topic: record for record in scene.host.log.history}
    decode = scene.decoded
    return decode(topics["scorer.leads.v1"]), decode(topics["router.handoffs.v1"])


def _staged(event: str, *, evidence: str) -> object:
    scene = Scene(start="Mon 11:04").staged(event, "sal", received=evidence)
    return scene.decoded(
        next(record for record in scene.host.log.history if record.topic == "scorer.leads.v1")
    )


def _call(name: str, when: str) -> object:
    scene = Scene(start=when).act("call", id=name)
    return scene.decoded(
        next(record for record in scene.host.log.history if record.topic == "scorer.leads.v1")
    )


def test_the_clocks_know_a_hand_off_as_dispatch_describes_it() -> None:
    scene = Scene().qualified().routed("ann")
    offered = scene.head()
    assert offered.handoff is not None
    assert offered.holder is not None
    assert (offered.handoff.phase, offered.handoff.owner) == ("offered", "ann")
    assert (offered.holder.owner, offered.holder.handoff.since_ms) == ("ann", ms("Mon 10:00"))
    withdrawn = scene.noted("withdrawn", "passed_on").head()
    assert withdrawn.handoff is not None
    assert withdrawn.holder is None
    assert (withdrawn.handoff.phase, withdrawn.handoff.reason) == ("withdrawn", "passed_on")
    waiting = scene.unrouted("held", attempt=2).head()
    assert waiting.handoff is not None
    assert waiting.holder is None
    assert (waiting.handoff.phase, waiting.handoff.queue) == ("waiting", "reps")


def test_who_takes_a_lead_out_of_a_queue_has_it_before_dispatch_answers() -> None:
    scene = Scene().qualified().unrouted("held").staged("accepted", "sal", by="bob")
    holder = scene.head().holder
    assert holder is not None
    assert (holder.owner, holder.handoff.handoff_id, holder.accepted) == ("bob", "q1/1", True)
