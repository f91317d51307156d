"""Keeps cards in Slack as the hand-offs are, and posts notices.

A delivery says only which lead changed: what a card shows is read from the view when it is sent, so
that the latest state wins and a card is updated, not posted twice. Slack takes no id of ours: a
card carries its delivery's id in its metadata, and where an attempt ended without an answer the
channel's history is asked before anything is posted again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import apsw
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from baton.derived_ids import derived_id
from services.delivery.digest_notice import DIGEST, leads_named
from services.delivery.handoffs import HandoffNow
from services.delivery.planning import delivery_id
from services.delivery.slack.blocks import card_blocks, choices_of, digest_text, notice_text
from services.delivery.store.lead_view import (
    References,
    handoff_of,
    handoffs_of,
    lead_of,
    titles_of,
)
from services.delivery.store.outbox import Delivery
from services.delivery.store.outbox_store import FILE, Store, reader, rows
from services.delivery.targets.people_model import SlackTarget
from services.delivery.webhooks.schedule import Outcome
from services.delivery.wording import card_of

EVENT: Final = "baton_delivery"
_PER_CHANNEL_S: Final = 1.0
_FINAL: Final = frozenset(
    {"channel_not_found", "user_not_found", "invalid_blocks", "not_in_channel", "is_archived"}
)
_GONE: Final = frozenset({"account_inactive", "token_revoked", "invalid_auth", "not_authed"})


class SlackCarrier:
    """Carries to one workspace. ``folder``: the store's. ``spacing_s``: between two messages to
    one channel."""

    batch = 1
    parallel = 8
    notes_begin = True

    def __init__(
        self,
        name: str,
        target: SlackTarget,
        token: str,
        folder: Path,
        namespace: str,
        *,
        spacing_s: float = _PER_CHANNEL_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name, self._target, self._clock = name, target, clock
        self._folder, self._namespace, self._spacing_s = folder, namespace, spacing_s
        self._client = AsyncWebClient(token=token, base_url=target.api_url, timeout=15)
        self._channels: dict[str, str] = {}
        self._free_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._references = References()

    async def close(self) -> None:
        """Nothing is kept open."""

    async def check(self) -> tuple[bool, str]:
        """Whether the token is alive, and in the workspace that the file names."""
        try:
            found = await self._client.auth_test()
        except SlackApiError as error:
            return False, f"Slack says {_code(error)}"
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False, "Slack cannot be reached"
        if self._target.team and found["team_id"] != self._target.team:
            return False, f"the token is of workspace {found['team_id']}, not {self._target.team}"
        return True, f"the token is alive in workspace {found['team_id']}"

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One delivery: the lead's cards as they are now, or one notice."""
        (delivery,) = deliveries
        try:
            if delivery.kind == "card":
                return [await self._cards(delivery)]
            return [await self._notice(delivery)]
        except SlackApiError as error:
            return [_failed(error)]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return [Outcome(ok=False, words=f"no answer from Slack ({type(error).__name__})")]

    def _read(self) -> apsw.Connection:
        return reader(self._folder / FILE)

    async def _cards(self, delivery: Delivery) -> Outcome:
        db = self._read()
        try:
            for handoff in handoffs_of(db, delivery.lead_id or ""):
                await self._card(db, delivery, handoff)
        finally:
            db.close()
        return Outcome(ok=True, words="shown")

    async def _card(self, db: apsw.Connection, delivery: Delivery, handoff: HandoffNow) -> None:
        if self._target.pools and handoff.pool not in self._target.pools:
            return
        blocks, text = self._rendered(db, handoff)
        shown = derived_id("card", json.dumps(blocks, sort_keys=True))
        query = "SELECT channel, ts, shown FROM card WHERE target = ? AND handoff_id = ?"
        known = rows(db, query, (self._name, handoff.handoff_id))
        if not known and not _is_open(handoff):
            return  # it ended before anybody saw it
        if known and known[0]["shown"] == shown:
            return
        if known:
            channel, ts = known[0]["channel"], known[0]["ts"]
            update = partial(
                self._client.chat_update, channel=channel, ts=ts, blocks=blocks, text=text
            )
            await self._paced(channel, update)
        else:
            found = await self._post(delivery, handoff, blocks, text)
            if found is None:
                return
            channel, ts = found
        await asyncio.to_thread(self._note, handoff.handoff_id, channel, ts, shown)

    async def _post(
        self, delivery: Delivery, handoff: HandoffNow, blocks: list[Any], text: str
    ) -> tuple[str, str] | None:
        channel = await self._channel_for(handoff.holder)
        if channel is None:
            return None
        mark = delivery_id(self._name, "card", handoff.handoff_id)
        if delivery.begun_ms is not None or delivery.attempts:
            ts = await self._posted_already(channel, mark)
            if ts is not None:
                return channel, ts
        metadata = {"event_type": EVENT, "event_payload": {"id": mark}}
        post = partial(
            self._client.chat_postMessage,
            channel=channel,
            blocks=blocks,
            text=text,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        answer = await self._paced(channel, post)
        return str(answer["channel"]), str(answer["ts"])

    async def _posted_already(self, channel: str, mark: str) -> str | None:
        """The message of an attempt whose outcome was lost."""
        found = await self._client.conversations_history(
            channel=channel, include_all_metadata=True, limit=200
        )
        for message in found["messages"]:
            metadata = message.get("metadata") or {}
            if metadata.get("event_payload", {}).get("id") == mark:
                return str(message["ts"])
        return None

    def _rendered(self, db: apsw.Connection, handoff: HandoffNow) -> tuple[list[Any], str]:
        found = self._references.at(db, int(self._clock() * 1000))
        agreement = found.agreement if found else None
        zone = agreement.timezone if agreement else "UTC"
        card = card_of(handoff, lead_of(db, handoff.lead_id) or {}, zone)
        reasons: dict[str, str] = {}
        colleagues: dict[str, str] = {}
        if agreement is not None:
            reasons = {name: name.replace("_", " ") for name in agreement.recycling.reasons}
            pool = agreement.pools.get(handoff.pool or "")
            members = [member.person for member in pool.members] if pool else []
            colleagues = choices_of(agreement.people, handoff.holder, members)
        text = f"Lead for {handoff.holder or 'the queue'}"
        return card_blocks(card, handoff.handoff_id, reasons, colleagues), text

    async def _notice(self, delivery: Delivery) -> Outcome:
        notes = json.loads(delivery.payload)
        text = self._notice_text(delivery, notes)
        channel = await self._channel_for(notes.get("to") or notes.get("owner"))
        if channel is None:
            return Outcome(ok=True, words="nobody in Slack to notify")
        if delivery.begun_ms is not None and await self._posted_already(channel, delivery.id):
            return Outcome(ok=True, words="was posted already")
        metadata = {"event_type": EVENT, "event_payload": {"id": delivery.id}}
        post = partial(self._client.chat_postMessage, channel=channel, text=text, metadata=metadata)
        await self._paced(channel, post)
        return Outcome(ok=True, words="posted")

    def _notice_text(self, delivery: Delivery, notes: dict[str, Any]) -> str:
        db = self._read()
        try:
            found = self._references.at(db, int(self._clock() * 1000))
            zone = found.agreement.timezone if found else "UTC"
            if notes["kind"] == DIGEST:
                return digest_text(notes, titles_of(db, leads_named(notes)), zone)
            handoff = handoff_of(db, notes["handoff_id"]) if notes.get("handoff_id") else None
            name = f"goal {notes.get('clock', '')}"
            if delivery.lead_id:
                lead = lead_of(db, delivery.lead_id) or {}
                name = card_of(handoff, lead).title if handoff else f"lead {delivery.lead_id[:8]}"
        finally:
            db.close()
        return notice_text(notes, name, zone)

    async def _channel_for(self, person: str | None) -> str | None:
        if self._target.channel is not None:
            return self._target.channel
        user = self._target.people.get(person or "")
        if user is None:
            return None
        if user not in self._channels:
            answer = await self._client.conversations_open(users=[user])
            self._channels[user] = str(answer["channel"]["id"])
        return self._channels[user]

    async def _paced(self, channel: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """One message to the channel at a time, the next no sooner than a second after Slack has
        answered."""
        loop = asyncio.get_running_loop()
        async with self._locks.setdefault(channel, asyncio.Lock()):
            await asyncio.sleep(max(0.0, self._free_at.get(channel, 0.0) - loop.time()))
            try:
                return await call()
            finally:
                self._free_at[channel] = loop.time() + self._spacing_s

    def _note(self, handoff_id: str, channel: str, ts: str, shown: str) -> None:
        store = Store(self._folder, self._namespace)
        try:
            with store.transaction():
                store.db.execute(
                    "INSERT INTO card VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                    "SET channel = excluded.channel, ts = excluded.ts, shown = excluded.shown",
                    (self._name, handoff_id, channel, ts, shown),
                )
        finally:
            store.close()


def _is_open(handoff: HandoffNow) -> bool:
    return handoff.phase in ("offered", "accepted")


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error", "unknown"))[:60]


def _failed(error: SlackApiError) -> Outcome:
    code, status = _code(error), int(error.response.status_code)
    asked = str(error.response.headers.get("Retry-After", ""))
    if code in _GONE:
        status = (
            410  # as an endpoint that is gone: the target is disabled, and what is for it waits
        )
    return Outcome(
        ok=False,
        words=f"Slack says {code}",
        status=status,
        retry_after_ms=int(asked) * 1000 if asked.isdigit() else None,
        final=code in _FINAL,
    )
