"""Walls around a connection, which the server's fast parser does not have: sizes of a head, deadlines, how many at a time.

uvicorn with httptools bounds neither the bytes nor the number of headers, waits for a head for ever, and reads on after it has
answered. :class:`GuardedConnection` adds that to uvicorn's own protocol, of which it uses attributes that are not documented; each
wall is tested against the running server. Whatever is ended is answered where it can be, counted and logged.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.ingest.gateway import metrics

log = logging.getLogger(__name__)

_PIECE_BYTES = 16_384
_FRAMING_A_BODY_BYTE = 8
_MAX_PIPELINED = 16
_LINGER_S = 1.0
_MAX_LINGERING = 128
_STUCK_S = 10.0
_DISCARD_S = 5.0
_DISCARD_BYTES = 8 << 20
_OWES_HEAD_S = 1.0
_CHECK_S = 0.25
_LOG_EVERY_S = 10.0


class Limit(StrEnum):
    """What a connection ran against; the values are labels of a metric."""

    CONNECTIONS = "connections"
    ADDRESS = "connections_per_address"
    HEAD_BYTES = "header_bytes"
    HEADERS = "headers"
    URL = "url"
    HEAD_TIME = "header_time"
    FRAMING = "framing"
    PIPELINE = "pipeline"
    UNREAD = "answer_not_read"
    UNASKED = "body_after_answer"
    UPGRADE = "upgrade"
    MALFORMED = "malformed"


_ANSWERS = {
    Limit.CONNECTIONS: (503, "Too many connections; retry later."),
    Limit.ADDRESS: (429, "Too many connections from this address."),
    Limit.HEAD_BYTES: (431, "The head of the request is too long."),
    Limit.HEADERS: (431, "The request has too many headers."),
    Limit.URL: (414, "The address of the request is too long."),
    Limit.HEAD_TIME: (408, "The head of the request took too long to come in."),
    Limit.FRAMING: (400, "The body has too much that is no content."),
    Limit.PIPELINE: (429, "Too many requests before the first is answered."),
    Limit.UPGRADE: (400, "Send HTTP/1.1 without an Upgrade header, or by way of a proxy that takes HTTP/2."),
    Limit.MALFORMED: (400, "This is no HTTP request."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Sizes in bytes, times in seconds. ``measured``: what happens is in the gateway's metrics."""

    connections: int
    per_address: int
    head_bytes: int
    headers: int
    url_bytes: int
    head_s: float
    measured: bool = True


class LimitExceeded(Exception):
    """Raised inside the parser, which hands it back to whoever fed it."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit.value)
        self.limit = limit


class ConnectionGuard:
    """All connections of one listener: counts them, and looks after them a few times a second."""

    def __init__(self, limits: ConnectionLimits, seconds: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.seconds = seconds
        self.lingering = 0
        self._open: set[GuardedConnection] = set()
        self._by_address: Counter[str] = Counter()
        self._log_due: dict[Limit, float] = {}
        self._since_log: Counter[Limit] = Counter()

    def protocol(self) -> Any:
        """What uvicorn makes its connections with."""
        return functools.partial(GuardedConnection, guard=self)

    def admit(self, connection: GuardedConnection, address: str) -> Limit | None:
        """Count a connection in; the limit that forbids it, if one does."""
        if self._by_address[address] >= self.limits.per_address:
            return Limit.ADDRESS
        if len(self._open) >= self.limits.connections and not self._make_room():
            return Limit.CONNECTIONS
        self._open.add(connection)
        self._by_address[address] += 1
        self._measure()
        return None

    def release(self, connection: GuardedConnection, address: str) -> None:
        """Count a connection out; nothing if it is out already."""
        if connection in self._open:
            self._open.discard(connection)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            self._measure()

    def record(self, limit: Limit) -> None:
        """Count and log that a limit ended something; of each limit one line in ten seconds."""
        if self.limits.measured:
            metrics.LIMITED.labels(limit.value).inc()
        self._since_log[limit] += 1
        now = self.seconds()
        if now >= self._log_due.get(limit, now):
            log.warning("limit %s: ended %d since the last such line", limit.value, self._since_log.pop(limit))
            self._log_due[limit] = now + _LOG_EVERY_S

    async def watch(self) -> None:
        """Enforce deadlines until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_S)
            now = self.seconds()
            for connection in tuple(self._open):
                connection.check_deadlines(now)

    def _measure(self) -> None:
        if self.limits.measured:
            metrics.CONNECTIONS.set(len(self._open))

    def _make_room(self) -> bool:
        """End the connection that has been idle for longest, else one that has long owed its head."""
        idle = [each for each in self._open if each.idle_since is not None]
        if idle:
            min(idle, key=lambda each: each.idle_since or 0.0).end_idle()
            return True
        patient = self.seconds() - _OWES_HEAD_S
        owing = [each for each in self._open if each.head_since is not None and each.head_since < patient]
        if owing:
            min(owing, key=lambda each: each.head_since or 0.0).refuse(Limit.CONNECTIONS)
        return bool(owing)


