"""An endpoint on the loopback that does what a test says: answers, hangs, resets, redirects."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Received:
    """One request as it came: header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """``answer``: status, or status with headers, or the words ``hang`` and ``reset``; a function
    of the request number."""

    answer: Callable[[int], Any] = lambda number: 200
    requests: list[Received] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ended = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*ended):
            while True:
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Received(path=first.split()[1], headers=headers, body=body))
        answer = self.answer(len(self.requests))
        if answer == "hang":
            await asyncio.sleep(60)
        if answer == "reset":
            writer.transport.abort()
            raise ConnectionResetError
        status, more = answer if isinstance(answer, tuple) else (answer, {})
        text = more.pop("body", "") if isinstance(more, dict) else ""
        extra = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n{extra}\r\n{text}".encode()
        )
        await writer.drain()


@contextlib.asynccontextmanager
async def receiving(
    receiver: Receiver, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """The receiver at ``127.0.0.1:port`` for a while."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await receiver.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
