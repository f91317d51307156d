"""Shares of what there is only so much of, so that no sender can take it all from the others. Pure.

The rule is that of dynamic thresholds for shared buffers (Choudhury and Hahne, 1998): a holder gets
more only while it holds less than what is free. One sender alone gets half of it, two a third each,
and whoever comes next always finds something free.
"""

from __future__ import annotations


class FairPool:
    """So much of something (places, bytes), held by name."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._held: dict[str, int] = {}

    @property
    def free(self) -> int:
        """What nobody holds."""
        return self._free

    def take(self, holder: str, amount: int = 1) -> bool:
        """Take it if the holder's share allows; False, and nothing taken, if not."""
        held = self._held.get(holder, 0)
        if amount > self._free or held >= self._free:
            return False
        self._free -= amount
        self._held[holder] = held + amount
        return True

    def give_back(self, holder: str, amount: int = 1) -> None:
        """Give back what was taken."""
        left = self._held[holder] - amount
        self._free += amount
        if left:
            self._held[holder] = left
        else:
            del self._held[holder]
