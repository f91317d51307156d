"""Events of one request that are about one person know of each other."""

from __future__ import annotations

from typing import Any

from baton.contracts.intake import IntakeRecord
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import read_line
from baton.intake.request import with_companions


def record(name: str, kind: str = "engagement", **identifiers: Any) -> IntakeRecord:
    parts: dict[str, dict[str, Any]] = {
        "engagement": {"engagement": {"act": "view"}},
        "profile": {"profile": {"role": "cto"}},
        "command": {"command": {"kind": "claim", "by": "ben"}},
        "erasure": {},
    }
    line = {"id": name, "kind": kind, "occurred_at": 1_790_000_000_000, "identifiers": identifiers}
    return to_intake(read_line(line | parts[kind]), source="test")


def test_events_that_share_an_identifier_directly_or_through_others_are_counted_together() -> None:
    found = with_companions(
        [
            record("identify", "profile", user="u1", email="ann@acme.example"),
            record("track", user="u1"),
            record("page", anonymous="n1"),
            record("other", email="bob@acme.example"),
            record("alias", user="u1", anonymous="n1"),
        ]
    )
    assert [entry.body_events for entry in found] == [4, 4, 4, 0, 4]
    assert len({entry.body for entry in found if entry.body}) == 1
    assert found[3].body is None


def test_a_request_with_one_event_of_each_person_marks_nothing_and_one_event_twice_counts_once() -> (
    None
):
    alone = [record("a", user="u1"), record("b", user="u2")]
    twice = [record("a", user="u1"), record("a", user="u1")]
    assert with_companions(alone) == alone
    assert with_companions(twice) == twice


def test_an_erasure_and_a_command_are_nobody_s_companions() -> None:
    found = with_companions(
        [
            record("a", user="u1"),
            record("e", "erasure", user="u1"),
            record("c", "command", user="u1"),
        ]
    )
    assert [entry.body_events for entry in found] == [0, 0, 0]


def test_a_request_that_is_sent_again_has_the_same_group() -> None:
    first = [record("a", user="u1"), record("b", user="u1")]
    assert with_companions(first) == with_companions(first)


def test_a_large_request_of_one_person_is_grouped_in_one_pass() -> None:
    found = with_companions(
        [record(str(number), user="u1", anonymous=f"n{number}") for number in range(2_000)]
    )
    assert {entry.body_events for entry in found} == {2_000}
