"""What is promised now: whatever becomes known moves what was published, both ways, before the
stored deadline passes."""

import pytest

from baton.agreement.reference import Absence
from baton.contracts.leads import Story
from tests.services.sla_watcher.sla_scene import Scene, agreement, ms, promises

ACCEPT = "  - {clock: accept, within: 1 business hour}\n"
QUALIFY = "  - {clock: qualify, within: 8 business hours}\n"
AWAY = Absence(person="ann", from_ms=ms("Mon 08:00"), until_ms=ms("Mon+2 00:00"))


def _agreed(text: str, *, grace: str = "{}"):  # type: ignore[no-untyped-def]
    return agreement(slas=promises(text, grace=grace))


# ---------------------------------------------------------------------- absences


def test_an_absence_moves_an_open_offer_aloud_and_its_release_starts_the_colleagues_clock() -> None:
    terms = _agreed(ACCEPT)
    scene = Scene(terms, start="2026-02-27 16:50").qualified().routed("ann").at("Mon 08:00")
    scene.adopt(terms, absences=(AWAY,)).noted("withdrawn", "absent").routed("bob", attempt=2)
    assert scene.at("Tue 17:00").lines() == [
        "2026-02-27 16:50 accept (ann) running until Mon 09:50",
        "Mon 08:00 accept (ann) running until Mon+2 09:50: absence",
        "Mon 08:00 accept (ann) cancelled: absent",
        "Mon 08:00 accept (bob) running until Mon 10:00",
        "Mon 10:00 accept (bob) breached",
        "Mon 10:00 breach of accept by sales",
    ]


def test_an_absence_that_is_called_off_brings_the_deadline_back_at_once() -> None:
    """Reported on Monday for two weeks, called off on Tuesday: Monday was announced and does not count,
    the rest does."""
    terms = _agreed(QUALIFY)
    scene = (
        Scene(terms, start="Mon 07:30")
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
        .at("Mon 08:00")
    )
    scene.adopt(terms, absences=(AWAY,)).at("Tue 08:00")
    back = Absence(person="ann", from_ms=ms("Mon 08:00"), until_ms=ms("Tue 08:00"))
    scene.adopt(terms, absences=(back,))
    assert scene.at("Wed 17:00").lines() == [
        "Mon 07:30 qualify (ann) running until Mon 17:00",
        "Mon 08:00 qualify (ann) running until Mon+2 17:00: absence",
        "Tue 08:00 qualify (ann) running until Tue 17:00: absence",
        "Tue 17:00 qualify (ann) breached",
        "Tue 17:00 breach of qualify by sales",
    ]


def test_an_absence_that_is_called_off_before_it_began_never_was() -> None:
    terms = _agreed(QUALIFY)
    scene = Scene(terms).qualified().routed("ann").staged("accepted", "sal")
    later = Absence(person="ann", from_ms=ms("Mon 12:00"), until_ms=ms("Wed 00:00"))
    scene.adopt(terms, absences=(later,)).at("Mon 11:00").adopt(terms)
    assert scene.lines() == [
        "Mon 10:00 qualify (ann) running until Tue 10:00",
        "Mon 10:00 qualify (ann) running until Wed 15:00: absence",
        "Mon 11:00 qualify (ann) running until Tue 10:00: absence",
    ]


@pytest.mark.parametrize(
    ("who", "news"),
    [("bob", []), ("ann", ["Mon 10:30 qualify (ann) running until Thu 10:00: absence"])],
)
def test_news_of_an_absence_reach_the_clocks_of_that_person_alone(
    who: str, news: list[str]
) -> None:
    terms = _agreed(QUALIFY)
    scene = Scene(terms).qualified().routed("ann").staged("accepted", "sal").at("Mon 10:30")
    scene.lines()
    away = Absence(person=who, from_ms=ms("Tue 00:00"), until_ms=ms("Thu 00:00"))
    assert scene.adopt(terms, absences=(away,)).lines() == news


def test_where_the_agreement_says_so_an_absence_counts() -> None:
    terms = _agreed("  - {clock: qualify, within: 8 business hours, absence: counts}\n")
    scene = Scene(terms).qualified().routed("ann").staged("accepted", "sal")
    scene.adopt(terms, absences=(AWAY,))
    assert scene.lines() == ["Mon 10:00 qualify (ann) running until Tue 10:00"]


