"""What delivery and the concierge show to operators: ``/healthz``, ``/readyz`` and ``/metrics``, on
a port apart from the one that targets and forms call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import apsw
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.page_guard import GuardedPages
from services.delivery import metrics
from services.delivery.log.follower import Standing
from services.delivery.store.outbox_store import reader

_WAITING = """SELECT target.name, count(delivery.id), min(delivery.created_ms) FROM target
    LEFT JOIN delivery ON delivery.target = target.name AND delivery.state = 'waiting' GROUP BY 1"""


def operations_app(
    is_ready: Callable[[], bool], standing: Callable[[], Standing], store: Path, *, host: str
) -> GuardedPages:
    """Delivery's pages. ``is_ready``: whether it listens; ``standing``: how the follower is;
    ``host``: where the pages are."""

    def state() -> Mapping[str, object]:
        now = standing()
        return {"reading": now.state.value, "reason": now.reason}

    return health_app(is_ready, host=host, state=state, measured=lambda: measure(store))


def health_app(
    is_ready: Callable[[], bool],
    *,
    host: str,
    state: Callable[[], Mapping[str, object]] = dict,
    measured: Callable[[], None] = lambda: None,
) -> GuardedPages:
    """The three pages, at ``host``. ``is_ready``: whether it listens; ``state``: what ``/readyz``
    says beside that; ``measured`` is called before the metrics are read."""

    def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    def ready(_: Request) -> Response:
        found = is_ready()
        return JSONResponse({"ready": found, **state()}, status_code=200 if found else 503)

    def shown(_: Request) -> Response:
        measured()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    pages = [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", shown)]
    return GuardedPages(Starlette(routes=pages), host=host)


def measure(store: Path) -> None:
    """Set the gauges from the store, which is asked when the metrics are."""
    try:
        db = reader(store)
    except apsw.CantOpenError:
        return
    try:
        now_ms = time.time() * 1000
        for target, number, since_ms in db.execute(_WAITING):
            metrics.WAITING.labels(target=target).set(number)
            metrics.DEAD.labels(target=target)  # from 0 on: else the first one is no increase
            age_s = (now_ms - since_ms) / 1000 if since_ms is not None else 0
            metrics.OLDEST.labels(target=target).set(age_s)
        disabled = db.execute("SELECT count(*) FROM target WHERE disabled IS NOT NULL").fetchall()
        metrics.DISABLED.set(disabled[0][0])
    finally:
        db.close()
