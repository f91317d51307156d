"""How often may be asked: by address, in bounded memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

_ADDRESSES = 10_000
MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Limiter:
    """So many in a window for each address; the addresses that were not seen for longest are
    forgotten first."""

    def __init__(self, number: int, window_s: float = MINUTE_S) -> None:
        self._number, self._window_s = number, window_s
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, address: str, now_s: float) -> bool:
        """Counts one more."""
        began, count = self._seen.pop(address, (now_s, 0))
        if now_s - began >= self._window_s:
            began, count = now_s, 0
        self._seen[address] = began, count + 1
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
        return count < self._number


def caller_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The address under which a caller is counted: the peer's, or behind one's own proxies the
    last of ``X-Forwarded-For`` that is none of them. What stands before it the caller may have
    written. Of IPv6 the /64 counts, since whoever has one address has all of those."""
    address = peer
    for named in reversed(forwarded.split(",")):
        if not _is_in(address, proxies) or not named.strip():
            break
        address = named.strip()
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def _is_in(address: str, proxies: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)
