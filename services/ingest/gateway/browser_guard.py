"""What a web page must not make a visitor's browser do: send from an origin nobody named, or reach
a gateway without keys. Pure.

A browser says where a page is from (``Origin``), and a name that an attacker points at this machine
stands in ``Host``. Without write keys both are looked at, and a body must be of a type for which a
browser asks first.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from baton.page_guard import is_loopback
from services.ingest.gateway.problem_details import Refused

ANY_ORIGIN = "*"
_SIMPLE_TYPES = frozenset(
    {"", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"}
)


def check_origin(headers: Mapping[str, str], allowed: frozenset[str]) -> None:
    """Raise 403 for a page whose origin is not among those allowed; whoever is no browser sends no
    origin."""
    origin = headers.get("origin")
    if origin is None or origin in allowed or ANY_ORIGIN in allowed:
        return
    detail = "Pages of this origin may not send; name it in BATON_CORS_ORIGINS."
    raise Refused(403, "origin", detail)


def check_local(headers: Mapping[str, str], method: str, media_type: str) -> None:
    """Raise 403 or 415 for a request without a key that a web page could have caused."""
    check_host(headers)
    if method != "POST" or media_type in _SIMPLE_TYPES:
        detail = "Without a write key send application/json or application/x-ndjson by POST."
        raise Refused(415, "content_type", detail)


def check_host(headers: Mapping[str, str]) -> None:
    """Raise 403 unless this machine is addressed by a loopback name: another one may be an
    attacker's that points here."""
    if not _is_loopback(headers.get("host", "")):
        raise Refused(403, "host", "Address this machine by its loopback name, as 127.0.0.1.")


def _is_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
