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


def drain(merge: InputMerge, limit: int = 99) -> list[tuple[str, int]]:
    order: list[tuple[str, int]] = []
    while len(order) < limit and (found := merge.peek()) is not None:
        merge.take()
        order.append((found[0], found[1].offset))
    return order


def test_records_come_by_append_time_then_topic_then_offset() -> None:
    merge = InputMerge(("b", "a"))
    merge.add("b", [Fetched(0, 10), Fetched(1, 10), Fetched(2, 30)], upto=3, end=3)
    merge.add("a", [Fetched(7, 10), Fetched(8, 20)], upto=9, end=9)
    assert drain(merge) == [("a", 7), ("b", 0), ("b", 1), ("a", 8), ("b", 2)]


def test_within_an_input_the_order_is_that_of_offsets_even_if_times_go_back() -> None:
    merge = InputMerge(("a", "b"))
    merge.add("a", [Fetched(0, 50), Fetched(1, 10)], upto=2, end=2)
    merge.add("b", [Fetched(0, 20)], upto=1, end=1)
    assert drain(merge) == [("b", 0), ("a", 0), ("a", 1)]


def test_an_input_known_to_have_more_is_named() -> None:
    merge = InputMerge(("a", "b", "c"))
    merge.add("a", [Fetched(0, 1)], upto=1, end=9)
    merge.add("b", [], upto=4, end=6)
    merge.add("c", [], upto=4, end=4)
    assert merge.behind() == ("b",)
    drain(merge)
    assert merge.behind() == ("a", "b")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=20), st.integers(0, 20))
def test_a_rewound_batch_comes_again_in_the_same_order(records: list[tuple[str, int]], taken: int) -> None:
    merge, whole = InputMerge("ab"), InputMerge("ab")
    for topic in "ab":
        mine = [Fetched(offset, at) for offset, at in enumerate(at for name, at in records if name == topic)]
        merge.add(topic, mine, upto=len(mine), end=len(mine))
        whole.add(topic, mine, upto=len(mine), end=len(mine))
    drain(merge, taken)
    merge.rewind()
    assert drain(merge) == drain(whole)
    merge.settle()
    merge.rewind()
    assert drain(merge) == []
