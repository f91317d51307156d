"""Cases that were seen to fail, each with its right outcome. They stand for kinds; the tables and
laws beside them are in ``lead/``."""

from __future__ import annotations

from baton.agreement.canonical import compiled_of
from baton.agreement.source.read import read_agreement
from baton.agreement_report.examples import run_examples
from baton.contracts.goals import GoalProgress
from baton.contracts.intake import LeadPerson, Person
from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled
from tests.services.scorer.case_runs import (
    CASES,
    SOFTWARE,
    field,
    last_score,
    of,
    path_of,
    records_of,
    scoring,
)


def test_a_hand_off_carries_the_person_that_came_with_the_request() -> None:
    (routed,) = of(LeadRouted, scoring("person-of-the-request", "2027-03-01T10:00Z"))
    person = routed.qualified.story.person
    assert (
        person.first_name,
        person.last_name,
        person.stated_problem,
        person.current_supplier,
    ) == (
        "Ann",
        "Berg",
        "Enquiries wait for days",
        "Spreadsheets",
    )
    (routed,) = of(LeadRouted, field("handoff-without-the-form"))
    person = routed.qualified.story.person
    assert (person.first_name, person.stated_problem) == ("Ann", "Leads wait")


def test_erasing_a_customer_changes_no_goal() -> None:
    achieved = {
        progress.goal: progress.achieved
        for progress in of(GoalProgress, scoring("erased-customer", "2027-03-01T14:00Z"))
    }
    assert achieved == {"mqls": 1, "sals": 1, "sqls": 1, "opps": 1, "won": 1}


def test_a_consent_of_a_customer_is_no_move() -> None:
    assert (
        path_of(scoring("consent-of-a-customer"))[-1]
        == "2: consent_changed by system: customer -> customer"
    )


def test_a_hand_raised_between_a_rejection_and_its_report_belongs_to_the_next_cycle() -> None:
    assert path_of(scoring("rejection-reported-after-the-demo", "2027-03-02T09:00Z")) == [
        "1: qualified by system: inquiry -> mql",
        "1: for sdr, warm",
        "1: hand_raised by system: mql -> mql",
        "1: rejected by a: mql -> mql",
        "1: recycled by a: mql -> recycled",
        "2: qualified by system: recycled -> mql",
        "2: for sales, hot",
    ]


def test_an_act_worth_exactly_the_threshold_reaches_it_whenever_it_arrives() -> None:
    records = scoring("exactly-the-threshold", "2026-03-02T10:00:02Z")
    assert path_of(records) == ["1: qualified by system: inquiry -> mql", "1: for sdr, warm"]
    assert last_score(records).engagement_micro == 19_999_999


def test_an_acceptance_from_before_the_cooling_stands() -> None:
    assert path_of(scoring("accepted-before-it-cooled", "2027-03-19T00:00Z"))[2:] == [
        "1: withdrawn by system: mql -> inquiry",
        "1: recycled by system: inquiry -> recycled",
        "1: qualified by system: recycled -> mql",
        "1: for sdr, warm",
        "1: accepted by a: mql -> tal",
    ]


def test_an_act_of_a_former_cycle_does_nothing_to_the_next() -> None:
    path = path_of(scoring("same-act-after-45-days", "2027-05-01T09:00Z"))
    assert path[-3:] == [
        "2: qualified by system: inquiry -> mql",
        "2: for sdr, warm",
        "rejected by a refused: former_cycle",
    ]


def test_a_refusal_of_consent_makes_nobody_ready() -> None:
    records = scoring("refusal-of-consent", "2027-02-03T10:00Z")
    assert path_of(records) == []
    assert {scored.level for scored in of(LeadScored, records)} == {"cold"}


def test_a_retracted_event_takes_its_profile_with_it() -> None:
    assert last_score(scoring("profile-of-a-retracted-event", "2027-03-01T11:00Z")).fit_micro == 0


def test_after_a_retraction_the_former_value_is_back() -> None:
    (routed,) = of(LeadRouted, scoring("former-value-of-a-profile"))
    assert routed.qualified.story.profile["employees"] == "450"


def test_a_lost_deal_needs_a_reason_of_the_agreement() -> None:
    records = scoring("lost-without-a-reason", "2027-02-01T10:00Z")
    assert path_of(records)[-2:] == [
        "1: qualified by s: sal -> sql",
        "lost by s refused: reason_missing",
    ]
    assert of(LeadRecycled, records) == []


