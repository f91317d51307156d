"""The entries of one key as values, in the order of their items, and the view that a reducer has of
them.

A value that has been packed is bytes until it is read again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from baton.engine.reducer import EntryKind, Step

T = TypeVar("T")


class Entries:
    """Those of one kind: two lists beside each other. ``decode``: of the entries' type."""

    __slots__ = ("_decode", "items", "values")

    def __init__(self, decode: Callable[[bytes], Any]) -> None:
        self._decode = decode
        self.items: list[str] = []
        self.values: list[Any] = []

    def get(self, item: str) -> Any:
        """The value, or None."""
        items = self.items
        place = bisect_left(items, item)
        return self._at(place) if place < len(items) and items[place] == item else None

    def set(self, item: str, value: Any) -> None:
        """Store a value."""
        items = self.items
        place = len(items) if not items or items[-1] < item else bisect_left(items, item)
        if place < len(items) and items[place] == item:
            self.values[place] = value
        else:
            items.insert(place, item)
            self.values.insert(place, value)

    def drop(self, item: str) -> None:
        """Remove a value; nothing happens where there is none."""
        items = self.items
        place = bisect_left(items, item)
        if place < len(items) and items[place] == item:
            del items[place], self.values[place]

    def scan(
        self, first: str, below: str | None, limit: int, *, reverse: bool
    ) -> list[tuple[str, Any]]:
        """At most ``limit`` values with ``first <= item < below``, in the order of the items."""
        items = self.items
        start = bisect_left(items, first) if first else 0
        end = len(items) if below is None else bisect_left(items, below)
        if reverse:
            start = max(start, end - limit)
        else:
            end = min(end, start + limit)
        found = [(items[place], self._at(place)) for place in range(start, end)]
        return found[::-1] if reverse else found

    def copied(self) -> Entries:
        """The same, to be changed apart; values are shared, for nothing alters them."""
        other = Entries(self._decode)
        other.items, other.values = self.items.copy(), self.values.copy()
        return other

    def pack(self, encode: Callable[[Any], bytes]) -> None:
        """Turn every value into bytes."""
        self.values = [value if type(value) is bytes else encode(value) for value in self.values]

    def _at(self, place: int) -> Any:
        value = self.values[place]
        if type(value) is bytes:
            value = self.values[place] = self._decode(value)
        return value


def never_packed(raw: bytes) -> Any:
    """Decodes nothing: for entries that stay values as long as they live."""
    raise AssertionError(f"{len(raw)} bytes where no value is ever packed")


class EntryView:
    """The entries of a key by kind, as :class:`baton.engine.reducer.View` gives them."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[str, Entries] = {}

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """See :class:`baton.engine.reducer.View`."""
        held = self._entries.get(kind.name)
        return None if held is None else held.get(item)

    def scan(
        self,
        kind: EntryKind[T],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, T]]:
        """See :class:`baton.engine.reducer.View`."""
        held = self._entries.get(kind.name)
        return [] if held is None else held.scan(first, below, limit, reverse=reverse)

    def count(self, kind: EntryKind[Any]) -> int:
        """See :class:`baton.engine.reducer.View`."""
        held = self._entries.get(kind.name)
        return 0 if held is None else len(held.items)

    def has_entries(self) -> bool:
        """Whether there are any, of whatever kind."""
        return any(held.items for held in self._entries.values())

    def edit(self, step: Step[Any]) -> None:
        """Take what a step drops, then what it puts."""
        entries = self._entries
        for drop in step.drop:
            if (held := entries.get(drop.kind.name)) is not None:
                held.drop(drop.item)
        for put in step.put:
            held = entries.get(put.kind.name)
            if held is None:
                held = entries[put.kind.name] = Entries(self.decoder(put.kind.name))
            held.set(put.item, put.value)

    def decoder(self, kind: str) -> Callable[[bytes], Any]:
        """What reads a packed entry of this kind."""
        del kind
        return never_packed
