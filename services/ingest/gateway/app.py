"""The gateway's ASGI application: who sends, how much, what it is, and an answer once the brokers
have it.

Given a ``publish`` that returns when the brokers have acknowledged, a clock for log-independent
moments (``now_ms``) and one for rates. What a source's requests mean is its adapter's
(:mod:`services.ingest.gateway.adapters`).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from baton.contracts.intake import IntakeRecord
from baton.intake.request import with_companions
from services.ingest.gateway import metrics
from services.ingest.gateway.adapters.protocol import Adapter, Answer, Delivery, RequestHead
from services.ingest.gateway.adapters.registry import ADAPTERS
from services.ingest.gateway.browser_guard import ANY_ORIGIN, check_local, check_origin
from services.ingest.gateway.openapi import describe
from services.ingest.gateway.parsing import Taken, take
from services.ingest.gateway.problem_details import Refused, document, not_now
from services.ingest.gateway.rate_limits import PublishingGate, RateLimit
from services.ingest.gateway.request_body import BodyMemory
from services.ingest.gateway.source_dead_letters import DeadLetter, letter_of_body, letters_of
from services.ingest.gateway.source_requests import ErrorResponse, SourceRequests, head_of
from services.ingest.gateway.write_keys import KeyRing, WriteKey
from services.ingest.settings import GatewaySettings

log = logging.getLogger(__name__)

_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-\S{0,64})?\Z")
_MEGABYTE = 1 << 20


class NotPublished(Exception):
    """The brokers did not take the records; the text says why."""


class Publish(Protocol):
    """Returns when the brokers have acknowledged all records; raises :class:`NotPublished`."""

    def __call__(
        self, records: Sequence[IntakeRecord], traceparent: str | None
    ) -> Awaitable[None]: ...


class Keep(Protocol):
    """Returns when the brokers have acknowledged all dead letters; raises :class:`NotPublished`."""

    def __call__(self, letters: Sequence[DeadLetter]) -> Awaitable[None]: ...


class Gateway:
    """The application's parts and its handlers. ``halted``: why nothing is taken now, None while it
    is. ``keep``: where the dead letters of sources go; without it their bad records are refused."""

    def __init__(
        self,
        publish: Publish,
        keys: KeyRing,
        settings: GatewaySettings,
        *,
        keep: Keep | None = None,
        halted: Callable[[], str | None] = lambda: None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._keys = keys
        self._settings = settings
        self._keep = keep
        self._halted = halted
        self._now_ms = now_ms
        self._rates = RateLimit(settings.rate_events, settings.rate_burst, seconds)
        self._gate = PublishingGate(settings.max_in_flight, settings.ack_timeout_ms)
        self._bodies = BodyMemory(settings.max_body_memory_mb * _MEGABYTE)

    def app(self, adapters: Sequence[Adapter] = ADAPTERS) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route(endpoint.path, partial(self._handle, adapter=adapter), methods=[endpoint.method])
            for adapter in adapters
            for endpoint in adapter.endpoints
        ]
        document = describe(adapters)
        routes.append(Route("/openapi.json", lambda _: JSONResponse(document), methods=["GET"]))
        browsers = Middleware(
            CORSMiddleware,
            allow_origins=sorted(self._settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
            # A beacon asks with credentials, though it has none; of any origin it may not.
            allow_credentials=ANY_ORIGIN not in self._settings.origins,
            max_age=3600,
        )
        origins = bool(self._settings.origins)
        others = Starlette(
            routes=routes, middleware=[browsers] if origins else [], exception_handlers=_ERRORS
        )
        return SourceRequests(adapters, self._handle, others, errors=_ERRORS, origins=origins)

    async def _handle(self, request: Request, adapter: Adapter) -> Response:
        head = head_of(request)
        self._check_open()
        check_origin(head.headers, self._settings.origins)
        key = adapter.authenticate(head, self._keys)
        self._check_sender(key, head, request.method)
        sender = key.name if key else _address_of(request)
        async with self._bodies.reading(
            request, sender, timeout_ms=self._settings.body_timeout_ms
        ) as body:
            delivery = Delivery(head=head, body=body, received_at_ms=self._now_ms())
            if key is None:
                key = adapter.authenticate_body(delivery, self._keys)
                self._check_sender(key, head, request.method)
            taken, letters = self._take(adapter, delivery, key)
        self._rates.take(key.name, len(taken.records) + len(letters or taken.bad))
        await self._acknowledge(taken, letters, key, head.headers.get("traceparent"))
        metrics.events("taken").inc(len(taken.records))
        metrics.events("rejected").inc(len(letters or taken.bad))
        return _response(adapter.answer(head, taken))

    def _take(
        self, adapter: Adapter, delivery: Delivery, key: WriteKey
    ) -> tuple[Taken, tuple[DeadLetter, ...]]:
        """What is taken of a request, and what is kept as dead letters."""
        if self._keep is None or not adapter.keeps_rejected:
            body = adapter.unpack(delivery)
            return take(replace(body, kept_as=None) if body.kept_as else body, key), ()
        try:
            taken = take(adapter.unpack(delivery), key)
        except Refused as refused:
            if refused.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
            return Taken(records=()), (letter_of_body(refused, key.name, delivery),)
        return taken, tuple(letters_of(taken, key.name, delivery))

    def _check_open(self) -> None:
        reason = self._halted()
        if reason is not None:
            raise not_now("not_processed", reason, 10)

    def _check_sender(self, key: WriteKey | None, head: RequestHead, method: str) -> None:
        if key is None:
            return
        if key.is_anybody:
            check_local(head.headers, method, head.media_type)
        self._rates.check(key.name)

    async def _acknowledge(
        self,
        taken: Taken,
        letters: Sequence[DeadLetter],
        key: WriteKey,
        traceparent: str | None,
    ) -> None:
        if not taken.records and not letters:
            return
        trace = traceparent if traceparent and _TRACE.match(traceparent) else None

        async def publish() -> None:
            if letters and self._keep is not None:
                await self._keep(letters)
            if taken.records:
                await self._publish(with_companions(taken.records), trace)

        try:
            with metrics.ACKNOWLEDGED_SECONDS.time():
                await self._gate.acknowledged(key.name, publish)
        except NotPublished as error:
            log.warning("events were not taken: %s", error)
            detail = "The brokers did not take the events; send the same again."
            raise not_now("not_acknowledged", detail, 2) from None


def _address_of(request: Request) -> str:
    # No key has such a name.
    return f"address {request.client.host if request.client else ''}"


def _response(answer: Answer) -> Response:
    if isinstance(answer.content, bytes):
        return Response(
            answer.content, answer.status, dict(answer.headers), media_type=answer.media_type
        )
    return JSONResponse(answer.content, answer.status, dict(answer.headers))


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Refused)
    metrics.REFUSED.labels(str(error.status)).inc()
    return document(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "refused")
    headers = dict(error.headers or {})
    return await _refused(
        request, Refused(error.status_code, code, f"{error.detail}.", headers=headers)
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a request ended in %s", type(error).__name__, exc_info=error)
    return await _refused(
        request,
        Refused(500, "internal", "The request could not be worked on; it may be sent again."),
    )


_ERRORS: Final[Mapping[type[Exception], ErrorResponse]] = {
    Refused: _refused,
    HTTPException: _http,
    Exception: _unexpected,
}
