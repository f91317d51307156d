"""What two reps, their promises and their absences do to a lead, through the whole system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cases.two_reps import (
    Happening,
    act,
    agreed,
    away,
    engagement,
    lines,
    profile,
)

ACCEPT = {"clock": "accept", "within": "1 business hour"}
QUALIFY = {"clock": "qualify", "within": "8 business hours"}
FIRST_TOUCH = {"clock": "first_touch", "within": "2 business hours"}
ALONE = {"pools.sales.members": {"a": {}}}
TWO_WEEKS = ("2027-06-14T00:00", "2027-06-28T00:00")


def test_an_offer_to_a_rep_who_falls_ill_goes_to_the_colleague_when_the_office_opens(
    tmp_path: Path,
) -> None:
    asked = [
        engagement("2027-06-11T16:50", act="demo_request"),
        away("2027-06-14T08:00", "b", *TWO_WEEKS),
    ]
    found = lines(agreed(tmp_path, {"slas.promises": [ACCEPT]}), asked, "2027-06-14T09:30")
    assert found == [
        "11 Jun 16:50 qualified by system",
        "11 Jun 16:50 routed to b in sales by in_turn",
        "11 Jun 16:50 accept of b running until 14 Jun 09:50",
        "14 Jun 08:00 accept of b running until 28 Jun 09:50: absence",
        "14 Jun 08:00 recalled in sales: absence",
        "14 Jun 08:00 withdrawn of b: absence",
        "14 Jun 08:00 accept of b cancelled: absence",
        "14 Jun 08:00 held in sales: closed,had_it_before, next try 14 Jun 09:00",
        "14 Jun 09:00 routed to a in sales by in_turn",
        "14 Jun 09:00 accept of a running until 14 Jun 10:00",
    ]


def test_the_deadline_of_accepted_work_follows_an_absence_and_its_end_at_once(
    tmp_path: Path,
) -> None:
    happenings = [
        engagement("2027-06-14T16:50"),
        act("2027-06-14T17:00", "accepted", "a"),
        away("2027-06-14T17:30", "a", "2027-06-15T00:00", "2027-06-28T00:00"),
        away("2027-06-15T08:00", "a", "2027-06-15T00:00", "2027-06-28T00:00", cancelled=True),
    ]
    promises = {"slas.promises": [QUALIFY], **ALONE}
    found = lines(agreed(tmp_path, promises), happenings, "2027-06-16T09:00")
    assert [line for line in found if "qualify" in line] == [
        "14 Jun 17:00 qualify of a running until 15 Jun 17:00",
        "14 Jun 17:30 qualify of a running until 28 Jun 17:00: absence",
        "15 Jun 08:00 qualify of a running until 15 Jun 17:00: absence",
        "15 Jun 17:00 qualify of a breached",
        "15 Jun 17:00 violation of qualify: breach",
    ]


def test_a_call_by_whom_the_lead_was_offered_to_frees_the_place_of_the_offer_too(
    tmp_path: Path,
) -> None:
    """One open offer is all that ``a`` may have: the next lead is offered, so the first is none."""
    happenings = [
        engagement("2027-06-07T10:00"),
        act("2027-06-07T10:05", "call", "a", outcome="reached"),
        engagement("2027-06-07T10:10", "l2"),
        act("2027-06-07T15:00", "meeting", "a"),
    ]
    house = agreed(
        tmp_path,
        {
            "slas.promises": [ACCEPT, {"clock": "qualify", "within": "40 working days"}],
            "pools.sales.members": {"a": {"offers": 1}},
        },
    )
    assert lines(house, happenings, "2027-07-20T12:00") == [
        "07 Jun 10:00 qualified by system",
        "07 Jun 10:00 routed to a in sales by in_turn",
        "07 Jun 10:00 accept of a running until 07 Jun 11:00",
        "07 Jun 10:05 accepted by a: by_touch",
        "07 Jun 10:05 accept of a met",
        "07 Jun 10:05 qualify of a running until 02 Aug 10:05",
        "07 Jun 10:10 qualified by system",
        "07 Jun 10:10 routed to a in sales by in_turn",
        "07 Jun 10:10 accept of a running until 07 Jun 11:10",
        "07 Jun 11:10 accept of a breached",
        "07 Jun 11:10 violation of accept: breach",
        # the second one cools, untouched; the first one was accepted and stays
        "27 Jun 18:22 withdrawn by system: cooled",
        "27 Jun 18:22 withdrawn of a: withdrawn",
        "27 Jun 18:22 accept of a abandoned: withdrawn: cooled",
        "27 Jun 18:22 rests until 27 Sep 09:00",
        "27 Jun 18:22 recycled by system: cooled",
    ]


def test_three_calls_in_twenty_seconds_are_one_attempt(tmp_path: Path) -> None:
    promise = {"clock": "follow_up", "attempts": 3, "apart": "2 hours", "within": "2 working days"}
    happenings = [
        engagement("2027-06-07T10:00"),
        act("2027-06-07T10:05", "accepted", "a"),
        *(act(f"2027-06-07T10:06:{second:02}", "call", "a") for second in (0, 10, 20)),
    ]
    house = agreed(tmp_path, {"slas.promises": [promise], **ALONE})
    assert lines(house, happenings, "2027-06-10T12:00")[-2:] == [
        "09 Jun 10:05 follow_up of a breached",
        "09 Jun 10:05 violation of follow_up: breach",
    ]


@pytest.mark.parametrize(
    ("called", "ends"),
    [
        (
            "2027-06-15T11:40",
            [
                "15 Jun 12:20 first_touch of a withdrawn",
                "15 Jun 12:20 violation of first_touch: withdrawn",
            ],
        ),
        ("2027-06-15T12:05", ["15 Jun 12:20 first_touch of a met_late"]),
    ],
    ids=["before the deadline", "after it"],
)
def test_a_breach_is_recorded_at_once_and_withdrawn_by_a_call_of_before_that_comes_in_late(
    called: str, ends: list[str], tmp_path: Path
) -> None:
    happenings: list[Happening] = [
        engagement("2027-06-15T10:00"),
        act("2027-06-15T10:30", "mail", "a", automatic=True),
        act("2027-06-15T10:40", "accepted", "a", outcome="working"),
        act(called, "call", "a", seen="2027-06-15T12:20"),
    ]
    house = agreed(tmp_path, {"slas.promises": [ACCEPT, FIRST_TOUCH], **ALONE})
    found = lines(house, happenings, "2027-06-16T12:00")
    assert [line for line in found if "first_touch" in line] == [
        "15 Jun 10:00 first_touch of a running until 15 Jun 12:00",
        "15 Jun 12:00 first_touch of a breached",
        "15 Jun 12:00 violation of first_touch: breach",
        *ends,
    ]


def test_the_verdict_of_an_sdr_meets_the_clock_of_the_sdr(tmp_path: Path) -> None:
    house: dict[str, Any] = {
        "lifecycle.bridge": "every lead",
        "calendars.always": {"hours": {"mon-sun": "00:00-24:00"}},
        "people.s": {"name": "S", "calendar": "always"},
        "pools.sdr": {"kind": "sdr", "manager": "m", "members": {"s": {"capacity": 1}}},
        "routing.default.sdr": "sdr",
        "slas.promises": [ACCEPT, {"clock": "qualify", "queue": "sdr", "within": "1 working day"}],
        **ALONE,
    }
    happenings = [
        engagement("2027-06-12T10:00"),
        act("2027-06-12T10:10", "accepted", "s"),
        engagement("2027-06-12T10:20", "l2"),
        act("2027-06-12T11:00", "qualified", "s"),
    ]
    found = lines(agreed(tmp_path, house), happenings, "2027-06-12T11:01")
    assert [line for line in found if "qualify" in line] == [
        "12 Jun 10:10 qualify of s running until 13 Jun 10:10",
        "12 Jun 11:00 qualify of s met",
    ]
    # the place that the verdict frees is for the lead that waits, and sales is closed on a Saturday
    assert [line for line in found if " routed to " in line or " held in " in line] == [
        "12 Jun 10:00 routed to s in sdr by in_turn",
        "12 Jun 10:20 held in sdr: full",
        "12 Jun 11:00 routed to s in sdr by in_turn",
        "12 Jun 11:00 held in sales: closed, next try 14 Jun 09:00",
    ]


@pytest.mark.parametrize("known", ["before", "after"])
def test_an_end_of_contract_counts_whenever_it_is_learnt(known: str, tmp_path: Path) -> None:
    learnt = profile(
        "2027-01-24T10:00" if known == "before" else "2027-02-01T10:00", contract_end="2027-04-30"
    )
    happenings = [
        learnt,
        engagement("2027-01-25T10:00"),
        act("2027-01-25T10:30", "accepted", "a"),
        act("2027-01-25T11:00", "recycled", "a", reason="in_contract"),
        # what was said already, and by whom it may not be said
        act("2027-02-03T10:00", "recycled", "a", reason="in_contract", contract_end="2027-04-30"),
        act("2027-02-04T10:00", "recycled", "m", reason="in_contract", contract_end="2027-04-30"),
    ]
    found = lines(agreed(tmp_path, ALONE), happenings, "2027-03-01T10:00")
    assert [line for line in found if "rests" in line or "back" in line] == {
        "before": ["25 Jan 11:00 rests until 01 Mar 09:00", "01 Mar 09:00 comes back: return_date"],
        "after": [
            "25 Jan 11:00 rests until 26 Jul 09:00",
            "01 Feb 10:00 rests until 01 Mar 09:00",
            "01 Mar 09:00 comes back: return_date",
        ],
    }[known]


def test_where_the_cool_off_is_as_long_as_the_rest_the_lead_is_back_on_that_day(
    tmp_path: Path,
) -> None:
    rest = {
        "outcome": "recycle",
        "track": "t1",
        "comes_back": "after 30 days",
        "cool_off": "30 days",
    }
    happenings = [
        engagement("2027-01-04T11:00"),
        act("2027-01-05T11:00", "rejected", "b", reason="not_ready"),
        act("2027-01-05T11:00", "rejected", "a", reason="not_ready"),
    ]
    house = agreed(tmp_path, {"recycling.reasons.not_ready": rest})
    found = lines(house, happenings, "2027-02-05T10:00")
    assert [line for line in found if "rests" in line or "back" in line] == [
        "05 Jan 11:00 rests until 04 Feb 11:00",
        "04 Feb 11:00 comes back: return_date",
    ]


def test_a_rejected_lead_goes_to_the_colleague_and_not_back_to_who_had_it(tmp_path: Path) -> None:
    """It is asked again of somebody only when both have sent it back."""
    happenings = [
        engagement("2027-06-07T10:00"),
        act("2027-06-07T10:01", "rejected", "a", reason="misrouted"),
        act("2027-06-07T10:02", "rejected", "b", reason="misrouted"),
    ]
    found = lines(agreed(tmp_path, {}), happenings, "2027-06-07T10:30")
    assert [line for line in found if " routed to " in line] == [
        "07 Jun 10:00 routed to a in sales by in_turn",
        "07 Jun 10:01 routed to b in sales by in_turn",
        "07 Jun 10:02 routed to a in sales by in_turn:rejecters_asked_again",
    ]


@pytest.mark.parametrize(
    ("hours", "due"),
    [("22:00-06:00", "27 May 00:30"), ("00:00-06:00, 22:00-24:00", "28 May 00:30")],
    ids=["one shift, of the day on which it begins", "two spans, of two days"],
)
def test_a_night_before_a_holiday(hours: str, due: str, tmp_path: Path) -> None:
    """27 May 2027 is Corpus Christi in Bavaria."""
    calendar = {"timezone": "Europe/Berlin", "hours": {"mon-sun": hours}, "holidays": ["DE-BY"]}
    house = agreed(tmp_path, {"calendars.house": calendar, **ALONE})
    found = lines(house, [engagement("2027-05-26T23:30")], "2027-05-26T23:31")
    assert found[-1] == f"26 May 23:30 accept of a running until {due}"


def test_an_office_that_is_open_on_tuesdays_alone_is_waited_for(tmp_path: Path) -> None:
    calendar = {"timezone": "Europe/Berlin", "hours": {"tue": "08:00-17:00"}}
    asked = [engagement("2027-06-08T16:40"), engagement("2027-06-09T16:40", "l2")]
    found = lines(agreed(tmp_path, {"calendars.house": calendar}), asked, "2027-06-15T08:01")
    assert [line for line in found if "accept" in line or "held" in line] == [
        "08 Jun 16:40 accept of a running until 15 Jun 08:40",
        "09 Jun 16:40 held in sales: closed, next try 15 Jun 08:00",
        "15 Jun 08:00 accept of b running until 15 Jun 09:00",
    ]


@pytest.mark.parametrize(
    "colleague",
    [
        {"people.a": {"name": "A", "manager": "m", "active": False}},
        {
            "calendars.late": {"timezone": "Europe/Berlin", "hours": {"mon-fri": "14:00-20:00"}},
            "people.a": {"name": "A", "manager": "m", "calendar": "late"},
        },
    ],
    ids=["who has left", "outside their own hours"],
)
def test_who_cannot_take_a_lead_has_no_turn(colleague: dict[str, Any], tmp_path: Path) -> None:
    asked = [engagement(f"2027-06-07T10:0{number}", f"l{number}") for number in range(3)]
    found = lines(agreed(tmp_path, colleague), asked, "2027-06-07T10:10")
    assert [line.split(" to ")[1] for line in found if " routed to " in line] == [
        "b in sales by in_turn"
    ] * 3
