"""The gateway's ASGI application: who sends, how much, what it is, and an answer once the brokers have it.

Given a ``publish`` that returns when the brokers have acknowledged, a clock for log-independent moments (``now_ms``) and one for rates.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from baton.contracts.intake import IntakeRecord
from baton.intake.cloudevents import attributes_of
from baton.intake.reading import LineRefused
from baton.intake.request import with_companions
from services.ingest.gateway import metrics
from services.ingest.gateway.adapters.segment import CALLS
from services.ingest.gateway.openapi import described
from services.ingest.gateway.parsing import Taken, Taking, take_batch, take_call, take_events, take_lines
from services.ingest.gateway.problem_details import Refused, document, not_now, refused_line
from services.ingest.gateway.rate_limits import Gate, RateLimit
from services.ingest.gateway.request_body import read_body
from services.ingest.gateway.time_slices import Turns
from services.ingest.gateway.write_keys import KeyRing, WriteKey, presented_key
from services.ingest.settings import GatewaySettings

log = logging.getLogger(__name__)

BATCHES = ("batch", "import")
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
_JSON = frozenset({"application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain", ""})
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-\S{0,64})?\Z")
# Clients of Segment and RudderStack. Several of them know no success but 200: on 202 some try ten times, some for ever.
_SDK = re.compile(r"(?:analytics[-.]|segment|rudder)", re.IGNORECASE)


class NotPublished(Exception):
    """The brokers did not take the records; the text says why."""


class Publish(Protocol):
    """Returns when the brokers have acknowledged all records; raises :class:`NotPublished`."""

    def __call__(self, records: Sequence[IntakeRecord], traceparent: str | None) -> Awaitable[None]: ...


class Gateway:
    """The application's parts and its handlers."""

    def __init__(
        self,
        publish: Publish,
        keys: KeyRing,
        settings: GatewaySettings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._keys = keys
        self._settings = settings
        self._now_ms = now_ms
        self._rates = RateLimit(settings.rate_events, settings.rate_burst, seconds)
        self._gate = Gate(settings.max_in_flight, settings.ack_timeout_ms)
        self._turns = Turns()

    def app(self) -> Starlette:
        """The ASGI application."""
        calls = [Route(f"/v1/{each}", partial(self._call, call_type=each), methods=["POST"]) for each in sorted(CALLS)]
        batches = [Route(f"/v1/{each}", self._batch, methods=["POST"]) for each in BATCHES]
        origins = [each.strip() for each in self._settings.cors_origins.split(",") if each.strip()]
        browsers = Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["POST"], allow_headers=["*"], max_age=3600)
        return Starlette(
            routes=[
                *calls,
                *batches,
                Route("/v1/events", self._events, methods=["POST"]),
                Route("/openapi.json", _openapi, methods=["GET"]),
            ],
            middleware=[browsers] if origins else [],
            exception_handlers={Refused: _refused, HTTPException: _http, Exception: _unexpected},
        )

    async def _call(self, request: Request, call_type: str) -> Response:
        return await self._answer(request, lambda body, key: take_call(body, call_type, key, self._now_ms()), segment=True)

    async def _batch(self, request: Request) -> Response:
        return await self._answer(request, lambda body, key: take_batch(body, key, self._now_ms()), segment=True)

    async def _events(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _LINES | _JSON:
            raise Refused(415, "content_type", "Send application/json, application/x-ndjson or application/cloudevents+json.")
        try:
            attributes = attributes_of(((name, value.encode()) for name, value in request.headers.items()), prefix="ce-")
        except LineRefused as refused:
            raise refused_line(refused) from None
        if kind in _LINES:
            return await self._answer(request, take_lines)
        return await self._answer(request, lambda body, key: take_events(body, key, attributes))

    async def _answer(self, request: Request, take: Callable[[bytes, WriteKey], Taking], *, segment: bool = False) -> Response:
        key = self._holder(presented_key(request.headers.get("authorization")))
        self._rates.check(key.name)
        self._gate.enter()
        publishing = False
        try:
            body = await read_body(request, timeout_ms=self._settings.body_timeout_ms)
            taken = await self._turns.taken(take(body, key), len(body))
            self._rates.take(key.name, len(taken.records) + len(taken.bad))
            publishing = True
        finally:
            if not publishing:
                self._gate.leave()
        await self._acknowledge(taken, request.headers.get("traceparent"))
        metrics.EVENTS.labels("taken").inc(len(taken.records))
        metrics.EVENTS.labels("rejected").inc(len(taken.bad))
        return _success(taken, status=200 if segment and _SDK.match(request.headers.get("user-agent", "")) else 202)

    async def _acknowledge(self, taken: Taken, traceparent: str | None) -> None:
        trace = traceparent if traceparent and _TRACE.match(traceparent) else None
        try:
            with metrics.ACKNOWLEDGED_SECONDS.time():
                await self._gate.acknowledged(self._publish(with_companions(taken.records), trace))
        except NotPublished as error:
            log.warning("events were not taken: %s", error)
            raise not_now("not_acknowledged", "The brokers did not take the events; send the same again.", 2) from None

    def _holder(self, presented: str | None) -> WriteKey:
        key = self._keys.holder(presented)
        if key is None:
            detail = "The write key is not known." if presented else "Send a write key as the user of Basic authorization."
            raise Refused(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Basic realm="baton"'})
        return key


def _success(taken: Taken, status: int) -> Response:
    content: dict[str, object] = {
        "success": True,
        "accepted": len(taken.records),
        "events": [record.event_id for record in taken.records],
    }
    if taken.bad:
        content["rejected"] = taken.rejected()
        content["rejected_count"] = len(taken.bad)
    return JSONResponse(content, status)


async def _openapi(request: Request) -> Response:
    del request
    return JSONResponse(described())


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Refused)
    metrics.REFUSED.labels(str(error.status)).inc()
    return document(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "refused")
    headers = dict(error.headers or {})
    return await _refused(request, Refused(error.status_code, code, f"{error.detail}.", headers=headers))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a request ended in %s", type(error).__name__, exc_info=error)
    return await _refused(request, Refused(500, "internal", "The request could not be worked on; it may be sent again."))
