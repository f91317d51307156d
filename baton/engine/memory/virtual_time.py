"""How time passes in a host in memory: until nothing is left to do at a moment, then on to the next
one at which something is due."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from baton.engine.errors import EngineError
from baton.engine.memory.log import MemoryLog
from baton.engine.reducer import Reducer, ReferenceBook

ROUNDS = 100_000
"""Rounds of work in one moment before a host takes it for a livelock: a queue of so many leads is
worked off one after the other in fewer."""
_NAMED = 5


class Livelock(EngineError):
    """Records cause records, or timers timers, and no time passes. The text names those that come
    next."""

    def __init__(self, now: int, rounds: int, next_ones: Iterable[str]) -> None:
        shown = list(next_ones)
        names = ", ".join(shown[:_NAMED]) + (", ..." if len(shown) > _NAMED else "")
        super().__init__(
            f"no end of work at {now} ms of log time after {rounds} rounds; next: "
            f"{names or 'timers'}; each causes the other again: correct the reducers that publish "
            "them"
        )


class VirtualTime(ABC):
    """The frame of a host: ``log`` and ``book`` are its own, the rest says what there is to do."""

    log: MemoryLog
    book: ReferenceBook[Any]

    # ------------------------------------------------------------------ time

    def settle(self) -> None:
        """Work until nothing is left to do at this moment; raises :class:`Livelock` where that has
        no end."""
        rounds = 0
        while self._work() or self._move() or self._prove():
            rounds += 1
            if rounds >= ROUNDS:
                raise Livelock(self.log.now, rounds, self._next_ones())

    def advance(self, to_ms: int) -> None:
        """Let time pass until ``to_ms``, stopping wherever a timer is due or another agreement
        comes into force."""
        self.settle()
        while (moment := self._next_moment(to_ms)) is not None:
            self.log.now = max(self.log.now, moment)
            self.settle()
        self.log.now = max(self.log.now, to_ms)
        self.settle()

    # ------------------------------------------------------------------ of the host

    @property
    @abstractmethod
    def next_due(self) -> int | None:
        """The next moment at which a timer is due, or None: nothing will happen by itself."""

    @abstractmethod
    def _work(self) -> bool:
        """Process what can be read; False: there was nothing."""

    @abstractmethod
    def _move(self) -> bool:
        """Fire what is due, adopt; False: there was nothing."""

    @abstractmethod
    def _prove(self) -> bool:
        """Fire what is held and proven; False: there was nothing."""

    @abstractmethod
    def _next_ones(self) -> Iterable[str]:
        """The records that come next, by topic, offset and reader."""

    @abstractmethod
    def _adopters(self) -> Iterable[Reducer[Any, Any]]:
        """The reducers that adopt."""

    def _proofs(self) -> Iterable[int]:
        """VirtualTime at which a proof is given up."""
        return ()

    # ------------------------------------------------------------------ inside

    def _next_moment(self, to_ms: int) -> int | None:
        moments = [*self._proofs()]
        if (due := self.next_due) is not None:
            moments.append(due)
        if (changed := self._next_version(to_ms)) is not None:
            moments.append(changed)
        first = min(moments, default=None)
        return None if first is None or first > to_ms else first

    def _next_version(self, to_ms: int) -> int | None:
        """When, up to ``to_ms``, another agreement comes into force; found by halving, as a book
        has no list of its versions."""
        before, then = self.book.at(self.log.now), self.book.at(to_ms)
        if before is None or then is None or self._alike(before, then):
            return None
        low, high = self.log.now, to_ms
        while high - low > 1:
            middle = (low + high) // 2
            found = self.book.at(middle)
            low, high = (
                (low, middle)
                if found is not None and not self._alike(found, before)
                else (middle, high)
            )
        return high

    def _alike(self, one: Any, other: Any) -> bool:
        """Whether no key of any reducer would adopt."""
        return one is other or all(
            reducer.editions(one) == reducer.editions(other) for reducer in self._adopters()
        )
