"""What the board's process reports to its operators: ``/healthz``, ``/readyz`` and ``/metrics``,
on a port apart from the pages."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.page_guard import GuardedPages
from services.insights.projection.projector import Standing


def operations_app(
    is_ready: Callable[[], bool], standing: Callable[[], Standing], *, host: str
) -> GuardedPages:
    """``is_ready``: whether the pages can be asked; ``standing``: how the projection is, reported
    beside it; ``host``: where these three are."""

    def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    def ready(_: Request) -> Response:
        found, now = is_ready(), standing()
        reported = {"ready": found, "projection": now.state.value, "words": now.words}
        return JSONResponse(reported, status_code=200 if found else 503)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    pages = [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
    return GuardedPages(Starlette(routes=pages), host=host)
