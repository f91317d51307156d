"""What is done about a breach, in which order, how often, and to whom."""

import pytest

from tests.services.sla_watcher.sla_scene import Scene, agreement, promises


def _ladder(*steps: str) -> Scene:
    text = f"  - {{clock: accept, within: 1 business hour, ladder: [{', '.join(steps)}]}}"
    return Scene(agreement(slas=promises(text, grace="{}")))


FULL = (
    "{do: notify}",
    "{do: reassign, at_most: 1}",
    "{do: escalate}",
    "{do: manager_queue, after: 4 business hours}",
)


def test_the_whole_ladder_over_two_people_and_the_manager() -> None:
    scene = (
        _ladder(*FULL)
        .qualified()
        .routed("ann")
        .at("Mon 11:05")
        .noted("withdrawn", "breach")
        .routed("bob", attempt=2)
    )
    scene.at("Mon 16:30").noted("withdrawn", "manager_queue", attempt=2).unrouted(
        "watch", attempt=3
    )
    scene.at("Tue 10:00").routed("max", attempt=3)
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:00 do notify q1/1 to ann: breach",
        "Mon 11:00 do reassign q1/1 but ann: breach",
        "Mon 11:05 accept (bob) running until Mon 12:05",
        "Mon 12:05 accept (bob) breached",
        "Mon 12:05 breach of accept by sales",
        "Mon 12:05 do notify q1/2 to bob: breach",
        "Mon 12:05 do escalate q1/2 to max: breach",
        "Mon 16:05 do manager_queue q1/2 to max: breach",
        "Tue 10:00 accept (max) running until Tue 11:00",
        "Tue 11:00 accept (max) breached",
        "Tue 11:00 breach of accept by sales",
        "Tue 11:00 do notify q1/3 to max: breach",
    ]


def test_the_act_stops_the_ladder() -> None:
    scene = (
        _ladder("{do: notify}", "{do: escalate, after: 2 business hours}").qualified().routed("ann")
    )
    assert scene.at("Mon 12:00").act().at("Fri 17:00").lines()[3:] == [
        "Mon 11:00 do notify q1/1 to ann: breach",
        "Mon 12:00 accept (ann) met_late, inferred",
    ]


def test_steps_count_from_the_breach_in_working_time() -> None:
    scene = _ladder("{do: notify, after: 7 business hours}").qualified().routed("ann")
    assert scene.at("Fri 17:00").lines()[3:] == ["Tue 10:00 do notify q1/1 to ann: breach"]


@pytest.mark.parametrize(
    ("step", "to"),
    [("", "ann"), (", to: owner", "ann"), (", to: manager", "max"), (", to: cat", "cat")],
)
def test_who_is_notified(step: str, to: str) -> None:
    scene = _ladder("{do: notify" + step + "}").qualified().routed("ann")
    assert scene.at("Fri 17:00").lines()[3:] == [f"Mon 11:00 do notify q1/1 to {to}: breach"]


RECYCLE = ("{do: recycle, reason: sla_expired, after: 1 business hour}",)


def test_who_did_not_raise_a_hand_is_recycled_when_nobody_acts() -> None:
    scene = _ladder(*RECYCLE).qualified().routed("ann")
    assert scene.at("Fri 17:00").lines()[3:] == [
        "Mon 12:00 recycle: sla_expired on learn until Mon+2 09:00",
        "Mon 12:00 accept (ann) abandoned: recycle: sla_expired",
    ]


def test_a_buyer_who_raised_a_hand_is_not_sent_away_for_our_failure() -> None:
    scene = _ladder(*RECYCLE).qualified(hand_raised=True).routed("ann")
    assert scene.at("Fri 17:00").lines()[3:] == ["Mon 12:00 do manager_queue q1/1 to max: breach"]


def test_a_hand_that_is_raised_while_somebody_has_the_lead_counts_as_well() -> None:
    scene = (
        _ladder(*RECYCLE)
        .qualified()
        .routed("ann")
        .staged("hand_raised", "mql", by=None, actor="system")
    )
    assert scene.at("Fri 17:00").lines()[4:] == ["Mon 12:00 do manager_queue q1/1 to max: breach"]


def test_the_hand_that_was_raised_for_the_bridge_counts_for_sales_too() -> None:
    scene = (
        _ladder(*RECYCLE)
        .qualified(leg="sdr", hand_raised=True)
        .routed("ann", leg="sdr")
        .staged("accepted", "tal", actor="sdr")
    )
    scene.qualified("q2", stage="tql").routed("cat", name="q2").lines()
    assert scene.at("Fri 17:00").lines() == [
        "Mon 11:00 accept (cat) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 12:00 do manager_queue q2/1 to max: breach",
    ]


def test_two_clocks_of_one_hand_off_take_the_lead_away_once() -> None:
    text = """
  - {clock: accept, within: 1 business hour, ladder: [{do: reassign, at_most: 2}, {do: escalate}]}
  - {clock: first_touch, within: 2 business hours, ladder: [{do: reassign, at_most: 2}, {do: escalate}]}"""
    scene = (
        Scene(agreement(slas=promises(text, grace="{}"))).qualified().routed("ann").at("Mon 12:30")
    )
    scene.noted("withdrawn", "breach").routed("bob", attempt=2)
    actions = [line for line in scene.at("Fri 17:00").lines() if " do " in line]
    assert actions == [
        "Mon 11:00 do reassign q1/1 but ann: breach",
        "Mon 13:30 do reassign q1/2 but ann, bob: breach",
    ]


def test_a_new_qualification_has_a_ladder_of_its_own() -> None:
    scene = (
        _ladder("{do: reassign, at_most: 1}", "{do: escalate}")
        .qualified()
        .routed("ann")
        .at("Mon 11:30")
    )
    scene.qualified("q2", cycle=2).routed("bob", name="q2", cycle=2).lines()
    assert [line for line in scene.at("Fri 17:00").lines() if " do " in line] == [
        "Mon 12:30 do reassign q2/1 but bob: breach"
    ]
