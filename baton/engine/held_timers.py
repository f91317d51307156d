"""What a task has yet to do on its own: its timers, the held ones, and the keys that have not
adopted the agreement.

A reducer with ``upstream`` judges deadlines, so its timers do not fire when they are due. They are
*held* until the host has proven that everything appended before the deadline has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from baton.engine.timers import TimerQueue, TimerWheel


class HeldTimers:
    """Two queues: ``timers`` that are not due yet, and ``held`` ones that are due and wait for a
    proof.

    ``holds``: whether due timers are held at all (the reducer has an upstream). ``timers``: the
    store's queue. A key is in at most one of the two.
    """

    __slots__ = ("_holds", "held", "timers")

    def __init__(self, holds: bool, timers: TimerQueue) -> None:
        self._holds = holds
        self.timers = timers
        self.held = TimerWheel()

    def __len__(self) -> int:
        return self.timers.total(len(self.held))

    def set(self, key: str, due_ms: int | None, now: int) -> None:
        """Set the key's timer to ``due_ms`` (None removes it); at log time ``now`` a due one is
        held."""
        if self._holds:
            if due_ms is not None and due_ms <= now:
                self.timers.set(key, None)
                self.held.set(key, due_ms)
                return
            self.held.set(key, None)
        self.timers.set(key, due_ms)

    def hold(self, now: int) -> None:
        """Hold every timer that is due by ``now``."""
        while self.timers.floor <= now and (found := self.timers.pop(now)) is not None:
            due, key = found
            self.held.set(key, due)

    def release(self, now: int) -> None:
        """Time went back to ``now`` (a batch was discarded): timers that are due later are not held
        any more."""
        for key, due in [(key, due) for key, due in self.held.items() if due > now]:
            self.held.set(key, None)
            self.timers.set(key, due)


class AdoptionSweep:
    """Goes once through the keys that live under an older agreement than ``version``, in the order
    of their names.

    ``keys``: these, in that order, consumed as they are needed. ``lags`` says whether a key still
    does: a key that a record touched meanwhile has adopted already. ``new``: keys that adopt
    without having had a state; they come first, once each.
    """

    __slots__ = ("_ahead", "_keys", "_lags", "_new", "version")

    def __init__(
        self,
        version: str,
        keys: Iterable[str],
        lags: Callable[[str], bool],
        *,
        new: Iterable[str] = (),
    ) -> None:
        self.version = version
        self._new = sorted(new, reverse=True)
        self._keys = iter(keys)
        self._lags = lags
        self._ahead: str | None = next(self._keys, None)

    @property
    def done(self) -> bool:
        """Whether no key lags."""
        self._pass_over()
        return not self._new and self._ahead is None

    def next(self) -> str | None:
        """The next key, which is to adopt now; None: no key lags."""
        if self._new:
            return self._new.pop()
        self._pass_over()
        return self._ahead

    def _pass_over(self) -> None:
        while self._ahead is not None and not self._lags(self._ahead):
            self._ahead = next(self._keys, None)
