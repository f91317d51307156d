"""Which entries count: each rule with the case that would be wrong without it."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.intake import Engagement
from services.scorer.score.engagement_sum import engagement_micro, standing
from services.scorer.score.entry_counting import EMPTY, Counted, counted, entered
from services.scorer.score.entry_status import MARK, Why, marked_entries
from services.scorer.score.ledger import (
    SIZE,
    entries,
    id_bytes,
    packed,
    retractions,
    retractions_after,
    with_retractions,
)
from services.scorer.score.rule_table import SPARE, ScoreTable, table_of
from tests.services.scorer.scorer_world import DAY, HOUR, MINUTE, MONDAY_0900, agreement

NOW = MONDAY_0900
TABLE: ScoreTable = table_of(
    agreement(
        engagement={
            "groups": {
                "few": {"window": "10 days", "per_day": 3},
                "many": {"window": "10 days", "half_life": "2 days"},
            },
            "acts": {
                "view": {"points": 1, "group": "few", "per_day": 2},
                "read": {"points": 10, "group": "few"},
                "bounce": {"points": -100, "group": "few"},
                "click": {
                    "points": 1,
                    "group": "many",
                    "exceptions": [
                        {"stage": "decision", "points": 3},
                        {"topics": ["prices"], "points": 2},
                    ],
                },
            },
            "scanner": {"acts": ["click"], "clicks": 3, "within": "10 seconds"},
        }
    )
)
RETRACTED, BEFORE, SCANNER, LIMIT, COUNTS = (
    Why.RETRACTED,
    Why.BEFORE_CYCLE,
    Why.SCANNER,
    Why.DAILY_LIMIT,
    Why.COUNTS,
)


def book(
    *acts: tuple[str, int] | tuple[str, int, str],
    now: int = NOW,
    retracted: bytes = b"",
    since: int = 0,
) -> Counted:
    """A ledger of (act, how long ago, link); the ids are 1, 2, 3 ..."""
    state = EMPTY
    for number, (act, ago, *link) in enumerate(acts, start=1):
        engagement = Engagement(act=act, link_group=link[0] if link else None)
        record = packed(f"{number:032x}", NOW - ago, engagement)
        state = entered(state, record, retracted, since, TABLE, now) or state
    return state


def reasons(state: Counted) -> dict[int, Why]:
    """Why, by the number of the act."""
    return {
        int.from_bytes(entry.id, "big"): why
        for entry, _, _, _, why, _ in marked_entries(state.ledger, state.marks)
    }


def gone(*numbers: int) -> bytes:
    retracted = b""
    for number in numbers:
        retracted = with_retractions(retracted, [(id_bytes(f"{number:032x}"), NOW)], b"")
    return retracted


@pytest.mark.parametrize(
    ("acts", "more", "expected"),
    [
        # The rule's limit: the earliest of the day count, whatever came first.
        ([("view", 1), ("view", 3), ("view", 2)], {}, [LIMIT, COUNTS, COUNTS]),
        ([("view", 1), ("view", 1), ("view", 1)], {}, [COUNTS, COUNTS, LIMIT]),
        ([("view", 1), ("view", 2), ("view", 20 * HOUR)], {}, [COUNTS, COUNTS, COUNTS]),
        # The group's limit comes after the rules' own: what they left out takes no place in it.
        (
            [("view", 9), ("view", 8), ("view", 7), ("read", 6), ("read", 5)],
            {},
            [COUNTS, COUNTS, LIMIT, COUNTS, LIMIT],
        ),
        # Negative ones have a limit of their own.
        (
            [("read", 9), ("read", 8), ("read", 7), ("bounce", 6)],
            {},
            [COUNTS, COUNTS, COUNTS, COUNTS],
        ),
        # What does not count for another reason takes no place of the day.
        (
            [("view", 3), ("view", 2), ("view", 1)],
            {"retracted": gone(1)},
            [RETRACTED, COUNTS, COUNTS],
        ),
        ([("view", 3), ("view", 2), ("view", 1)], {"since": NOW - 3}, [BEFORE, COUNTS, COUNTS]),
        # Three clicks of one message inside ten seconds; one that was retracted is none.
        (
            [("click", 9000, "a"), ("click", 5000, "a"), ("click", 0, "a")],
            {},
            [SCANNER, SCANNER, SCANNER],
        ),
        (
            [("click", 11_000, "a"), ("click", 5000, "a"), ("click", 0, "a")],
            {},
            [COUNTS, COUNTS, COUNTS],
        ),
        (
            [("click", 9000, "a"), ("click", 5000, "b"), ("click", 0, "a")],
            {},
            [COUNTS, COUNTS, COUNTS],
        ),
        ([("click", 9000), ("click", 5000), ("click", 0)], {}, [COUNTS, COUNTS, COUNTS]),
        (
            [("read", 9000, "a"), ("read", 5000, "a"), ("read", 0, "a")],
            {},
            [COUNTS, COUNTS, COUNTS],
        ),
        (
            [("click", 9000, "a"), ("click", 5000, "a"), ("click", 0, "a")],
            {"retracted": gone(2)},
            [COUNTS, RETRACTED, COUNTS],
        ),
        (
            [("click", 12_000, "a"), ("click", 9000, "a"), ("click", 5000, "a"), ("click", 0, "a")],
            {},
            [SCANNER] * 4,
        ),
    ],
)
def test_an_entry_counts_or_says_why_not(
    acts: list[Any], more: dict[str, Any], expected: list[Why]
) -> None:
    assert reasons(book(*acts, **more)) == dict(enumerate(expected, start=1))


@pytest.mark.parametrize(
    ("engagement", "points"),
    [
        ({"act": "click"}, 1),
        ({"act": "click", "content_stage": "awareness"}, 1),
        ({"act": "click", "content_stage": "decision", "topics": ("prices",)}, 3),
        ({"act": "click", "topics": ("other", "prices")}, 2),
        ({"act": "read"}, 10),
        ({"act": "unheard_of"}, 0),
    ],
)
def test_the_first_exception_that_covers_an_act_gives_its_points(
    engagement: dict[str, Any], points: int
) -> None:
    state = entered(EMPTY, packed("ab" * 16, NOW, Engagement(**engagement)), b"", 0, TABLE, NOW)
    assert state is not None
    assert engagement_micro(standing(state.marks, TABLE, NOW), TABLE, NOW) == points * 1_000_000


def test_an_entry_leaves_the_score_with_its_window_and_the_ledger_with_its_day() -> None:
    state = book(("read", 0))
    leaves = NOW + 10 * DAY
    assert [
        engagement_micro(standing(state.marks, TABLE, at), TABLE, at) for at in (leaves - 1, leaves)
    ] == [10_000_000, 0]
    day_ends = TABLE.day_of(NOW)[1] + 10 * DAY + TABLE.lag_ms
    assert [
        len(counted(state.ledger, b"", 0, TABLE, at).ledger) // SIZE
        for at in (day_ends - 1, day_ends)
    ] == [1, 0]


def test_an_act_of_a_full_day_does_not_begin_to_count_because_an_earlier_one_left() -> None:
    state = book(("view", 2 * HOUR), ("view", HOUR), ("view", 0))
    between = NOW + 10 * DAY - MINUTE
    again = counted(state.ledger, b"", 0, TABLE, between)
    assert engagement_micro(standing(again.marks, TABLE, between), TABLE, between) == 0


def test_a_burst_is_bounded_and_a_retraction_lets_the_next_one_count() -> None:
    state = book(*(("view", 100 - number) for number in range(100)))
    assert len(state.ledger) // SIZE == 2 + SPARE
    assert [reason for reason, why in reasons(state).items() if why is COUNTS] == [1, 2]
    again = counted(state.ledger, gone(1, 2), 0, TABLE, NOW)
    assert [reason for reason, why in reasons(again).items() if why is COUNTS] == [3, 4]
    assert state.ledger == book(*(("view", number) for number in range(100, 0, -1))).ledger


def test_the_usual_case_is_no_other_than_the_general_one() -> None:
    acts = [
        ("view", 5 * DAY),
        ("read", 4 * DAY),
        ("bounce", 3 * DAY),
        ("click", 2 * DAY),
        ("view", DAY),
        ("view", 0),
    ]
    state = book(*acts)
    assert state == counted(state.ledger, b"", 0, TABLE, NOW)


def test_a_day_is_the_agreements_day() -> None:
    midnight = TABLE.day_of(NOW)[0]
    first, last = TABLE.day_of(midnight - 1), TABLE.day_of(midnight)
    assert (first[1], last[0]) == (midnight, midnight)
    assert midnight % DAY == 23 * HOUR  # Berlin in winter


def test_an_event_that_is_reported_in_two_ways_is_the_same_whichever_came_first() -> None:
    one, other = (
        packed("ab" * 16, NOW, Engagement(act="click", content_stage=stage))
        for stage in ("decision", None)
    )

    def put(*records: bytes) -> Counted:
        state = EMPTY
        for record in records:
            state = entered(state, record, b"", 0, TABLE, NOW) or state
        return state

    assert put(one, other) == put(other, one) == put(one, other, one) != put(one)


def test_ids_that_are_no_digests_are_hashed_and_retractions_are_bounded_by_age() -> None:
    assert id_bytes("0" * 32) == bytes(16)
    assert len(id_bytes("E-123")) == len(id_bytes("x" * 32)) == 16
    kept = with_retractions(b"", [(id_bytes("a"), 5), (id_bytes("a"), 3)], b"")
    assert retractions(kept) == [(id_bytes("a"), 5)]
    assert retractions_after(kept, 5 + 400 * DAY - 1, b"") == kept
    assert retractions_after(kept, 5 + 400 * DAY, b"") == b""


def test_of_the_retractions_the_newest_are_kept() -> None:
    kept = b""
    for number in range(1_030):
        kept = with_retractions(kept, [(number.to_bytes(16, "big"), number)], b"")
    assert {at_ms for _, at_ms in retractions(kept)} == set(range(6, 1_030))


def test_a_retraction_is_kept_as_long_as_its_entry_however_old_and_however_many_came_since() -> (
    None
):
    ledger = packed("ab" * 16, NOW, Engagement(act="read"))
    kept = with_retractions(b"", [(id_bytes("ab" * 16), 0)], ledger)
    kept = with_retractions(
        kept, [(number.to_bytes(16, "big"), number) for number in range(5_000)], ledger
    )
    assert len(retractions(kept)) == 1_025
    assert (id_bytes("ab" * 16), 0) in retractions(kept)
    assert retractions(retractions_after(kept, 1_000 * DAY, ledger)) == [(id_bytes("ab" * 16), 0)]


def test_every_entry_has_its_mark() -> None:
    state = book(("view", 2), ("read", 1), ("nothing", 0))
    assert [at_ms for at_ms, *_ in MARK.iter_unpack(state.marks)] == [
        entry.at_ms for entry in entries(state.ledger)
    ]
