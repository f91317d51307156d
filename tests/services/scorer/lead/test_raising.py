"""Only what itself raised the number may raise the level; a threshold that an act exactly reaches
is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.contracts.intake import Consent
from baton.contracts.leads import LeadScored
from tests.services.scorer.lead.test_dispositions import recycled
from tests.services.scorer.scorer_world import DAY, HOUR, LEVELS, World, agreement, person_reported

SHORT_NEGATIVE = {
    "groups": {
        "lasting": {"window": "60 days"},
        "short": {"half_life": "1 day"},
        "halving": {"half_life": "10 days"},
    },
    "acts": {
        "form": {"points": 35, "group": "lasting"},
        "page_view": {"points": 1, "group": "lasting", "per_day": 1},
        "unsubscribe": {"points": -20, "group": "short"},
        "careers_view": {"points": -1, "group": "lasting"},
        "email_click": {"points": 0, "group": "lasting"},
    },
}


def below_its_number() -> World:
    """A lead whose number has risen above the threshold, since what counted against it has decayed:
    35 points from 30 on, and cold."""
    world = World(agreement(engagement=SHORT_NEGATIVE))
    world.fits("l1")
    world.does("l1", "unsubscribe")
    world.does("l1", "form")
    world.wait(5 * DAY)
    assert world.said()[-1] == "l1 cold A3 15"
    return world


def refusal(world: World) -> None:
    world.consent("l1", "marketing", False)


def grant(world: World) -> None:
    world.consent("l1", "marketing", True)


def note(world: World) -> None:
    world.send(person_reported("l1", at_ms=world.now, note="called back"))


def negative(world: World) -> None:
    world.does("l1", "careers_view")


def worthless(world: World) -> None:
    world.does("l1", "email_click")


def time(world: World) -> None:
    world.wait(10 * DAY)


def same_fit(world: World) -> None:
    world.report("l1", "profile", profile={"industry": "retail"})


def retraction_of_nothing(world: World) -> None:
    world.retract("l1", "nobody knows it")


def late_backfill(world: World) -> None:
    """So old that it left its window."""
    world.does("l1", "form", ago=100 * DAY, backfill=True)


@pytest.mark.parametrize(
    "happens",
    [
        refusal,
        grant,
        note,
        negative,
        worthless,
        time,
        same_fit,
        retraction_of_nothing,
        late_backfill,
    ],
)
def test_what_does_not_raise_the_number_raises_no_level(happens: Callable[[World], None]) -> None:
    world = below_its_number()
    happens(world)
    assert [line for line in world.said() if "warm" in line or "qualified" in line] == []


def points(world: World) -> None:
    world.does("l1", "page_view")


def better_fit(world: World) -> None:
    world.report("l1", "profile", profile={"country": "NO", "industry": "retail"})


def test_what_raises_the_number_raises_the_level() -> None:
    world = below_its_number()
    points(world)
    assert world.said()[-2:] == [
        "l1/1 qualified by system: inquiry -> mql",
        "l1 qualified for sdr, warm",
    ]


def test_a_fit_that_rises_raises_the_level() -> None:
    world = World(agreement(engagement=SHORT_NEGATIVE))
    world.does("l1", "form")
    world.said()
    better_fit(world)
    assert world.said()[-1] == "l1 qualified for sdr, warm"


def test_a_refusal_qualifies_nobody_who_is_ready_once_the_cool_off_is_over() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    world.route("l1", "ann")
    world.act("l1", "recycled", reason="not_ready")
    world.send(recycled("l1", cool_off_until_ms=world.now + DAY))
    world.wait(HOUR)
    world.does("l1", "form")
    world.does("l1", "webinar")
    world.wait(2 * DAY)
    world.said()
    world.consent("l1", "sales", False)
    world.does("l1", "unsubscribe")
    assert not [line for line in world.said() if "qualified" in line]
    world.does("l1", "page_view")
    assert world.said()[-1] == "l1 qualified for sales, hot"


def exact(**levels: Any) -> World:
    engagement = {
        "groups": {"g": {"half_life": "10 days"}},
        "acts": {"form": {"points": 30, "group": "g"}},
    }
    return World(agreement(engagement=engagement, levels={**LEVELS, **levels}, dwell="0 days"))


@pytest.mark.parametrize("late", [0, 1, 250, 5_000, HOUR // 2])
def test_an_act_worth_exactly_the_threshold_reaches_it_however_late_it_arrives_within_a_tenth(
    late: int,
) -> None:
    world = exact()
    world.fits("l1")
    world.does("l1", "form", ago=late)
    assert world.said()[-1] == "l1 qualified for sdr, warm"


def test_a_threshold_that_is_missed_by_a_tenth_is_missed() -> None:
    world = exact()
    world.fits("l1")
    world.does("l1", "form", ago=HOUR)
    assert "qualified" not in " ".join(world.said())


def test_a_band_without_an_exit_of_its_own_is_left_where_it_would_not_be_entered_and_the_moment_is_the_published_one() -> (
    None
):
    bands = {"1": {"enter": 60}, "2": {"enter": 30}, "3": {"enter": 0}}
    world = exact(engagement=bands)
    world.fits("l1")
    world.does("l1", "form")
    falls_at = world.facts(LeadScored)[-1].next_change_at_ms
    assert falls_at - world.now > 30 * 60_000
    world.wait(falls_at - world.now - 1)
    assert world.said() == []
    world.wait(1)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: cooled", "l1 cold A3 29.95"]


def test_a_consent_that_is_retracted_raises_no_level_either() -> None:
    world = below_its_number()
    event = world.report(
        "l1", "consent", consent=Consent(purpose="sales", channel="any", granted=True)
    )
    world.retract("l1", event)
    assert not [line for line in world.said() if "warm" in line]
