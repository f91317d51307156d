"""Reading a request's body at bounded cost: length, packed and unpacked, and time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from services.ingest.gateway.fair_shares import FairPool
from services.ingest.gateway.problem_details import Refused, not_now

MAX_BODY_BYTES = 512_000
MAX_EVENTS = 2_500
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class BodyMemory:
    """The bytes of bodies that are held at a time, in fair shares: a slow body holds what came of
    it, and nothing else."""

    def __init__(self, capacity: int) -> None:
        self._bytes = FairPool(capacity)

    def reading(self, request: Request, holder: str, *, timeout_ms: int) -> HeldBody:
        """The body, held while it is worked on (``async with``); raises as :func:`read_body`, and
        503 beyond the holder's share."""
        return HeldBody(self._bytes, request, holder, timeout_ms)


class HeldBody:
    """One body in memory."""

    __slots__ = ("_bytes", "_held", "_holder", "_request", "_timeout_ms")

    def __init__(self, shares: FairPool, request: Request, holder: str, timeout_ms: int) -> None:
        self._bytes, self._request, self._holder = shares, request, holder
        self._timeout_ms = timeout_ms
        self._held = 0

    async def __aenter__(self) -> bytes:
        try:
            return await read_body(self._request, timeout_ms=self._timeout_ms, hold=self._hold)
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _hold(self, size: int) -> None:
        if not self._bytes.take(self._holder, size):
            raise not_now("busy", "Too many bodies of this sender come in at a time.", 1)
        self._held += size

    def _release(self) -> None:
        if self._held:
            self._bytes.give_back(self._holder, self._held)
            self._held = 0


async def read_body(request: Request, *, timeout_ms: int, hold: Callable[[int], None]) -> bytes:
    """The body, unpacked; raises 400, 408, 413 or 415. Never holds more than the limit and one
    chunk.

    ``hold`` is called with the size of each piece before it is kept, and may raise.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise _too_long()
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            match coding:
                case "identity" | "":
                    return await _plain(request.receive, hold)
                case "gzip" | "x-gzip" | "deflate":
                    return await _gather(_unpacked(request.stream(), coding), hold)
                case _:
                    raise Refused(
                        415, "encoding", "Content-Encoding is neither gzip, deflate nor identity."
                    )
    except TimeoutError:
        raise Refused(408, "slow_body", "The body took too long to come in.") from None
    except ClientDisconnect:
        raise Refused(400, "disconnected", "The client went away.") from None


async def _plain(receive: Receive, hold: Callable[[int], None]) -> bytes:
    """A body that is not packed; mostly it is there in one piece."""
    body: bytes | bytearray = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) + len(chunk) > MAX_BODY_BYTES:
            raise _too_long()
        if chunk:
            hold(len(chunk))
            if not body:
                body = chunk
                continue
            if not isinstance(body, bytearray):
                body = bytearray(body)
            body += chunk  # in place: a body in a thousand pieces is not copied a thousand times
    return bytes(body)


async def _gather(chunks: AsyncIterator[bytes], hold: Callable[[int], None]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > MAX_BODY_BYTES:
            raise _too_long()
        if chunk:
            hold(len(chunk))
            body += chunk
    return bytes(body)


async def _unpacked(chunks: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP if coding != "deflate" else _ZLIB)
    first, packed = coding == "deflate", 0
    async for chunk in chunks:
        packed += len(chunk)
        if packed > MAX_BODY_BYTES:
            raise _too_long()
        if first and chunk:
            # "deflate" is zlib by the standard and raw by habit; the first byte shows which.
            first = False
            unpacker = unpacker if chunk[0] & 0x0F == 0x08 else zlib.decompressobj(_RAW)
        try:
            yield unpacker.decompress(chunk, MAX_BODY_BYTES + 1)
        except zlib.error:
            raise _not_packed() from None
        if unpacker.unconsumed_tail:
            raise _too_long()
    if not unpacker.eof or unpacker.unused_data:
        raise _not_packed()


def _too_long() -> Refused:
    return Refused(
        413,
        "too_long",
        f"A body may have {MAX_BODY_BYTES} bytes when unpacked; send several smaller ones.",
    )


def _not_packed() -> Refused:
    return Refused(400, "malformed", "The body is not packed as its Content-Encoding says.")
