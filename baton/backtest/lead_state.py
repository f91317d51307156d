"""The state of a lead while it is replayed: as the reducer left it, nothing encoded and nothing
stored. A view as the engine's, for one process and as long as a group is replayed."""

from __future__ import annotations

from typing import Any

from baton.engine.reducer import Step
from baton.simulation.direct.entries import EntryView


class LeadState(EntryView):
    """``changes``: how often a step was applied; ids of wakes are derived from it."""

    __slots__ = ("cause", "changes", "head", "key", "proven", "wake_at")

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.cause = ""
        self.proven = True
        self.head: Any = None
        self.wake_at: int | None = None
        self.changes = 0

    def apply(self, step: Step[Any]) -> None:
        """Take what a step changes."""
        self.edit(step)
        self.head = step.head
        exists = step.head is not None or self.has_entries()
        self.wake_at = step.wake_at if exists else None
        self.changes += 1

    def copied(self) -> LeadState:
        """The same lead, to go another way from here; values are shared, for nothing alters
        them."""
        other = LeadState(self.key)
        other.head, other.wake_at, other.changes = self.head, self.wake_at, self.changes
        other._entries = {name: held.copied() for name, held in self._entries.items()}
        return other
