"""Requests to the addresses of sources, from the server straight to their handler.

A source's address is looked up as it is written; routes and middleware are not passed on the way.
Whatever else comes (other addresses and methods, pages of the origins that are allowed) goes
through the application of Starlette, which has the same handlers; the answers do not differ.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.gateway.adapters.protocol import Adapter, RequestHead

Respond = Callable[[Request, Adapter], Awaitable[Response]]
ErrorResponse = Callable[[Request, Exception], Awaitable[Response]]

_PATTERN: Final = "{"
"""In an address: a part of it is a parameter, so it is no address but many."""
_NO_QUERY: Final[Mapping[str, str]] = {}


class SourceRequests:
    """An ASGI application. ``others``: takes what no source's address and method is; ``errors``:
    the response to what a handler raises, by the first class that it is an instance of; one of
    ``Exception`` is for what nobody expected, which is raised on after it. ``origins``: pages of
    some origins may send, and their requests are for ``others``."""

    def __init__(
        self,
        adapters: Iterable[Adapter],
        respond: Respond,
        others: ASGIApp,
        *,
        errors: Mapping[type[Exception], ErrorResponse],
        origins: bool,
    ) -> None:
        self._respond, self._others, self._errors = respond, others, dict(errors)
        self._origins = origins
        self._adapters: dict[tuple[str, str], Adapter] = {}
        for adapter in adapters:
            for endpoint in adapter.endpoints:
                if _PATTERN not in endpoint.path:
                    self._adapters.setdefault((endpoint.method, endpoint.path), adapter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        adapter = self._adapter_of(scope)
        if adapter is None:
            await self._others(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request, adapter)
        except Exception as error:
            kind = next(kind for kind in self._errors if isinstance(error, kind))
            response = await self._errors[kind](request, error)
            if kind is Exception:  # the server ends the connection of such a request
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)

    def _adapter_of(self, scope: Scope) -> Adapter | None:
        if scope["type"] != "http" or (self._origins and _is_of_a_page(scope["headers"])):
            return None
        return self._adapters.get((scope["method"], scope["path"]))


def head_of(request: Request) -> RequestHead:
    """What the request says before its body."""
    scope = request.scope
    query: bytes = scope["query_string"]
    return RequestHead(
        path=scope["path"],
        raw_query=query.decode(),
        headers=_fields(scope["headers"]),
        query=QueryParams(query) if query else _NO_QUERY,
        method=scope["method"],
    )


def _fields(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    return found if len(found) == len(headers) else Headers(raw=list(headers))


def _is_of_a_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name == b"origin" for name, _ in headers)
