"""The scorer's part of the main job: scored, qualified, accepted, passed on, won, recycled; the
whole ordered list each time."""

from tests.services.scorer.scorer_world import DAY, HOUR, World


def test_a_lead_qualifies_at_the_threshold_and_goes_through_the_whole_cycle() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "page_view")
    assert world.said() == ["l1 cold A3 0", "l1 cold A3 10"]
    world.does("l1", "form")
    assert world.said() == [
        "l1 warm A2 45",
        "l1/1 qualified by system: inquiry -> mql",
        "l1 qualified for sdr, warm",
    ]
    handoff = world.route("l1", "ann")
    world.act("l1", "accepted", handoff_id=handoff)
    assert world.said() == ["l1/1 accepted by sdr: mql -> tal"]
    world.act("l1", "qualified")
    assert world.said() == ["l1/1 qualified by sdr: tal -> tql", "l1 qualified for sales, warm"]
    world.route("l1", "rex")
    world.act("l1", "accepted", "rex", actor="sales")
    world.act("l1", "qualified", "rex", actor="sales")
    world.act("l1", "opportunity", "rex", actor="sales", amount_minor=1_000_00, currency="EUR")
    world.act("l1", "won", "rex", actor="sales")
    assert world.said() == [
        "l1/1 accepted by sales: tql -> sal",
        "l1/1 qualified by sales: sal -> sql",
        "l1/1 opportunity by sales: sql -> opportunity",
        "l1/1 won by sales: opportunity -> customer",
        "l1 cold A3 0",
    ]


def test_a_demo_request_qualifies_at_once() -> None:
    world = World()
    world.fits("l1")
    world.said()
    world.does("l1", "demo_request")
    assert world.said() == [
        "l1 cold A3 20",
        "l1/1 qualified by system: inquiry -> mql",
        "l1 qualified for sales, hot, hand raised",
    ]


def test_a_warm_lead_cools_by_itself_and_is_withdrawn() -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "webinar")
    world.said()
    world.wait(10 * DAY)
    assert world.said() == []
    world.wait(HOUR)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: cooled", "l1 cold A3 20"]
