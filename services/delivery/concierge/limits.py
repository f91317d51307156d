"""How often may be asked: by address, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict

_ADDRESSES = 10_000
_WINDOW_S = 60.0


class Limiter:
    """So many a minute for each address; the addresses that were not seen for longest are
    forgotten first."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, address: str, now_s: float) -> bool:
        """Counts one more."""
        began, count = self._seen.pop(address, (now_s, 0))
        if now_s - began >= _WINDOW_S:
            began, count = now_s, 0
        self._seen[address] = began, count + 1
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
        return count < self._per_minute
