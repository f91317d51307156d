"""The gateway's listeners: those of every process, with the walls of ``guarded_connection``."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable

from starlette.types import ASGIApp

from baton.http import Listener, ListenerTerms
from services.ingest.gateway.connection_limits import ConnectionGuard, ConnectionLimits
from services.ingest.gateway.guarded_connection import GuardedConnection
from services.ingest.settings import GatewaySettings


def limits_of(settings: GatewaySettings) -> ConnectionLimits:
    """The walls that the settings put up."""
    return ConnectionLimits(
        connections=settings.max_connections,
        per_address=settings.max_connections_per_address,
        head_bytes=settings.max_header_bytes,
        headers=settings.max_headers,
        url_bytes=settings.max_url_bytes,
        head_s=settings.header_timeout_ms / 1000,
    )


async def serve_app(
    app: ASGIApp,
    bound: socket.socket,
    limits: ConnectionLimits,
    *,
    idle_s: float,
    drain_s: float,
    up: Callable[[], None],
) -> None:
    """Answer on ``bound`` until cancelled; then finish what is being answered, for ``drain_s`` at
    most."""
    guard = ConnectionGuard(limits)
    protocol = functools.partial(GuardedConnection, guard=guard)
    terms = ListenerTerms(drain_s=drain_s, idle_s=idle_s, protocol=protocol)
    watching = asyncio.create_task(guard.watch())
    try:
        await Listener(app, bound, terms).run_until_cancelled(up)
    finally:
        watching.cancel()
