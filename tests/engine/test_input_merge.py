"""The order of several inputs."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from baton.engine.input_merge import InputMerge


@dataclass(frozen=True)
class Fetched:
    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 1


def drain(merge: InputMerge, limit: int = 99) -> list[tuple[str, int]]:
    order: list[tuple[str, int]] = []
    while len(order) < limit and (found := merge.peek()) is not None:
        merge.take()
        order.append((found[0], found[1].offset))
    return order


def test_records_come_by_append_time_then_topic_then_offset() -> None:
    merge = InputMerge(("b", "a"))
    merge.add("b", [Fetched(0, 10), Fetched(1, 10), Fetched(2, 30)])
    merge.add("a", [Fetched(7, 10), Fetched(8, 20)])
    assert drain(merge) == [("a", 7), ("b", 0), ("b", 1), ("a", 8), ("b", 2)]


def test_within_an_input_the_order_is_that_of_offsets_even_if_times_go_back() -> None:
    merge = InputMerge(("a", "b"))
    merge.add("a", [Fetched(0, 50), Fetched(1, 10)])
    merge.add("b", [Fetched(0, 20)])
    assert drain(merge) == [("b", 0), ("a", 0), ("a", 1)]


def test_what_waits_and_what_is_taken_is_counted_in_one_place() -> None:
    merge = InputMerge(("a", "b"))
    merge.add("a", [Fetched(0, 1), Fetched(1, 3)])
    merge.add("b", [Fetched(0, 2)])

    def counts() -> tuple[int, int, int, int]:
        return merge.count, merge.taken, merge.waiting("a"), merge.waiting("b")

    assert counts() == (3, 0, 2, 1)
    assert [merge.take(), merge.take()] == [False, True]  # the second is the last of its input
    assert counts() == (1, 2, 1, 0)
    assert merge.rewind() == 2
    assert counts() == (3, 0, 2, 1)
    drain(merge)
    merge.commit()
    assert counts() == (0, 0, 0, 0)


def test_a_record_without_log_time_does_not_hold_up_the_others_and_comes_at_once() -> None:
    merge = InputMerge(("a", "b"))
    merge.add("a", [Fetched(0, 9_000, timestamp_type=0), Fetched(1, 30)])
    merge.add("b", [Fetched(0, 20)])
    assert drain(merge) == [("a", 0), ("b", 0), ("a", 1)]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=20), st.integers(0, 20)
)
def test_a_rewound_batch_comes_again_in_the_same_order(
    records: list[tuple[str, int]], taken: int
) -> None:
    merge, whole = InputMerge("ab"), InputMerge("ab")
    for topic in "ab":
        mine = [
            Fetched(offset, at)
            for offset, at in enumerate(at for name, at in records if name == topic)
        ]
        merge.add(topic, mine)
        whole.add(topic, mine)
    drain(merge, taken)
    merge.rewind()
    assert drain(merge) == drain(whole)
    merge.commit()
    merge.rewind()
    assert drain(merge) == []
