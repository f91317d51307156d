"""The gateway as a process of its own: ``baton worker gateway``. It holds no state, so any number
may run side by side.

It listens at once and answers 503 until the brokers have answered. It ends with 0 when it was asked
to stop (SIGTERM, SIGINT): no new connections, what is being answered is finished, the producer is
emptied.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable, Sequence
from uuid import uuid4

from aiokafka.errors import KafkaError
from starlette.types import ASGIApp

from baton.clients import client_options
from baton.cluster.process_metrics import report_build
from baton.cluster.reach import BrokerReach
from baton.contracts.intake import IntakeRecord
from baton.engine.kafka.cluster import Cluster
from baton.http import bind
from baton.settings import Settings
from baton.stopping import run_until_stopped
from services.ingest.gateway.adapters.declared import declared_sources
from services.ingest.gateway.adapters.registry import ADAPTERS
from services.ingest.gateway.app import Gateway, NotPublished
from services.ingest.gateway.backlog import BacklogWatch
from services.ingest.gateway.connection_limits import ConnectionLimits
from services.ingest.gateway.operations import operations_app
from services.ingest.gateway.producer import Publisher
from services.ingest.gateway.server import limits_of, serve_app
from services.ingest.gateway.source_dead_letters import DeadLetter
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings

log = logging.getLogger(__name__)

_OPERATIONS = ConnectionLimits(
    connections=64,
    per_address=64,
    head_bytes=16_384,
    headers=100,
    url_bytes=2_048,
    head_s=5.0,
    measured=False,
)
_DRAIN_S = 12.0
_RETRY_S = 1.0
_OTHER_FILES = 256


class GatewayProcess:
    """What one process runs, and whether it is ready."""

    def __init__(self, settings: Settings, own: GatewaySettings) -> None:
        self._own = own
        self._keys = key_ring(own)
        self._adapters = (*ADAPTERS, *declared_sources(own.sources))
        self._publisher = Publisher(settings)
        self._connected = False
        self._listening = False
        cluster = Cluster(
            client_options(settings),
            namespace=settings.namespace,
            client_id=f"gateway-{uuid4().hex[:12]}",
        )
        self._reach = BrokerReach(cluster.ask)
        self._backlog = BacklogWatch(cluster, limit_s=own.stalled_after_s)
        self._metrics_host = settings.metrics_host
        self._public = bind(
            own.gateway_host, own.gateway_port, names="BATON_GATEWAY_HOST and BATON_GATEWAY_PORT"
        )
        try:
            names = "BATON_METRICS_HOST and BATON_METRICS_PORT"
            self._private = bind(settings.metrics_host, settings.metrics_port, names=names)
        except BaseException:
            self._public.close()
            raise

    async def run(self, up: Callable[[], None] = lambda: None) -> None:
        """Run until cancelled; ``up`` is called when it listens. Raises what ends it."""
        if not self._keys and not self._own.insecure:
            log.warning(
                "no write keys: every request will be answered 401; set BATON_WRITE_KEYS, or "
                "BATON_INSECURE=1 on this machine"
            )
        reserve_files(self._own.max_connections + _OTHER_FILES)

        def listening() -> None:
            self._listening = True
            up()

        serving, others = self._tasks(listening)
        try:
            done, _ = await asyncio.wait((serving, *others), return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self._listening = False  # not ready from now on
            for task in (serving, *others):  # what takes in is ended first
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await self._publisher.stop()
            self._public.close()
            self._private.close()

    def _tasks(self, up: Callable[[], None]) -> tuple[asyncio.Task[None], list[asyncio.Task[None]]]:
        """What takes events in, and what runs beside it."""
        gateway = Gateway(
            self._publish, self._keys, self._own, keep=self._keep, halted=self._backlog.halted
        )
        pages = operations_app(self.reasons, host=self._metrics_host)
        serving = self._serve(gateway.app(self._adapters), self._public, limits_of(self._own), up)
        others = (
            self._serve(pages, self._private, _OPERATIONS, lambda: None),
            self._connect(),
            self._backlog.watch(),
            self._reach.watch(),
        )
        return asyncio.create_task(serving), [asyncio.create_task(other) for other in others]

    def reasons(self) -> list[str]:
        """Why it is not ready."""
        states = {
            "not listening": not self._listening,
            "not connected to the brokers": not self._connected,
            "the brokers do not answer": self._backlog.unanswered(),
            "events are not being processed": self._backlog.halted() is not None,
        }
        return [reason for reason, holds in states.items() if holds]

    async def _serve(
        self, app: ASGIApp, bound: socket.socket, limits: ConnectionLimits, up: Callable[[], None]
    ) -> None:
        await serve_app(
            app,
            bound,
            limits,
            idle_s=self._own.idle_timeout_ms / 1000,
            drain_s=_DRAIN_S,
            up=up,
        )

    async def _connect(self) -> None:
        while not self._connected:
            try:
                await self._publisher.start()
                self._connected = True
            except KafkaError as error:
                log.warning("no broker answers: %s; trying again", type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    async def _publish(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        if not self._connected:
            raise NotPublished("not connected to the brokers yet")
        await self._publisher(records, traceparent)

    async def _keep(self, letters: Sequence[DeadLetter]) -> None:
        if not self._connected:
            raise NotPublished("not connected to the brokers yet")
        await self._publisher.keep(letters)


def run(settings: Settings) -> None:
    """Run until asked to stop; raises what it cannot start without."""
    report_build("gateway")
    run_until_stopped(GatewayProcess(settings, GatewaySettings()).run())


def reserve_files(wanted: int) -> None:
    """Let this process open so many files, as far as the system allows; a lower limit is logged."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    if reachable < wanted:
        log.warning(
            "the system allows %d open files, BATON_MAX_CONNECTIONS needs %d; raise the limit "
            "(ulimit -n) or lower the setting",
            reachable,
            wanted,
        )
