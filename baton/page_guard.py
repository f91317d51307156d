"""Which requests to the pages of a process (``/metrics``, ``/readyz`` ...) are refused: those that
a web page in somebody's browser may have caused.

A process whose pages are for this machine alone is addressed by a loopback name. Any other name in
``Host`` may be an attacker's that points here (DNS rebinding), and an ``Origin`` is another site's
script. No page takes anything, so only reading is allowed, wherever the
process listens. They have no personal data, but the figures of a business.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
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
        return 405, "These pages are only read: send GET."
    if not local:
        return None
    if not is_loopback(_name_of(headers.get("host", ""))):
        return 403, "Address this machine by its loopback name, as 127.0.0.1."
    origin = headers.get("origin")
    if origin is not None and not is_loopback(_name_of(origin.partition("://")[2])):
        return 403, "Pages of other sites may not read this."
    return None


Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class GuardedPages:
    """An ASGI application whose requests are refused as :func:`refusal` says. ``host``: where it
    listens."""

    def __init__(self, app: Application, *, host: str) -> None:
        self._app = app
        self._local = is_loopback(host)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request, or pass it on."""
        refused = None
        if scope["type"] == "http":
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in scope["headers"]
            }
            refused = refusal(scope["method"], headers, local=self._local)
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, reason = refused
        body = json.dumps({"error": reason}).encode()
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": body})


def _name_of(address: str) -> str:
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:
        return ""