def test_a_changed_calendar_moves_the_deadline_both_ways_at_once() -> None:
    wide = {"office": {"hours": {"mon-fri": "07:00-21:00"}}}
    narrow = {"office": {"hours": {"mon-fri": "09:00-17:00"}}}
    section = promises(QUALIFY, grace="{}")
    scene = (
        Scene(agreement(slas=section, calendars=narrow))
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
    )
    scene.at("Mon 11:00").adopt(agreement(slas=section, calendars=wide))
    scene.at("Mon 12:00").adopt(agreement(slas=section, calendars=narrow))
    assert scene.lines() == [
        "Mon 10:00 qualify (ann) running until Tue 10:00",
        "Mon 11:00 qualify (ann) running until Mon 18:00: agreement",
        "Mon 12:00 qualify (ann) running until Tue 10:00: agreement",
    ]


# ---------------------------------------------------------------------- a raised hand

LEVELS = """
  - {clock: accept, level: hot, within: 1 business hour}
  - {clock: accept, within: 80 business hours}
  - {clock: first_touch, level: hot, within: 2 business hours}
  - {clock: first_touch, within: 90 business hours}
"""


def test_a_hand_raised_during_a_warm_offer_has_the_hot_promise_from_then_on_and_the_holder_is_notified() -> (
    None
):
    scene = Scene(_agreed(LEVELS)).qualified(level="warm").routed("ann").at("Mon 11:00")
    scene.staged("hand_raised", "mql", by=None, actor="system", handoff_id=None)
    assert scene.at("Mon 12:30").lines() == [
        "Mon 10:00 accept (ann) running until Mon+2 10:00",
        "Mon 10:00 first_touch (ann) running until Tue+2 12:00",
        "Mon 11:00 accept (ann) running until Mon 12:00: hand_raised",
        "Mon 11:00 first_touch (ann) running until Mon 13:00: hand_raised",
        "Mon 11:00 do notify q1/1 to ann: hand_raised",
        "Mon 12:00 accept (ann) breached",
        "Mon 12:00 breach of accept by sales",
    ]


def test_a_raised_hand_never_makes_a_deadline_later() -> None:
    scene = Scene(_agreed(LEVELS)).qualified(level="warm").routed("ann").at("Mon+2 09:50")
    scene.lines()
    scene.staged("hand_raised", "mql", by=None, actor="system", handoff_id=None)
    assert (
        scene.lines()[1] == "Mon+2 09:50 first_touch (ann) running until Mon+2 11:50: hand_raised"
    )
    assert "Mon+2 10:00 accept (ann) breached" in scene.at("Mon+2 10:00").lines()


def test_a_hand_raised_after_the_touch_asks_for_another_one() -> None:
    scene = Scene(_agreed(LEVELS)).qualified(level="warm").routed("ann").act("call").at("Tue 10:00")
    scene.lines()
    scene.staged("hand_raised", "sal", from_stage="sal", by=None, actor="system", handoff_id=None)
    assert scene.lines() == [
        "Tue 10:00 first_touch (ann) running until Tue 12:00",
        "Tue 10:00 do notify q1/1 to ann: hand_raised",
    ]


def test_a_hand_raised_in_the_queue_has_the_hot_promise_for_being_routed() -> None:
    text = (
        "  - {clock: route, level: hot, within: 30 minutes elapsed}\n  - {clock: route, within: 2 "
        "working days}"
    )
    scene = Scene(_agreed(text)).qualified(level="warm").unrouted("held").at("Mon 11:00")
    scene.staged("hand_raised", "mql", by=None, actor="system", handoff_id=None)
    assert scene.lines()[-1] == "Mon 11:00 route running until Mon 11:30: hand_raised"


def test_a_raised_hand_of_poor_fit_stays_at_its_level() -> None:
    terms = agreement(
        slas=promises(LEVELS, grace="{}"), lifecycle="{bridge: warm leads, poor_fit: [A]}"
    )
    scene = Scene(terms).qualified(level="warm").routed("ann").at("Mon 11:00")
    scene.lines()
    scene.staged("hand_raised", "mql", by=None, actor="system", handoff_id=None)
    assert scene.lines() == ["Mon 11:00 do notify q1/1 to ann: hand_raised"]


# ---------------------------------------------------------------------- the bridge team's verdict

BRIDGE = """
  - {clock: accept, within: 1 business hour}
  - {clock: qualify, queue: sdr, within: 1 working day}
  - {clock: first_touch, within: 1 working day}
"""


