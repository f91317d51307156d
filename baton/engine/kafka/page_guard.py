"""Which requests to a worker's pages are refused: those that a web page in somebody's browser may
have caused. Pure.

A worker whose pages are for this machine alone is addressed by a loopback name. Any other name in
``Host`` may be an attacker's that points here (DNS rebinding), and an ``Origin`` is another site's
script. No page takes anything, so only reading is allowed, wherever the worker listens.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

_READING = frozenset({"GET", "HEAD"})


def is_loopback(host: str) -> bool:
    """Whether what listens at ``host`` is for this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(method: str, headers: Mapping[str, str], *, local: bool) -> tuple[int, str] | None:
    """Status and reason of a request that is refused; None: it is answered. ``headers`` by lower
    case names; ``local``: the pages are for this machine alone."""
    if method not in _READING:
        return 405, "Pages of a worker are only read: send GET."
    if not local:
        return None
    if not is_loopback(_name_of(headers.get("host", ""))):
        return 403, "Address this machine by its loopback name, as 127.0.0.1."
    origin = headers.get("origin")
    if origin is not None and not is_loopback(_name_of(origin.partition("://")[2])):
        return 403, "Pages of other sites may not read this."
    return None


def _name_of(address: str) -> str:
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:
        return ""