def test_acts_beyond_a_daily_limit_have_a_line() -> None:
    lines = last_score(scoring("daily-limit", "2027-03-01T14:00Z")).contributions
    assert [(line.name, line.points_micro) for line in lines if line.kind == "limit"] == [
        ("1 beyond 20 a day: pricing", 0),
        ("1 beyond 20 a day: webinar", 0),
    ]


def test_the_next_change_that_was_published_last_is_when_the_level_falls() -> None:
    records = scoring("next-change", "2027-03-01T00:00Z")
    scores = of(LeadScored, records)
    withdrawn = next(staged for staged in of(LeadStaged, records) if staged.event == "withdrawn")
    assert scores[-1].level == "cold"
    assert scores[-2].next_change_at_ms == scores[-1].scored_at_ms == withdrawn.at_ms


def test_a_hand_raised_during_an_open_warm_hand_off_makes_it_hot() -> None:
    for records in (
        scoring("hand-raised-on-a-warm-lead", "2027-02-01T17:00Z"),
        field("raised-hand-and-the-clock"),
    ):
        raised = next(staged for staged in of(LeadStaged, records) if staged.event == "hand_raised")
        (routed,) = of(LeadRouted, records)
        assert (raised.level, raised.hand_raised, raised.handoff_id) == (
            "hot",
            True,
            routed.handoff_id,
        )


def test_the_hand_off_to_sales_names_the_sdr_who_qualified_the_lead() -> None:
    routed = of(LeadRouted, scoring("sdr-who-qualified", "2027-04-02T10:00Z"))
    assert [(fact.leg, fact.qualified.qualified_by) for fact in routed] == [
        ("sdr", None),
        ("sales", "a"),
        ("sales", None),
    ]


def test_points_are_compared_with_the_zeros_that_are_written() -> None:
    (ran,) = run_examples(read_agreement(CASES / "scoring" / "points-with-trailing-zeros.yaml"))
    assert [
        (difference.what, difference.expected, difference.found) for difference in ran.differences
    ] == [("engagement", "8.000000", "8.201")]


def test_what_the_examples_say_happens_at_any_speed_of_delivery() -> None:
    ran = list(run_examples(read_agreement(CASES / "scoring" / "exactly-the-threshold.yaml")))
    assert [run.differences for run in ran] == [(), (), ()]


def test_the_latest_record_of_a_person_is_the_whole_person() -> None:
    latest = of(LeadPerson, field("persons-topic-forgets"))[-1]
    assert latest.person == Person(
        email="ann@acme.example", first_name="Ann", last_name="Berg", phone="+49301234567"
    )


def test_the_end_of_a_contract_is_the_one_that_the_profile_reports() -> None:
    (recycled,) = of(LeadRecycled, field("contract-end-of-the-profile"))
    # 2026-05-04, 09:00 in Berlin: sixty days before, and no holiday
    assert recycled.return_at_ms == 1_777_878_000_000
    assert recycled.needs is None


def test_a_stranger_is_refused() -> None:
    case = CASES / "routing" / "accepted-by-a-stranger"
    path = path_of(records_of(case.with_suffix(".yaml"), case.with_suffix(".jsonl")))
    assert path[-1] == "accepted by ghost refused: unknown_person"


def test_the_company_that_a_source_says_outranks_the_one_of_an_address() -> None:
    (routed,) = of(LeadRouted, field("account-reported-by-crm-lost"))
    assert (routed.owner, routed.rule, routed.qualified.story.account_id) == (
        "ae-hugo",
        "named_account",
        "harborlight.example",
    )


def test_a_placeholder_overwrites_no_country() -> None:
    (routed,) = of(LeadRouted, field("n-a-over-a-country"))
    assert (routed.qualified.story.profile["country"], routed.pool) == ("DE", "dach-sales")


def test_the_end_of_a_contract_that_a_moment_reports_is_the_day_it_is_then_where_the_agreement_is() -> (
    None
):
    (routed,) = of(LeadRouted, field("day-of-a-moment"))
    recycling = compiled_of(read_agreement(SOFTWARE)).recycling
    reported = routed.qualified.story.profile["contract_end"]
    assert recycling.return_at("in_contract", 0, reported) == recycling.return_at(
        "in_contract", 0, "2026-12-31"
    )