@pytest.mark.parametrize("first", ["verdict", "next leg"])
def test_the_bridge_teams_verdict_meets_its_own_clock_whichever_record_is_read_first(
    first: str,
) -> None:
    scene = Scene(_agreed(BRIDGE)).qualified(leg="sdr", level="warm").routed("ann", leg="sdr")
    scene.at("Mon 10:10").staged("accepted", "tal", actor="sdr").at("Mon 11:00")
    scene.lines()

    def verdict() -> None:
        scene.staged("qualified", "tql", actor="sdr", from_stage="tal", qualification_id="q1")

    if first == "verdict":
        verdict()
    scene.qualified("q2", stage="tql")
    if first != "verdict":
        verdict()
    scene.routed("cat", name="q2")
    assert "Mon 11:00 qualify (ann) met" in (said := scene.lines())
    assert said[-2:] == [
        "Mon 11:00 accept (cat) running until Mon 12:00",
        "Mon 11:00 first_touch (cat) running until Tue 11:00",
    ]
    assert scene.at("Mon 11:30").act("call", by="cat", handoff_id="q2/1").lines() == [
        "Mon 11:30 accept (cat) met, inferred",
        "Mon 11:30 first_touch (cat) met",
    ]


def test_who_takes_a_lead_out_of_the_queue_owes_the_first_touch_too() -> None:
    scene = Scene(_agreed(BRIDGE)).qualified().unrouted("held").at("Mon 10:30")
    scene.staged("accepted", "sal", by="bob")
    assert scene.lines() == ["Mon 10:30 first_touch (bob) running until Tue 10:30"]


# ---------------------------------------------------------------------- evidence

NO_GRACE = (
    "  - {clock: accept, within: 1 business hour}\n  - {clock: first_touch, within: 2 business "
    "hours}\n"
)


@pytest.mark.parametrize(
    ("source", "occurred", "received", "last"),
    [
        ("crm", "Mon 11:40", "Mon 12:20", "withdrawn of first_touch by sales: evidence_in_time"),
        (
            "telephony",
            "Mon 11:40",
            "Mon 12:20",
            "withdrawn of first_touch by sales: evidence_in_time",
        ),
        (
            "eu-salesforce",
            "Mon 11:40",
            "Mon 12:30",
            "withdrawn of first_touch by sales: evidence_in_time",
        ),
        ("crm", "Mon 12:05", "Mon 12:20", "first_touch (ann) met_late"),
        ("crm", "Mon 11:40", "Mon 12:31", "first_touch (ann) met_late"),
        ("spreadsheet", "Mon 11:40", "Mon 12:20", "first_touch (ann) met_late"),
    ],
    ids=[
        "a CRM",
        "telephony",
        "by its name",
        "after the deadline",
        "after the grace",
        "a tool nobody knows",
    ],
)
def test_without_a_grace_a_breach_is_recorded_at_once_and_taken_back_within_that_of_its_source(
    source: str, occurred: str, received: str, last: str
) -> None:
    scene = (
        Scene(_agreed(NO_GRACE)).qualified().routed("ann").at("Mon 10:40").staged("accepted", "sal")
    )
    scene.at(received)
    assert scene.lines()[-2:] == [
        "Mon 12:00 first_touch (ann) breached",
        "Mon 12:00 breach of first_touch by sales",
    ]
    scene.act("call", source=source, occurred=occurred, received=received)
    assert scene.lines()[-1] == f"{received} {last}"


def test_three_calls_in_a_minute_are_one_attempt_where_attempts_are_apart() -> None:
    text = "  - {clock: follow_up, attempts: 3, apart: 2 hours, within: 2 working days}"
    scene = Scene(_agreed(text)).qualified().routed("ann").staged("accepted", "sal")
    for when in ("Mon 10:06", "Mon 10:06:10", "Mon 10:06:20", "Mon 12:06", "Mon 14:05"):
        scene.at(when).act("call")
    assert scene.lines() == ["Mon 10:00 follow_up (ann) running until Wed 10:00"]
    assert scene.at("Mon 14:06").act("call").lines() == ["Mon 14:06 follow_up (ann) met"]


# ---------------------------------------------------------------------- waiting for the buyer

WAITS = """
  - {clock: qualify, within: 8 business hours, pause_when: {act: call, outcome: voicemail, at_most: 1 day}}
"""


