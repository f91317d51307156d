"""Connects to where a webhook may go, and nowhere else.

The name is resolved here, all its addresses are checked, and the connection is made to a checked
address: nothing resolves it a second time. TLS still checks the name. Environment proxies,
``.netrc``, cookies and redirects do not exist at this layer (httpcore's).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from services.delivery.webhooks.addresses import Network, is_allowed_without_tls, refusal_of

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class NotAllowed(Exception):
    """Nothing was sent, because of where it would have gone; the text says why."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, in the order in which the system prefers them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to public addresses, and to those of ``allowed``."""

    def __init__(
        self,
        *,
        ports: Iterable[int],
        allowed: Iterable[Network] = (),
        plain: bool = False,
        resolver: Resolver = resolve,
    ) -> None:
        self._ports, self._allowed = frozenset(ports), tuple(allowed)
        self._plain, self._resolver = plain, resolver
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first checked address that answers."""
        addresses = await self.checked(host, port)
        problem: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address,
                    port,
                    timeout=timeout,
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem or httpcore.ConnectError("the name has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise NotAllowed("a webhook is not sent to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def checked(self, host: str, port: int) -> Sequence[str]:
        """The host's addresses, all of which may be called; raises :class:`NotAllowed`: one that
        may not spoils them all, because whoever owns the name would choose which is used."""
        if port not in self._ports:
            raise NotAllowed(f"port {port} is not allowed")
        try:
            addresses = await self._resolver(host, port)
        except OSError:
            raise httpcore.ConnectError("the name cannot be resolved") from None
        for address in addresses:
            if (why := refusal_of(address, self._allowed)) is not None:
                raise NotAllowed(f"the name leads to an address that is not allowed: {why}")
            if self._plain and not is_allowed_without_tls(address, self._allowed):
                raise NotAllowed("http: is for addresses of allow_networks only")
        return addresses
