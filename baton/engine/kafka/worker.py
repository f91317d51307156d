"""One worker process: a service's engine inside a Faust app, which gives it signals, supervision
and the web server.

Faust runs in producer-only mode without its producer: nothing of Baton goes through its streams,
tables or topics. On SIGTERM or SIGINT the process exits with 0: every open batch is finished or
aborted, and the groups are left, unless membership is static. It exits with 1 when the engine
fails.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from typing import Any

import mode
import uvloop

from baton.clients import bootstrap_of, client_options
from baton.cluster.process_metrics import build_version, report_build
from baton.engine.kafka.client_internals import DisklessApp, QuietWorker
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.web import add_pages, guard
from baton.engine.service import Service
from baton.engine.task_config import TaskConfig
from baton.page_guard import is_loopback
from baton.settings import Settings

log = logging.getLogger(__name__)


class MetricsPortTaken(OSError):
    """The pages of a worker cannot listen where they should; the text names the settings."""


def run_worker(service: Service, settings: Settings, host: KafkaHost | None = None) -> None:
    """Run until a signal to stop; ends the process. ``host``: runs the reducers instead of the
    usual host (tests)."""
    report_build(service.name)
    calm_collector()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    running = host or host_of(service, settings)
    app = _app(service, settings, running)
    app.loop = loop
    QuietWorker(
        app, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True
    ).execute_from_commandline()


def calm_collector() -> None:
    """Run the cyclic garbage collector rarely: a batch makes and drops many objects and no cycles,
    and would start it again and again, each time over everything that the batch holds. What is
    loaded by now is never examined again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def host_of(service: Service, settings: Settings) -> KafkaHost:
    """The engine for a service's reducers, as the settings say."""
    return KafkaHost(
        service.reducers,
        service.book(),
        TaskConfig(
            partitions=settings.partition_count,
            namespace=settings.namespace,
            measures=service.measures,
            version=build_version(),
        ),
        HostConfig(
            client=client_options(settings), settings=EngineSettings(), name=f"baton-{service.name}"
        ),
    )


def _app(service: Service, settings: Settings, host: KafkaHost) -> Any:
    port = _port(settings.metrics_host, settings.metrics_port)
    app = DisklessApp(
        f"baton-{service.name}",
        broker=f"kafka://{bootstrap_of(settings)}",
        topic_disable_leader=True,
        web_bind=settings.metrics_host,
        web_port=port,
        web_host=settings.metrics_host,
        web_application_options={
            "middlewares": [guard(local=is_loopback(settings.metrics_host))],
        },
    )
    app.producer_only = True
    app.boot_strategy.enable_kafka_producer = False
    add_pages(app, host)

    @app.service
    class EngineService(mode.Service):
        """The engine as one of the app's services: ends with it, and ends it."""

        _running: asyncio.Task[None]

        async def on_start(self) -> None:
            self._running = asyncio.create_task(host.run())
            log.info("%s: http://%s:%d/readyz", service.name, settings.metrics_host, port)

        @mode.Service.task
        async def _watch(self) -> None:
            await asyncio.shield(self._running)

        async def on_stop(self) -> None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    return app


def _port(host: str, wanted: int) -> int:
    """The port that is wanted, or any that is free for 0; raises :class:`MetricsPortTaken` instead
    of the web server's error in the middle of a start, which names no setting."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise MetricsPortTaken(
                f"cannot listen on {host}:{wanted} ({error.strerror}); set BATON_METRICS_HOST and "
                "BATON_METRICS_PORT"
            ) from None
        return int(probe.getsockname()[1])
