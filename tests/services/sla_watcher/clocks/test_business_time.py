"""Clocks in working time: the cases that are got wrong elsewhere, pauses, absences, and a changed
agreement."""

import pytest

from baton.agreement.reference import Absence
from tests.services.sla_watcher.sla_scene import Scene, agreement, ms, promises

LUNCH = "{hours: {mon-fri: '09:00-12:00, 13:00-17:00'}}"


def _accept(
    target: str, *, warn: str = "[]", calendar: str = "office", **sections: object
) -> Scene:
    text = f"  - {{clock: accept, within: {target}, warn: {warn}, calendar: {calendar}}}"
    return Scene(agreement(slas=promises(text, grace="{}"), **sections), start="Mon 09:00")


def _deadline(start: str, target: str, *, calendar: str = "office") -> str:
    scene = _accept(target, calendar=calendar).at(start).qualified().routed("ann")
    (line,) = scene.lines()
    return line.split(" until ")[1]


@pytest.mark.parametrize(
    ("start", "target", "deadline"),
    [
        ("Sat 15:00", "1 business hour", "Mon+1 10:00"),
        ("Fri 16:30", "1 business hour", "Mon+1 09:30"),
        ("Mon 17:00", "1 business hour", "Tue 10:00"),
        ("Mon 10:00", "2 working days", "Wed 10:00"),
        ("Fri 10:00", "2 working days", "Tue+1 10:00"),
        ("Sat 15:00", "1 working day", "Mon+1 15:00"),
        ("Sat 15:00", "1 hour elapsed", "Sat 16:00"),
    ],
)
def test_each_form_of_a_target_means_what_it_says(start: str, target: str, deadline: str) -> None:
    assert _deadline(start, target) == deadline


def test_the_lunch_break_does_not_count() -> None:
    assert _deadline("Mon 11:30", "1 business hour", calendar="with-lunch") == "Mon 13:30"


def test_no_reminder_comes_at_midnight() -> None:
    scene = _accept("24 hours elapsed", warn="[50%]").at("Mon 12:00").qualified().routed("ann")
    assert scene.at("Tue 11:59").lines() == [
        "Mon 12:00 accept (ann) running until Tue 12:00",
        "Tue 09:00 warning of accept by sales",
    ]


QUALIFY = "  - {clock: qualify, within: 8 business hours}"


def _accepted(text: str = QUALIFY) -> Scene:
    return (
        Scene(agreement(slas=promises(text, grace="{}")))
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
    )


def test_the_time_the_buyer_is_waited_for_is_the_buyers() -> None:
    scene = (
        _accepted()
        .at("Mon 12:00")
        .act("mail", outcome="awaiting_reply")
        .at("Thu 09:00")
        .act("buyer_reply", by="buyer")
    )
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 qualify (ann) running until Tue 10:00",
        "Mon 12:00 qualify (ann) running until Tue+2 10:00: paused: waiting_for_buyer",
        "Thu 09:00 qualify (ann) running until Thu 15:00: resumed",
        "Thu 15:00 qualify (ann) breached",
        "Thu 15:00 breach of qualify by sales",
    ]


def test_pause_time_is_not_lost_when_the_service_level_changes() -> None:
    scene = (
        _accepted()
        .at("Mon 12:00")
        .act("mail", outcome="awaiting_reply")
        .at("Tue 09:00")
        .act("buyer_reply", by="buyer")
    )
    scene.at("Tue 10:00").adopt(
        agreement(slas=promises("  - {clock: qualify, within: 10 business hours}", grace="{}"))
    )
    assert scene.at("Tue 12:00").lines()[-2:] == [
        "Tue 09:00 qualify (ann) running until Tue 15:00: resumed",
        "Tue 10:00 qualify (ann) running until Tue 17:00: agreement",
    ]


def test_pause_time_is_not_lost_when_the_service_level_changes_during_the_pause() -> None:
    scene = _accepted().at("Mon 12:00").act("mail", outcome="awaiting_reply")
    scene.at("Mon 16:00").adopt(
        agreement(slas=promises("  - {clock: qualify, within: 3 business hours}", grace="{}"))
    )
    scene.at("Tue 09:00").act("buyer_reply", by="buyer")
    assert scene.at("Wed 12:00").lines()[3:] == [
        "Tue 09:00 qualify (ann) running until Tue 10:00: resumed",
        "Tue 10:00 qualify (ann) breached",
        "Tue 10:00 breach of qualify by sales",
    ]


def test_nobody_is_late_by_a_promise_that_was_made_afterwards() -> None:
    scene = Scene().qualified().routed("ann").at("Mon 10:50")
    scene.adopt(
        agreement(slas=promises("  - {clock: accept, within: 30 business minutes}", grace="{}"))
    )
    assert scene.at("Tue 10:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:50 accept (ann) running until Mon 11:00: agreement",
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
    ]


