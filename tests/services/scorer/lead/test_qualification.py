"""When a lead becomes an MQL, to whom it goes, and when it ceases to be one."""

from __future__ import annotations

from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput
from baton.contracts.leads import LeadQualified, LeadScored
from tests.services.scorer.scorer_view import Shelf
from tests.services.scorer.scorer_world import (
    DAY,
    ENGAGEMENT,
    HOUR,
    MINUTE,
    MONDAY_0900,
    World,
    agreement,
)


def ready(*, dwell: str | None = None, **sections: Any) -> World:
    """A world with a lead of perfect fit."""
    world = World(agreement(dwell=dwell, **sections))
    world.fits("l1")
    world.said()
    return world


def qualifications(world: World) -> list[tuple[str, str, bool]]:
    return [(fact.leg, fact.level, fact.hand_raised) for fact in world.facts(LeadQualified)]


@pytest.mark.parametrize(
    ("country", "acts", "expected"),
    [
        ("NO", ["page_view", "page_view"], []),
        ("NO", ["form"], [("sdr", "warm", False)]),
        ("NO", ["form", "form"], [("sdr", "warm", False)]),
        ("NO", ["demo_request"], [("sales", "hot", True)]),
        ("SE", ["form", "form", "webinar", "webinar"], []),
        ("SE", ["demo_request"], [("sdr", "warm", True)]),
        ("NO", ["demo_request", "demo_request"], [("sales", "hot", True)]),
        ("NO", ["form", "demo_request"], [("sdr", "warm", False)]),
    ],
)
def test_fit_and_engagement_together_make_an_mql_once(
    country: str, acts: list[str], expected: list[Any]
) -> None:
    world = World()
    world.fits("l1", country=country)
    for act in acts:
        world.does("l1", act)
    assert qualifications(world) == expected


def test_two_leads_whose_source_gave_their_events_one_id_have_each_a_qualification_of_their_own() -> (
    None
):
    world = World()
    for lead in ("l1", "l2"):
        world.fits(lead)
        world.does(lead, "demo_request", event_id="1")
    reported = {fact.lead_id: fact.qualification_id for fact in world.facts(LeadQualified)}
    assert set(reported) == {"l1", "l2"}
    # the router knows hand-offs by it: the second lead would never be handed out
    assert len(set(reported.values())) == 2


@pytest.mark.parametrize(
    ("more", "qualifies"),
    [
        ({}, True),
        ({"ago": 7 * DAY}, True),
        ({"ago": 7 * DAY + 1}, False),
        ({"ago": 8 * DAY, "late": 2 * DAY}, True),
        ({"backfill": True}, False),
        ({"automatic": True}, False),
    ],
)
def test_a_fast_track_act_must_have_been_young_when_it_came_and_no_backfill(
    more: dict[str, Any], qualifies: bool
) -> None:
    world = ready()
    world.does("l1", "demo_request", **more)
    assert bool(qualifications(world)) == qualifies


def test_a_fast_track_act_that_was_retracted_before_it_came_raises_no_hand() -> None:
    world = ready()
    world.retract("l1", "00" * 16)
    world.does("l1", "demo_request", event_id="00" * 16)
    assert qualifications(world) == []


@pytest.mark.parametrize(
    ("bridge", "legs"),
    [
        ("every lead", ["sdr", "sdr"]),
        ("warm leads", ["sdr", "sales"]),
        ("none", ["sales", "sales"]),
    ],
)
def test_the_bridge_takes_what_the_agreement_gives_it(bridge: str, legs: list[str]) -> None:
    world = World(agreement(lifecycle={"bridge": bridge}))
    for lead, act in (("warm", "form"), ("raised", "demo_request")):
        world.fits(lead)
        world.does(lead, act)
    assert [fact.leg for fact in world.facts(LeadQualified)] == legs


GATES: dict[str, Any] = {
    "bridge": "warm leads",
    "gates": {
        "Read something about a decision": {
            "when": {
                "field": "behaviour.stage.decision",
                "op": "at_least",
                "value": 1,
                "within": "5 days",
            }
        }
    },
}


