"""Two reducers that do next to nothing, so that what is left is the engine: one forgets, one keeps
a state and reports a fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from baton.contracts.codec import provisional
from baton.engine.reducer import Event, Fact, Reducer, Step, View


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What is kept of a lead, and reported: how many events there were, and when the latest one
    happened."""

    count: int
    latest_ms: int


class _Terms:
    version = "v1"


_TERMS = _Terms()


class NoBook:
    """A reference book without topics."""

    topics: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        """Nothing comes."""

    def at(self, now: int) -> _Terms:
        """Always the same."""
        return _TERMS


class Empty(Reducer[Any, Any]):
    """Decodes and forgets."""

    name: ClassVar[str] = "empty"
    service: ClassVar[str] = "bench"
    inputs: ClassVar[tuple[str, ...]] = ("leads.accepted.v1",)
    outputs: ClassVar[tuple[str, ...]] = ()
    head_type: ClassVar[type[Any] | None] = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
        return _NOTHING


_NOTHING: Step[Any] = Step(head=None)


class Adding(Reducer[Any, Any]):
    """One state and one fact an event."""

    name: ClassVar[str] = "adding"
    service: ClassVar[str] = "bench"
    inputs: ClassVar[tuple[str, ...]] = ("leads.accepted.v1",)
    outputs: ClassVar[tuple[str, ...]] = ("bench.totals.v1",)
    head_type: ClassVar[type[Any] | None] = Total

    def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
        value, head = event.value, view.head
        count, latest_ms = (0, 0) if head is None else (head.count, head.latest_ms)
        total = Total(count=count + 1, latest_ms=max(latest_ms, value.occurred_at_ms))
        return Step(head=total, facts=(Fact("bench.totals.v1", view.key, total),))


REDUCERS: Mapping[str, Reducer[Any, Any]] = {
    reducer.name: reducer for reducer in (Empty(), Adding())
}