def test_a_deadline_that_stands_is_moved_by_later_pauses_like_any_other() -> None:
    scene = _accepted().at("Mon 15:00")
    scene.adopt(
        agreement(slas=promises("  - {clock: qualify, within: 1 business hour}", grace="{}"))
    )
    scene.at("Mon 16:00").act("mail", outcome="awaiting_reply").at("Tue 12:00").act(
        "buyer_reply", by="buyer"
    )
    assert scene.lines() == [
        "Mon 10:00 qualify (ann) running until Tue 10:00",
        "Mon 15:00 qualify (ann) running until Tue 10:00: agreement",
        "Mon 16:00 qualify (ann) running until Tue+2 10:00: paused: waiting_for_buyer",
        "Tue 12:00 qualify (ann) running until Tue 14:00: resumed",
    ]


def test_a_shorter_promise_made_while_the_clock_stands_still_keeps_the_former_deadline() -> None:
    scene = _accepted().at("Mon 12:00").act("mail", outcome="awaiting_reply").at("Mon 15:00")
    scene.adopt(
        agreement(slas=promises("  - {clock: qualify, within: 1 business hour}", grace="{}"))
    )
    scene.at("Tue 09:00").act("buyer_reply", by="buyer")
    assert scene.lines()[-1] == "Tue 09:00 qualify (ann) running until Tue 15:00: resumed"


def test_a_breach_stands_though_a_later_agreement_would_have_given_more_time() -> None:
    scene = Scene().qualified().routed("ann").at("Mon 11:30")
    scene.adopt(
        agreement(slas=promises("  - {clock: accept, within: 4 business hours}", grace="{}"))
    )
    assert (
        scene.at("Mon 13:00").staged("accepted", "sal").lines()[-1]
        == "Mon 13:00 accept (ann) met_late"
    )


def test_a_buyer_who_never_answers_stops_no_clock_for_ever() -> None:
    scene = _accepted().at("Mon 12:00").act("mail", outcome="awaiting_reply")
    assert scene.at("Fri+3 17:00").lines()[1:] == [
        "Mon 12:00 qualify (ann) running until Tue+2 10:00: paused: waiting_for_buyer",
        "Tue+2 10:00 qualify (ann) breached",
        "Tue+2 10:00 breach of qualify by sales",
    ]


def test_a_breach_goes_on_by_the_ladder_that_is_agreed_now() -> None:
    steps = (
        "[{do: notify}, {do: notify, to: cat, after: 2 business hours}, {do: escalate, after: 3 "
        "business hours}]"
    )
    scene = Scene(
        agreement(
            slas=promises(
                f"  - {{clock: accept, within: 1 business hour, ladder: {steps}}}", grace="{}"
            )
        )
    )
    scene.qualified().routed("ann").at("Mon 11:30")
    scene.adopt(
        agreement(
            slas=promises(
                "  - {clock: accept, within: 1 business hour, ladder: [{do: notify}]}", grace="{}"
            )
        )
    )
    assert scene.at("Fri 17:00").lines()[3:] == ["Mon 11:00 do notify q1/1 to ann: breach"]


def test_a_promise_that_is_not_made_any_more_lets_its_clocks_go() -> None:
    scene = Scene().qualified().routed("ann").at("Mon 10:30")
    scene.adopt(
        agreement(slas=promises("  - {clock: route, within: 30 minutes elapsed}", grace="{}"))
    )
    assert scene.at("Tue 10:00").lines()[1:] == [
        "Mon 10:30 accept (ann) cancelled: no_longer_promised"
    ]


def test_the_days_a_holder_is_away_do_not_count() -> None:
    terms = agreement()
    scene = Scene(terms)
    scene.adopt(
        terms, absences=(Absence(person="ann", from_ms=ms("Mon 10:30"), until_ms=ms("Wed 00:00")),)
    )
    assert scene.qualified().routed("ann").lines() == [
        "Mon 10:00 accept (ann) running until Wed 09:30"
    ]


def test_an_absence_that_becomes_known_later_moves_the_deadline_at_once() -> None:
    terms = agreement()
    scene = Scene(terms).qualified().routed("ann").at("Mon 10:45")
    scene.adopt(
        terms, absences=(Absence(person="ann", from_ms=ms("Mon 10:30"), until_ms=ms("Wed 00:00")),)
    )
    assert scene.at("Wed 12:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:45 accept (ann) running until Wed 09:30: absence",
        "Wed 09:30 accept (ann) breached",
        "Wed 09:30 breach of accept by sales",
        "Wed 09:30 do notify q1/1 to ann: breach",
    ]


def test_an_end_says_how_the_time_until_then_was_spent() -> None:
    text = (
        "  - {clock: qualify, within: 5 working days}\n  - {clock: route, within: 5 hours elapsed}"
    )
    scene = Scene(agreement(slas=promises(text, grace="{}"))).qualified(
        received_at_ms=ms("Mon 09:50")
    )
    scene.at("Mon 10:10").unrouted("held").at("Mon 10:40").routed("ann").at("Mon 11:00").act(
        "mail", outcome="awaiting_reply"
    )
    scene.at("Mon 13:00").act("buyer_reply", by="buyer").at("Mon 13:30").staged(
        "qualified", "sql", from_stage="sal"
    )
    hours = {"system": 20, "queue": 30, "human": 50, "buyer": 120, "rest": 0}
    ends = [fact for fact in scene.facts() if getattr(fact, "ended_at_ms", None)]
    assert {name: spent // 60_000 for name, spent in ends[-1].spent_ms.items()} == hours
