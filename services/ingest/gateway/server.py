"""Runs the gateway inside a worker, on uvicorn: from a bound port to the last answered request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

import uvicorn

from baton.engine.service import Up
from baton.settings import Settings
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.producer import Publisher
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings

log = logging.getLogger(__name__)

_DRAIN_S = 5


class PortNotOurs(OSError):
    """The gateway cannot listen where it is told to; the text names the settings."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers (the worker says when to stop), and with a word when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's is a generator without a type
        yield


async def serve(settings: Settings, up: Up) -> None:
    """Listen until cancelled; then finish what is being answered."""
    own = GatewaySettings()
    keys = key_ring(own)
    bound = _bound(own)
    if not keys and not own.insecure:
        log.warning("no write keys: everything will be answered 401; set BATON_WRITE_KEYS, or BATON_INSECURE=1 on this machine")
    publisher = Publisher(settings)
    try:
        await publisher.start()
        app = Gateway(publisher, keys, own).app()
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_S,
            h11_max_incomplete_event_size=32_768,
        )
        await _run(_Server(config), bound, up)
    finally:
        bound.close()
        await publisher.stop()


async def _run(server: _Server, bound: socket.socket, up: Up) -> None:
    running = asyncio.create_task(server.serve(sockets=[bound]))
    listening = asyncio.create_task(server.listening.wait())
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


def _bound(own: GatewaySettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in own.gateway_host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((own.gateway_host, own.gateway_port))
    except OSError as error:
        bound.close()
        raise PortNotOurs(
            f"cannot listen on {own.gateway_host}:{own.gateway_port} ({error.strerror}); "
            "set BATON_GATEWAY_HOST and BATON_GATEWAY_PORT"
        ) from None
    return bound