@pytest.mark.parametrize(
    "reply",
    [{"automatic": True}, {"outcome": "out_of_office"}],
    ids=["automatic", "out of office"],
)
def test_an_out_of_office_reply_ends_no_waiting(reply: dict[str, object]) -> None:
    scene = Scene(_agreed(QUALIFY)).qualified().routed("ann").staged("accepted", "sal")
    scene.at("Mon 11:00").act("mail", outcome="awaiting_reply")
    scene.lines()
    assert scene.at("Mon 12:00").act("buyer_reply", by="buyer", **reply).lines() == []
    assert scene.at("Mon 13:00").act("buyer_reply", by="buyer").lines() == [
        "Mon 13:00 qualify (ann) running until Tue 12:00: resumed"
    ]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            {"kind": "call", "outcome": "voicemail"},
            ["Mon 11:00 qualify (ann) running until Wed 10:00: paused: waiting_for_buyer"],
        ),
        ({"kind": "mail", "outcome": "voicemail"}, []),
        ({"kind": "call", "outcome": "awaiting_reply"}, []),
    ],
    ids=["the agreed words", "another act", "the usual words, which were replaced"],
)
def test_a_clock_waits_on_the_words_that_were_agreed_and_no_longer(
    act: dict[str, str], said: list[str]
) -> None:
    scene = Scene(_agreed(WAITS)).qualified().routed("ann").staged("accepted", "sal")
    scene.lines()
    assert scene.at("Mon 11:00").act(**act).lines() == said


def test_what_ends_the_waiting_can_be_agreed() -> None:
    text = "  - {clock: qualify, within: 8 business hours, resume_when: {act: buyer_reply}}"
    scene = Scene(_agreed(text)).qualified().routed("ann").staged("accepted", "sal")
    scene.at("Mon 11:00").act("mail", outcome="awaiting_reply").at("Mon 12:00")
    scene.lines()
    assert scene.act("call", outcome="reached").lines() == []
    assert scene.at("Mon 13:00").act("buyer_reply", by="buyer").lines()[0].endswith(": resumed")


MEETINGS = """
  - {clock: accept, within: 1 business hour}
  - {clock: first_touch, within: 2 business hours}
  - {clock: follow_up, attempts: 2, within: 2 working days}
"""


def test_a_booked_meeting_takes_the_lead_up_and_is_no_attempt() -> None:
    scene = Scene(_agreed(MEETINGS)).qualified().routed("ann").at("Mon 10:30")
    scene.lines()
    scene.act("meeting_booked", meeting_at="2026-03-05T10:00:00+01:00").act("call", id="c1")
    assert scene.lines() == [
        "Mon 10:30 accept (ann) met, inferred",
        "Mon 10:30 first_touch (ann) met",
        "Mon 10:30 follow_up (ann) running until Wed 10:30",
    ]
    assert [attempt.evidence_id for clock in scene.head().clocks for attempt in clock.attempts] == [
        "c1"
    ]


def test_a_no_show_opens_the_follow_up_again() -> None:
    scene = Scene(_agreed(MEETINGS)).qualified().routed("ann").staged("accepted", "sal")
    scene.act("call", id="c1").act("call", id="c2").at("Tue 10:00")
    scene.lines()
    assert scene.act("no_show").lines() == ["Tue 10:00 follow_up (ann) running until Thu 10:00"]
    assert scene.act("no_show", by="bob").lines() == []


def test_a_clock_can_wait_for_a_booked_meeting_until_it_is_held_or_missed() -> None:
    text = (
        "  - {clock: qualify, within: 8 business hours, pause_when: {act: meeting_booked, at_most: "
        "30 days}}"
    )
    scene = Scene(_agreed(text)).qualified().routed("ann").staged("accepted", "sal")
    scene.lines()
    scene.at("Mon 12:00").act("meeting_booked").at("Wed 10:00").act("no_show")
    assert scene.lines() == [
        "Mon 12:00 qualify (ann) running until 2026-04-02 11:00: paused: waiting_for_buyer",
        "Wed 10:00 qualify (ann) running until Wed 16:00: resumed",
    ]


# ---------------------------------------------------------------------- whom a promise and a step
# are for


