"""Runs delivery: follows the log, sends, and listens, until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from baton.clients import confluent_options, confluent_producer_options
from baton.settings import Settings
from services.delivery.answers.app import answers_app
from services.delivery.answers.inbox import KafkaInbox
from services.delivery.carriers import Surroundings, carriers_of
from services.delivery.log.follower import Follower
from services.delivery.operations import operations_app
from services.delivery.sender import Sender
from services.delivery.settings import DeliverySettings
from services.delivery.store.store import FILE, Store
from services.delivery.targets.model import TargetsFile

log = logging.getLogger(__name__)

_DRAIN_S = 3
_CONNECTIONS = 500
_METRICS = "BATON_METRICS_HOST and BATON_METRICS_PORT"


class PortNotOurs(OSError):
    """It cannot listen where the settings say; the text names the settings."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the worker says when to stop."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_S,
            h11_max_incomplete_event_size=32_768,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=5,
        )
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's is a generator without a type
        yield


async def serve(
    settings: Settings,
    own: DeliverySettings,
    targets: TargetsFile,
    secrets: Mapping[str, SecretStr],
    folder: Path,
) -> None:
    """Until cancelled; raises what ends any of the parts."""
    loop = asyncio.get_running_loop()

    def open_store() -> Store:
        return Store(folder, settings.namespace)

    def added() -> None:
        loop.call_soon_threadsafe(sender.wake.set)

    await asyncio.to_thread(lambda: open_store().close())
    inbox = KafkaInbox(confluent_producer_options(settings), settings.namespace)
    around = Surroundings(
        secrets=secrets, own=own, folder=folder, namespace=settings.namespace, inbox=inbox
    )
    carriers = carriers_of(targets, around)
    sender = Sender(open_store, carriers, parallel=own.parallel, keep_days=own.keep_days)
    client = confluent_options(settings)
    follower = Follower(client, settings.namespace, open_store, targets, added)
    answers = _Server(answers_app(targets, around, inbox))
    operations = _Server(
        operations_app(answers.listening.is_set, lambda: follower.standing, folder / FILE)
    )
    with contextlib.ExitStack() as open_sockets:
        public = _bound(own.host, own.port, "BATON_DELIVERY_HOST and BATON_DELIVERY_PORT")
        open_sockets.callback(public.close)
        private = _bound(settings.metrics_host, settings.metrics_port, _METRICS)
        open_sockets.callback(private.close)
        await _all(follower, sender, [(answers, public), (operations, private)])


async def _all(
    follower: Follower, sender: Sender, servers: list[tuple[_Server, socket.socket]]
) -> None:
    following = asyncio.create_task(asyncio.to_thread(follower.run))
    sending = asyncio.create_task(sender.run())
    serving = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in servers]
    host, port = servers[0][1].getsockname()[:2]
    log.info("delivery listens for answers at http://%s:%d", host, port)
    try:
        done, _ = await asyncio.wait(
            (following, sending, *serving), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        follower.end()
        sending.cancel()
        for server, _ in servers:
            server.should_exit = True
        await asyncio.gather(following, sending, *serving, return_exceptions=True)


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
