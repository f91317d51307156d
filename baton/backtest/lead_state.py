"""The state of a lead while it is replayed: as the reducer left it, nothing encoded and nothing
stored. A view as the engine's, for one process and as long as a group is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from baton.engine.reducer import EntryKind, Step

T = TypeVar("T")


class LeadState:
    """``changes``: how often a step was applied; ids of wakes are derived from it."""

    __slots__ = ("_entries", "cause", "changes", "head", "key", "proven", "wake_at")

    def __init__(self, key: str) -> None:
        self.key = key
        self.cause = ""
        self.proven = True
        self.head: Any = None
        self.wake_at: int | None = None
        self.changes = 0
        self._entries: dict[str, dict[str, Any]] = {}

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """See :class:`baton.engine.reducer.View`."""
        entries = self._entries.get(kind.name)
        return None if entries is None else entries.get(item)

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
        entries = self._entries.get(kind.name)
        if not entries:
            return ()
        items = sorted(
            (item for item in entries if item >= first and (below is None or item < below)),
            reverse=reverse,
        )
        return [(item, entries[item]) for item in items[:limit]]

    def count(self, kind: EntryKind[Any]) -> int:
        """See :class:`baton.engine.reducer.View`."""
        return len(self._entries.get(kind.name, ()))

    def apply(self, step: Step[Any]) -> None:
        """Take what a step changes. Drops come before puts."""
        for drop in step.drop:
            self._entries.get(drop.kind.name, {}).pop(drop.item, None)
        for put in step.put:
            self._entries.setdefault(put.kind.name, {})[put.item] = put.value
        self.head = step.head
        exists = step.head is not None or any(self._entries.values())
        self.wake_at = step.wake_at if exists else None
        self.changes += 1

    def copied(self) -> LeadState:
        """The same lead, to go another way from here; values are shared, for nothing alters
        them."""
        other = LeadState(self.key)
        other.head, other.wake_at, other.changes = self.head, self.wake_at, self.changes
        other._entries = {name: dict(entries) for name, entries in self._entries.items()}
        return other
