"""A batch that failed is retried smaller, and grows again: a slow worker goes on slowly."""

import pytest

from baton.engine.kafka.batch_size import LEAST, BatchSize


@pytest.mark.parametrize(
    ("most", "events", "expected"),
    [
        (4_000, [], 4_000),
        (4_000, [("failed", 4_000)], 2_000),
        (4_000, [("failed", 4_000)] * 3, 500),
        (4_000, [("failed", 4_000)] * 20, LEAST),
        (4_000, [("failed", 600)], 300),  # the batch was smaller than it might have been
        (4_000, [("failed", 0)], LEAST),  # timers alone
        (4_000, [("failed", 4_000), ("committed", 1_999)], 2_000),  # not full: it says nothing
        (4_000, [("failed", 4_000), ("committed", 2_000)], 4_000),
        (4_000, [("failed", 1_000), ("committed", 500), ("committed", 1_000)], 2_000),
        (4_000, [("committed", 4_000)], 4_000),
        (30, [("failed", 30)] * 3, 30),  # less than the least is never asked for
    ],
)
def test_the_size_of_the_next_batch(
    most: int, events: list[tuple[str, int]], expected: int
) -> None:
    size = BatchSize(most)
    for event, taken in events:
        getattr(size, event)(taken)
    assert size.records == expected
