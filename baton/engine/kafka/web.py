"""The HTTP pages of a worker: ``/metrics`` for Prometheus, ``/healthz``, ``/readyz``, and
``/tasks`` for people.

A worker that restores is alive but not ready. No page changes anything, none has personal data, and
:mod:`~baton.page_guard` stands before all of them, Faust's own included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from prometheus_client import REGISTRY, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from baton.engine.kafka.host import KafkaHost
from baton.page_guard import refusal


def guard(*, local: bool) -> Any:
    """The middleware of the web server that refuses what :func:`refusal` says."""

    @web.middleware
    async def guarded(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        refused = refusal(request.method, headers, local=local)
        if refused is None:
            return await handler(request)
        status, reason = refused
        return web.json_response({"error": reason}, status=status)

    return guarded


def add_pages(app: Any, host: KafkaHost) -> None:
    """Add the pages to a Faust app."""
    disable_created_metrics()  # type: ignore[no-untyped-call]

    @app.page("/metrics")  # type: ignore[untyped-decorator]
    async def metrics(web: Any, request: Any) -> Any:
        host.statuses()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        answer = web.bytes(encode(REGISTRY))
        answer.headers["Content-Type"] = content_type  # whole: a scraper goes by the version in it
        return answer

    @app.page("/healthz")  # type: ignore[untyped-decorator]
    async def healthz(web: Any, request: Any) -> Any:
        return web.json({"alive": True})

    @app.page("/readyz")  # type: ignore[untyped-decorator]
    async def readyz(web: Any, request: Any) -> Any:
        ready = host.ready
        states = [status.summary() for status in host.statuses()]
        return web.json({"ready": ready, "tasks": states}, status=200 if ready else 503)

    @app.page("/tasks")  # type: ignore[untyped-decorator]
    async def tasks(web: Any, request: Any) -> Any:
        return web.json([status.as_json() for status in host.statuses()])
