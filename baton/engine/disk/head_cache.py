"""The heads that were used last, in memory: a read from the database costs ten times as much."""

from __future__ import annotations

from collections import OrderedDict

_OVERHEAD = 200
"""Bytes that a cached head costs beside its own."""


class CacheBudget:
    """The bytes that the caches of all stores of a process may hold together."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0


class HeadCache:
    """The latest heads of one store. A key that is not here may exist all the same."""

    def __init__(self, budget: CacheBudget) -> None:
        self._budget = budget
        self._heads: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The head, if it is here."""
        found = self._heads.get(key)
        if found is not None:
            self._heads.move_to_end(key)
        return found

    def put(self, key: str, raw: bytes | None) -> None:
        """Keep the key's head; None: it has none."""
        former = self._heads.pop(key, None)
        budget = self._budget
        if former is not None:
            budget.used -= len(former) + _OVERHEAD
        if raw is None:
            return
        self._heads[key] = raw
        budget.used += len(raw) + _OVERHEAD
        while budget.used > budget.limit and self._heads:
            _, oldest = self._heads.popitem(last=False)
            budget.used -= len(oldest) + _OVERHEAD

    def clear(self) -> None:
        """Forget everything."""
        self._budget.used -= sum(len(raw) + _OVERHEAD for raw in self._heads.values())
        self._heads.clear()
