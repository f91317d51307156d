"""Dead letters, and when they are a flood."""

import pytest

from baton.engine.dead_letters import Flood, Origin, dead_letter
from baton.engine.reducer import Rejection
from tests.engine.test_input_merge import Fetched

WHO = Origin(group="baton.admit", service="ingest", stage="admit", version="1.2")
WHY = Rejection("no_identifier", "send an e-mail address or an id")


def test_a_replayed_record_keeps_the_time_of_its_first_failure_and_gets_the_newest_reason() -> None:
    first = dead_letter(
        "in.v1", 3, Fetched(7, 0, b"k", b"raw", (("theirs", b"x"),)), WHY, WHO, 1_000
    )
    again = dead_letter(
        "in.v1",
        3,
        Fetched(9, 0, b"k", b"raw", tuple(first.headers)),
        Rejection("other", "again"),
        WHO,
        99_000,
    )
    headers = dict(again.headers)
    assert len(headers) == len(again.headers)
    assert headers["theirs"] == b"x"
    assert headers["__dlq.errors.first_failed_at"] == b"1970-01-01T00:00:01.000Z"
    assert (headers["__dlq.errors.code"], headers["__dlq.errors.offset"]) == (b"other", b"9")
    assert (again.topic, again.partition, again.key, again.value) == ("dlq.in.v1", 3, b"k", b"raw")


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ([True] * 4, None),
        ([True] * 5, "the last 5 records were all rejected"),
        ([True, True, True, True, False] * 1, None),
        ([False, False, False, False, False, False, False, False, False, True], None),
        (
            [True, True, False, True, True, False, True, True, False, True],
            "7 of the last 10 records were rejected",
        ),
        ([True, False] * 20, None),
    ],
)
def test_a_flood_is_a_run_or_a_ratio(verdicts: list[bool], says: str | None) -> None:
    assert Flood(window=10, ratio=0.6, run=5).judge(verdicts) == says


def test_the_verdicts_of_a_batch_count_once_though_it_was_tried_twice() -> None:
    flood = Flood(window=10, ratio=0.9, run=5)
    assert flood.judge([True] * 3) is None
    assert flood.judge([True] * 3) is None
    flood.keep([True] * 3)
    assert flood.judge([True] * 2) == "the last 5 records were all rejected"
    assert flood.judge([False, True, True]) is None


def test_old_verdicts_leave_the_window() -> None:
    flood = Flood(window=4, ratio=0.5, run=99)
    flood.keep([True, True, False, False])
    assert flood.judge([True, False, True, False, True, False]) is None
    assert flood.judge([True, True, True]) == "3 of the last 4 records were rejected"
