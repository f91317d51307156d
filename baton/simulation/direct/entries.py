"""The entries of one kind of one key: values in the order of their items.

A value that has been packed is bytes until it is read again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any


class Entries:
    """Two lists beside each other. ``decode``: of the entries' type."""

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

    def pack(self, encode: Callable[[Any], bytes]) -> None:
        """Turn every value into bytes."""
        self.values = [value if type(value) is bytes else encode(value) for value in self.values]

    def _at(self, place: int) -> Any:
        value = self.values[place]
        if type(value) is bytes:
            value = self.values[place] = self._decode(value)
        return value
