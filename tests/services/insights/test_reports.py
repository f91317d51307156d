"""The reports' queries come to what the pure figures say over the rows one by one; a scale does not
change a figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import apsw
import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.public_record import PublicRecord
from baton.contracts.slas import SlaClock
from services.insights.derived.cycles import STAGES
from services.insights.derived.work import work_rows
from services.insights.facts.derived_tables import LEAD, WORK
from services.insights.facts.intake_tables import PERSON
from services.insights.facts.level_tables import CLOCK
from services.insights.figures.compliance import ClockNow, compliance
from services.insights.figures.funnel import Passage, cohort
from services.insights.figures.speed import HumanAct, attempts, contacts, waiting
from services.insights.figures.survival import survival
from services.insights.projection.deriving import put_work
from services.insights.projection.dialect import SQLITE, StorePlace, create, reader
from services.insights.projection.projection_store import Store
from services.insights.projection.reference_state import book_in
from services.insights.reports.clocks import (
    clock_groups,
    compliance_by,
    open_breaches,
    side_by_side,
    speed_to_lead,
)
from services.insights.reports.context import Context, Role, Viewer, WrongFilter, filters_of
from services.insights.reports.fairness import fairness
from services.insights.reports.funnel import acceptance_of_all, steps, times
from services.insights.reports.now import _GROUPED, CALM, GROUPS, counted, now
from services.insights.reports.recycling import recycling
from services.insights.rollups.durations import HOUR_MS, rounded_up
from tests.services.insights.stores import ZONE, fill

Company = tuple[tuple[PublicRecord, ...], int]
MANAGER = Viewer(role=Role.MANAGER, person="mgr-ines")


def agreement_in(db: Any, at_ms: int) -> CompiledAgreement:
    found = book_in(db).at(at_ms)
    assert found is not None
    return found.agreement


@pytest.fixture
def context(store: StorePlace, company: Company) -> Context:
    db = reader(store)
    filters = filters_of({"from": "2026-06-01"}, date(2026, 7, 31))
    return Context(
        db=db,
        now_ms=company[1],
        viewer=MANAGER,
        filters=filters,
        agreement=agreement_in(db, company[1]),
    )


def test_compliance_by_groups_is_compliance_clock_by_clock(context: Context) -> None:
    from_ms, until_ms = context.from_ms, context.until_ms
    for side, found in side_by_side(context, from_ms, until_ms).items():
        clocks = [
            ClockNow(
                state=row["state"],
                deadline_ms=row["deadline_ms"],
                ended_at_ms=row["ended_at_ms"],
                reason=row["reason"],
                unproven=bool(row["unproven"]),
            )
            for row in context.rows(
                """SELECT c.*, (SELECT count(*) FROM violation v WHERE v.clock_id = c.clock_id AND v.kind = 'breach' AND v.unproven = 1)
                unproven FROM clock c WHERE side = :side""",
                side=side,
            )
        ]
        assert found == compliance(
            clocks, from_ms=from_ms, until_ms=until_ms, now_ms=context.now_ms
        )
    rows = clock_groups(context, from_ms, until_ms)
    assert rows, "no clock fell due, so nothing was compared"
    parts = compliance_by(context, rows, "side", "clock").values()
    assert sum(part.due for part in parts) == sum(
        entry.due for entry in side_by_side(context, from_ms, until_ms).values()
    )


def passages_of(context: Context, before: str, after: str) -> list[dict[str, Any]]:
    return context.rows(
        f"SELECT {before}_ms before, {after}_ms after, ended_ms, inferred FROM cycle WHERE "
        f"{before}_ms IS NOT NULL"
    )


def test_cohorts_by_query_are_the_cohorts_of_the_definition(context: Context) -> None:
    timed = times(context)
    for step in steps(context, timed, context.from_ms, context.until_ms):
        rows = passages_of(context, step.from_stage, step.to_stage)
        expected = cohort(
            [
                Passage(
                    entered_at_ms=row["before"],
                    reached_at_ms=row["after"],
                    gave_up=row["ended_ms"] is not None,
                )
                for row in rows
            ],
            from_ms=context.from_ms,
            until_ms=context.until_ms,
            now_ms=context.now_ms,
            p90_ms=timed[step.from_stage].quantile(0.9),
        )
        assert step.cohort == expected
    assert steps(context, timed, context.from_ms, context.until_ms)[0].cohort.entered > 5


def test_times_by_query_are_the_curve_of_the_definition_as_coarse_as_it_is_printed(
    context: Context,
) -> None:
    timed = times(context)
    for before, after in pairwise(STAGES):
        rows = [
            row
            for row in passages_of(context, before, after)
            if not {before, after} & set(row["inferred"].split(";"))
        ]

        def so_long(row: dict[str, Any]) -> int:
            """Of an open one since the hour in which it began."""
            if row["ended_ms"] is not None:
                return rounded_up(row["ended_ms"] - row["before"])
            return rounded_up(context.now_ms - row["before"] // HOUR_MS * HOUR_MS)

        ended = [
            rounded_up(row["after"] - row["before"]) for row in rows if row["after"] is not None
        ]
        still = [so_long(row) for row in rows if row["after"] is None]
        assert timed[before] == survival(ended, still)


def test_everybody_who_qualified_is_accepted_rejected_expired_waiting_or_withdrawn(
    context: Context,
) -> None:
    found, reasons = acceptance_of_all(context, context.from_ms, context.until_ms)
    withdrawn = context.value(
        """SELECT count(*) FROM qualification q WHERE q.stage = 'mql' AND 'withdrawn' = (SELECT event FROM stage_move m
        WHERE m.qualification_id = q.qualification_id AND m.event IN ('accepted', 'rejected', 'recycled', 'disqualified', 'withdrawn')
        ORDER BY m.occurred_at_ms, m.fact_id LIMIT 1)"""
    )
    every = context.value("SELECT count(*) FROM qualification WHERE stage = 'mql'")
    assert found.accepted + found.rejected + found.expired + found.waiting + withdrawn == every
    assert sum(reasons.values()) == found.rejected


_HANDS = """SELECT q.lead_id, COALESCE(t.occurred_at_ms, q.qualified_at_ms) at_ms
    FROM qualification q LEFT JOIN touch t ON t.event_id = q.cause_id
    WHERE q.hand_raised = 1 AND q.stage = 'mql'
    UNION ALL SELECT s.lead_id, t.occurred_at_ms FROM stage_move s
    JOIN touch t ON t.event_id = s.cause_id WHERE s.event = 'hand_raised'"""


def acts_of(context: Context, lead_id: str) -> list[HumanAct]:
    rows = context.rows(
        "SELECT kind, occurred_at_ms, automatic, outcome FROM act WHERE lead_id = :lead",
        lead=lead_id,
    )
    return [HumanAct(**row | {"automatic": bool(row["automatic"])}) for row in rows]


def test_speed_counts_every_raised_hand_once(context: Context) -> None:
    found = speed_to_lead(context, context.from_ms, context.until_ms)
    hands = [
        waiting(row["at_ms"], acts_of(context, row["lead_id"]), context.now_ms)
        for row in context.rows(_HANDS)
    ]
    assert any(hand.attempted_ms is not None for hand in hands)
    for curve, of_definition in (
        (found.attempt, attempts(hands)),
        (found.contact, contacts(hands)),
    ):
        for share in (0.25, 0.5, 0.9):
            exact, counted = of_definition.quantile(share), curve.quantile(share)
            assert counted == (None if exact is None else rounded_up(exact))
        for minutes in (5, 15, 60):
            assert curve.within(minutes * 60_000) == of_definition.within(minutes * 60_000)
    assert found.hands == len(hands)
    assert context.value("SELECT count(*) FROM stage_move WHERE event = 'hand_raised'")
    assert found.hands == found.attempt.ended + found.attempt.open


def test_every_lead_in_work_is_in_one_group(context: Context) -> None:
    found = now(context)
    held = context.value(
        "SELECT count(*) FROM lead WHERE holder_kind IN ('person', 'queue', 'nobody') AND survivor "
        "IS NULL"
    )
    assert sum(found["counts"].values()) == held


@pytest.mark.parametrize(
    ("row", "group"),
    [
        ({"holder_kind": "nobody"}, "nobody"),
        ({"deadline_ms": 99, "started_at_ms": 0}, "late"),
        ({"level": "hot", "routed_at_ms": 50}, "hot"),
        ({"level": "warm", "hand_raised": 1, "routed_at_ms": 50, "last_act_ms": 40}, "hot"),
        ({"level": "hot", "routed_at_ms": 50, "last_act_ms": 60}, "calm"),
        ({"deadline_ms": 110, "started_at_ms": 0}, "risk"),
        ({"deadline_ms": 400, "started_at_ms": 0}, "calm"),
        ({"holder_kind": "queue"}, "queue"),
        ({}, "calm"),
    ],
)
def test_the_most_urgent_reason_names_the_group(row: dict[str, Any], group: str) -> None:
    blank = {
        "lead_id": "l1",
        "holder_kind": "person",
        "holder": "ae-greta",
        "pool": None,
        "segment": None,
        "level": "warm",
        "hand_raised": 0,
        "routed_at_ms": None,
        "last_act_ms": None,
        "clock_id": None,
        "clock_pool": None,
        "clock_segment": None,
        "started_at_ms": None,
        "deadline_ms": None,
    }
    db = apsw.Connection(":memory:")
    for table in (LEAD, CLOCK, PERSON, WORK):
        for statement in create(table, SQLITE):
            db.execute(statement)
    (made,) = work_rows(iter([tuple((blank | row).values())]))
    db.execute(f"INSERT INTO work VALUES ({', '.join('?' * len(made.row))})", made.row)
    filters = filters_of({}, date(2026, 1, 5))
    context = Context(db=db, now_ms=100, viewer=Viewer(role=Role.MANAGER), filters=filters)
    assert now(context)["counts"] == dict.fromkeys((*(name for name, *_ in GROUPS), CALM), 0) | {
        group: 1
    }


def test_the_groups_list_the_leads_that_they_count(context: Context) -> None:
    found = now(context)
    for _, _, _, rows, number in found["groups"]:
        assert len(rows) == min(number, 60)
    assert any(number for *_, number in found["groups"])


def test_pools_hand_over_what_their_people_do(context: Context) -> None:
    from dataclasses import replace

    found = fairness(replace(context, per_person=True))
    for pool in found["pools"]:
        mine = [row for row in found["people"] if row["pool"] == pool["pool"]]
        for figure in ("handed", "turns", "accepted", "rejected", "hot"):
            assert sum(row[figure] for row in mine) == pool[figure]
        assert (
            round(sum(row["ideal"] for row in mine if row["ideal"] is not None), 6) <= pool["turns"]
        )


def test_who_has_left_a_pool_is_still_in_its_figures_and_has_no_share_by_weight(
    context: Context,
) -> None:
    agreement = context.agreement
    assert agreement is not None
    before = fairness(replace(context, per_person=True))["people"]
    left = next(row for row in before if row["ideal"] is not None)
    pool = agreement.pools[left["pool"]]
    stayed = [member for member in pool.members if member.person != left["name"]]
    pools = {**agreement.pools, left["pool"]: replace(pool, members=tuple(stayed))}
    now_in = replace(context, agreement=replace(agreement, pools=pools), per_person=True)
    after = {(row["pool"], row["name"]): row for row in fairness(now_in)["people"]}
    assert after[left["pool"], left["name"]] == left | {"weight": None, "ideal": None}


def test_every_end_of_a_cycle_is_under_its_reason(context: Context) -> None:
    found = recycling(context)
    assert sum(row["ended"] for row in found["reasons"]) == context.value(
        "SELECT count(*) FROM recycled"
    )
    assert all(
        row["again"] <= row["ended"] and row["won"] <= row["ended"] for row in found["reasons"]
    )


@pytest.mark.parametrize(
    "query",
    [
        {"until": "2026-07-31", "from": "2026-08-01"},
        {"from": "x"},
        {"colour": "red"},
        {"model": "best"},
    ],
)
def test_filters_that_mean_nothing_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(WrongFilter):
        filters_of(query, date(2026, 7, 31))


def test_a_day_begins_at_midnight_in_the_agreements_zone_also_when_clocks_change(
    context: Context,
) -> None:
    day = context.start_of(date(2026, 10, 26)) - context.start_of(date(2026, 10, 25))
    assert day == 25 * 3_600_000, "the day on which summer time ends has 25 hours"
    assert context.day_of(context.start_of(date(2026, 7, 1))) == date(2026, 7, 1)


def test_a_clock_of_a_former_hand_off_makes_nobody_late(place: StorePlace) -> None:
    clock = SlaClock(
        clock_id="c1",
        clock="accept",
        lead_id="l1",
        cycle=1,
        state="breached",
        started_at_ms=1,
        deadline_ms=5,
        at_ms=6,
        cause_id="x",
        agreement="v",
        handoff_id="former",
    )
    record = PublicRecord(
        topic="leads.sla-clocks.v1", partition=0, offset=0, id="f", key="l1", value=clock, at_ms=6
    )
    found = Store(fill(place, [record]), "baton", ZONE)
    held = "INSERT INTO lead ({}) VALUES ({})"
    row: dict[str, Any] = {column.name: None if column.nullable else 0 for column in LEAD.columns}
    row |= {"lead_id": "l1", "cycle": 1, "holder_kind": "person", "holder": "ae-greta"}
    row |= {"stage": "sal", "level": "warm", "grade": "", "missing": "", "journey": "l1"}
    for handoff, expected in (("present", 0), ("former", 1)):
        row["handoff_id"] = handoff
        found._db.execute("DELETE FROM lead")
        found._db.execute(
            held.format(", ".join(row), ", ".join("?" * len(row))), tuple(row.values())
        )
        put_work(found._db, ["l1"])
        context = Context(
            db=reader(place),
            now_ms=10,
            viewer=Viewer(role=Role.MANAGER),
            filters=filters_of({}, date(2026, 1, 5)),
        )
        assert now(context)["counts"]["late"] == expected
        assert open_breaches(context)[1] == expected
    found.close()


def test_groups_counted_by_ranges_are_those_counted_lead_by_lead(context: Context) -> None:
    rows = context.rows(_GROUPED.format(filtered="1 = 1"), now=context.now_ms)
    lead_by_lead = {row["name"]: row["number"] for row in rows}
    found = counted(context)
    assert {name: number for name, number in found.items() if number} == lead_by_lead
    holders = context.rows("SELECT DISTINCT holder FROM work")
    by_holder = [
        counted(replace(context, filters=replace(context.filters, person=row["holder"])))
        for row in holders
    ]
    assert {name: sum(part[name] for part in by_holder) for name in found} == found
