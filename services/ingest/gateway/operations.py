"""What the gateway says of itself on the metrics port: ``/metrics``, ``/healthz``, ``/readyz``.

A listener of its own, so that it answers while the other's connections are full. Nothing here
changes anything, and nothing has personal data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, disable_created_metrics, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.page_guard import GuardedPages

Page = Callable[[Request], Awaitable[Response]]


def operations_app(reasons: Callable[[], list[str]], *, host: str) -> GuardedPages:
    """The pages, at ``host``. ``reasons``: why it is not ready, none when it is."""
    disable_created_metrics()  # type: ignore[no-untyped-call]

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> Response:
        found = reasons()
        return JSONResponse({"ready": not found, "reasons": found}, 503 if found else 200)

    pages: dict[str, Page] = {"/metrics": metrics, "/healthz": healthz, "/readyz": readyz}
    return GuardedPages(
        Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()]),
        host=host,
    )
