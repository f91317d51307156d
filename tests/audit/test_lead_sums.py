"""What the facts of a lead come to: every fact once, and a deal as it stands at the end."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.deals import LeadDeal
from baton.contracts.leads import LeadStaged
from baton.contracts.slas import LeadRecycled, SlaClock
from baton.proof.audit.findings import Dated, Place
from baton.proof.audit.lead_sums import sums_of
from tests.streams import move_of


def dated(*values: Any) -> list[Dated]:
    return [
        Dated(at_ms=number, place=Place.of(("t", 0, number)), value=value)
        for number, value in enumerate(values)
    ]


def moved(event: str, amount: int | None = None, *, state: str | None = None) -> LeadStaged:
    deal = LeadDeal(opportunity_id="d1", state=state) if state else None
    return move_of(
        "l1",
        event,
        before="opportunity",
        after="customer",
        opportunity_id="d1",
        amount_minor=amount,
        currency="EUR",
        deal=deal,
    )


def clock(name: str, state: str) -> SlaClock:
    return SlaClock(
        clock_id=name,
        clock="first_touch",
        lead_id="l1",
        cycle=1,
        state=state,
        started_at_ms=1,
        deadline_ms=2,
        at_ms=1,
        cause_id="c",
        agreement="a",
    )


def ended(name: str, *, revised: bool = False) -> LeadRecycled:
    return LeadRecycled(
        recycle_id=name,
        lead_id="l1",
        cycle=1,
        outcome="recycle",
        reason="no_budget",
        at_ms=1,
        cause_id="c",
        agreement="a",
        revised=revised,
    )


@pytest.mark.parametrize(
    ("facts", "sums"),
    [
        ([moved("won", 500)], {"won": 1, "won, EUR": 500}),
        ([moved("won", 500), moved("won", 500)], {"won": 1, "won, EUR": 500}),
        (
            [moved("won", 500), moved("deal_changed", 700, state="won")],
            {"won": 1, "won, EUR": 700},
        ),
        ([moved("won", 500), moved("deal_changed", 500, state="open")], {}),
        ([moved("won", 500), moved("reopened")], {}),
        ([moved("lost", 500, state="lost")], {}),
        ([clock("k", "running"), clock("k", "met")], {"clock first_touch, met": 1}),
        ([clock("k", "met"), clock("m", "met")], {"clock first_touch, met": 2}),
        ([ended("r1"), ended("r1", revised=True), ended("r2")], {"ended, no_budget": 2}),
    ],
)
def test_every_fact_counts_once_and_a_deal_as_it_stands(
    facts: list[Any], sums: dict[str, int]
) -> None:
    assert {name: value for name, value in sums_of(dated(*facts)).items() if value} == sums


def test_the_log_and_not_the_order_of_reading_says_what_came_last() -> None:
    records = dated(clock("k", "running"), clock("k", "met"), moved("won", 5), moved("reopened"))
    assert sums_of(records[::-1]) == sums_of(records)


def test_a_fact_that_is_missing_is_missing_in_the_sums() -> None:
    whole = dated(moved("won", 500), ended("r1"), clock("k", "met"))
    for place in range(len(whole)):
        assert sums_of(whole[:place] + whole[place + 1 :]) != sums_of(whole)
