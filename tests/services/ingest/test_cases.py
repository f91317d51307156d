"""Cases seen to fail once that turn on how a value is read: through the whole system in memory, to
the person who gets the lead."""

from __future__ import annotations

from typing import Any

from baton.contracts.intake import LeadPerson
from baton.contracts.leads import LeadScored
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadReactivated
from tests.services.scorer.case_runs import CASES, of, records_of

ROUTING = CASES / "routing"


def owners(case: str) -> dict[str, str]:
    """Who got the lead of each address: ``b`` has the territory, ``a`` the rest."""
    records = records_of(
        ROUTING / f"{case}.yaml", ROUTING / f"{case}.jsonl", until="2027-06-07T15:00Z"
    )
    address = {person.lead_id: person.person.email for person in of(LeadPerson, records)}
    return {address[routed.lead_id]: routed.owner for routed in of(LeadRouted, records)}


def test_a_country_is_the_same_country_by_any_of_its_names_and_a_postcode_keeps_its_zero() -> None:
    assert owners("territory-by-country-and-postcode") == {
        f"l{number}@l{number}.example": "b" for number in range(10)
    }


def test_a_number_between_two_others_is_one_that_certainly_is_a_number() -> None:
    assert owners("numbers-between") == {
        "l0@l0.example": "a",  # 01067: begins with a zero, so it is a code and no number
        "l1@l1.example": "a",  # 01.067: the same
        "l2@l2.example": "b",  # 1067
        "l3@l3.example": "a",  # D-01067
        "l4@l4.example": "a",  # 01 067
        "l5@l5.example": "a",  # 80331: beyond
        "l6@l6.example": "b",  # 1067 as a number of JSON
    }


def test_a_text_between_two_bounds_is_a_range_of_postal_codes() -> None:
    """Both bounds are in it."""
    assert owners("postcodes-between") == {
        "l0@l0.example": "a",  # 00999
        "l1@l1.example": "b",  # 01000
        "l2@l2.example": "b",  # 01500
        "l3@l3.example": "b",  # 01999
        "l4@l4.example": "a",  # 02000
    }


def test_a_region_is_compared_as_text_in_any_case_of_letters() -> None:
    """What is the same region in other words is for ``subdivision``, which needs a country."""
    assert owners("regions-as-text") == {
        "l0@l0.example": "b",  # Bayern
        "l1@l1.example": "a",  # Bavaria
        "l2@l2.example": "a",  # BY: in which country?
        "l3@l3.example": "b",  # bayern
    }


def test_a_lead_that_becomes_hot_inside_its_cool_off_is_published_as_hot_and_comes_back() -> None:
    records: tuple[Any, ...] = records_of(
        ROUTING / "hot-inside-the-cool-off.yaml",
        ROUTING / "hot-inside-the-cool-off.jsonl",
        until="2027-03-30T15:00Z",
    )
    assert "hot" in [scored.level for scored in of(LeadScored, records)]
    assert len(of(LeadReactivated, records)) == 1