def test_reading_alone_is_not_buying_where_the_agreement_demands_a_decision_stage_act() -> None:
    world = ready(lifecycle=GATES)
    world.does("l1", "form")
    (scored,) = world.facts()
    assert (scored.level, scored.level_reason.split("; ")[1]) == (
        "warm",
        "not yet: Read something about a decision",
    )
    world.does("l1", "page_view", content_stage="decision")
    assert qualifications(world) == [("sdr", "warm", False)]


def test_a_gate_looks_at_its_window_only_and_a_raised_hand_passes_it() -> None:
    world = ready(lifecycle=GATES)
    world.does("l1", "form")
    world.does("l1", "page_view", content_stage="decision", ago=6 * DAY)
    assert qualifications(world) == []
    world.does("l1", "demo_request")
    assert qualifications(world) == [("sales", "hot", True)]


def test_the_level_has_separate_thresholds_for_the_way_up_and_down() -> None:
    world = ready()
    world.does("l1", "webinar")
    world.wait(8 * DAY)
    assert world.facts(LeadScored)[-1].level == "warm"
    world.does("l1", "unsubscribe")
    assert world.said() == [
        "l1/1 withdrawn by system: mql -> inquiry: cooled",
        "l1 cold A3 2.97397",
    ]


def test_the_dwell_delays_the_way_down_only() -> None:
    world = ready(dwell="2 days")
    world.does("l1", "webinar")
    world.wait(HOUR)
    world.said()
    world.does("l1", "unsubscribe")
    (scored,) = world.facts()
    assert (scored.level, scored.level_reason, scored.next_change_at_ms) == (
        "warm",
        "stays until the dwell has passed",
        world.now + 2 * DAY - HOUR,
    )
    world.wait(2 * DAY - HOUR - 1)
    assert world.said() == []
    world.wait(1)
    assert world.said() == [
        "l1/1 withdrawn by system: mql -> inquiry: cooled",
        "l1 cold A3 17.3607",
    ]
    world.does("l1", "form")
    assert world.said()[0] == "l1 warm A2 52.3607"


def test_the_next_change_is_after_the_dwell_and_when_the_score_is_below_then() -> None:
    """A negative act that fades inside the dwell: the score is above the threshold again when the
    level could fall."""
    points = {
        "groups": {
            "fast": {"half_life": "1 day", "window": "60 days"},
            "lasting": {"window": "60 days"},
        },
        "acts": {
            "form": {"points": 35, "group": "lasting"},
            "unsubscribe": {"points": -40, "group": "fast"},
        },
    }
    world = ready(engagement=points, dwell="5 days")
    world.does("l1", "form")
    since = world.now
    world.does("l1", "unsubscribe")
    *_, scored = world.facts(LeadScored)
    assert (scored.engagement_micro, scored.level, scored.level_reason) == (
        0,
        "warm",
        "stays until the dwell has passed",
    )
    assert scored.next_change_at_ms == since + 60 * DAY
    world.wait(60 * DAY - 1)
    assert world.said() == []
    world.wait(1)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: cooled", "l1 cold A3 0"]


def test_an_accepted_lead_stays_accepted_when_it_cools() -> None:
    world = ready()
    world.does("l1", "webinar")
    world.route("l1", "ann")
    world.act("l1", "accepted")
    world.said()
    world.wait(20 * DAY)
    assert world.said() == ["l1 cold A3 20"]


def test_a_raised_hand_does_not_cool() -> None:
    world = ready()
    world.does("l1", "demo_request")
    world.said()
    world.wait(90 * DAY)
    world.does("l1", "unsubscribe")
    assert not [line for line in world.said() if "withdrawn" in line]


def test_an_mql_whose_raised_hand_is_retracted_is_withdrawn() -> None:
    world = ready()
    raised = world.does("l1", "demo_request")
    world.said()
    world.retract("l1", raised)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: retracted", "l1 cold A3 0"]


