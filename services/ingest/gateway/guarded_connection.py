"""Walls around one connection, which the server's fast parser does not have: sizes and deadlines of
a head, framing, silences.

uvicorn with httptools bounds neither the bytes nor the number of headers, waits for a head for
ever, and reads on after it has answered. This adds that to uvicorn's own protocol, of which it uses
attributes that are not documented; each wall is tested against the running server. What is ended is
answered where it can be. The body is bounded by the application.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.ingest.gateway.connection_limits import (
    ConnectionGuard,
    Limit,
    LimitExceeded,
    answer_to,
)

_PIECE_BYTES = 16_384
_FRAMING_A_BODY_BYTE = 8
_VERSIONS = ("1.0", "1.1")
_MAX_PIPELINED = 16
_LINGER_S = 1.0
_MAX_LINGERING = 128
_DISCARD_S = 5.0
_DISCARD_BYTES = 8 << 20


class GuardedConnection(HttpToolsProtocol):
    """One connection. Its head, its framing and its silences are bounded; its body is bounded by
    the application."""

    def __init__(self, *args: Any, guard: ConnectionGuard, **options: Any) -> None:
        super().__init__(*args, **options)
        self._guard = guard
        self._limits = guard.limits
        self._address = ""
        self._refused = False
        self._in_body = False
        self._head_bytes = self._head_lines = self._hosts = 0  # of what the parser has handed over
        # of what it has not: a field, or framing of the body, that does not end
        self._loose_bytes = 0
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
        self._hosts = 0
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
            last = self.headers[-1][0]
            self._hosts += last == b"host"
            if last == b"transfer-encoding" and value.lower() != b"chunked":
                raise LimitExceeded(Limit.MALFORMED)  # a coding that nobody here takes off

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            # the parser skips the body of such a request, and says it has none
            raise LimitExceeded(Limit.UPGRADE)
        version = self.parser.get_http_version()  # the parser takes a line without any for 0.9
        if version not in _VERSIONS or self._hosts > 1 or (not self._hosts and version == "1.1"):
            raise LimitExceeded(Limit.MALFORMED)
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
            if (
                self._loose_bytes
                > self._limits.head_bytes + _FRAMING_A_BODY_BYTE * self._body_bytes
            ):
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
        return self._stuck_since is not None and now - self._stuck_since > self._limits.unread_s

    def _rest_if_done(self) -> None:
        if not (
            self._in_body or self._is_answering() or self.pipeline or self.head_since is not None
        ):
            self.idle_since = self._guard.seconds()

    def refuse(self, limit: Limit) -> None:
        """Answer, and close a moment later, so that the answer is not lost with what has not been
        read."""
        if self._refused:
            return
        self._refused = True
        self._guard.record(limit)
        self._guard.release(self, self._address)
        self._unset_keepalive_if_required()
        answer = answer_to(limit)
        answering = self._is_answering() and not self._takes_over_answer()
        if answer is None or answering or self._guard.lingering >= _MAX_LINGERING:
            self.transport.abort()  # an answer in the middle of another would be taken for its end
            return
        self.transport.write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._guard.lingering += 1
        self.loop.call_later(_LINGER_S, self._end_lingering)

    def _takes_over_answer(self) -> bool:
        """Where it is the body of the only open request that is wrong, and no answer to it has
        begun: take the request from the application, as if its sender had gone."""
        if not self._in_body or self.pipeline or self.cycle.response_started:
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return True

    def _end_lingering(self) -> None:
        self._guard.lingering -= 1
        self.transport.abort()
