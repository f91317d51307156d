"""The check between restoring and running."""

from collections.abc import Mapping

import pytest

from baton.engine.position import disagreement
from baton.engine.records import Position

HERE = Position(batch=4, now_ms=9, offsets={"a": 5, "b": 0}, reference={})


@pytest.mark.parametrize(
    ("position", "committed", "metadata", "says"),
    [
        (None, {"a": None, "b": None}, {}, None),
        (None, {}, {}, None),
        (HERE, {"a": 5, "b": 0}, {"a": "4", "b": "4"}, None),
        (
            None,
            {"a": 5, "b": 0},
            {"a": "4", "b": "4"},
            "offsets are committed (a@5, b@0) but the changelog has no position record",
        ),
        (HERE, {"a": 6, "b": 0}, {"a": "5", "b": "5"}, "the state stands at a@5, the group at 6 (batch 4)"),
        (HERE, {"a": None, "b": None}, {}, "the state stands at a@5, the group at none (batch 4)"),
        (HERE, {"a": 5, "b": 0}, {"a": "5", "b": "5"}, "the state is of batch 4, the offset of a of batch 5"),
        (HERE, {"a": 5, "b": 0}, {"a": "4", "b": ""}, "the state is of batch 4, the offset of b of batch unknown"),
        (HERE, {"a": 5, "b": 0, "gone": 7}, {"a": "4", "b": "4"}, None),
    ],
)
def test_state_and_offsets_must_be_of_the_same_batch(
    position: Position | None, committed: Mapping[str, int | None], metadata: Mapping[str, str], says: str | None
) -> None:
    found = disagreement(position, ("a", "b"), committed, metadata)
    assert found == says if says is None else found is not None and found.startswith(says)


def test_an_input_that_a_later_program_added_starts_alone() -> None:
    assert disagreement(HERE, ("a", "b", "new"), {"a": 5, "b": 0}, {"a": "4", "b": "4"}) is None
