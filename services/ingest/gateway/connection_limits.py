"""How many connections there may be, in all and of one address, and what each limit is answered
with.

What a single connection may send, and for how long, is
:mod:`services.ingest.gateway.guarded_connection`. Whatever a limit ends is counted and logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from services.ingest.gateway import metrics

log = logging.getLogger(__name__)

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
    Limit.UPGRADE: (
        400,
        "Send HTTP/1.1 without an Upgrade header, or by way of a proxy that takes HTTP/2.",
    ),
    Limit.MALFORMED: (400, "This is no HTTP request."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Sizes in bytes, times in seconds. ``unread_s``: for so long a client may leave an answer
    unread. ``measured``: what happens is in the gateway's metrics."""

    connections: int
    per_address: int
    head_bytes: int
    headers: int
    url_bytes: int
    head_s: float
    unread_s: float = 10.0
    measured: bool = True


class LimitExceeded(Exception):
    """Raised inside the parser, which hands it back to whoever fed it."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit.value)
        self.limit = limit


class Watched(Protocol):
    """What the guard asks of a connection. Moments are those of its clock, None where there is
    nothing to wait for."""

    head_since: float | None
    idle_since: float | None

    def check_deadlines(self, now: float) -> None: ...

    def end_idle(self) -> None: ...

    def refuse(self, limit: Limit) -> None: ...


class ConnectionGuard:
    """All connections of one listener: counts them, and looks after them a few times a second."""

    def __init__(
        self, limits: ConnectionLimits, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.seconds = seconds
        self.lingering = 0
        self._open: set[Watched] = set()
        self._by_address: Counter[str] = Counter()
        self._log_due: dict[Limit, float] = {}
        self._since_log: Counter[Limit] = Counter()

    def admit(self, connection: Watched, address: str) -> Limit | None:
        """Count a connection in; the limit that forbids it, if one does."""
        if self._by_address[address] >= self.limits.per_address:
            return Limit.ADDRESS
        if len(self._open) >= self.limits.connections and not self._make_room():
            return Limit.CONNECTIONS
        self._open.add(connection)
        self._by_address[address] += 1
        self._measure()
        return None

    def release(self, connection: Watched, address: str) -> None:
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
            log.warning(
                "limit %s: ended %d since the last such line",
                limit.value,
                self._since_log.pop(limit),
            )
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
        """End the connection that has been idle for longest, else one that has long owed its
        head."""
        idle = [connection for connection in self._open if connection.idle_since is not None]
        if idle:
            min(idle, key=lambda connection: connection.idle_since or 0.0).end_idle()
            return True
        patient = self.seconds() - _OWES_HEAD_S
        owing = [
            connection
            for connection in self._open
            if connection.head_since is not None and connection.head_since < patient
        ]
        if owing:
            min(owing, key=lambda connection: connection.head_since or 0.0).refuse(
                Limit.CONNECTIONS
            )
        return bool(owing)


def answer_to(limit: Limit) -> bytes | None:
    """The whole answer, a problem document; None where there is none to give."""
    if limit not in _ANSWERS:
        return None
    status, detail = _ANSWERS[limit]
    phrase = HTTPStatus(status).phrase
    content = {
        "type": f"urn:baton:problem:{limit.value}",
        "title": phrase,
        "status": status,
        "detail": detail,
    }
    body = json.dumps({**content, "code": limit.value, "message": detail}).encode()
    retry = "retry-after: 1\r\n" if status in (429, 503) else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