class GuardedConnection(HttpToolsProtocol):
    """One connection. Its head, its framing and its silences are bounded; its body is bounded by the application."""

    def __init__(self, *args: Any, guard: ConnectionGuard, **options: Any) -> None:
        super().__init__(*args, **options)
        self._guard = guard
        self._limits = guard.limits
        self._address = ""
        self._refused = False
        self._in_body = False
        self._head_bytes = self._head_lines = 0  # of what the parser has handed over
        self._loose_bytes = 0  # of what it has not: a field, or framing of the body, that does not end
        self._body_bytes = 0
        self.head_since: float | None = guard.seconds()
        self._answered_since: float | None = None
        self._stuck_since: float | None = None
        self.idle_since: float | None = None

    # --- uvicorn's protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""
        super().connection_made(transport)
        limit = self._guard.admit(self, self._address)
        if limit is not None:
            self.refuse(limit)

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.release(self, self._address)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.idle_since is not None:
            self.idle_since, self.head_since = None, self._guard.seconds()
        for start in range(0, len(data), _PIECE_BYTES):
            if self._refused or self.transport.is_closing():
                return
            self._feed(data[start : start + _PIECE_BYTES])

    def on_message_begin(self) -> None:
        self._head_bytes = self._head_lines = self._loose_bytes = self._body_bytes = 0
        if self.head_since is None:
            self.head_since = self._guard.seconds()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url), lines=0)
        if len(self.url) + len(url) > self._limits.url_bytes:
            raise LimitExceeded(Limit.URL)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4, lines=1)
        if not self._in_body:  # what follows a chunked body is counted and dropped
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            raise LimitExceeded(Limit.UPGRADE)  # the parser skips the body of such a request, and says it has none
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise LimitExceeded(Limit.PIPELINE)
        self._in_body, self.head_since, self._loose_bytes = True, None, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body, self._loose_bytes = False, 0
        self._answered_since = None
        super().on_message_complete()
        self._rest_if_done()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body:
            self._answered_since = self._guard.seconds()
        self._rest_if_done()

    # --- the walls

    def check_deadlines(self, now: float) -> None:
        """End what has taken too long; called a few times a second."""
        if self._is_stuck(now):
            self._guard.record(Limit.UNREAD)
            self.transport.abort()
        elif self._answered_since is not None and now - self._answered_since > _DISCARD_S:
            self._guard.record(Limit.UNASKED)
            self.transport.abort()
        elif self._is_answering():
            if self.head_since is not None:
                self.head_since = now  # the next head has its time when the answer is out
        elif self.head_since is not None and now - self.head_since > self._limits.head_s:
            self.refuse(Limit.HEAD_TIME)

    def end_idle(self) -> None:
        """Make room for another connection."""
        self._guard.record(Limit.CONNECTIONS)
        self._guard.release(self, self._address)
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # whoever does not read would keep it open
        else:
            self.transport.close()

    def _feed(self, piece: bytes) -> None:
        before = self._body_bytes
        self._loose_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
            self._loose_bytes = max(0, self._loose_bytes - max(0, self._body_bytes - before))
            self._check_loose()
            if self._answered_since is not None and self._body_bytes > _DISCARD_BYTES:
                raise LimitExceeded(Limit.UNASKED)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.limit if isinstance(cause, LimitExceeded) else Limit.MALFORMED)
        except LimitExceeded as error:
            self.refuse(error.limit)

    def _check_loose(self) -> None:
        if self._in_body:
            if self._loose_bytes > self._limits.head_bytes + _FRAMING_A_BODY_BYTE * self._body_bytes:
                raise LimitExceeded(Limit.FRAMING)
        elif self._loose_bytes > self._limits.head_bytes:
            raise LimitExceeded(Limit.HEAD_BYTES)

    def _count_head(self, size: int, *, lines: int) -> None:
        self._head_bytes += size
        self._head_lines += lines
        if self._head_bytes > self._limits.head_bytes:
            raise LimitExceeded(Limit.HEAD_BYTES)
        if self._head_lines > self._limits.headers:
            raise LimitExceeded(Limit.HEADERS)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_stuck(self, now: float) -> bool:
        waits = self.transport.is_closing() or self.flow.write_paused
        self._stuck_since = (self._stuck_since or now) if waits else None
        return self._stuck_since is not None and now - self._stuck_since > _STUCK_S

    def _rest_if_done(self) -> None:
        if not (self._in_body or self._is_answering() or self.pipeline or self.head_since is not None):
            self.idle_since = self._guard.seconds()

    def refuse(self, limit: Limit) -> None:
        """Answer, and close a moment later, so that the answer is not lost with what has not been read."""
        if self._refused:
            return
        self._refused = True
        self._guard.record(limit)
        self._guard.release(self, self._address)
        self._unset_keepalive_if_required()
        if limit not in _ANSWERS or self._is_answering() or self._guard.lingering >= _MAX_LINGERING:
            self.transport.abort()  # an answer in the middle of another would be taken for its end
            return
        self.transport.write(_problem(limit))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._guard.lingering += 1
        self.loop.call_later(_LINGER_S, self._end_lingering)

    def _end_lingering(self) -> None:
        self._guard.lingering -= 1
        self.transport.abort()


def _problem(limit: Limit) -> bytes:
    status, detail = _ANSWERS[limit]
    phrase = HTTPStatus(status).phrase
    content = {"type": f"urn:baton:problem:{limit.value}", "title": phrase, "status": status, "detail": detail}
    body = json.dumps({**content, "code": limit.value, "message": detail}).encode()
    retry = "retry-after: 1\r\n" if status in (429, 503) else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
