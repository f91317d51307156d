"""Spellings of one campaign are one row of the page Sources, and its cost finds it."""

from __future__ import annotations

import io

import pytest

from services.insights.costs import WrongCosts, records_of
from services.insights.projection.dialect import StorePlace
from services.insights.reports.campaign_names import as_one, spellings
from services.insights.reports.sources import costs, sources
from tests.services.insights.stores import fill
from tests.services.insights.test_meeting import context, cost, saw


def test_the_spelling_that_most_use_is_shown_for_all() -> None:
    used = {"LinkedIn": 3, "linkedin": 5, "LINKEDIN ": 1, "Fair": 1, "fair": 1}
    shown = spellings([used])
    assert shown == {"linkedin": "linkedin", "fair": "Fair"}
    assert as_one(used, shown, lambda one, other: one + other) == {"linkedin": 9, "Fair": 2}


def test_touches_and_cost_of_a_campaign_are_in_one_row_however_it_is_spelled(
    place: StorePlace,
) -> None:
    touches = [
        saw(number, f"l{number}", "Guide", campaign=name)
        for number, name in enumerate(("autumn-fair", "autumn-fair", "Autumn-Fair"))
    ]
    fill(place, [*touches, cost(9, "AUTUMN-FAIR", "2026-11", 300_00)])
    rows = sources(context(place))["rows"]
    assert [(row["name"], row["touches"]) for row in rows] == [("autumn-fair", 3)]
    assert rows[0]["cost"]["amount"] == 300_00


def test_no_campaign_and_one_of_that_name_are_counted_together(place: StorePlace) -> None:
    fill(place, [saw(1, "l1", "Guide", campaign=None), saw(2, "l2", "Guide", campaign="(none)")])
    rows = sources(context(place))["rows"]
    assert [(row["name"], row["touches"]) for row in rows] == [("(none)", 2)]


def test_of_two_spellings_in_a_month_the_later_report_stands(place: StorePlace) -> None:
    fill(place, [cost(1, "Fair", "2026-11", 900_00), cost(2, "fair", "2026-11", 300_00)])
    assert [row["amount"] for row in costs(context(place, until="2026-11-30")).values()] == [300_00]


def test_a_file_with_two_spellings_of_a_campaign_in_a_month_is_refused() -> None:
    text = "campaign,month,amount,currency\nFair,2026-11,1,EUR\nfair,2026-11,2,EUR\n"
    with pytest.raises(WrongCosts, match="line 3: this campaign and month stand in the file"):
        records_of(io.StringIO(text))
