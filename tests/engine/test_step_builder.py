"""A step under construction: what it reads is what will be there after it, and what it gives is
only what changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.engine.reducer import Drop, EntryKind, Fact, Put
from baton.engine.step_builder import StepBuilder


@dataclass(frozen=True, slots=True)
class Line:
    amount: int


LINE = EntryKind("line", Line)
OTHER = EntryKind("other", Line)


class Stored:
    """The view of one key with these lines."""

    key = "k"
    cause = "cause"
    head = None
    wake_at = None
    proven = True

    def __init__(self, lines: dict[str, int]) -> None:
        self._lines = {item: Line(amount) for item, amount in lines.items()}

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        return self._lines.get(item) if kind is LINE else None

    def scan(
        self,
        kind: EntryKind[Any],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, Any]]:
        return [
            entry for entry in sorted(self._lines.items()) if kind is LINE and entry[0] >= first
        ][:limit]

    def count(self, kind: EntryKind[Any]) -> int:
        return len(self._lines) if kind is LINE else 0


def builder(**lines: int) -> StepBuilder[None]:
    return StepBuilder(Stored(lines), now=7)


def test_an_entry_reads_as_it_will_be() -> None:
    step = builder(a=1, b=2)
    step.put(LINE, "a", Line(5))
    step.drop(LINE, "b")
    assert (step.get(LINE, "a"), step.get(LINE, "b"), step.get(OTHER, "a")) == (Line(5), None, None)
    built = step.build(None, 9)
    assert (built.put, built.drop, built.wake_at) == (
        (Put(LINE, "a", Line(5)),),
        (Drop(LINE, "b"),),
        9,
    )


def test_what_is_stored_already_is_not_written_again() -> None:
    step = builder(a=1)
    step.put(LINE, "a", Line(1))
    assert step.build(None, None).put == ()
    step.store(LINE, "a", Line(1))
    assert step.build(None, None).put == (Put(LINE, "a", Line(1)),)


def test_the_last_word_about_an_entry_holds() -> None:
    step = builder(a=1)
    step.drop(LINE, "a")
    step.put(LINE, "a", Line(1))
    step.put(LINE, "b", Line(2))
    step.drop(LINE, "b")
    built = step.build(None, None)
    assert (built.put, built.drop) == ((Put(LINE, "a", Line(1)),), ())


def test_an_entry_that_is_not_there_is_not_removed() -> None:
    step = builder()
    step.drop(LINE, "a")
    assert step.build(None, None).drop == ()


def test_facts_go_under_the_own_key_unless_another_is_given() -> None:
    step = builder()
    step.publish("t", 1)
    step.publish("t", 2, "other")
    step.publish_fact(Fact("u", "x", 3))
    assert step.build(None, None).facts == (
        Fact("t", "k", 1),
        Fact("t", "other", 2),
        Fact("u", "x", 3),
    )
    assert [step.published(topic) for topic in ("t", "u", "v")] == [True, True, False]


ITEMS = st.sampled_from("abcdef")
CHANGES = st.lists(st.tuples(ITEMS, st.none() | st.integers(0, 3)), max_size=12)


@given(st.dictionaries(ITEMS, st.integers(0, 3)), CHANGES, ITEMS, st.integers(1, 6))
def test_reading_through_is_reading_after(
    stored: dict[str, int], changes: list[tuple[str, int | None]], first: str, limit: int
) -> None:
    step = builder(**stored)
    after = {item: Line(amount) for item, amount in stored.items()}
    for item, amount in changes:
        if amount is None:
            step.drop(LINE, item)
            after.pop(item, None)
        else:
            step.put(LINE, item, Line(amount))
            after[item] = Line(amount)
    assert step.items(LINE) == sorted(after.items())
    assert step.count(LINE) == len(after)
    assert (
        step.scan(LINE, first=first, limit=limit)
        == [entry for entry in sorted(after.items()) if entry[0] >= first][:limit]
    )
    assert (step.items(OTHER), step.count(OTHER)) == ([], 0)


@pytest.mark.parametrize("kind", [LINE, OTHER])
def test_kinds_are_apart(kind: EntryKind[Line]) -> None:
    step = builder(a=1)
    step.put(kind, "z", Line(9))
    assert [item for item, _ in step.items(LINE)] == (["a", "z"] if kind is LINE else ["a"])
