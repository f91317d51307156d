"""Which addresses a webhook may be sent to. Pure.

An address is looked at as a number, after the name was resolved: all ways of writing one are the
same then. IPv6 forms that carry an IPv4 address are judged by it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a carrier (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local, where clouds keep metadata"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "translated locally (NAT64)"),
    ("fc00::/7", "private"),
    ("fec0::/10", "site-local"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
    ("2001::/32", "tunnelled (Teredo)"),
    ("3fff::/20", "for documentation"),
)
_BY_NETWORK: Final = tuple((ipaddress.ip_network(text), why) for text, why in _REFUSED)
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LOW_32: Final = 0xFFFF_FFFF


def refusal_of(text: str, allowed: Iterable[Network] = ()) -> str | None:
    """Why nothing is sent to the address; None: it may be."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "it is no address"
    if any(address in network for network in allowed):
        return None
    inner = _inner(address)
    if inner is not None:
        return refusal_of(str(inner), allowed)
    for network, why in _BY_NETWORK:
        if address in network:
            return f"it is {why}"
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return "it is not public"
    return None if address.is_global else "it is not public"


def is_allowed_without_tls(text: str, allowed: Iterable[Network]) -> bool:
    """Whether the address was named as one that may be called without TLS."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return any(address in network for network in allowed)


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, NAT64, ISATAP."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    number = int(address)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    tunnelled = number >> 32 & _LOW_32 in _ISATAP
    if tunnelled or address in _NAT64 or (number > 1 and number <= _LOW_32):
        return ipaddress.IPv4Address(number & _LOW_32)
    return None
