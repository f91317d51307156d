"""Sends one webhook: signs it now, posts it to a checked address, reads no more of the answer than
its status needs."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import secrets as secrets_module
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpcore
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.delivery.store.outbox import Delivery
from services.delivery.targets.target_model import WebhookTarget
from services.delivery.webhooks.addresses import refusal_of
from services.delivery.webhooks.network import GuardedBackend, NotAllowed, Resolver, resolve
from services.delivery.webhooks.schedule import Outcome

_READ: Final = 1_024
_KEEP_ALIVE_S: Final = 5.0
_AGENT: Final = "Baton-Webhooks/1"
CHECK: Final = "baton.check"
"""The type of what a check sends: it has no data, and means nothing."""


def signature_of(secrets: Sequence[SecretStr], name: str, at: datetime, body: str) -> str:
    """The header ``webhook-signature``: one signature for each secret, the newest first."""
    return " ".join(Webhook(secret.get_secret_value()).sign(name, at, body) for secret in secrets)


def retry_after_ms(header: str, now: datetime) -> int | None:
    """What a ``Retry-After`` header asks for: seconds, or a moment; None where it is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text) * 1_000
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(int((moment - now).total_seconds() * 1_000), 0)


class WebhookCarrier:
    """Carries deliveries to one endpoint."""

    batch = 1
    spacing_ms = 0
    notes_begin = False

    def __init__(
        self,
        target: WebhookTarget,
        secrets: Sequence[SecretStr],
        context: ssl.SSLContext,
        *,
        proxy: str | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self.parallel = target.parallel
        self._target, self._secrets, self._proxy = target, tuple(secrets), proxy
        self._backend = GuardedBackend(
            ports=target.ports,
            allowed=target.allow_networks,
            plain=target.url.startswith("http:"),
            resolver=resolver,
        )
        self._pool = self._made_pool(context)

    def _made_pool(self, context: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
        if self._proxy is not None:
            return httpcore.AsyncHTTPProxy(
                self._proxy, ssl_context=context, keepalive_expiry=_KEEP_ALIVE_S
            )
        return httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=self.parallel,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=self._backend,
        )

    async def close(self) -> None:
        """Leave the connections."""
        await self._pool.aclose()

    async def check(self) -> tuple[bool, str]:
        """Whether the secrets can sign, every address of the endpoint may be called and answers a
        connection; and the signature's echo: a check that is signed is taken, and one that is
        signed with another secret is refused."""
        try:
            signature_of(self._secrets, "msg_check", datetime.now(UTC), "{}")
            async with asyncio.timeout(self._target.timeout_s):
                await self._connect()
        except NotAllowed as refusal:
            return False, str(refusal)
        except (TimeoutError, OSError, httpcore.NetworkError, httpcore.TimeoutException):
            return False, "no connection"
        except ValueError:
            return False, "a secret is not as the specification wants it: whsec_ and base64"
        if not self._target.echo:
            return True, "the address is allowed and answers; the secrets sign"
        signed, unsigned = await self._echo(self._secrets), await self._echo((_stranger(),))
        return echo_verdict(signed, unsigned)

    async def _connect(self) -> None:
        if self._proxy is not None:
            return  # only the proxy connects; the echo goes through it
        parts = urlsplit(self._target.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        stream = await self._backend.connect_tcp(parts.hostname or "", port)
        await stream.aclose()

    async def _echo(self, secrets: Sequence[SecretStr]) -> Outcome:
        """One attempt with a check that has nothing in it, under an id of its own."""
        now = datetime.now(UTC)
        body = {"type": CHECK, "timestamp": now.isoformat(timespec="milliseconds"), "data": {}}
        name = f"msg_check{int(now.timestamp() * 1_000_000)}"
        return await self._tried(name, json.dumps(body), secrets)

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One attempt for one delivery; never raises for what the endpoint does."""
        (delivery,) = deliveries
        return [await self._tried(delivery.id, delivery.payload, self._secrets)]

    async def _tried(self, name: str, payload: str, secrets: Sequence[SecretStr]) -> Outcome:
        try:
            async with asyncio.timeout(self._target.timeout_s):
                return await self._attempt(name, payload, secrets)
        except NotAllowed as refusal:
            return Outcome(ok=False, words=str(refusal))
        except TimeoutError:
            return Outcome(ok=False, words="no answer in time")
        except ssl.SSLError:
            return Outcome(ok=False, words="TLS failed")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            return Outcome(ok=False, words=_WORDS.get(type(error), "the connection broke"))
        except OSError as error:
            return Outcome(ok=False, words=f"the connection broke ({type(error).__name__})")

    def _refuse_literal(self, host: str) -> None:
        """Behind a proxy names are resolved there; an address as such is still looked at here."""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return
        if (why := refusal_of(host, self._target.allow_networks)) is not None:
            raise NotAllowed(f"the address is not allowed: {why}")

    async def _attempt(self, name: str, payload: str, secrets: Sequence[SecretStr]) -> Outcome:
        now = datetime.now(UTC)
        parts = urlsplit(self._target.url)
        if self._proxy is not None:
            self._refuse_literal(parts.hostname or "")
        headers = [
            ("host", parts.netloc),
            ("content-type", "application/json"),
            ("user-agent", _AGENT),
            ("webhook-id", name),
            ("webhook-timestamp", str(int(now.timestamp()))),
            ("webhook-signature", signature_of(secrets, name, now, payload)),
        ]
        async with self._pool.stream(
            "POST", self._target.url, headers=headers, content=payload.encode()
        ) as response:
            await _drain(response)
        return _outcome(response, now)


def _stranger() -> SecretStr:
    """A secret that no receiver has."""
    return SecretStr(f"whsec_{base64.b64encode(secrets_module.token_bytes(24)).decode()}")


def echo_verdict(signed: Outcome, unsigned: Outcome) -> tuple[bool, str]:
    """What the answers to a check that was signed, and to one signed with another secret, say of
    the receiver."""
    if signed.status in (401, 403):
        return False, (
            f"it answers {signed.words} to what is signed: does the receiver have this secret?"
        )
    if not signed.ok:
        return False, f"to a signed check: {signed.words}"
    if unsigned.ok:
        return False, (
            "it takes what is signed with another secret as well: the receiver does not verify "
            "signatures; `echo: false` where it cannot"
        )
    return True, "it takes what is signed and refuses what is signed with another secret"


async def _drain(response: httpcore.Response) -> None:
    """Read a short answer, so that the connection can be used again; of a long one not more."""
    read = 0
    async for part in response.aiter_stream():
        read += len(part)
        if read > _READ:
            return


def _outcome(response: httpcore.Response, now: datetime) -> Outcome:
    status = response.status
    if 200 <= status < 300:
        return Outcome(ok=True, words=str(status), status=status)
    asked = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    return Outcome(
        ok=False,
        words=f"{status} (redirects are not followed)" if 300 <= status < 400 else str(status),
        status=status,
        retry_after_ms=retry_after_ms(asked.decode("latin-1"), now) if asked else None,
    )


_WORDS: Final[dict[type[Exception], str]] = {
    httpcore.ConnectError: "no connection",
    httpcore.ConnectTimeout: "no connection in time",
    httpcore.ReadError: "the connection was reset",
    httpcore.RemoteProtocolError: "it ended without an answer in HTTP",
}