def test_an_mql_with_another_raised_hand_or_enough_points_stays_one() -> None:
    world = ready()
    first = world.does("l1", "demo_request")
    world.does("l1", "demo_request")
    world.retract("l1", first)
    assert not [line for line in world.said() if "withdrawn" in line]
    second = world.does("l1", "demo_request", ago=MINUTE)
    world.does("l1", "form")
    world.retract("l1", second)
    assert not [line for line in world.said() if "withdrawn" in line]


def test_an_mql_whose_raised_hand_passed_closed_gates_is_withdrawn_with_the_hand() -> None:
    world = ready(lifecycle=GATES)
    world.does("l1", "form")
    raised = world.does("l1", "demo_request")
    assert world.said()[-1] == "l1 qualified for sales, hot, hand raised"
    world.retract("l1", raised)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: retracted", "l1 warm A2 35"]
    world.does("l1", "page_view", content_stage="decision")
    assert world.said()[-1] == "l1 qualified for sdr, warm"


def test_an_mql_whose_gates_were_opened_by_an_act_that_is_retracted_is_withdrawn() -> None:
    world = ready(lifecycle=GATES)
    opened = world.does("l1", "page_view", content_stage="decision")
    world.does("l1", "form")
    assert world.said()[-1] == "l1 qualified for sdr, warm"
    world.retract("l1", world.does("l1", "page_view"))
    assert not [line for line in world.said() if "withdrawn" in line]
    world.retract("l1", opened)
    assert world.said()[-2:] == [
        "l1/1 withdrawn by system: mql -> inquiry: retracted",
        "l1 warm A2 35",
    ]


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ({"field": "consent.marketing.email", "op": "is", "value": "granted"}, "consent"),
        ({"field": "lead.source", "op": "is", "value": "http"}, "act"),
        ({"field": "lead.campaign", "op": "is", "value": "spring"}, "act"),
        ({"field": "lead.leg", "op": "is", "value": "sdr"}, "form"),
    ],
)
def test_a_gate_may_ask_for_everything_and_opens_with_what_it_asks_for(
    when: dict[str, Any], opens: str
) -> None:
    world = ready(lifecycle={"bridge": "warm leads", "gates": {"It": {"when": when}}})
    world.does("l1", "form")
    assert len(qualifications(world)) == (opens == "form")
    world.does("l1", "page_view", campaign="spring")
    assert len(qualifications(world)) == (opens == "act")
    world.consent("l1", "marketing", granted=True)
    assert len(qualifications(world)) == (opens == "consent")


def test_gates_that_close_by_time_withdraw_nothing_when_something_else_is_retracted() -> None:
    world = ready(lifecycle=GATES)
    world.does("l1", "page_view", content_stage="decision")
    world.does("l1", "form")
    other = world.does("l1", "page_view")
    world.wait(6 * DAY)
    world.retract("l1", other)
    assert not [line for line in world.said() if "withdrawn" in line]


def test_the_act_that_tipped_the_scale_is_retracted_without_regard_to_dwell_and_exit() -> None:
    world = ready(dwell="10 days")
    world.does("l1", "page_view")
    world.does("l1", "page_view")
    tipped = world.does("l1", "page_view")
    assert world.said()[-2:] == [
        "l1/1 qualified by system: inquiry -> mql",
        "l1 qualified for sdr, warm",
    ]
    world.retract("l1", tipped)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: retracted", "l1 cold A3 20"]


def test_a_level_that_others_hold_up_after_a_retraction_trembles_no_more_than_any_other() -> None:
    """The act that raised it is gone, once: the exit threshold and the dwell hold again for what
    comes after."""
    acts = dict(ENGAGEMENT["acts"]) | {"careers_view": {"points": -10, "group": "lasting"}}
    world = ready(engagement=ENGAGEMENT | {"acts": acts}, dwell="5 days")
    raised = world.does("l1", "webinar")
    world.wait(10 * DAY)
    world.does("l1", "form")
    world.retract("l1", raised)
    assert world.said()[-1] == "l1 warm A2 35"
    world.does("l1", "careers_view")
    assert world.said() == ["l1 warm A3 25"]
    world.retract("l1", world.does("l1", "page_view"))
    assert not [line for line in world.said() if "cold" in line]


