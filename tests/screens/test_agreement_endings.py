"""What ends with a new agreement: pools with the leads in them, goals, promises."""

from __future__ import annotations

import pytest

from baton.screens.agreement_endings import Endings, PoolEnds, endings, endings_tables
from tests.screens.company import MINUTE_MS, SMALL, START_MS, Company, demo

RENAMED = {
    "  sales:\n    kind: sales": "  field:\n    kind: sales",
    "sales: sales}": "sales: field}",
    "pool: sales,": "pool: field,",
}


@pytest.fixture(scope="module")
def full() -> Company:
    """Five ask for a demonstration; the sales pool has room for three."""
    demos = [demo(number, START_MS + number * MINUTE_MS) for number in range(1, 6)]
    return Company(SMALL).run(demos, START_MS + 10 * MINUTE_MS)


def _of(full: Company, changes: dict[str, str]) -> Endings:
    new = Company({**SMALL, **changes}).reference.agreement
    return endings(full.states("assignment"), full.reference, new, now_ms=full.now_ms)


def test_a_pool_that_is_renamed_ends_with_the_leads_in_it_and_says_where_they_go(
    full: Company,
) -> None:
    assert _of(full, RENAMED).pools == (
        PoolEnds(
            pool="sales",
            now_called="field",
            waiting=2,
            offered=3,
            accepted=0,
            waiting_go_to={"field": 2},
        ),
    )


def test_whom_the_new_rules_suppress_goes_to_nobody(full: Company) -> None:
    whom = "{field: profile.relation, op: is, value: competitor}"
    all_of_sales = {whom: "{field: lead.leg, op: is, value: sales}"}
    assert _of(full, RENAMED | all_of_sales).pools[0].waiting_go_to == {"nobody": 2}


def test_goals_and_promises_that_nobody_owes_any_more_are_named(full: Company) -> None:
    found = _of(
        full,
        {
            "  accepted: {side: sales, metric: sal, target: 30}\n": "",
            "    - {clock: nurture_start, within: 2 days elapsed, ladder: "
            "[{do: notify, to: mgr-ines}]}\n": "",
        },
    )
    assert found == Endings(goals=("accepted",), promises=("nurture_start",))
    assert list(endings_tables(found)) == [
        "goals that end: accepted",
        "promises that end: nurture_start",
    ]


def test_nothing_ends_with_the_same_agreement(full: Company) -> None:
    found = _of(full, {})
    assert found == Endings()
    assert list(endings_tables(found)) == []
