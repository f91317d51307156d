"""Runs the board on uvicorn: from bound ports to the last answered request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from baton.clients import confluent_options, confluent_producer_options
from baton.settings import Settings
from services.insights.board.access import Access
from services.insights.board.operations import operations_app
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.site import Parts, Site
from services.insights.packs.weekly import WeeklyPacks
from services.insights.projection.files import BoardFiles, BoardSchemas, BoardStores
from services.insights.projection.projector import Projector
from services.insights.settings import BoardSettings

log = logging.getLogger(__name__)

_DRAIN_S = 3


class PortNotOurs(OSError):
    """The board cannot listen where it is told to; the text names the settings."""


class ProjectorEnded(RuntimeError):
    """The projection raised what it does not know how to wait out; the worker ends and is started
    again."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers (the worker says when to stop), and with a word when it
    listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's is a generator without a type
        yield


def board_folder(settings: Settings, own: BoardSettings) -> Path:
    """Where the board of a namespace keeps its files."""
    return own.folder or settings.home / "board" / settings.namespace


def board_stores(settings: Settings, own: BoardSettings) -> BoardStores:
    """The stores of a namespace's board."""
    folder = board_folder(settings, own)
    if own.url is None:
        return BoardFiles(folder)
    return BoardSchemas(own.url.get_secret_value(), settings.namespace, folder)


async def serve(settings: Settings) -> None:
    """Project and listen until cancelled."""
    own = BoardSettings()
    files = board_stores(settings, own)
    projector = Projector(confluent_options(settings), settings.namespace, files)
    public = _bound(own.host, own.port, "BATON_BOARD_HOST and BATON_BOARD_PORT")
    private = _bound(
        settings.metrics_host, settings.metrics_port, "BATON_METRICS_HOST and BATON_METRICS_PORT"
    )
    parts = Parts(
        settings=own,
        files=files,
        access=Access(own, files.folder),
        publisher=KafkaPublisher(confluent_producer_options(settings), settings.namespace),
        standing=lambda: projector.standing,
    )
    pages = _server(Site(parts).app())
    operations = _server(operations_app(pages.listening.is_set, lambda: projector.standing))
    projecting = asyncio.create_task(asyncio.to_thread(projector.run))
    weekly = WeeklyPacks(own, files, lambda: projector.standing, parts.now_ms)
    packing = asyncio.create_task(weekly.run())
    try:
        await _listen([(pages, public), (operations, private)], projecting)
    finally:
        packing.cancel()
        projector.end()
        public.close()
        private.close()
        await asyncio.gather(projecting, packing, return_exceptions=True)


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_S,
        h11_max_incomplete_event_size=32_768,
    )
    return _Server(config)


async def _listen(
    servers: list[tuple[_Server, socket.socket]], projecting: asyncio.Task[None]
) -> None:
    running = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    host, port = servers[0][1].getsockname()[:2]
    log.info("the board is at http://%s:%d; a link to enter it: baton board link", host, port)
    try:
        await asyncio.wait((*running, projecting), return_when=asyncio.FIRST_COMPLETED)
        if projecting.done():
            error = projecting.exception()
            raise ProjectorEnded(
                f"the projection ended: {type(error).__name__}: {error}"
            ) from error
        for task in running:
            if task.done():
                task.result()
    finally:
        for server, _ in servers:
            server.should_exit = True
        await asyncio.gather(*running, return_exceptions=True)


def _bound(host: str, port: int, names: str) -> socket.socket:
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
