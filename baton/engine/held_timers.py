"""What a task has still to do by itself: its timers, those of them that are held, and the keys that lag behind the agreement.

A reducer with ``upstream`` judges deadlines, so its timers do not fire when they are due: they are *held* until the host has proven
that whatever was appended before the deadline has come through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from baton.engine.timers import Timers


class HeldTimers:
    """Timers of a task, held ones apart. ``holds``: whether due timers are held (the reducer has an upstream)."""

    __slots__ = ("_holds", "held", "timers")

    def __init__(self, holds: bool) -> None:
        self._holds = holds
        self.timers = Timers()
        self.held: dict[str, int] = {}

    def set(self, key: str, due_ms: int | None, now: int) -> None:
        """The key waits for ``due_ms`` (None: for nothing) from now on."""
        if self._holds:
            self.held.pop(key, None)
            if due_ms is not None and due_ms <= now:
                self.timers.set(key, None)
                self.held[key] = due_ms
                return
        self.timers.set(key, due_ms)

    def hold(self, now: int) -> None:
        """Hold what is due by ``now``."""
        while self.timers.floor <= now and (found := self.timers.pop(now)) is not None:
            due, key = found
            self.held[key] = due

    def release(self, now: int) -> None:
        """Time went back to ``now`` (a batch was dropped): what is due later is not held any more."""
        for key in [key for key, due in self.held.items() if due > now]:
            self.timers.set(key, self.held.pop(key))

    def held_by(self, up_to_ms: int) -> DueQueue:
        """The held timers that are due at or before ``up_to_ms``."""
        return DueQueue(self.held, up_to_ms)


class DueQueue:
    """Held timers in the order they are to be fired: (due, key). Those that a wake asks for meanwhile can be added."""

    def __init__(self, held: dict[str, int], up_to_ms: int) -> None:
        self._held = held
        self._up_to = up_to_ms
        self._order = [(due, key) for key, due in held.items() if due <= up_to_ms]
        heapify(self._order)

    def pop(self) -> tuple[int, str] | None:
        """Remove and give the next one."""
        if not self._order:
            return None
        first = heappop(self._order)
        del self._held[first[1]]
        return first

    def put_back(self, due: int, key: str) -> None:
        """Not fired after all."""
        self._held[key] = due

    def again(self, key: str) -> None:
        """The key has woken and may be held again for a time that is covered too."""
        due = self._held.get(key)
        if due is not None and due <= self._up_to:
            heappush(self._order, (due, key))


class AdoptionSweep:
    """Goes once through the keys that live under an older agreement than ``version``, in the order of their names.

    ``lags`` says of a key whether it still does: one that was touched meanwhile has adopted by itself. ``new``: keys that
    adopt without having lived at all; they come first, once each.
    """

    __slots__ = ("_at", "_keys", "_lags", "_new", "version")

    def __init__(self, version: str, keys: Iterable[str], lags: Callable[[str], bool], *, new: Iterable[str] = ()) -> None:
        self.version = version
        self._new = sorted(new, reverse=True)
        self._keys = sorted(key for key in keys if lags(key))
        self._lags = lags
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether no key lags."""
        self._pass_over()
        return not self._new and self._at == len(self._keys)

    def next(self) -> str | None:
        """The next key, which is to adopt now; None: no key lags."""
        if self._new:
            return self._new.pop()
        self._pass_over()
        return self._keys[self._at] if self._at < len(self._keys) else None

    def _pass_over(self) -> None:
        while self._at < len(self._keys) and not self._lags(self._keys[self._at]):
            self._at += 1
