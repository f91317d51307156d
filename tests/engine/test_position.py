"""The check between restoring and running."""

from collections.abc import Mapping

import pytest

from baton.engine.position import disagreement, forgotten_inputs, rolled_back
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
        (
            HERE,
            {"a": 6, "b": 0},
            {"a": "5", "b": "5"},
            "the state is at a@5, the group at 6 (batch 4)",
        ),
        (HERE, {"a": None, "b": None}, {}, "the state is at a@5, the group at none (batch 4)"),
        (
            HERE,
            {"a": 5, "b": 0},
            {"a": "5", "b": "5"},
            "the state is of batch 4, the offset of a of batch 5",
        ),
        (
            HERE,
            {"a": 5, "b": 0},
            {"a": "4", "b": ""},
            "the state is of batch 4, the offset of b of batch unknown",
        ),
        (HERE, {"a": 5, "b": 0, "gone": 7}, {"a": "4", "b": "4"}, None),
    ],
)
def test_state_and_offsets_must_be_of_the_same_batch(
    position: Position | None,
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
    says: str | None,
) -> None:
    found = disagreement(position, ("a", "b"), committed, metadata)
    assert found == says if says is None else found is not None and found.startswith(says)


def test_an_input_that_a_later_program_added_starts_alone() -> None:
    assert disagreement(HERE, ("a", "b", "new"), {"a": 5, "b": 0}, {"a": "4", "b": "4"}) is None


@pytest.mark.parametrize(
    ("position", "committed", "metadata", "batch"),
    [
        (HERE, {"a": 2, "b": 0}, {"a": "3", "b": "3"}, 3),
        (HERE, {"a": 5, "b": 0}, {"a": "1", "b": "1"}, 1),
        (HERE, {"a": 2, "b": 0, "new": 0}, {"a": "3", "b": "3"}, 3),
        (None, {"a": 2, "b": 0}, {"a": "3", "b": "3"}, None),  # the state is what was lost
        (HERE, {"a": 2, "b": 0}, {}, None),  # moved by hand
        (HERE, {"a": 2, "b": 0}, {"a": "3", "b": ""}, None),
        (HERE, {"a": 2, "b": 0}, {"a": "3", "b": "2"}, None),  # not of one moment
        (HERE, {"a": 2, "b": 0}, {"a": "4", "b": "4"}, None),
        (HERE, {"a": 6, "b": 0}, {"a": "5", "b": "5"}, None),  # the state is behind
        (HERE, {"a": 2, "b": 1}, {"a": "3", "b": "3"}, None),  # of another state
        (HERE, {"a": None, "b": None}, {}, None),  # the topics may have been made anew
        (HERE, {"a": 2}, {"a": "3"}, None),
        (HERE, {"a": 2, "b": 0}, {"a": "0", "b": "0"}, None),
        (HERE, {"a": 2, "b": 0}, {"a": "x", "b": "x"}, None),
    ],
)
def test_only_offsets_of_an_earlier_batch_of_the_same_state_were_rolled_back(
    position: Position | None,
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
    batch: int | None,
) -> None:
    assert rolled_back(position, ("a", "b", "new"), committed, metadata) == batch


@pytest.mark.parametrize(
    ("position", "committed", "metadata", "expected"),
    [
        # its topic was deleted, and its offset with it
        (HERE, {"a": None, "b": 0}, {"b": "4"}, ("a",)),
        (HERE, {}, {}, ("a", "b")),
        (HERE, {"a": 5, "b": 0}, {"a": "4", "b": "4"}, ()),
        # the other is of another batch: it is not known what is right
        (HERE, {"a": None, "b": 0}, {"b": "3"}, ()),
        (HERE, {"a": None, "b": 1}, {"b": "4"}, ()),
        (None, {}, {}, ()),
    ],
)
def test_inputs_without_an_offset_are_named_only_where_all_others_agree(
    position: Position | None,
    committed: Mapping[str, int | None],
    metadata: Mapping[str, str],
    expected: tuple[str, ...],
) -> None:
    assert forgotten_inputs(position, ("a", "b"), committed, metadata) == expected