@pytest.mark.parametrize(
    ("source", "campaign", "due"),
    [
        ("web", None, "Mon 10:30"),
        ("partner", "spring", "Mon 12:00"),
        ("partner", None, "Tue 10:00"),
    ],
)
def test_a_promise_can_be_for_leads_of_a_source_or_a_campaign(
    source: str, campaign: str | None, due: str
) -> None:
    text = """
  - {clock: accept, source: web, within: 30 minutes elapsed}
  - {clock: accept, campaign: [spring, summer], within: 2 business hours}
  - {clock: accept, within: 1 working day}"""
    story = Story(source=source, latest_campaign=campaign)
    scene = Scene(_agreed(text)).qualified(story=story).routed("ann")
    assert scene.lines() == [f"Mon 10:00 accept (ann) running until {due}"]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (True, ["Mon 11:00 do escalate q1/1 to max: breach"]),
        (False, ["Mon 11:00 do reassign q1/1 but ann: breach"]),
    ],
)
def test_a_step_of_a_ladder_can_be_for_some_leads(raised: bool, said: list[str]) -> None:
    steps = "{do: reassign, hand_raised: false}, {do: escalate, hand_raised: true}"
    text = (
        f"  - {{clock: accept, within: 1 business hour, evidence_grace: 0 minutes, ladder: "
        f"[{steps}]}}"
    )
    scene = Scene(_agreed(text)).qualified(hand_raised=raised).routed("ann")
    assert scene.at("Mon 17:00").lines()[3:] == said


def test_a_queue_of_a_manager_whom_nobody_has_named_leaves_the_lead_where_it_is() -> None:
    text = (
        "  - {clock: accept, within: 1 business hour, ladder: [{do: manager_queue}, {do: notify, "
        "to: owner}]}"
    )
    alone = {
        "ann": {"name": "Ann"},
        "bob": {"name": "Bob"},
        "cat": {"name": "Cat"},
        "max": {"name": "Max"},
    }
    pools = {
        "sdrs": {"kind": "sdr", "members": {"ann": {}}},
        "reps": {"kind": "sales", "members": {"ann": {}}},
    }
    terms = agreement(slas=promises(text, grace="{}"), people=alone, pools=pools)
    scene = Scene(terms).qualified().routed("ann").at("Mon 12:00")
    assert scene.lines()[1:] == [
        "Mon 11:00 accept (ann) breached",
        "Mon 11:00 breach of accept by sales",
        "Mon 11:00 do notify q1/1 to ann: breach",
    ]
    assert scene.head().holder is not None


def _with_pool_hours(house: str, pool: str) -> Scene:
    """A firm whose pool of sales has hours of its own; a lead is held there."""
    pools = POOLS.replace("{kind: sales,", f"{{kind: sales, calendar: {pool},")
    plain = agreement(
        slas=promises("  - {clock: route, within: 1 business hour}", grace="{}"),
        pools=pools,
        calendar=house,
    )
    return Scene(plain, start="Mon 11:30").qualified().unrouted("held")


POOLS = """
  sdrs: {kind: sdr, members: {ann: {}, bob: {}}, manager: max}
  reps: {kind: sales, members: {ann: {}, bob: {}, cat: {}}, manager: max}
"""


def test_a_held_leads_deadline_is_in_the_hours_of_its_pool_as_soon_as_the_pool_is_known() -> None:
    scene = _with_pool_hours("office", "with-lunch")
    assert scene.at("Mon 13:30").lines() == [
        "Mon 11:30 route running until Mon 12:30",
        "Mon 11:30 route running until Mon 13:30: held",
        "Mon 13:30 route breached",
        "Mon 13:30 breach of route by sales_management",
    ]


def test_a_held_lead_whose_pool_has_no_lunch_is_late_when_the_pool_is() -> None:
    scene = _with_pool_hours("with-lunch", "office")
    assert scene.at("Mon 13:30").lines() == [
        "Mon 11:30 route running until Mon 13:30",
        "Mon 11:30 route running until Mon 12:30: held",
        "Mon 12:30 route breached",
        "Mon 12:30 breach of route by sales_management",
    ]


# ---------------------------------------------------------------------- hotter


def test_a_lead_that_becomes_hotter_during_an_offer_has_the_promise_of_its_level_from_then_on() -> (
    None
):
    scene = Scene(_agreed(LEVELS)).qualified(level="warm").routed("ann").at("Mon 11:00")
    scene.lines()
    scene.amended("hot")
    assert scene.lines() == [
        "Mon 11:00 accept (ann) running until Mon 12:00: hotter",
        "Mon 11:00 first_touch (ann) running until Mon 13:00: hotter",
    ]
    assert scene.amended("hot").lines() == []


@pytest.mark.parametrize(
    ("level", "qualification"), [("warm", "q1"), ("cold", "q1"), ("hot", "q0")]
)
def test_what_makes_nothing_hotter_or_is_of_another_qualification_changes_no_promise(
    level: str, qualification: str
) -> None:
    scene = Scene(_agreed(LEVELS)).qualified(level="warm").routed("ann").at("Mon 11:00")
    scene.lines()
    assert scene.amended(level, qualification=qualification).lines() == []
