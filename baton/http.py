"""An HTTP listener of a process, on uvicorn: from a bound port to the last answered request.

The process says when to stop, uvicorn's signal handlers are off. Stopping takes no new connections
and finishes what is being answered, for a bounded time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

log = logging.getLogger(__name__)

_BACKLOG = 1_024
_MAX_HEAD_BYTES = 32_768


class PortNotOurs(OSError):
    """A listener cannot listen where it should; the text names the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerTerms:
    """How a listener treats connections. ``drain_s``: how long it finishes what is being answered;
    ``idle_s``: how long a connection may be idle; ``protocol``: a class of uvicorn's HTTP protocol
    in place of its own; ``connections``: how many there may be at once, None: no limit. More are
    answered 503."""

    drain_s: float
    idle_s: float = 75.0
    protocol: Any = "auto"
    connections: int | None = None

    def config(self, app: ASGIApp) -> uvicorn.Config:
        """As uvicorn takes it. Its times are handed to ``call_later``, which takes fractions."""
        return uvicorn.Config(
            app,
            http=self.protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            limit_concurrency=self.connections,
            timeout_keep_alive=self.idle_s,  # type: ignore[arg-type]
            timeout_graceful_shutdown=self.drain_s,  # type: ignore[arg-type]
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        )


class Listener(uvicorn.Server):
    """A server on one bound socket. ``listening`` is set while it takes connections."""

    def __init__(self, app: ASGIApp, bound: socket.socket, terms: ListenerTerms) -> None:
        super().__init__(terms.config(app))
        self.listening = asyncio.Event()
        self._bound = bound

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's, and then it listens."""
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the process says when to stop."""
        yield

    async def run_until_cancelled(self, up: Callable[[], None] = lambda: None) -> None:
        """Answer until cancelled; then finish what is being answered. ``up`` is called when it
        listens."""
        running = asyncio.create_task(self.serve(sockets=[self._bound]))
        listening = asyncio.create_task(self.listening.wait())
        try:
            await asyncio.wait((running, listening), return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                host, port = self._bound.getsockname()[:2]
                log.info("listening on http://%s:%d", host, port)
                up()
            await asyncio.shield(running)
        finally:
            listening.cancel()
            self.should_exit = True
            await running


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
