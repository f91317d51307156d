"""Who is taken for whom: two users of one browser, visitors who are joined, and the consents that
they bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baton.contracts.intake import AliasKind
from tests.cases.two_reps import agreed, event, lines
from tests.services.ingest.identify.test_identify import World

SMALL = {"kind": "engagement", "engagement": {"act": "small"}}
READY = {"kind": "engagement", "engagement": {"act": "engage"}}


def line(number: int, identifiers: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "source": "web",
        "occurred_at": f"2027-06-07T10:{number:02}:00+02:00",
        "identifiers": identifiers,
        **SMALL,
    }


def test_two_people_with_addresses_who_share_a_browser_stay_two_and_are_reported() -> None:
    world = World().send(
        line(0, {"user": "u1", "anonymous": "browser", "email": "ann@acme.example"}),
        line(1, {"user": "u2", "anonymous": "browser", "email": "bob@umbra.example"}),
    )
    first, second = world.leads(("email", "ann@acme.example"), ("email", "bob@umbra.example"))
    assert None not in (first, second)
    assert first != second
    assert len(world.reports(AliasKind.CONFLICT)) == 1


def test_a_user_of_a_shared_browser_without_an_address_is_taken_for_who_has_one() -> None:
    """A user id makes nobody known: one person has several."""
    world = World().send(
        line(0, {"user": "u1", "anonymous": "browser", "email": "ann@acme.example"}),
        line(1, {"user": "u2", "anonymous": "browser"}),
    )
    first, second = world.leads(("user", "u1"), ("user", "u2"))
    assert first is not None
    assert first == second
    assert world.reports(AliasKind.CONFLICT) == []


@pytest.mark.parametrize("refused_by", ["email", "anonymous"])
def test_a_joined_visitor_brings_no_yes_over_the_later_no(refused_by: str, tmp_path: Path) -> None:
    known, visitor = {"email": "ann@acme.example"}, {"anonymous": "browser"}
    before, after = (visitor, known) if refused_by == "email" else (known, visitor)
    happenings = [
        event("2027-06-06T10:00", before, consent(granted=True)),
        event("2027-06-06T11:00", after, consent(granted=False)),
        event("2027-06-06T12:00", known | visitor, {"kind": "link"}),
        event("2027-06-07T10:00", known, READY),
    ]
    assert lines(agreed(tmp_path, {}), happenings, "2027-06-07T11:00")[1:3] == [
        "07 Jun 10:00 qualified by system",
        "07 Jun 10:00 suppressed in None: no_consent",
    ]


def test_joined_points_add_up(tmp_path: Path) -> None:
    """30 and 30 are enough for a person; neither alone is."""
    known, visitor = {"email": "ann@acme.example"}, {"anonymous": "browser"}
    happenings = [
        event("2027-06-07T10:00", known, SMALL),
        event("2027-06-07T10:01", visitor, SMALL),
        event("2027-06-07T10:02", known | visitor, {"kind": "link"}),
    ]
    found = lines(agreed(tmp_path, {}), happenings, "2027-06-07T10:30")
    assert sum("qualified" in line for line in found) == 1
    assert sum(" routed to " in line for line in found) == 1


def consent(*, granted: bool) -> dict[str, Any]:
    part = {"purpose": "sales", "channel": "any", "granted": granted}
    return {"kind": "consent", "consent": part}
