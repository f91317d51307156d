"""What an agreement can say of a house of two reps, and what `check` says of what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baton.agreement.source.read import examine
from tests.cases.two_reps import agreed

ACCEPT = {"clock": "accept", "within": "1 business hour"}
TWO_SPANS = {"mon-fri": "09:00-17:00", "sat": "22:00-06:00"}
FOLLOW_UP = {"clock": "follow_up", "attempts": 3, "within": "5 working days"}


def ladder(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"slas.ladders": {"l": list(steps)}, "slas.promises": [{**ACCEPT, "use_ladder": "l"}]}


def examined(folder: Path, changes: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Errors and warnings."""
    found = examine(agreed(folder, changes).read_bytes())
    return [one.message for one in found.errors], [one.message for one in found.warnings]


@pytest.mark.parametrize(
    "changes",
    [
        {"pools.sales.members": {"a": {"per_day": 5, "per_week": 20}, "b": {}}},
        {"pools.sales.members": {"a": {"capacity": 0}, "b": {}}},
        {"pools.sales.members": {"a": {"weight": 0}, "b": {"weight": 0.5}}},
        {"slas.promises": [ACCEPT, {**FOLLOW_UP, "apart": "1 day"}]},
        {"slas.promises": [{**ACCEPT, "pause_when": {}}]},
        {"slas.promises": [{**ACCEPT, "source": "web"}, ACCEPT]},
        {"calendars.house": {"timezone": "Europe/Berlin", "hours": TWO_SPANS}},
    ],
    ids=[
        "limits of a day and a week",
        "no capacity",
        "no weight, and half of one",
        "the distance of attempts",
        "what a clock waits for",
        "a target by source",
        "a shift over midnight",
    ],
)
def test_can_be_said(changes: dict[str, Any], tmp_path: Path) -> None:
    errors, _ = examined(tmp_path, changes)
    assert errors == []


def test_a_promise_behind_a_wider_one_is_never_reached(tmp_path: Path) -> None:
    errors, _ = examined(tmp_path, {"slas.promises": [ACCEPT, {**ACCEPT, "source": "web"}]})
    assert errors == [
        'promise "accept web" is never reached: "accept" before it takes the same leads'
    ]


def test_a_step_behind_the_managers_queue_never_comes(tmp_path: Path) -> None:
    steps = ladder(
        {"do": "notify", "to": "owner"},
        {"do": "manager_queue", "after": "2 business hours"},
        {"do": "recycle", "reason": "sla_expired", "after": "1 working day"},
    )
    errors, _ = examined(tmp_path, steps)
    assert errors == ["recycle never comes: manager_queue before it gives the lead to the manager"]


def test_a_managers_queue_without_a_manager_would_take_leads_to_nobody(tmp_path: Path) -> None:
    nobody = {
        "people": {"a": {"name": "A"}},
        "pools.sales": {"kind": "sales", "members": {"a": {}}},
        **ladder({"do": "escalate", "to": "manager"}, {"do": "manager_queue"}),
    }
    errors, _ = examined(tmp_path, nobody)
    assert errors[-1] == (
        'manager_queue would take leads of pool "sales" to nobody: it has no manager and neither '
        'has "a"; add manager: ...'
    )


@pytest.mark.parametrize(("apart", "warned"), [({}, 1), ({"apart": "2 hours"}, 0)])
def test_attempts_that_may_all_be_of_one_minute_are_warned_of(
    apart: dict[str, str], warned: int, tmp_path: Path
) -> None:
    _, warnings = examined(tmp_path, {"slas.promises": [ACCEPT, {**FOLLOW_UP, **apart}]})
    assert [line for line in warnings if "attempts" in line] == warned * [
        (
            "3 attempts may all be of one minute, since nothing says how far apart they are: add "
            "apart: 2 hours"
        )
    ]


def test_an_agreement_in_another_encoding_is_refused_with_the_place_of_the_byte() -> None:
    text = 'agreement: 1\nname: "Nördlich"\n'.encode("latin-1")
    assert [problem.described("agreement.yaml") for problem in examine(text).errors] == [
        "agreement.yaml:2: byte 9 of the line, 0xf6, is not UTF-8: save it as UTF-8"
    ]
