"""The gateway as it is served: its own listener with its walls on a free port, and a publish that
keeps what it is given."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from baton.contracts.intake import IntakeRecord
from baton.http import bind
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.server import limits_of, serve_app
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings

WEB, CRM = "web-0123456789abcdef", "crm-0123456789abcdef"
KEYS = f"web:engagement:{WEB},crm:engagement+acts:{CRM}"


@dataclass
class Served:
    """A running gateway: what came in, and where to send."""

    port: int = 0
    records: list[IntakeRecord] = field(default_factory=list)
    does: Callable[[], Any] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def publish(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        """As the brokers would."""
        del traceparent
        if self.does is not None:
            await self.does()
        self.records += records

    async def connect(self) -> Connection:
        """A plain connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return Connection(reader, writer)


@dataclass
class Connection:
    """A client that sends what it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, content: bytes) -> None:
        """Send; a server that has closed already is no error here."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(content)
            await self.writer.drain()

    async def answer(self, *, within_s: float = 10.0) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers and JSON body of the next answer."""
        async with asyncio.timeout(within_s):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def ended(self, *, within_s: float = 10.0) -> bool:
        """Whether the server ends the connection in time, whatever else it says."""
        try:
            async with asyncio.timeout(within_s):
                while await self.reader.read(65_536):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    async def close(self) -> None:
        """Go away."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(*, unread_s: float = 10.0, **more: Any) -> AsyncIterator[Served]:
    """A gateway with these settings; its port is free before and after."""
    own = GatewaySettings(**{"write_keys": KEYS, "gateway_port": 0, **more})
    found = Served()
    bound: socket.socket = bind(own.gateway_host, own.gateway_port, names="the test's")
    found.port = bound.getsockname()[1]
    up = asyncio.Event()
    app = Gateway(found.publish, key_ring(own), own).app()
    limits, idle_s = replace(limits_of(own), unread_s=unread_s), own.idle_timeout_ms / 1000
    running = asyncio.create_task(
        serve_app(app, bound, limits, idle_s=idle_s, drain_s=0.5, up=up.set)
    )
    try:
        async with asyncio.timeout(60):
            await up.wait()
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        bound.close()


def post(
    path: str, body: bytes, *, key: str = WEB, more: bytes = b"", length: int | None = None
) -> bytes:
    """A whole request by hand."""
    shown = f"authorization: Bearer {key}\r\n".encode() if key else b""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n".encode()
    return head + shown + more + b"\r\n" + body
