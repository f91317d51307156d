"""Where a task's committed state lies: heads and entries, as the bytes the changelog has.

Nothing is decoded before it is touched, so a restore is quick and a million keys trouble the
collector little. Behind the interface there are two stores: :class:`MemoryStore`, and
:class:`baton.engine.disk.disk_store.DiskStore`, which outlives the process. The law of both is in
``tests/engine/test_stores_agree.py``: whatever is written, they answer alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from baton.engine.changelog import version_of
from baton.engine.errors import EngineError
from baton.engine.timers import TimerQueue, TimerWheel


class StoreFailed(EngineError):
    """A store on disk cannot be read or written. The changelog has everything that was in it, so a
    host restores the task. ``damaged``: from nothing, what is on disk is of no use."""

    def __init__(self, text: str, *, damaged: bool = False) -> None:
        super().__init__(text)
        self.damaged = damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """Which batch a stored state is of. ``position``: the position record of that batch, as the
    changelog has it. ``at``: a changelog offset; that position record is the first one at or after
    it, and everything that is newer than the state lies behind it."""

    at: int
    position: bytes


class Store(Protocol):
    """Heads by key, entries by (kind, key, item). ``None`` as a value removes.

    ``durable``: it outlives its process. ``bookmark``: the batch that the stored state is of; None:
    nothing was saved, or it is not durable.
    """

    durable: bool

    @property
    def bookmark(self) -> Bookmark | None: ...
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

    def lagging(self, editions: Collection[str]) -> Iterator[str]:
        """The keys whose head lives under none of the ``editions``, in the order of their names;
        of those that stop lagging while the iterator is consumed some may still come."""

    def gauged(self) -> Iterable[str]:
        """The keys that may have a part in the reducer's gauge: all that have, and maybe more."""

    def set_gauged(self, key: str, gauged: bool) -> None:
        """Note whether the key may have a part in the reducer's gauge."""

    def timers(self) -> TimerQueue:
        """A queue for the timers of the heads; called once, before anything is set."""

    def save(self, bookmark: Bookmark | None) -> None:
        """Make what was set since the last call permanent, all of it or nothing, as the state of
        the batch that ``bookmark`` names. None: it is the state of no batch, and a process that
        opens the store before the next call has to begin anew."""

    def size(self) -> int:
        """Bytes on disk."""

    def close(self, *, erase: bool = False) -> None:
        """Release what the store holds; what was not saved is dropped. ``erase``: everything."""


class MemoryStore:
    """A store in memory. Entries of a key are two lists in the order of their items: small, and
    scanned by slices."""

    __slots__ = ("_entries", "_heads")

    durable = False
    bookmark: Bookmark | None = None

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

    def lagging(self, editions: Collection[str]) -> Iterator[str]:
        return iter(
            sorted(key for key, raw in self._heads.items() if version_of(raw) not in editions)
        )

    def gauged(self) -> Iterable[str]:
        return self._heads.keys()

    def set_gauged(self, key: str, gauged: bool) -> None:
        """Every key counts as one that may have a part."""

    def timers(self) -> TimerQueue:
        return TimerWheel()

    def save(self, bookmark: Bookmark | None) -> None:
        """Nothing outlives the process."""

    def size(self) -> int:
        return 0

    def close(self, *, erase: bool = False) -> None:
        """Nothing is held but memory."""