def test_what_was_retracted_long_ago_does_not_count_again() -> None:
    """A window longer than retractions of what is still to come are kept."""
    groups = ENGAGEMENT["groups"] | {"lasting": {"window": "900 days"}}
    world = ready(engagement=ENGAGEMENT | {"groups": groups})
    world.retract("l1", world.does("l1", "form"))
    world.wait(410 * DAY)
    world.retract("l1", "ab" * 16)
    world.said()
    world.does("l1", "email_click")
    assert world.said() == []


def test_a_withdrawn_lead_qualifies_again_by_a_new_cause_in_the_same_cycle() -> None:
    world = ready()
    world.does("l1", "webinar")
    world.wait(11 * DAY)
    world.does("l1", "form")
    found = world.facts(LeadQualified, whole=True)
    assert [fact.cycle for fact in found] == [1, 1]
    assert len({fact.qualification_id for fact in found}) == 2


def test_a_mail_scanner_clicks_every_link_and_none_of_them_counts() -> None:
    world = ready(
        engagement=ENGAGEMENT
        | {"acts": dict(ENGAGEMENT["acts"]) | {"email_click": {"points": 18, "group": "lasting"}}}
    )
    world.does("l1", "email_click", link_group="mail-1", ago=4000)
    world.does("l1", "email_click", link_group="mail-1", ago=3000)
    assert world.said()[-1] == "l1 qualified for sdr, warm"
    world.does("l1", "email_click", link_group="mail-1", ago=2000)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: retracted", "l1 cold A3 0"]
    world.does("l1", "email_click", link_group="mail-2")
    assert world.said() == ["l1 cold A3 18"]


def test_time_never_qualifies_even_where_a_decaying_negative_raises_the_number() -> None:
    world = ready()
    world.does("l1", "unsubscribe")
    world.does("l1", "form")
    assert world.said() == ["l1 cold A3 15"]
    world.wait(40 * DAY)
    assert world.said() == []
    world.does("l1", "page_view")
    assert world.said()[0] == "l1 warm A2 43.75"


def test_a_lead_that_is_looked_at_when_its_dwell_ends_does_not_rise_by_time_alone() -> None:
    """It has no need to be looked at then; a wake that comes all the same changes nothing."""
    points = ENGAGEMENT | {
        "acts": dict(ENGAGEMENT["acts"]) | {"form": {"points": 105, "group": "lasting"}}
    }
    world = ready(dwell="20 days", engagement=points)
    shelf = Shelf(reference_of(agreement(dwell="20 days", engagement=points)))
    for act in ("unsubscribe", "unsubscribe", "unsubscribe", "form", "unsubscribe", "unsubscribe"):
        world.does("l1", act)
    assert world.facts(LeadScored)[-1].level == "warm"
    for topic, event in [
        (record.topic, record.value)
        for record in world.host.log.history
        if record.topic == "intake.leads.v1"
    ]:
        shelf.take(codec_for(LeadInput).decode(event), now=MONDAY_0900, topic=topic)
    shelf.wake_at = MONDAY_0900 + 20 * DAY
    reported = [fact.value for fact in shelf.pass_time(MONDAY_0900 + 21 * DAY)]
    assert (
        [scored.level for scored in reported if isinstance(scored, LeadScored)]
        == [shelf.head.level]
        == ["warm"]
    )
    world.wait(21 * DAY)
    assert world.facts(LeadScored) == []
    world.does("l1", "page_view")
    assert world.facts(LeadScored)[-1].level == "hot"


def test_an_act_of_the_future_counts_from_when_it_came() -> None:
    world = ready()
    world.does("l1", "webinar", ago=-10 * DAY)
    assert world.said()[0] == "l1 warm A2 40"


