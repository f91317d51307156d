"""Bodies of requests from outside: read to a limit and in a bounded time, so that nobody's costs
more than that."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

_PATIENCE_S = 5.0


class BodyRefused(ValueError):
    """The body is longer than it may be, or comes too slowly; ``status`` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the body is refused with {status}")
        self.status = status


async def raw_body(request: Request, limit: int, patience_s: float = _PATIENCE_S) -> bytes:
    """The body as it came; raises :class:`BodyRefused` before more than ``limit`` bytes are
    held."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(patience_s):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise BodyRefused(413)
                parts.append(part)
    except TimeoutError:
        raise BodyRefused(408) from None
    return b"".join(parts)
