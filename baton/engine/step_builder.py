"""A step under construction: reads through to the view, collects the changes, and builds the
:class:`~baton.engine.reducer.Step`.

It lives for one call of a reducer and is the only mutable object there. Every reducer extends it
with its own head and operations; the builder itself decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from baton.engine.reducer import Drop, EntryKind, Fact, Put, Step, View
from baton.evolve import maker

S = TypeVar("S")
T = TypeVar("T")
MAX_ENTRIES = 10_000
_step: Callable[..., Step[Any]] = maker(Step)
_put: Callable[..., Put[Any]] = maker(Put)
_fact: Callable[..., Fact] = maker(Fact)


class StepBuilder(Generic[S]):
    """What one call changes. ``cause``: what new ids derive from; ``now``: log time."""

    def __init__(self, view: View[S], *, now: int) -> None:
        self.view = view
        self.key = view.key
        self.cause = view.cause
        self.now = now
        self._put: dict[tuple[EntryKind[Any], str], Any] = {}
        self._drop: dict[tuple[EntryKind[Any], str], None] = {}
        self._facts: list[Fact] = []

    # ------------------------------------------------------------------ entries, as they will be
    # after this step

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """The entry, or None."""
        place = kind, item
        if place in self._put:
            found: T = self._put[place]
            return found
        return None if place in self._drop else self.view.get(kind, item)

    def items(self, kind: EntryKind[T], *, limit: int = MAX_ENTRIES) -> list[tuple[str, T]]:
        """All entries of a kind, in the order of their items. Of those stored before, at most
        ``limit`` are read."""
        stored = self.view.scan(kind, limit=limit) if self.view.count(kind) else ()
        return self._merged(kind, dict(stored), first="")

    def scan(self, kind: EntryKind[T], *, first: str, limit: int) -> list[tuple[str, T]]:
        """At most ``limit`` entries of a kind in the order of their items, from ``first`` on."""
        # Each entry dropped here can hide at most one stored entry, so this many more are enough.
        hidden = sum(1 for dropped, item in self._drop if dropped is kind and item >= first)
        return self._merged(
            kind, dict(self.view.scan(kind, first=first, limit=limit + hidden)), first=first
        )[:limit]

    def count(self, kind: EntryKind[Any]) -> int:
        """How many entries of a kind there are."""
        dropped = sum(1 for of_kind, _ in self._drop if of_kind is kind)
        added = sum(
            1
            for of_kind, item in self._put
            if of_kind is kind and self.view.get(kind, item) is None
        )
        return self.view.count(kind) - dropped + added

    def _merged(
        self, kind: EntryKind[T], entries: dict[str, T], *, first: str
    ) -> list[tuple[str, T]]:
        for of_kind, item in self._drop:
            if of_kind is kind:
                entries.pop(item, None)
        entries.update(
            {
                item: value
                for (of_kind, item), value in self._put.items()
                if of_kind is kind and item >= first
            }
        )
        return sorted(entries.items(), key=_item)

    def put(self, kind: EntryKind[T], item: str, value: T) -> None:
        """Store an entry, unless it is what is stored already."""
        if (
            (kind, item) in self._put
            or (kind, item) in self._drop
            or self.view.get(kind, item) != value
        ):
            self.store(kind, item, value)

    def store(self, kind: EntryKind[T], item: str, value: T) -> None:
        """Store an entry that is known to have changed."""
        self._drop.pop((kind, item), None)
        self._put[kind, item] = value

    def drop(self, kind: EntryKind[Any], item: str) -> None:
        """Remove an entry; nothing happens where there is none."""
        self._put.pop((kind, item), None)
        if self.view.get(kind, item) is not None:
            self._drop[kind, item] = None

    def touches(self, *kinds: EntryKind[Any]) -> bool:
        """Whether the step stores or drops an entry of one of these kinds."""
        return any(kind in kinds for changes in (self._put, self._drop) for kind, _ in changes)

    # ------------------------------------------------------------------ facts

    def publish(self, topic: str, value: Any, key: str | None = None) -> None:
        """Publish a fact, under this key unless another is given."""
        self._facts.append(_fact(topic, self.key if key is None else key, value))

    def publish_fact(self, fact: Fact) -> None:
        """Publish a fact that was made elsewhere."""
        self._facts.append(fact)

    def published(self, topic: str) -> bool:
        """Whether this step publishes on ``topic`` already."""
        return any(fact.topic == topic for fact in self._facts)

    # ------------------------------------------------------------------ the outcome

    def build(self, head: S | None, wake_at: int | None) -> Step[S]:
        """The step."""
        return _step(
            head=head,
            wake_at=wake_at,
            put=tuple([_put(kind, item, value) for (kind, item), value in self._put.items()]),
            drop=tuple([Drop(kind, item) for kind, item in self._drop]),
            facts=tuple(self._facts),
        )


def _item(entry: tuple[str, Any]) -> str:
    return entry[0]
