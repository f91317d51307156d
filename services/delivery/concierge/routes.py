"""The two web applications of the concierge: what open forms call, and what operators ask."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.delivery.answers.concierge import ConciergeAnswers
from services.delivery.concierge.desk import Desk
from services.delivery.targets.people_model import ConciergeTarget


def concierge_app(target: ConciergeTarget, desk: Desk) -> Starlette:
    """``POST /v1/concierge/peek`` and ``claim``, and what a browser asks before."""
    answers = ConciergeAnswers(target, desk)
    routes = []
    for name, endpoint in (("peek", answers.peek), ("claim", answers.claim)):
        path = f"/v1/concierge/{name}"
        routes.append(Route(path, endpoint, methods=["POST"]))
        routes.append(Route(path, answers.preflight, methods=["OPTIONS"]))
    return Starlette(routes=routes)


def health_app(is_ready: Callable[[], bool]) -> Starlette:
    """``/healthz``, ``/readyz`` and ``/metrics``; ``is_ready``: whether it listens."""

    def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    def ready(_: Request) -> Response:
        found = is_ready()
        return JSONResponse({"ready": found}, status_code=200 if found else 503)

    def shown(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", shown)]
    )
