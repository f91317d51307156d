"""The timer wheel against a sorted list."""

from hypothesis import given
from hypothesis import strategies as st

from baton.engine.timers import TimerWheel

KEYS = st.sampled_from(["a", "b", "c", "d", "é", "\U0001f600"])
TIMES = st.integers(-1_500, 6_000).map(lambda entry: entry * 40)
ACTS = st.one_of(
    st.tuples(st.just("set"), KEYS, st.one_of(st.none(), TIMES)),
    st.tuples(st.just("pop"), TIMES, st.none()),
    st.tuples(st.just("look"), st.none(), st.none()),
)


@given(st.lists(ACTS, max_size=60))
def test_timers_fire_in_the_order_of_a_sorted_list(acts: list[tuple[str, object, object]]) -> None:
    timers, model = TimerWheel(), dict[str, int]()
    for act, first, second in acts:
        if act == "set":
            assert isinstance(first, str)
            timers.set(first, second)  # type: ignore[arg-type]
            model.pop(first, None)
            if isinstance(second, int):
                model[first] = second
        elif act == "pop":
            assert isinstance(first, int)
            expected = sorted((due, key) for key, due in model.items() if due <= first)
            popped = []
            while (found := timers.pop(first)) is not None:
                popped.append(found)
                del model[found[1]]
            assert popped == expected
        assert timers.next_due() == min(model.values(), default=None)
        assert timers.floor <= min(model.values(), default=1 << 62)
        assert len(timers) == len(model)
        assert {key: timers.due(key) for key in model} == model


def test_a_timer_set_while_others_fire_takes_its_place_in_the_order() -> None:
    timers = TimerWheel()
    timers.set("a", 100)
    timers.set("c", 900)
    assert timers.pop(2_000) == (100, "a")
    timers.set("b", 500)
    timers.set("d", 1_500)
    assert [timers.pop(2_000) for _ in range(4)] == [(500, "b"), (900, "c"), (1_500, "d"), None]


def test_timers_moved_again_and_again_do_not_pile_up() -> None:
    timers = TimerWheel()
    timers.set("other", 10_000_000_000)
    for number in range(20_000):
        timers.set("k", 1_000_000 + number * 1_000)
    assert len(timers._waiting) < 5_000
    timers.set("near", 5)
    assert timers.pop(10) == (5, "near")
    for number in range(20_000):
        timers.set("k", number % 7)
    assert len(timers._short) < 5_000
