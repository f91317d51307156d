"""OAuth tokens: refreshed by one at a time, written down encrypted before they are used.

A refresh token may be good for one use: a new one that is lost locks Baton out. So it is committed
first and used after, and whoever finds a refresh refused looks first whether somebody else has made
one meanwhile.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

import httpx
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.delivery.store.outbox_store import Store, rows

_EARLY_S = 60


class TokenDead(RuntimeError):
    """The CRM refuses the refresh token; somebody has to connect Baton anew."""


class KeyWrong(ValueError):
    """BATON_DELIVERY_TOKEN_KEY is missing, no Fernet key, or another than the tokens are
    encrypted with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """``expires_at``: seconds since the epoch. ``instance_url``: where the API is, if the CRM says
    so."""

    access: str
    refresh: str
    expires_at: float
    instance_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How a refresh token is exchanged. ``refresh``: the first one, from the environment."""

    url: str
    client_id: str
    client_secret: str | None
    refresh: str


_DEAD: Final = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})


def _is_dead(answer: httpx.Response) -> bool:
    """Whether the grant is refused for good. Salesforce answers 400, too, to whoever comes while
    the same token is being refreshed by somebody else: that is over in a moment."""
    if answer.status_code not in (400, 401):
        return False
    try:
        found = answer.json()
        error, text = str(found["error"]), str(found.get("error_description", ""))
    except (ValueError, TypeError, KeyError):
        return answer.status_code == 401
    return error in _DEAD and "already being processed" not in text


class TokenKeeper:
    """The tokens of one target. ``keys``: Fernet keys separated by commas, the newest first."""

    def __init__(
        self,
        target: str,
        grant: Grant,
        keys: str,
        place: tuple[Path, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target, self._grant, self._clock = target, grant, clock
        self._folder, self._namespace = place
        self._one_at_a_time = asyncio.Lock()
        try:
            self._box = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError:
            raise KeyWrong(
                "BATON_DELIVERY_TOKEN_KEY must be a Fernet key: python -c 'from "
                "cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from None

    async def token(self, client: httpx.AsyncClient, *, instead_of: str | None = None) -> Token:
        """One that is good for a minute at least, and not the access token ``instead_of``; raises
        :class:`TokenDead`, and httpx's errors."""
        async with self._one_at_a_time:
            known = await asyncio.to_thread(self._stored)
            if known is not None and self._is_good(known, instead_of):
                return known
            lock = await asyncio.to_thread(self._locked)
            with lock:
                known = await asyncio.to_thread(self._stored)
                if known is not None and self._is_good(known, instead_of):
                    return known
                return await self._refreshed(client, known)

    def _is_good(self, token: Token, instead_of: str | None) -> bool:
        return token.access != instead_of and token.expires_at > self._clock() + _EARLY_S

    async def _refreshed(self, client: httpx.AsyncClient, known: Token | None) -> Token:
        refresh = known.refresh if known else self._grant.refresh
        form = {
            "grant_type": "refresh_token",
            "client_id": self._grant.client_id,
            "refresh_token": refresh,
        }
        if self._grant.client_secret:
            form["client_secret"] = self._grant.client_secret
        answer = await client.post(self._grant.url, data=form)
        if _is_dead(answer):
            raise TokenDead("the refresh token is refused; connect Baton to the CRM anew")
        answer.raise_for_status()
        found = answer.json()
        token = Token(
            access=found["access_token"],
            refresh=found.get("refresh_token") or refresh,
            expires_at=self._clock() + float(found.get("expires_in", 3_600)),
            instance_url=found.get("instance_url", ""),
        )
        await asyncio.to_thread(self._store, token)
        return token

    def _locked(self) -> IO[str]:
        """A lock across processes, until it is closed: the command line may refresh too."""
        file = (self._folder / f"token-{self._target}.lock").open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _stored(self) -> Token | None:
        store = Store(self._folder, self._namespace)
        try:
            query = "SELECT sealed FROM token WHERE target = ?"
            found = rows(store.db, query, (self._target,))
        finally:
            store.close()
        if not found:
            return None
        try:
            return Token(**json.loads(self._box.decrypt(found[0]["sealed"])))
        except InvalidToken:
            raise KeyWrong(
                f"the tokens of {self._target} are encrypted with another key than "
                "BATON_DELIVERY_TOKEN_KEY; put the former one behind it, after a comma"
            ) from None

    def _store(self, token: Token) -> None:
        sealed = self._box.encrypt(json.dumps(asdict(token)).encode())
        store = Store(self._folder, self._namespace)
        try:
            with store.transaction():
                store.db.execute(
                    "INSERT INTO token VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                    "SET sealed = excluded.sealed, at_ms = excluded.at_ms",
                    (self._target, sealed, int(self._clock() * 1000)),
                )
        finally:
            store.close()
