"""The overlay of a batch against a plain dictionary, and against having no overlay at all."""

from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.codec import codec_for
from baton.engine.key_state import KeyState, Shape
from baton.engine.reducer import Drop, Put, Step
from baton.engine.store import MemoryStore
from tests.engine.toys import STOCK, Shelf, ToyLine, ToyShelf

ITEMS = st.sampled_from(["", "a", "aa", "b", "c", "é", "\U0001f600"])
CHANGES = st.lists(st.tuples(ITEMS, st.one_of(st.none(), st.integers(0, 9))), max_size=6)
RANGES = st.tuples(ITEMS, st.one_of(st.none(), ITEMS), st.integers(1, 5), st.booleans())
SHAPE = Shape(Shelf(), codec_for)


def line(number: int) -> ToyLine:
    return ToyLine(order=str(number), remove=False, ordered_at_ms=number)


def step(changes: list[tuple[str, int | None]]) -> Step[ToyShelf]:
    """Each item at most once: the last change of it."""
    last = dict(changes)
    return Step(
        head=ToyShelf(touched=1),
        put=tuple(
            Put(STOCK, item, line(value)) for item, value in last.items() if value is not None
        ),
        drop=tuple(Drop(STOCK, item) for item, value in last.items() if value is None),
    )


@given(st.lists(st.tuples(CHANGES, st.booleans()), max_size=8), RANGES)
def test_entries_read_as_a_sorted_dictionary_whatever_is_still_in_the_overlay(
    batches: list[tuple[list[tuple[str, int | None]], bool]],
    asked: tuple[str, str | None, int, bool],
) -> None:
    store, model = MemoryStore(), dict[str, int]()
    key_state = KeyState("k", store, SHAPE)
    first, below, limit, reverse = asked
    for changes, folded in batches:
        key_state.apply(step(changes), "v1")
        for item, value in dict(changes).items():
            model.pop(item, None)
            if value is not None:
                model[item] = value
        if folded:
            list(key_state.seal())
            key_state.commit()
            key_state = KeyState("k", store, SHAPE)
        inside = sorted(
            (item for item in model if item >= first and (below is None or item < below)),
            reverse=reverse,
        )
        expected = [(item, line(model[item])) for item in inside[:limit]]
        assert (
            list(key_state.scan(STOCK, first=first, below=below, limit=limit, reverse=reverse))
            == expected
        )
        assert key_state.count(STOCK) == len(model)
        assert {item: key_state.get(STOCK, item) for item in model} == {
            item: line(value) for item, value in model.items()
        }
        assert key_state.get(STOCK, "nowhere") is None


@given(st.lists(CHANGES, max_size=8))
def test_one_batch_gives_the_same_store_as_many(
    batches: list[list[tuple[str, int | None]]],
) -> None:
    together, apart = MemoryStore(), MemoryStore()
    one = KeyState("k", together, SHAPE)
    for changes in batches:
        one.apply(step(changes), "v1")
        state = KeyState("k", apart, SHAPE)
        state.apply(step(changes), "v1")
        list(state.seal())
        state.commit()
    list(one.seal())
    one.commit()
    assert together.scan("stock", "k", "", None, 99, False) == apart.scan(
        "stock", "k", "", None, 99, False
    )
    assert together.head("k") == apart.head("k")


def test_what_was_put_and_dropped_in_one_batch_leaves_no_trace() -> None:
    key_state = KeyState("k", MemoryStore(), SHAPE)
    key_state.apply(Step(head=ToyShelf(touched=1), put=(Put(STOCK, "a", line(1)),)), "v1")
    key_state.apply(Step(head=None, drop=(Drop(STOCK, "a"),)), "v1")
    assert list(key_state.seal()) == []


def test_a_key_with_entries_but_no_head_stays_and_may_wait_for_a_timer() -> None:
    store = MemoryStore()
    key_state = KeyState("k", store, SHAPE)
    key_state.apply(Step(head=None, wake_at=50, put=(Put(STOCK, "a", line(1)),)), "v1")
    list(key_state.seal())
    key_state.commit()
    again = KeyState("k", store, SHAPE)
    assert (again.exists, again.head, again.wake_at, again.count(STOCK)) == (True, None, 50, 1)


def test_a_key_with_nothing_left_forgets_its_timer() -> None:
    key_state = KeyState("k", MemoryStore(), SHAPE)
    key_state.apply(Step(head=ToyShelf(touched=1), wake_at=50), "v1")
    key_state.apply(Step(head=None, wake_at=60), "v1")
    assert (key_state.exists, key_state.wake_at) == (False, None)


def test_a_step_that_hands_on_the_same_head_writes_nothing() -> None:
    store = MemoryStore()
    key_state = KeyState("k", store, SHAPE)
    key_state.apply(Step(head=ToyShelf(touched=1), wake_at=50), "v1")
    list(key_state.seal())
    key_state.commit()
    again = KeyState("k", store, SHAPE)
    again.apply(Step(head=again.head, wake_at=again.wake_at), "v2")
    assert list(again.seal()) == []
