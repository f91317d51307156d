"""Where a task's committed state lies: heads and entries, as the bytes the changelog has.

Nothing is decoded before it is touched, so a restore is quick and a million keys trouble the
collector little. Behind the small interface another store (on disk) can take the place of
:class:`MemoryStore`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Protocol


class Store(Protocol):
    """Heads by key, entries by (kind, key, item). ``None`` as a value removes."""

    def head(self, key: str) -> bytes | None: ...
    def set_head(self, key: str, raw: bytes | None) -> None: ...
    def keys(self) -> Iterable[str]: ...
    def __len__(self) -> int: ...
    def entry(self, kind: str, key: str, item: str) -> bytes | None: ...
    def set_entry(self, kind: str, key: str, item: str, raw: bytes | None) -> None: ...
    def count(self, kind: str, key: str) -> int: ...
    def scan(
        self, kind: str, key: str, first: str, below: str | None, limit: int, reverse: bool
    ) -> list[tuple[str, bytes]]: ...


class MemoryStore:
    """A store in memory. Entries of a key are two lists in the order of their items: small, and
    scanned by slices."""

    __slots__ = ("_entries", "_heads")

    def __init__(self) -> None:
        self._heads: dict[str, bytes] = {}
        self._entries: dict[str, dict[str, tuple[list[str], list[bytes]]]] = {}

    def head(self, key: str) -> bytes | None:
        return self._heads.get(key)

    def set_head(self, key: str, raw: bytes | None) -> None:
        if raw is None:
            self._heads.pop(key, None)
        else:
            self._heads[key] = raw

    def keys(self) -> Iterable[str]:
        return self._heads.keys()

    def __len__(self) -> int:
        return len(self._heads)

    def entry(self, kind: str, key: str, item: str) -> bytes | None:
        held = self._entries.get(kind, {}).get(key)
        if held is None:
            return None
        items, values = held
        place = bisect_left(items, item)
        return values[place] if place < len(items) and items[place] == item else None

    def set_entry(self, kind: str, key: str, item: str, raw: bytes | None) -> None:
        of_kind = self._entries.setdefault(kind, {})
        held = of_kind.get(key)
        if held is None:
            if raw is not None:
                of_kind[key] = ([item], [raw])
            return
        items, values = held
        place = len(items) if items[-1] < item else bisect_left(items, item)
        here = place < len(items) and items[place] == item
        if raw is None:
            if here:
                del items[place], values[place]
                if not items:
                    del of_kind[key]
        elif here:
            values[place] = raw
        else:
            items.insert(place, item)
            values.insert(place, raw)

    def count(self, kind: str, key: str) -> int:
        held = self._entries.get(kind, {}).get(key)
        return 0 if held is None else len(held[0])

    def scan(
        self, kind: str, key: str, first: str, below: str | None, limit: int, reverse: bool
    ) -> list[tuple[str, bytes]]:
        held = self._entries.get(kind, {}).get(key)
        if held is None:
            return []
        items, values = held
        start = bisect_left(items, first) if first else 0
        end = len(items) if below is None else bisect_left(items, below)
        if reverse:
            start = max(start, end - limit)
        else:
            end = min(end, start + limit)
        found = list(zip(items[start:end], values[start:end], strict=True))
        return found[::-1] if reverse else found
