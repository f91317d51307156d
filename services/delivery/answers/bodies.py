"""Bodies of requests from outside: read to a limit, so that nobody's costs more than that."""

from __future__ import annotations

from starlette.requests import Request


class TooLong(ValueError):
    """The body is longer than it may be."""


async def raw_body(request: Request, limit: int) -> bytes:
    """The body as it came; raises :class:`TooLong` before more than ``limit`` bytes are held."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLong
        parts.append(part)
    return b"".join(parts)