def test_each_event_counts_once_however_often_it_comes() -> None:
    world = ready()
    event_id = world.does("l1", "page_view")
    for _ in range(5):
        world.does("l1", "page_view", event_id=event_id)
        world.does("l1", "page_view", event_id=event_id, ago=MINUTE)
    assert world.facts(LeadScored)[-1].engagement_micro <= 10_000_000


def test_the_story_of_a_hand_off_says_what_a_person_needs() -> None:
    world = World()
    world.fits("l1", domain="acme.example", source="fair")
    world.consent("l1", "sales", granted=True)
    world.consent("l1", "marketing", granted=False)
    world.does(
        "l1",
        "page_view",
        content_title="Moving over",
        topics=("migration", "security"),
        campaign="spring",
        ago=3 * DAY,
    )
    gone = world.does(
        "l1",
        "page_view",
        content_title="Clicked by a robot",
        topics=("pricing",),
        campaign="robots",
        ago=4 * DAY,
    )
    world.retract("l1", gone)
    world.does(
        "l1", "webinar", content_title="Safe moves", topics=("migration",), campaign="summer"
    )
    (qualified,) = world.facts(LeadQualified)
    story = qualified.story
    assert (story.account_id, story.source, story.first_campaign, story.latest_campaign) == (
        "acme.example",
        "fair",
        "spring",
        "summer",
    )
    assert [(content.title, content.act) for content in story.content] == [
        ("Safe moves", "webinar"),
        ("Moving over", "page_view"),
    ]
    assert story.interests == ("migration", "security")
    assert story.consents == {"sales/email": "granted", "marketing/email": "refused"}
    assert [(reason.name, reason.content_title) for reason in story.why_now] == [
        ("webinar", "Safe moves"),
        ("page_view", "Moving over"),
    ]
    assert sum(reason.points_micro for reason in story.why_now) == qualified.engagement_micro
    assert [(criterion.name, criterion.outcome) for criterion in story.criteria] == [
        ("From Norway", "met")
    ]


def test_a_result_explains_itself() -> None:
    world = ready(
        engagement=ENGAGEMENT
        | {
            "groups": {
                "halving": {"half_life": "10 days", "window": "60 days", "cap": 55},
                "lasting": {"window": "60 days"},
            }
        }
    )
    for _ in range(2):
        world.does("l1", "webinar", ago=10 * DAY)
    world.does("l1", "webinar")
    scored = world.facts(LeadScored)[-1]
    lines = [
        (contribution.kind, contribution.name, contribution.points_micro)
        for contribution in scored.contributions
    ]
    assert lines == [
        ("act", "webinar", 40_000_000),
        ("act", "webinar", 20_000_000),
        ("act", "webinar", 20_000_000),
        ("cap", "cap of halving", -25_000_000),
    ]
    assert sum(points for _, _, points in lines) == scored.engagement_micro == 55_000_000
    assert scored.contributions[0].base_micro == 40_000_000
    assert scored.level_reason == "A2: fit from 50, engagement from 30: warm"


def test_the_act_that_made_the_lead_ready_is_among_the_reasons_however_many_weigh_more() -> None:
    engagement = {
        "groups": {"lasting": {"window": "60 days", "per_day": 40}},
        "acts": {
            "webinar": {"points": 3, "group": "lasting"},
            "demo_request": {"points": 1, "group": "lasting", "fast_track": True},
        },
    }
    world = World(agreement(engagement=engagement))
    for _ in range(9):
        world.does("l1", "webinar")
    demo = world.does("l1", "demo_request")
    (qualified,) = world.facts(LeadQualified)
    lines = qualified.story.why_now
    assert [line.name for line in lines] == [*["webinar"] * 7, "demo_request", "2 more"]
    assert lines[7].event_id == demo
    assert sum(line.points_micro for line in lines) == qualified.engagement_micro == 28_000_000
