"""An HTTP listener of this process, on uvicorn: from a bound port to the last answered request,
within its walls."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from services.ingest.gateway.connection_limits import ConnectionGuard, ConnectionLimits
from services.ingest.gateway.guarded_connection import GuardedConnection
from services.ingest.settings import GatewaySettings

log = logging.getLogger(__name__)

_BACKLOG = 1_024


class PortNotOurs(OSError):
    """A listener cannot listen where it should; the text names the settings."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process says when to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
    config = uvicorn.Config(
        app,
        http=functools.partial(GuardedConnection, guard=guard),  # type: ignore[arg-type]  # called as a class is
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=idle_s,  # type: ignore[arg-type]  # handed to call_later, which takes fractions
        timeout_graceful_shutdown=drain_s,  # type: ignore[arg-type]
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[bound]))
    listening = asyncio.create_task(server.listening.wait())
    watching = asyncio.create_task(guard.watch())
    try:
        await asyncio.wait((running, listening), return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            host, port = bound.getsockname()[:2]
            log.info("listening on http://%s:%d", host, port)
            up()
        await asyncio.shield(running)
    finally:
        listening.cancel()
        server.should_exit = True
        await running
        watching.cancel()


def bind(host: str, port: int, *, names: str) -> socket.socket:
    """A bound socket; raises :class:`PortNotOurs` naming the settings (``names``)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortNotOurs(
            f"cannot listen on {host}:{port} ({error.strerror}); set {names}"
        ) from None
    return bound
