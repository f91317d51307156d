"""Runs the board on uvicorn: from bound ports to the last answered request."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.reach import BrokerReach, asking
from baton.http import Listener, ListenerTerms, bind
from baton.settings import Settings
from services.insights.board.access import Access
from services.insights.board.operations import operations_app
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.site import Parts, Site
from services.insights.packs.weekly import WeeklyPacks
from services.insights.projection.board_stores import BoardFiles, BoardSchemas, BoardStores
from services.insights.projection.projector import Projector
from services.insights.settings import BoardSettings

log = logging.getLogger(__name__)

_DRAIN_S = 3
_METRICS = "BATON_METRICS_HOST and BATON_METRICS_PORT"


class ProjectorEnded(RuntimeError):
    """The projection raised what it does not know how to wait out; the worker ends and is started
    again."""


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
    client = confluent_options(settings)
    projector = Projector(client, settings.namespace, files)
    reach = BrokerReach(asking(client, settings.namespace))
    public = bind(own.host, own.port, names="BATON_BOARD_HOST and BATON_BOARD_PORT")
    private = bind(settings.metrics_host, settings.metrics_port, names=_METRICS)
    parts = Parts(
        settings=own,
        files=files,
        access=Access(own, files.folder),
        publisher=KafkaPublisher(confluent_producer_options(settings), settings.namespace),
        standing=lambda: projector.standing,
    )
    terms = ListenerTerms(drain_s=_DRAIN_S)
    pages = Listener(Site(parts).app(), public, terms)
    reports = operations_app(
        pages.listening.is_set, lambda: projector.standing, host=settings.metrics_host
    )
    operations = Listener(reports, private, terms)
    projecting = asyncio.create_task(asyncio.to_thread(projector.run))
    weekly = WeeklyPacks(own, files, lambda: projector.standing, parts.now_ms)
    beside = [asyncio.create_task(weekly.run()), asyncio.create_task(reach.watch())]
    try:
        await _listen(pages, operations, projecting)
    finally:
        for task in beside:
            task.cancel()
        projector.end()
        public.close()
        private.close()
        await asyncio.gather(projecting, *beside, return_exceptions=True)


async def _listen(pages: Listener, operations: Listener, projecting: asyncio.Task[None]) -> None:
    def up() -> None:
        log.info("a link to enter the board: baton board link")

    running = [
        asyncio.create_task(pages.run_until_cancelled(up)),
        asyncio.create_task(operations.run_until_cancelled()),
    ]
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
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
